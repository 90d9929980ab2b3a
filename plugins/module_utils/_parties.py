# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates the consumers of a share as a whole. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_problems import identity_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer


def consumer_problems(consumers: t.Iterable[Consumer], owner: str) -> t.Iterator[str]:
    """Problems with the consumers as a whole, in one share or across several shares.

    - The owner account cannot be a consumer. Its principals need no share, and the likely cause is wrong credentials.
    - Two consumers must not have the same external ID. Otherwise each of them could act on behalf of the other. A
      consumer is an account, or a whole organization: an account and its organization need different external IDs.
    - A consumer account must not have statements both with and without an external ID. Otherwise a principal of that
      account can omit the external ID. This applies even if the statements name different principals, because an
      administrator of the account can use all of them.

    One account or organization may have several statements with the same external ID and different principals or
    units, or with different external IDs.

    :param consumers: consumers with an invalid account or organization are ignored, because other problems report them
    """
    parties: dict[str, list[str]] = {}
    external_ids: dict[str, set[str | None]] = {}
    for consumer in consumers:
        if any(identity_problems(consumer)):
            continue
        external_ids.setdefault(consumer.party, set()).add(consumer.external_id)
        if consumer.external_id is not None:
            known = parties.setdefault(consumer.external_id, [])
            known += [] if consumer.party in known else [consumer.party]
    if owner in external_ids:
        yield (
            f"Consumer {owner} is the owner account. Remove this consumer, or use credentials of the account that owns"
            " the repositories."
        )
    for external_id, sharing in parties.items():
        if len(sharing) > 1:
            yield (
                f"External ID {external_id!r} is declared for the consumers {' and '.join(sharing)}. Declare a"
                " different external ID for each of them."
            )
    for party, declared in external_ids.items():
        if None in declared and len(declared) > 1:
            yield (
                f"Consumer {party} is declared both with and without an external_id, so the external ID protects"
                " nothing. Declare an external_id in each statement of this account."
            )
