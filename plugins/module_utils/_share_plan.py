# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
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
  plan of each role (`_plan`) has the same property for the moments between its own writes.
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._parties import consumer_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Options, Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import (
    AccessChange,
    Place,
    RoleChange,
    access_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import contradictions
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import PlannedRole, plan_pull_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import (
    Shared,
    TagChanges,
    plan_tag_changes,
    select_repositories,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_text import remaining_of, summary_of, warnings_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import TagChange, tag_diff


@dataclass(frozen=True)
class SharePlan:
    """Everything that a run does, in its order, and what it means.

    :param untag: the options of `ecr_repository_tag`, for the first phase
    :param roles: the options of `iam_ecr_pull_role`, for the second phase
    :param tag: the options of `ecr_repository_tag`, for the last phase
    :param handoffs: the options of `write_handoff` for each share, empty for a share that ends
    :param shares: what is shared after the run, for the facts of the role
    :param summary: what is shared after the run, for people; a line names at most ten repositories
    :param all_summary: the same with every name
    """

    untag: list[Options]
    roles: list[Options]
    tag: list[Options]
    access: AccessChange
    handoffs: list[Options]
    shares: list[Options]
    summary: list[str]
    all_summary: list[str]
    warnings: list[str]
    problems: list[str]
    diff: list[Options]

    @property
    def changed(self) -> bool:
        return bool(self.untag or self.roles or self.tag)

    @property
    def steps(self) -> list[tuple[str, Options]]:
        """The module and its options for each step, in the order that this file explains."""
        removals = [("ecr_repository_tag", {**one, "state": "absent"}) for one in self.untag]
        additions = [("ecr_repository_tag", {**one, "state": "present"}) for one in self.tag]
        return [*removals, *(("iam_ecr_pull_role", one) for one in self.roles), *additions]

    @property
    def remaining(self) -> list[str]:
        """What differs from the declaration, for people."""
        return remaining_of(self.untag, self.roles, self.tag)


def plan_shares(
    shares: t.Sequence[Share],
    account: Account,
    make_id: t.Callable[[], str],
    problems: Problems,
    is_carried_out: bool = False,
) -> SharePlan:
    """The plan for a declaration. If `problems` are found, it must not be carried out.

    :param make_id: makes an external ID
    :param problems: gets what is wrong with a share, or with two shares together
    :param is_carried_out: whether this declaration was planned and carried out a moment ago
    """
    roles = [_plan_role(share, account, make_id, problems, len(shares) > 1) for share in shares]
    before, after = ([getattr(role.plan, when) for role in roles] for when in ("before", "after"))
    selection = select_repositories(shares, account, problems)
    shared = Shared(shares, account, before, after, selection, is_carried_out)
    for problem in (*contradictions(shares, shared.selection), *_consumers_of_several(shares, roles, account)):
        problems.add(problem)
    tags = plan_tag_changes(shared, problems)
    _add_unknown(shared, problems)
    places = _places_of(account, tags)
    access = access_of(_role_changes(shares, roles, account), places)
    facts = [_facts(shared, number, role, tags) for number, role in enumerate(roles)]
    return SharePlan(
        untag=tags.untag,
        roles=[role.declared.options for role in roles if role.plan.steps],
        tag=tags.tag,
        access=access,
        handoffs=_handoffs(shares, facts),
        shares=facts,
        summary=summary_of(shared, facts, tags, False),
        all_summary=summary_of(shared, facts, tags, True),
        warnings=[*(text for role in roles for text in role.warnings), *warnings_of(shared)],
        problems=problems.found,
        diff=_diff(shares, roles, places),
    )


def _plan_role(
    share: Share, account: Account, make_id: t.Callable[[], str], problems: Problems, several: bool
) -> PlannedRole:
    found = Problems()
    before = account.roles.get(share.name, RoleState())
    planned = plan_pull_role(before, share.role, account.identity, make_id, found)
    for problem in found.found:
        problems.add(f"Share {share.name}: {problem}" if several else problem)
    return planned


def _consumers_of_several(
    shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], account: Account
) -> t.Iterator[str]:
    """What is wrong with the consumers of all shares together, but not with those of one share."""
    every: list[Consumer] = []
    known: set[str] = set()
    for role in (role for share, role in zip(shares, roles) if share.is_present):
        known |= {*consumer_problems(role.declared.consumers, account.identifier)}
        every += role.declared.consumers
    yield from (problem for problem in consumer_problems(every, account.identifier) if problem not in known)


def _role_changes(shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], account: Account) -> list[RoleChange]:
    declared = [RoleChange(share.name, role.plan.before, role.plan.after) for share, role in zip(shares, roles)]
    return [*declared, *(RoleChange(name, state, state) for name, state in sorted(account.others.items()))]


