# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Which repository tags a declaration removes, keeps and adds. Standard library only."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._access import granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share, Tag, tag_set
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import shown
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import (
    TaggedRepository,
    missing_repository_problems,
    plan_tags,
    select,
    tag_plan_problems,
    unmatched_pattern_problems,
)

#: A repository: its region and its name.
Key = tuple[str, str]
#: The names of the declared repositories, by the place of the share in the declaration and by region.
Selection = dict[tuple[int, str], list[str]]


@dataclass(frozen=True)
class Shared:
    """The shares with what was read, and the role of each share before and after the run.

    :param is_carried_out: whether the plan was carried out a moment ago, so that roles of absent shares do not exist
    """

    shares: t.Sequence[Share]
    account: Account
    before: t.Sequence[RoleState]
    after: t.Sequence[RoleState]
    selection: Selection
    is_carried_out: bool = False

    def places(self) -> t.Iterator[tuple[int, Share, str, list[str]]]:
        """Each share in each of its regions, with the names of its repositories there."""
        for number, share in enumerate(self.shares):
            for region in share.regions:
                yield number, share, region, self.selection[number, region]

    def tags(self, region: str, name: str) -> dict[str, str]:
        registry = self.account.registries.get(region)
        return registry.repositories.get(name, {}) if registry else {}


@dataclass(frozen=True)
class TagStep:
    """One run of `ecr_repository_tag`."""

    region: str
    names: tuple[str, ...]
    tags: dict[str, str]

    @property
    def options(self) -> Json:
        """The options of `ecr_repository_tag`."""
        return {"region": self.region, "names": list(self.names), "tags": self.tags}

    @property
    def places(self) -> set[Key]:
        return {(self.region, name) for name in self.names}


@dataclass
class TagChanges:
    """What the run does to the tags of repositories.

    :param removed: the tags that are removed first, by repository, in the spelling of the repository
    :param after: all tags after the run, by repository
    :param tag: what is added last
    :param kept: sentences about tags that are not removed because another role grants them
    :param problems: why the changes cannot be made
    """

    removed: dict[Key, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    after: dict[Key, dict[str, str]] = field(default_factory=dict)
    tag: list[TagStep] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def untag(self) -> list[TagStep]:
        """What is removed first."""
        groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
        for (region, name), tags in sorted(self.removed.items()):
            groups.setdefault((region, tuple(sorted(tags.items()))), []).append(name)
        return [TagStep(region, tuple(names), dict(tags)) for (region, tags), names in groups.items()]


def select_repositories(shares: t.Sequence[Share], account: Account) -> Selection:
    """The names that each share means in each region."""
    found: Selection = {}
    for number, share in enumerate(shares):
        for region in share.regions:
            registry = account.registries.get(region)
            names = select(share.repositories, registry.names or () if registry else ())
            found[number, region] = [name for name in names if registry is None or name in registry.repositories]
    return found


def selection_problems(shares: t.Sequence[Share], account: Account) -> t.Iterator[str]:
    """The repositories of present shares that do not exist, and the patterns that match none."""
    for share in shares:
        for region in share.regions:
            registry = account.registries.get(region)
            if registry and share.is_present:
                known = registry.names or ()
                missing = [name for name in select(share.repositories, known) if name not in registry.repositories]
                yield from unmatched_pattern_problems(share.repositories, known)
                yield from missing_repository_problems(missing, account.identity.account, region, registry.repositories)


def grants(state: RoleState) -> set[Tag]:
    """The tags that a role grants access by."""
    if not state.role_exists:
        return set()
    return {tag for one in granting_tags(state.permissions) for tag in tag_set(one)}


def plan_tag_changes(shared: Shared) -> TagChanges:
    """The tags that the declaration removes and adds."""
    changes = TagChanges()
    granted = {tag for share, state in zip(shared.shares, shared.after) if share.is_present for tag in grants(state)}
    _remove_of_absent_shares(shared, granted, changes)
    _remove_of_other_repositories(shared, changes)
    _remove_before_overwriting(shared, granted, changes)
    for region, registry in shared.account.registries.items():
        for name, tags in registry.repositories.items():
            removed = changes.removed.get((region, name), {})
            changes.after[region, name] = {key: value for key, value in tags.items() if key not in removed}
    for _number, share, region, names in shared.places():
        if share.is_present:
            _add(shared, share, region, names, changes)
    return changes


def _carried(tags: dict[str, str], wanted: set[Tag]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if (key.lower(), value) in wanted}


def _remove_of_absent_shares(shared: Shared, granted: set[Tag], changes: TagChanges) -> None:
    for number, share, region, names in shared.places():
        before = shared.before[number]
        for name in names if not share.is_present else ():
            for key, value in _carried(shared.tags(region, name), share.tag_set).items():
                tag = (key.lower(), value)
                others = [other for other, state in shared.account.others.items() if tag in grants(state)]
                if tag in granted:
                    others = [one.name for one, state in zip(shared.shares, shared.after) if tag in grants(state)]
                elif not (before.role_exists or before.policy_exists or shared.is_carried_out):
                    if share.is_named:
                        changes.problems.append(_no_role(share, region, name, tag, others))
                    continue
                if others:
                    changes.kept.append(
                        f"{shown(tag)} stays on repository {name} in {region}: role {' and '.join(others)} grants it,"
                        " too."
                    )
                else:
                    changes.removed[region, name][key] = value


def _no_role(share: Share, region: str, name: str, tag: Tag, others: list[str]) -> str:
    whose = f" Role {' and '.join(others)} of this collection grants that tag." if others else ""
    return (
        f"Role {share.name} does not exist, but repository {name} in {region} has the tag {shown(tag)} of this"
        f" share.{whose} Correct {option('role_name')}. If the share has ended, remove it from the declaration; if the"
        " role was deleted by hand, remove the tag with ecr_repository_tag."
    )


def _remove_of_other_repositories(shared: Shared, changes: TagChanges) -> None:
    for _number, share, region, names in shared.places():
        registry = shared.account.registries.get(region)
        if share.is_present and share.exclusive and registry:
            for name, tags in registry.repositories.items():
                if name not in names:
                    carried = _carried(tags, share.tag_set)
                    if carried:
                        changes.removed[region, name].update(carried)


def _remove_before_overwriting(shared: Shared, granted: set[Tag], changes: TagChanges) -> None:
    """Remove values that shares replace and that roles still grant, so that no new consumer reads by them."""
    for _number, share, region, names in shared.places():
        for name in names if share.is_present else ():
            for key, value in shared.tags(region, name).items():
                if share.tags.get(key, value) != value and (key.lower(), value) in granted:
                    changes.removed[region, name][key] = value


def _add(shared: Shared, share: Share, region: str, names: list[str], changes: TagChanges) -> None:
    found = [
        TaggedRepository(name, shared.account.identity.repository(region, name), changes.after[region, name])
        for name in names
        if (region, name) in changes.after
    ]
    plan = plan_tags(found, share.tags, is_present=True)
    changes.problems += tag_plan_problems(plan)
    for change in plan.changes:
        changes.after[region, change.name] = change.after
    if plan.changes:
        changes.tag.append(TagStep(region, tuple(one.name for one in plan.changes), share.tags))
