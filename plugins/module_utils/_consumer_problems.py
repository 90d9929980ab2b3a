# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The validation of the declared consumers of a pull role. Standard library only."""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option


def consumers_problems(consumers: t.Sequence[Consumer], partition: str) -> t.Iterator[str]:
    """Problems with each consumer individually.

    :param partition: the partition of the owner account
    """
    if not consumers:
        yield f"{option('consumers')} is empty. Name at least one account that can assume the role."
    for position, consumer in enumerate(consumers, 1):
        number = consumer.number or position
        yield from (f"Consumer {number}: {problem}" for problem in _party_problems(consumer))
        yield from _statement_problems(f"Consumer {number} ({consumer.party})", consumer, partition)
    for number, consumer in enumerate(consumers):
        if consumer in consumers[:number]:
            yield f"Consumer {consumer.party} is declared twice with the same principals and external_id. Remove one."


def _statement_problems(name: str, consumer: Consumer, partition: str) -> t.Iterator[str]:
    if consumer.external_id is None and consumer.is_organization:
        yield f"{name} has no external_id. Set one. allow_no_external_id is only for an account."
    elif consumer.external_id is None and not consumer.allow_no_external_id and not consumer.service:
        yield f"{name} has no external_id. Set one, or set allow_no_external_id: true."
    for problem in (
        *_role_mode_problems(consumer),
        *_names.external_id_problems(consumer.external_id),
        *_organization_problems(consumer),
        *_principals_problems(consumer, partition),
    ):
        yield f"{name}: {problem}"


def who_problems(consumer: Consumer, partition: str) -> t.Iterator[str]:
    """Problems with who the consumer is, whatever gives it access."""
    yield from _party_problems(consumer)
    yield from _organization_problems(consumer)
    yield from _principals_problems(consumer, partition)


def identity_problems(consumer: Consumer) -> t.Iterator[str]:
    """Problems with the account, the organization or the service, without which it is unknown who the consumer is."""
    yield from _party_problems(consumer)
    yield from _names.organization_problems(consumer.organization_id)


def _party_problems(consumer: Consumer) -> t.Iterator[str]:
    if consumer.account is not None:
        yield from _names.account_problems(consumer.account)
    elif consumer.organization_id is None and consumer.service is None:
        yield "It has neither account nor organization_id. Set account, or organization_id for a whole organization."


def _organization_problems(consumer: Consumer) -> t.Iterator[str]:
    """Problems with the organization of a consumer, and with its organizational units."""
    organization, units = consumer.organization_id, consumer.organization_units
    yield from _names.organization_problems(organization)
    if units is None:
        return
    if organization is None:
        yield "organization_units needs organization_id. Set it to the organization of the units."
    if not units:
        yield (
            "organization_units is an empty list. Name at least one unit, or omit the option to include the whole"
            " organization."
        )
    for unit in units:
        yield from _names.unit_problems(unit, organization)
    for unit, other in itertools.permutations(dict.fromkeys(units), 2):
        if unit.startswith(f"{other}/"):
            yield f"unit {unit} is below {other}, which includes it. Remove {unit}."
    for unit in dict.fromkeys(units):
        if units.count(unit) > 1:
            yield f"unit {unit} is listed twice. Remove one."


def _role_mode_problems(consumer: Consumer) -> t.Iterator[str]:
    """Problems with options that a trust policy cannot express."""
    for name in ("service", "source_arns", "source_accounts"):
        if getattr(consumer, name) not in (None, ()):
            yield f"{name} is for repository policies and registry policies. A service does not assume a pull role."


def _principals_problems(consumer: Consumer, partition: str) -> t.Iterator[str]:
    if consumer.principals and consumer.is_organization:
        yield "principals needs account. Declare the users and roles under their own account, or omit principals."
        return
    for principal in consumer.principals:
        found = list(_names.principal_problems(principal, consumer.account, partition))
        if not found and principal.endswith(":root") and consumer.principal_match == "condition":
            found = [f"{principal} means only the root user with principal_match: condition. Omit principals."]
        yield from found
