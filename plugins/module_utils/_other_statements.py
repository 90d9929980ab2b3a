# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The statements in a registry policy that belong to shares of another declaration. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import (
    is_sid_of,
    permissions_of_shares,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import read_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Tag, tag_set


def other_statements(policy: str | None, shares: t.Iterable[str]) -> dict[str, set[Tag]]:
    """The tags by which the statements of shares that are not declared give access, by Sid.

    :param policy: the registry policy; None if the registry has none, or if it was not read
    :param shares: the names of the declared shares
    """
    declared = [is_sid_of(share) for share in shares]
    try:
        document = read_policy(policy, "registry policy") if policy else None
    except EcrError:
        return {}  # a policy that is not valid gives no access
    return {
        sid: {tag for pair in granting_tags(permissions) for tag in tag_set(pair)}
        for sid, permissions in permissions_of_shares(document).items()
        if not any(is_own(sid) for is_own in declared)
    }
