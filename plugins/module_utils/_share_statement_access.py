# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The access gained and lost through the statement of a share in a policy. Standard library only.

The statement is evaluated as a role: its principals and their conditions as the trust policy, and its repositories and
the conditions on their tags as the permissions.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import (
    ChangeOfAccess,
    Repository,
    Role,
    change_of_access,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import PULL_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import own_statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import PolicyChange

_TAGS = ("ecr:resourcetag/", "aws:resourcetag/")


def access_in_repositories(
    changes: t.Iterable[PolicyChange], declared: AccessDeclaration, owner: Identity, region: str
) -> t.Iterator[ChangeOfAccess]:
    """The change of access by the policies of repositories, once for all repositories with the same change."""
    groups: dict[str, tuple[Role | None, Role | None, list[Repository]]] = {}
    for change in changes:
        before, after = (own_statements(policy, declared.is_own) for policy in (change.before, change.after))
        group = groups.setdefault(f"{before}{after}", (_as_role(before), _as_role(after), []))
        group[2].append(Repository(change.name, owner.repository(region, change.name), {}))
    for old, new, repositories in groups.values():
        yield change_of_access(old, new, repositories, repositories)


def access_in_registry(
    change: PolicyChange, declared: AccessDeclaration, before: t.Sequence[Repository], after: t.Sequence[Repository]
) -> ChangeOfAccess:
    """The change of access by the registry policy and by the tags of the repositories.

    :param before: the repositories with their current tags
    :param after: the repositories with their planned tags
    """
    old, new = (_as_role(own_statements(policy, declared.is_own)) for policy in (change.before, change.after))
    return change_of_access(old, new, before, after)


def access_by_tags(
    statement: Document, before: t.Sequence[Repository], after: t.Sequence[Repository]
) -> ChangeOfAccess:
    """The change of access through a statement of the registry policy that a run does not change.

    :param before: the repositories with their current tags
    :param after: the same repositories with their planned tags
    """
    role = _as_role([statement])
    changed = [pair for pair in zip(before, after) if pair[0].tags != pair[1].tags]
    return change_of_access(role, role, [old for old, _new in changed], [new for _old, new in changed])


def _as_role(statements: t.Sequence[Document]) -> Role | None:
    """A role that gives the same access as the statements, which all have the same condition on tags."""
    if not statements:
        return None
    trust: list[Document] = []
    permissions: list[Document] = []
    for statement in statements:
        condition = statement.get("Condition", {})
        of_tags: Document = {}
        of_principals: Document = {}
        for operator, block in condition.items():
            for key, values in block.items():
                part = of_tags if key.lower().startswith(_TAGS) else of_principals
                part.setdefault(operator, {})[key] = values
        principals: Document = {name: statement[name] for name in ("Principal", "NotPrincipal") if name in statement}
        admitted: Document = {"Effect": statement.get("Effect"), **principals, "Action": "sts:AssumeRole"}
        trust.append({**admitted, "Condition": of_principals} if of_principals else admitted)
        allowed: Document = {
            "Effect": "Allow",
            "Action": list(PULL_ACTIONS),
            "Resource": statement.get("Resource", "*"),
        }
        permissions.append({**allowed, "Condition": of_tags} if of_tags else allowed)
    return Role({"Statement": trust}, {"Statement": permissions})
