# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""One plan for all shares of a declaration. Standard library only.

The order of the writes
-----------------------
A run has three phases, and each phase is complete for all shares before the next one begins:

1. *untag*: remove the tags that end;
2. *roles*: create, update or delete the pull roles;
3. *tag*: add the tags that are new.

With this order, at no moment can a principal read a repository unless the old or the new declaration allows exactly
that pair, whether the run completes or is killed. A role grants access by the tags that a repository has, never by the
tags that it lacks, so fewer tags can only mean less access:

- While tags are removed, the roles are still the old ones, and the tags are a subset of the old tags: all access is
  access of the old declaration.
- While roles change, each repository has only tags that it has both before and after the run. A role that is still old
  allows a part of what the old declaration allows, a role that is new a part of what the new declaration allows. The
  plan of each role (`_role_plan`) has the same property for the moments between its own writes.
- While tags are added, the roles are the new ones, and the tags are a subset of the new tags.

To complete one share before the next one begins is not safe. If shares A and B both grant a tag, A adds that tag to
another repository, and B moves to another tag, then the consumers of B can read the repository of A until B is done.

A tag that gets another value is removed in the first phase if a role grants the old value after the run. Otherwise a
consumer that is new in that role could read the repository in the second phase.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._parties import consumer_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import PlannedRole, plan_pull_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import (
    Shared,
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
    """Everything that a run does, in its order, and what it means. If it has problems, it must not be carried out.

    :param untag: the first phase
    :param roles: the second phase
    :param tag: the last phase
    :param handoffs: the options of `ecr_handoff` for each share, empty for a share that ends
    :param shares: the shares after the run
    :param summary: what is shared after the run, for people; a line names at most ten repositories
    :param all_summary: the same with every name
    :param problems: what is wrong with a share, or with several shares together
    """

    untag: list[TagStep]
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
        return bool(self.untag or self.roles or self.tag)

    @property
    def steps(self) -> list[tuple[str, Json]]:
        """The module and its options for each step, in the order that this file explains."""
        removals = [("ecr_repository_tag", {**step.options, "state": "absent"}) for step in self.untag]
        additions = [("ecr_repository_tag", {**step.options, "state": "present"}) for step in self.tag]
        return [*removals, *(("iam_ecr_pull_role", role.options) for role in self.roles), *additions]

    @property
    def remaining(self) -> list[str]:
        """What differs from the declaration, for people."""
        return remaining_of(self.untag, self.roles, self.tag)


def plan_shares(
    shares: t.Sequence[Share], account: Account, make_id: t.Callable[[], str], is_carried_out: bool = False
) -> SharePlan:
    """The plan for a declaration.

    :param make_id: makes an external ID
    :param is_carried_out: whether this declaration was planned and carried out a moment ago
    """
    problems = Problems()
    roles = [_plan_role(share, account, make_id, problems, len(shares) > 1) for share in shares]
    before, after = [role.plan.before for role in roles], [role.plan.after for role in roles]
    shared = Shared(shares, account, before, after, select_repositories(shares, account), is_carried_out)
    tags = plan_tag_changes(shared)
    problems.extend(selection_problems(shares, account))
    problems.extend(contradictions(shares, shared.selection))
    problems.extend(image_problems_of_shares(shares, account))
    problems.extend(_problems_of_several_consumers(shares, roles, account))
    problems.extend(tags.problems)
    problems.extend(_unknown_problems(shared))
    repositories = _repositories_of(account, tags)
    facts = [facts_of(shared, number, role, tags) for number, role in enumerate(roles)]
    return SharePlan(
        untag=tags.untag,
        roles=[role.declared for role in roles if role.plan.steps],
        tag=tags.tag,
        access=access_of(_role_changes(shares, roles, account), repositories),
        handoffs=handoffs_of(facts),
        shares=facts,
        summary=summary_of(shared, facts, tags, False),
        all_summary=summary_of(shared, facts, tags, True),
        warnings=[*(text for role in roles for text in role.warnings), *warnings_of(shared)],
        problems=problems.found,
        diff=_diff(shares, roles, repositories),
    )


def _plan_role(
    share: Share, account: Account, make_id: t.Callable[[], str], problems: Problems, several: bool
) -> PlannedRole:
    found, owner = Problems(), account.identity
    planned = plan_pull_role(account.roles.get(share.name, RoleState()), share.role, owner, make_id, found)
    reported: list[str] = []
    if share.missing:
        # A missing option is a problem of the declaration. Here it is not reported again as an empty one.
        empty = Problems()
        plan_pull_role(RoleState(), RoleDeclaration("", "", is_present=share.is_present), owner, make_id, empty)
        reported = empty.found
    for problem in found.found:
        if problem not in reported:
            problems.add(f"Share {share.name}: {problem}" if several and share.name else problem)
    return planned


def _problems_of_several_consumers(
    shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], account: Account
) -> t.Iterator[str]:
    """What is wrong with the consumers of all shares together, but not with those of one share."""
    every: list[Consumer] = []
    known: set[str] = set()
    for role in (role for share, role in zip(shares, roles) if share.is_present):
        known |= {*consumer_problems(role.declared.consumers, account.identity.account)}
        every += role.declared.consumers
    yield from (problem for problem in consumer_problems(every, account.identity.account) if problem not in known)


def _role_changes(shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], account: Account) -> list[RoleChange]:
    declared = [RoleChange(share.name, role.plan.before, role.plan.after) for share, role in zip(shares, roles)]
    return [*declared, *(RoleChange(name, state, state) for name, state in sorted(account.others.items()))]


def _repositories_of(account: Account, tags: TagChanges) -> list[TagsChange]:
    return [
        TagsChange(region, name, account.identity.repository(region, name), before, tags.after[region, name])
        for region, registry in sorted(account.registries.items())
        for name, before in sorted(registry.repositories.items())
    ]


def _unknown_problems(shared: Shared) -> t.Iterator[str]:
    """An exclusive share needs to know all repositories that have its tags."""
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
