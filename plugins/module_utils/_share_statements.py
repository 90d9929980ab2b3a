# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the statements of the shares without a role, in the policies of repositories or in the registry policy.
Standard library only.

A repository policy has the statement if, after the run, the repository has the tags that grant access. The statement in
the registry policy has a condition on the tags, as the permissions of a role. AWS replaces a policy as a whole, with
one request. So between two requests, a consumer can read a repository only if the old or the new declaration allows it.
The order of the writes is in `_share_statement_order`.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import ChangeOfAccess, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import (
    are_policies_read,
    has_statement,
    is_replaced,
    policies_of_mode,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import (
    permissions_document,
    repository_tags_of,
    repository_tags_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import read_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import (
    REGISTRY,
    AccessDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import (
    AccessStatementPlan,
    PolicyChange,
    changed_policies,
    plan_of_changes,
    policy_name,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import REGISTRY_POLICY, Account, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import PlannedRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statement_access import (
    access_by_tags,
    access_in_registry,
    access_in_repositories,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statement_order import (
    LENGTHENED,
    PHASES,
    SHORTENED,
    RegionalStatements,
    late_ending_problems,
    run_in_order,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import ShareState, TagChanges
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import has_every_tag
from ansible_collections.crossaccount.ecr.plugins.module_utils._undeclared_grants import undeclared_statements


@dataclass(frozen=True)
class StatementStep:
    """One run of `ecr_repository_policy_statement`."""

    share: Share
    region: str
    names: tuple[str, ...]
    is_present: bool

    @property
    def is_in_registry(self) -> bool:
        return self.share.mode == REGISTRY_POLICY

    @property
    def options(self) -> Json:
        """The options of `ecr_repository_policy_statement`."""
        declared = self.share.role
        return {
            "region": self.region,
            "name": self.share.name,
            "policy": "registry" if self.is_in_registry else "repository",
            "names": None if self.is_in_registry else list(self.names),
            "repository_tags": declared.repository_tags if self.is_in_registry else None,
            "state": "present" if self.is_present else "absent",
            "consumers": [consumer.options for consumer in declared.consumers] if self.is_present else None,
            "access": declared.access,
            "adopt": declared.adopt,
        }


@dataclass
class StatementChanges:
    """The changes of policies in a run.

    :param steps: the steps in their order
    :param access: the access gained and lost, with the name of the share or the Sid of the statement, and its policies
    """

    steps: list[StatementStep] = field(default_factory=list)
    access: list[tuple[str, ChangeOfAccess]] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)
    diff: list[Json] = field(default_factory=list)


def declared_statement(share: Share) -> AccessDeclaration:
    """The statement that a share declares."""
    role = share.role
    return AccessDeclaration(
        share.name,
        ("*",),
        consumers=role.consumers,
        access=role.access,
        adopt=role.adopt,
        is_present=share.is_present,
        in_registry=share.mode == REGISTRY_POLICY,
        tags=repository_tags_of(role.repository_tags),
    )


def planned_without_role(share: Share, account: Account) -> PlannedRole:
    """The share as a role that grants access by its tags. No IAM role is read or written."""
    tags = repository_tags_of(share.role.repository_tags)
    granting = RoleState(True, True, permissions=permissions_document(account.identity, tags), attached=True)
    before = granting if has_statement(share, account) else RoleState()
    after = granting if share.is_present else RoleState()
    consumers = tuple(consumer.in_partition(account.identity.partition) for consumer in share.role.consumers)
    return PlannedRole(replace(share.role, consumers=consumers), RolePlan(before, after, []))


def plan_statement_changes(shared: ShareState, tags: TagChanges) -> StatementChanges:
    """Plan the statements that the declaration removes, changes and adds."""
    changes = StatementChanges()
    several = len(shared.shares) > 1
    for share in shared.shares:
        if not (share.has_role or share.is_unchanged):
            problems = _share_problems(share, shared.account)
            changes.problems += [f"Share {share.label}: {one}" if several else one for one in problems]
    planned = [
        _statements_in_region(shared, share, region, tags)
        for _number, share, region, _names in shared.places()
        if not (share.has_role or share.is_unchanged) and are_policies_read(share, region, shared.account)
    ]
    after = run_in_order(planned)
    for one in planned:
        _add_changes(shared, one, tags, changes)
    changes.access += _access_of_others(shared, tags)
    changes.problems += late_ending_problems(planned, after)
    changes.steps = [
        StatementStep(one.share, one.region, names, phase in (SHORTENED, LENGTHENED))
        for phase in PHASES
        for one in planned
        for names in [one.names_in(phase)]
        if names
    ]
    return changes


def _share_problems(share: Share, account: Account) -> t.Iterator[str]:
    if share.is_present and "repository_tags" not in share.missing:
        yield from repository_tags_problems(share.role.repository_tags)
    if "consumers" not in share.missing:
        yield from declared_statement(share).problems_in(account.identity)


def _statements_in_region(shared: ShareState, share: Share, region: str, tags: TagChanges) -> RegionalStatements:
    """The changes by one share in one region, as if it were the only share."""
    wanted_tags = repository_tags_of(share.role.repository_tags)
    declared, owner = declared_statement(share), shared.account.identity
    own = policies_of_mode(shared.account.registries[region].policies, share.mode)
    selected = {
        name
        for name in (own if share.is_present and wanted_tags else ())
        if name == REGISTRY or has_every_tag(tags.after.get((region, name), {}), wanted_tags)
    }
    wanted = declared.statements(owner, region)
    found, invalid = changed_policies(own, selected, declared, wanted)
    is_former = not share.is_present and is_replaced(share, shared.shares)
    return RegionalStatements(share, region, declared, wanted, selected, own, is_former, found, invalid)


def _add_changes(shared: ShareState, one: RegionalStatements, tags: TagChanges, changes: StatementChanges) -> None:
    """Add the problems, the access and the diff of one share in one region."""
    declared, region = one.declared, one.region
    plan = plan_of_changes(one.changes, one.invalid, one.names, one.selected, declared)
    problems = [*plan.problems]
    if declared.in_registry:
        before, after = _repositories(shared, region, tags)
        change = _registry_change(shared.account.registries[region].policies[REGISTRY], plan, problems)
        access = [access_in_registry(change, declared, before, after)] if change else []
    else:
        access = list(access_in_repositories(plan.changes, declared, shared.account.identity, region))
    changes.problems += problems
    place = "in the registry policy" if declared.in_registry else "in repository policies"
    place += f" in {region}" if len(one.share.regions) > 1 else ""
    changes.access += [(f"share {one.share.name} {place}", change) for change in access]
    header = f"statement {declared.sid} in the {'registry policy' if declared.in_registry else 'policies'} in {region}"
    changes.diff += [{**plan.diff, "before_header": header, "after_header": header}] if plan.changes else []


def _access_of_others(shared: ShareState, tags: TagChanges) -> t.Iterator[tuple[str, ChangeOfAccess]]:
    """The access that changed tags give or end through registry policies, by statements of undeclared shares."""
    for region in sorted(shared.account.registries):
        listed = undeclared_statements(shared.account, region, shared.shares)
        before, after = _repositories(shared, region, tags) if listed else ([], [])
        for sid, statement in listed.items():
            yield f"statement {sid} of the registry policy in {region}", access_by_tags(statement, before, after)


def _repositories(shared: ShareState, region: str, tags: TagChanges) -> tuple[list[Repository], list[Repository]]:
    """The repositories of a region with their current tags, and with their planned tags."""
    owner, names = shared.account.identity, shared.account.registries[region].repositories
    arns = {name: owner.repository(region, name) for name in names}
    before = [Repository(name, arn, shared.tags(region, name)) for name, arn in arns.items()]
    return before, [Repository(name, arn, tags.after[region, name]) for name, arn in arns.items()]


def _registry_change(policy: str | None, plan: AccessStatementPlan, problems: list[str]) -> PolicyChange | None:
    """The registry policy before and after the run; None if it is not valid.

    The tags can change access although the policy does not change.

    :param problems: receives the problem if the policy is not valid
    """
    if plan.changes or plan.problems:
        return plan.changes[0] if plan.changes else None
    try:
        document = None if policy is None else read_policy(policy, policy_name(REGISTRY))
    except EcrError as error:
        problems.append(str(error))
        return None
    return PolicyChange(REGISTRY, document, document)
