# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The statements in a registry policy that belong to shares of another declaration. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import is_sid_of, is_sid_of_a_share
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import read_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import REGISTRY
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share, Tag, tag_set


def undeclared_statements(account: Account, region: str, shares: t.Iterable[Share]) -> dict[str, Document]:
    """The statements in the registry policy of a region that give access for shares that are not declared, by Sid.

    :param shares: the declared shares
    """
    registry = account.registries.get(region)
    policy = registry.policies.get(REGISTRY) if registry else None
    declared = [is_sid_of(share.label) for share in shares]
    try:
        listed = statements(read_policy(policy, "registry policy")) if policy else []
    except EcrError:
        return {}  # a policy that is not valid gives no access
    return {
        statement["Sid"]: statement
        for statement in listed
        if statement.get("Effect") == "Allow"
        and is_sid_of_a_share(statement.get("Sid"))
        and not any(is_own(statement["Sid"]) for is_own in declared)
    }


def tags_of_statement(statement: Document) -> set[Tag]:
    """The tags by which a statement gives access."""
    return {tag for pair in granting_tags({"Statement": [statement]}) for tag in tag_set(pair)}
