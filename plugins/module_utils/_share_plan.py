# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""One plan for all shares of a declaration. Standard library only.

The order of the writes
-----------------------

A run has four phases. Each phase is complete for all shares before the next phase begins:

1. *untag*: remove the tags that are no longer declared;
2. *statements*: remove, change and add the statements of shares without a role in policies;
3. *roles*: create, update or delete the pull roles;
4. *tag*: add the new tags.

This order guarantees: at no time can a principal read a repository unless the old or the new declaration allows this
principal to read this repository. The guarantee holds whether the run completes or is interrupted. It relies on one
fact: a role grants access by the tags that a repository has, and never by tags that it lacks. So a repository with
fewer tags can only be accessible to fewer principals.

- While tags are removed, the roles are unchanged, and the tags of each repository are a subset of its old tags. So no
  principal has access that the old declaration does not allow.
- A statement is replaced with one request. So a policy has either the old or the new statement. A statement in the
  policy of a repository gives access to this repository only. One in the registry policy gives access by the tags of
  repositories, as a role. `_share_statement_order` explains the order of the statements.
- While roles change, each repository has only tags that it has both before and after the run. A role that is not yet
  changed grants only access that the old declaration allows. A changed role grants only access that the new declaration
  allows. The plan of each role (`_role_plan`) gives the same guarantee between its own writes.
- While tags are added, all roles are changed, and the tags of each repository are a subset of its new tags. So no
  principal has access that the new declaration does not allow.

A write that fails ends the run, because each of these statements relies on the writes before it. Therefore, the Ansible
role includes a file of tasks for each statement and each role. A loop over a module would continue after a failed item.

Completing one share before the next is not safe. For example, shares A and B grant access by the same tag. A run adds
the tag to another repository for A, and moves B to another tag. If A is completed first, the consumers of B can read
the new repository of A until B is completed.

If a share gets another mode, what it has from the earlier mode is removed in the same run. The order of the two phases
keeps access without need of an interruption: a statement is written before the role is deleted, and a statement of one
policy mode before that of the other. Only a role is created after the statements are removed, because a later run does
not search for statements if the role exists (`_former_modes`). The consumer needs the hand-off of the new role anyway.

