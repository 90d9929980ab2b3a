# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The roles and the statements of shares that are not declared here, with the tags by which they give access.

Statements are those in registry policies. One in the policy of a repository does not depend on tags. Standard library
only.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import is_sid_of, statements_of_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import read_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import REGISTRY
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share, Tag, tag_set


class UndeclaredGrant(t.NamedTuple):
    """A role or a statement that is not declared here.

    :param name: the name of the role, or the Sid
    :param text: it in a sentence
    :param tags: the tags by which it gives access
    """

    name: str
    text: str
    tags: set[Tag]


def undeclared_grants(account: Account, region: str, shares: t.Iterable[Share]) -> list[UndeclaredGrant]:
    """The roles, and the statements in the registry policy of a region, that are not declared here.

    :param shares: the declared shares
    """
    roles = [
        UndeclaredGrant(name, f"role {name}", _tags_of(state.permissions) if state.role_exists else set())
        for name, state in sorted(account.others.items())
    ]
    statements = undeclared_statements(account, region, shares)
    return roles + [
        UndeclaredGrant(sid, f"statement {sid} of the registry policy", _tags_of({"Statement": [statement]}))
        for sid, statement in sorted(statements.items())
    ]


def undeclared_statements(account: Account, region: str, shares: t.Iterable[Share]) -> dict[str, Document]:
    """The statements in the registry policy of a region that give access for shares that are not declared, by Sid.

    :param shares: the declared shares
    """
    registry = account.registries.get(region)
    policy = registry.policies.get(REGISTRY) if registry else None
    declared = [is_sid_of(share.label) for share in shares]
    try:
        document = read_policy(policy, "registry policy") if policy else None
    except EcrError:
        return {}  # a policy that is not valid gives no access
    listed = statements_of_shares(document)
    return {sid: one for sid, one in listed.items() if not any(is_own(sid) for is_own in declared)}


def _tags_of(permissions: Document | None) -> set[Tag]:
    return {tag for pair in granting_tags(permissions) for tag in tag_set(pair)}