def _places_of(account: Account, tags: TagChanges) -> list[Place]:
    return [
        Place(region, name, account.identity.repository(region, name), before, tags.after[region, name])
        for region, registry in sorted(account.registries.items())
        for name, before in sorted(registry.repositories.items())
    ]


def _add_unknown(shared: Shared, problems: Problems) -> None:
    """An exclusive share needs to know all repositories that have its tags."""
    for _number, share, region, _names in shared.places():
        registry = shared.account.registries.get(region)
        if share.is_present and share.exclusive and registry and registry.unknown:
            problems.add(
                f"Share {share.name} is exclusive, but which other repositories in {region} have its tags is unknown:"
                f" {registry.unknown}"
            )


def _facts(shared: Shared, number: int, role: PlannedRole, tags: TagChanges) -> Options:
    share, account = shared.shares[number], shared.account
    after = role.plan.after
    names = {region: shared.selection[number, region] for region in share.regions}
    changed = {(one["region"], name) for one in (*tags.untag, *tags.tag) for name in one["names"]}
    return {
        "role_name": share.name,
        "state": "present" if share.is_present else "absent",
        "role_arn": account.identity.role(share.role.path, share.name),
        "policy_arn": account.identity.policy(share.role.path, share.policy_name),
        "account": account.identifier,
        "changed": bool(role.plan.steps or changed & {(region, name) for region in names for name in names[region]}),
        "consumers": role.consumers,
        "permissions": after.permissions or {},
        "trust": after.trust or {},
        "regions": [
            {
                "region": region,
                "registry": account.registries[region].host if region in account.registries else "",
                "repositories": [{"name": name} for name in sorted(names[region])],
            }
            for region in share.regions
        ],
    }


def _handoffs(shares: t.Sequence[Share], facts: t.Sequence[Options]) -> list[Options]:
    found = [_handoff(share, one) if share.is_present else {} for share, one in zip(shares, facts)]
    if len(found) == 1 and found[0] and len(facts[0]["consumers"]) * len(facts[0]["regions"]) == 1:
        found[0]["artifact"] = "ecr_share_handoff"
    return found


def _handoff(share: Share, facts: Options) -> Options:
    return {
        **share.handoff,
        "role": {name: facts[name] for name in ("role_arn", "account", "consumers")},
        "tagged": facts["regions"],
        "repository_tags": share.role.repository_tags,
        "repositories": list(share.repositories),
        "access": share.role.access,
        "share_changed": facts["changed"],
    }


def _diff(shares: t.Sequence[Share], roles: t.Sequence[PlannedRole], places: t.Sequence[Place]) -> list[Options]:
    found = [
        {**role.plan.diff, "before_header": f"role {share.name}", "after_header": f"role {share.name}"}
        for share, role in zip(shares, roles)
        if role.plan.steps
    ]
    for region in sorted({one.region for one in places}):
        changes = [
            TagChange(one.name, one.arn, one.before, one.after)
            for one in places
            if one.region == region and one.before != one.after
        ]
        header = f"tags of repositories in {region}"
        found += [{**tag_diff(changes), "before_header": header, "after_header": header}] if changes else []
    return found