If a tag gets a new value, and a role grants access by the old value after the run, the old value is removed in the
first phase. Otherwise a new consumer of that role could read the repository before the last phase.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._parties import consumer_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import (
    AccessChange,
    RoleChange,
    TagsChange,
    access_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import (
    contradictions,
    image_problems_of_shares,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_facts import ShareFacts, facts_of, handoffs_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_role_runs import (
    plan_role_of_share,
    planned_shares,
    role_runs,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import NewValues, PlannedRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statements import (
    StatementStep,
    plan_statement_changes,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import (
    ShareState,
    TagChanges,
    TagStep,
    plan_tag_changes,
    select_repositories,
    selection_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_text import remaining_of, summary_of, warnings_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import TagChange, tag_diff


@dataclass(frozen=True)
class SharePlan:
    """All changes of a run in their order, and their effect. A plan with problems must not be applied.

    :param untag: the first phase
    :param statements: the second phase
    :param roles: the third phase
    :param tag: the last phase
    :param handoffs: the options of `ecr_handoff` for each share; empty for an absent share
    :param shares: the shares after the run
    :param summary: the shares after the run as text; a line names at most ten repositories
    :param all_summary: the same with the names of all repositories
    :param problems: problems with one share or with several shares together
    """

    untag: list[TagStep]
    statements: list[StatementStep]
    roles: list[RoleDeclaration]
    tag: list[TagStep]
    access: AccessChange
    handoffs: list[Json]
    shares: list[ShareFacts]
    summary: list[str]
    all_summary: list[str]
    warnings: list[str]
    problems: list[str]
    diff: list[Json]

    @property
    def changed(self) -> bool:
        return bool(self.untag or self.roles or self.statements or self.tag)

    @property
    def steps(self) -> list[tuple[str, Json]]:
        """The module and the options of each step, in the order that the head of this file explains."""
        removals = [("ecr_repository_tag", {**step.options, "state": "absent"}) for step in self.untag]
        additions = [("ecr_repository_tag", {**step.options, "state": "present"}) for step in self.tag]
        roles = [("iam_ecr_pull_role", role.options) for role in self.roles]
        statements = [("ecr_repository_policy_statement", step.options) for step in self.statements]
        return [*removals, *statements, *roles, *additions]

    @property
    def remaining(self) -> list[str]:
        """The differences from the declaration, as text."""
        return remaining_of(self.untag, self.roles, self.statements, self.tag)


def plan_shares(
    declared: t.Sequence[Share],
    account: Account,
    make_id: t.Callable[[], str],
    is_carried_out: bool = False,
    expired_only: bool = False,
) -> SharePlan:
    """The plan for a declaration.

    :param make_id: returns a new external ID
    :param is_carried_out: whether the plan of this declaration was just applied
    :param expired_only: whether only shares whose end has passed are deleted, and no other share is changed
    """
    problems = Problems()
    new = NewValues(make_id, account.now)
    shares = planned_shares(declared, account, expired_only)
    roles = [plan_role_of_share(share, shares, account, new, problems) for share in shares]
    before, after = [role.plan.before for role in roles], [role.plan.after for role in roles]
    shared = ShareState(shares, account, before, after, select_repositories(shares, account), is_carried_out)
    tags = plan_tag_changes(shared)
    statements = plan_statement_changes(shared, tags)
    changing = [share for share in shares if not share.is_unchanged]
    problems.extend(selection_problems(changing, account))
    problems.extend(contradictions(shares, shared.selection))
    problems.extend(image_problems_of_shares(changing, account))
    problems.extend(_problems_of_several_consumers(shares, roles, account))
    problems.extend(tags.problems)
    problems.extend(statements.problems)
    problems.extend(_unknown_problems(shared))
    repositories = _repositories_of(account, tags)
    facts = [facts_of(shared, number, role, tags, statements.steps) for number, role in enumerate(roles)]
    return SharePlan(
        untag=tags.untag,
        roles=role_runs(shares, roles),
        statements=statements.steps,
        tag=tags.tag,
        access=access_of(_role_changes(shares, roles, account), repositories, account.now, statements.access),
        handoffs=handoffs_of(facts),
        shares=facts,
        summary=summary_of(shared, facts, tags, False),
        all_summary=summary_of(shared, facts, tags, True),
        warnings=[*dict.fromkeys(text for role in roles for text in role.warnings), *warnings_of(shared, tags)],
        problems=list(dict.fromkeys(problems.found)),
        diff=[*_diff(shares, roles, repositories), *statements.diff],
    )


def _problems_of_several_consumers(
    shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], account: Account
) -> t.Iterator[str]:
    """Problems with the consumers of several shares together, without problems within one share."""
    every: list[Consumer] = []
    known: set[str] = set()
    for role in (role for share, role in zip(shares, roles) if share.is_present and share.has_role):
        known |= {*consumer_problems(role.declared.consumers, account.identity.account)}
        every += role.declared.consumers
    yield from (problem for problem in consumer_problems(every, account.identity.account) if problem not in known)


def _role_changes(shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], account: Account) -> list[RoleChange]:
    declared = [
        RoleChange(share.name, role.plan.before, role.plan.after)
        for share, role in zip(shares, roles)
        if share.has_role
    ]
    return [*declared, *(RoleChange(name, state, state) for name, state in sorted(account.others.items()))]


def _repositories_of(account: Account, tags: TagChanges) -> list[TagsChange]:
    return [
        TagsChange(region, name, account.identity.repository(region, name), before, tags.after[region, name])
        for region, registry in sorted(account.registries.items())
        for name, before in sorted(registry.repositories.items())
    ]


def _unknown_problems(shared: ShareState) -> t.Iterator[str]:
    """Problems with exclusive shares, which require the list of all repositories that have their tags."""
    for _number, share, region, _names in shared.places():
        registry = shared.account.registries.get(region)
        if share.is_present and share.exclusive and registry and registry.unknown:
            yield (
                f"Share {share.name} is exclusive, but which other repositories in {region} have its tags is unknown:"
                f" {registry.unknown}"
            )


def _diff(
    shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], repositories: t.Sequence[TagsChange]
) -> list[Json]:
    found = [
        {**role.plan.diff, "before_header": f"role {share.name}", "after_header": f"role {share.name}"}
        for share, role in zip(shares, roles)
        if role.plan.steps
    ]
    for region in sorted({repository.region for repository in repositories}):
        changes = [
            TagChange(repository.name, repository.arn, repository.before, repository.after)
            for repository in repositories
            if repository.region == region and repository.before != repository.after
        ]
        header = f"tags of repositories in {region}"
        found += [{**tag_diff(changes), "before_header": header, "after_header": header}] if changes else []
    return found
