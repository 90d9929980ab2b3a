# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The roles of all shares: which of them a run changes, and in which order. Standard library only.

Roles with one policy change together. Before the first of them changes the policy, the trust policies of the others are
reduced to what both declarations have. Otherwise a principal that only the old declaration has could use the new
permissions until its own role changes.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import (
    families,
    with_common_policy,
    with_removed_roles,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import earlier, end_in
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import with_former_statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ends import (
    end_of_role,
    role_end_problems,
    with_fixed_ends,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, plan_role_narrowed
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import CreateVersion, SetDefaultVersion
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import (
    NewValues,
    PlannedRole,
    plan_pull_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statements import planned_without_role


def planned_shares(declared: t.Sequence[Share], account: Account, expired_only: bool) -> list[Share]:
    """The declared shares, and absent shares for the roles and statements that are no longer declared.

    :param expired_only: whether shares whose end has not passed are left unchanged
    """
    shares = with_removed_roles(declared, account.roles)
    if expired_only:
        shares = [share if _has_ended(share, shares, account) else _unchanged(share, account) for share in shares]
    return with_common_policy(with_former_statements(shares, account))


def _has_ended(share: Share, shares: t.Sequence[Share], account: Account) -> bool:
    """Whether the end has passed, both in the declaration and in AWS. A misspelled end does not delete a role.

    A role without its policy gives no access. An interrupted run may have deleted the end of such a role.
    """
    states = _states(share, shares, account)
    role = with_fixed_ends(share.role, [state.role_tags for state in states], account.now)
    ends = [earlier(role.end, role.role_end)]
    if states[0].attached:
        ends.append(earlier(end_of_role(states[0]), end_in(states[0].trust)))
    return all(end is not None and end <= account.now for end in ends)


def _unchanged(share: Share, account: Account) -> Share:
    state = account.roles.get(share.name, RoleState())
    exists = (state if share.has_role else planned_without_role(share, account).plan.before).role_exists
    return replace(share, role=replace(share.role, is_present=exists), is_unchanged=True)


def _states(share: Share, shares: t.Sequence[Share], account: Account) -> list[RoleState]:
    """The states of the roles of one declaration. The role of `share` is the first one."""
    own = [other for other in shares if other.label == share.label and other is not share and other.has_role]
    names = [share.name, *(other.name for other in own)]
    return [account.roles.get(name, RoleState()) for name in names]


def plan_role_of_share(
    share: Share, shares: t.Sequence[Share], account: Account, new: NewValues, problems: Problems
) -> PlannedRole:
    """Plan the role of a share, with problems that name the share if there are several."""
    if not share.has_role:
        return planned_without_role(share, account)
    before, *others = _states(share, shares, account)
    found, owner = Problems(), account.identity
    if share.is_unchanged:
        tags = [state.role_tags for state in (before, *others)]
        problems.extend(role_end_problems(before, with_fixed_ends(share.role, tags, account.now), account.now))
        return PlannedRole(share.role, RolePlan(before, before, []))
    family = [other.role for other in shares if other.label == share.label and other.is_present]
    parties = [consumer.in_partition(owner.partition).party for role in family for consumer in role.consumers]
    planned = plan_pull_role(before, share.role, owner, new, found, others, parties)
    reported: list[str] = []
    if share.missing:
        # A missing option is already reported, so problems with its empty value are ignored.
        empty = Problems()
        plan_pull_role(RoleState(), RoleDeclaration("", "", is_present=share.is_present), owner, new, empty)
        reported = empty.found
    several = len({other.label for other in shares}) > 1
    for problem in found.found:
        if problem not in reported:
            problems.add(f"Share {share.label}: {problem}" if several and share.label else problem)
    return planned


def role_runs(shares: t.Sequence[Share], roles: t.Sequence[PlannedRole]) -> list[RoleDeclaration]:
    """The declarations to apply, in their order."""
    planned = {share.name: role for share, role in zip(shares, roles) if share.has_role}
    with_role = families(share for share in shares if share.has_role)
    return [run for family in with_role for run in _runs([planned[share.name] for share in family])]


def _runs(family: t.Sequence[PlannedRole]) -> t.Iterator[RoleDeclaration]:
    present = [role for role in family if role.declared.is_present]
    absent = [role for role in family if role.plan.steps and not role.declared.is_present]
    for role in present if absent else ():
        if not role.plan.before.role_exists:
            yield replace(role.declared, is_narrowed=True)
    yield from (role.declared for role in absent)
    steps = [step for role in present for step in role.plan.steps]
    changes_policy = any(isinstance(step, (CreateVersion, SetDefaultVersion)) for step in steps)
    for role in present[1:] if changes_policy else ():
        if plan_role_narrowed(role.plan.before, role.plan.after).steps:
            yield replace(role.declared, is_narrowed=True)
    yield from (role.declared for role in present if role.plan.steps)
