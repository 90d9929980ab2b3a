# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the statements of the shares without a role, in the policies of repositories. Standard library only.

A repository has the statement if, after the run, it has the tags that grant access. AWS replaces a policy as a whole,
with one request. So between two requests, a consumer can read a repository only if the old or the new declaration
allows it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import (
    ChangeOfAccess,
    Repository,
    Role,
    change_of_access,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import (
    PULL_ACTIONS,
    permissions_document,
    repository_tags_of,
    repository_tags_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, text
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import own_statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import (
    PolicyChange,
    plan_statements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import SHARE_TAG, RoleState, lowercase_keys
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import PlannedRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import ShareState, TagChanges
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import has_every_tag


@dataclass(frozen=True)
class StatementStep:
    """One run of `ecr_repository_policy_statement`."""

    share: Share
    region: str
    names: tuple[str, ...]
    is_present: bool

    @property
    def options(self) -> Json:
        """The options of `ecr_repository_policy_statement`."""
        declared = self.share.role
        return {
            "region": self.region,
            "name": self.share.name,
            "names": list(self.names),
            "state": "present" if self.is_present else "absent",
            "consumers": [consumer.options for consumer in declared.consumers] if self.is_present else None,
            "access": declared.access,
            "adopt": declared.adopt,
        }


@dataclass
class StatementChanges:
    """The changes of repository policies in a run.

    :param removals: the steps that remove statements, before those that add or change them
    :param access: the access gained and lost, with the name of the share
    """

    removals: list[StatementStep] = field(default_factory=list)
    additions: list[StatementStep] = field(default_factory=list)
    access: list[tuple[str, ChangeOfAccess]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    diff: list[Json] = field(default_factory=list)

    @property
    def steps(self) -> list[StatementStep]:
        return [*self.removals, *self.additions]


def declared_statement(share: Share, is_present: bool | None = None) -> AccessDeclaration:
    """The statement that a share declares."""
    role = share.role
    return AccessDeclaration(
        share.name,
        ("*",),
        consumers=role.consumers,
        access=role.access,
        adopt=role.adopt,
        is_present=share.is_present if is_present is None else is_present,
    )


def planned_without_role(share: Share, account: Account) -> PlannedRole:
    """The share as a role that grants access by its tags. No IAM role is read or written."""
    tags = repository_tags_of(share.role.repository_tags)
    granting = RoleState(True, True, permissions=permissions_document(account.identity, tags), attached=True)
    sid = declared_statement(share).sid
    policies = [policy or "" for registry in account.registries.values() for policy in registry.policies.values()]
    before = granting if any(sid in policy for policy in policies) else RoleState()
    after = granting if share.is_present else RoleState()
    consumers = tuple(consumer.in_partition(account.identity.partition) for consumer in share.role.consumers)
    return PlannedRole(replace(share.role, consumers=consumers), RolePlan(before, after, []))


def plan_statement_changes(shared: ShareState, tags: TagChanges) -> StatementChanges:
    """Plan the statements that the declaration removes, changes and adds."""
    changes = StatementChanges()
    several = len(shared.shares) > 1
    policies = {region: dict(registry.policies) for region, registry in shared.account.registries.items()}
    for share in shared.shares:
        if not (share.has_role or share.is_unchanged):
            problems = _share_problems(share, shared.account)
            changes.problems += [f"Share {share.label}: {one}" if several else one for one in problems]
    for _number, share, region, _names in shared.places():
        if not (share.has_role or share.is_unchanged) and region in policies:
            _plan_in_region(shared, share, region, policies[region], tags, changes)
    return changes


def _share_problems(share: Share, account: Account) -> t.Iterator[str]:
    if share.is_present and "repository_tags" not in share.missing:
        yield from repository_tags_problems(share.role.repository_tags)
    if "consumers" not in share.missing:
        yield from declared_statement(share).problems_in(account.identity)
    for name, state in sorted(account.others.items()):
        if share.name.lower() in (name.lower(), lowercase_keys(state.role_tags).get(SHARE_TAG, "").lower()):
            yield (
                f"Role {name} of this collection exists, so the consumers of an earlier declaration can still pull"
                f" through it. End that share first: set {option('mode')} to role and {option('state')} to absent. Or"
                f" choose another {option('role_name')}."
            )


def _plan_in_region(
    shared: ShareState,
    share: Share,
    region: str,
    policies: dict[str, str | None],
    tags: TagChanges,
    changes: StatementChanges,
) -> None:
    """Plan the statement of a share in one region, and replace the changed texts in `policies`."""
    wanted_tags = repository_tags_of(share.role.repository_tags)
    selected = {
        name
        for name in (policies if share.is_present and wanted_tags else ())
        if has_every_tag(tags.after.get((region, name), {}), wanted_tags)
    }
    declared, owner = declared_statement(share), shared.account.identity
    plan = plan_statements(policies, selected, declared, declared.statements(owner))
    policies.update({change.name: text(change.after) if change.after else None for change in plan.changes})
    removed, added = (
        tuple(change.name for change in plan.changes if (change.name in selected) == is_added)
        for is_added in (False, True)
    )
    changes.removals += [StatementStep(share, region, removed, False)] if removed else []
    changes.additions += [StatementStep(share, region, added, True)] if added else []
    changes.problems += plan.problems
    changes.access += [(share.name, change) for change in _access(plan.changes, declared, owner, region)]
    header = f"statement {declared.sid} in repository policies in {region}"
    changes.diff += [{**plan.diff, "before_header": header, "after_header": header}] if plan.changes else []


def _access(
    changes: t.Iterable[PolicyChange], declared: AccessDeclaration, owner: Identity, region: str
) -> t.Iterator[ChangeOfAccess]:
    """The access gained and lost, once for all repositories with the same change."""
    groups: dict[str, tuple[list[Document], list[Document], list[Repository]]] = {}
    for change in changes:
        before, after = (own_statements(policy, declared.is_own) for policy in (change.before, change.after))
        group = groups.setdefault(f"{before}{after}", (before, after, []))
        group[2].append(Repository(change.name, owner.repository(region, change.name), {}))
    for before, after, repositories in groups.values():
        yield change_of_access(_as_role(before), _as_role(after), repositories, repositories)


def _as_role(statements: t.Sequence[Document]) -> Role | None:
    """A role that gives the same access to one repository as the statements of its policy."""
    if not statements:
        return None
    trust = [
        {name: value for name, value in {**one, "Action": "sts:AssumeRole"}.items() if name not in ("NotAction", "Sid")}
        for one in statements
    ]
    allowed = {"Effect": "Allow", "Action": list(PULL_ACTIONS), "Resource": "*"}
    return Role({"Statement": trust}, {"Statement": [allowed]})
