# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans which repository tags a declaration removes, keeps and adds. Standard library only."""

from __future__ import annotations

import typing as t
from collections import defaultdict
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import repository_tags_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Share, Tag, tag_set
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import tag_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import (
    TaggedRepository,
    has_every_tag,
    missing_repository_problems,
    plan_tags,
    select,
    tag_plan_problems,
    unmatched_pattern_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._undeclared_grants import undeclared_grants

#: A repository: its region and its name.
Key = tuple[str, str]
#: The names of the declared repositories, by the index of the share in the declaration and by region.
Selection = dict[tuple[int, str], list[str]]


@dataclass(frozen=True)
class ShareState:
    """The shares, the state of the account, and the role of each share before and after the run.

    :param is_carried_out: whether the plan was just applied, so that the roles of absent shares no longer exist
    """

    shares: t.Sequence[Share]
    account: Account
    before: t.Sequence[RoleState]
    after: t.Sequence[RoleState]
    selection: Selection
    is_carried_out: bool

    def places(self) -> t.Iterator[tuple[int, Share, str, list[str]]]:
        """Each share in each of its regions, with the names of its repositories in the region."""
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
    """The changes of repository tags in a run.

    :param removed: the tags to remove in the first phase by repository, with the keys in the case of the repository
    :param after: all tags after the run by repository
    :param tag: the steps of the last phase
    :param kept: messages about tags that are not removed because another role grants access by them
    :param problems: reasons why the changes cannot be made
    """

    removed: dict[Key, dict[str, str]] = field(default_factory=lambda: defaultdict(dict))
    after: dict[Key, dict[str, str]] = field(default_factory=dict)
    tag: list[TagStep] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    problems: list[str] = field(default_factory=list)

    @property
    def untag(self) -> list[TagStep]:
        """The steps of the first phase."""
        groups: dict[tuple[str, tuple[tuple[str, str], ...]], list[str]] = {}
        for (region, name), tags in sorted(self.removed.items()):
            groups.setdefault((region, tuple(sorted(tags.items()))), []).append(name)
        return [TagStep(region, tuple(names), dict(tags)) for (region, tags), names in groups.items()]


def select_repositories(shares: t.Sequence[Share], account: Account) -> Selection:
    """The repositories that the names and patterns of each share select in each region."""
    found: Selection = {}
    for number, share in enumerate(shares):
        for region in share.regions:
            registry = account.registries.get(region)
            names = select(share.repositories, registry.names or () if registry else ())
            found[number, region] = [name for name in names if registry is None or name in registry.repositories]
    return found


def selection_problems(shares: t.Sequence[Share], account: Account) -> t.Iterator[str]:
    """Problems with repositories of present shares that do not exist, and with patterns that match no repository."""
    for share in shares:
        for region in share.regions:
            registry = account.registries.get(region)
            if registry and share.is_present:
                known = registry.names or ()
                missing = [name for name in select(share.repositories, known) if name not in registry.repositories]
                yield from unmatched_pattern_problems(share.repositories, known)
                yield from missing_repository_problems(missing, account.identity.account, region, registry.repositories)


def _granted_tags(state: RoleState) -> set[Tag]:
    """The tags by which a role grants access."""
    if not state.role_exists:
        return set()
    return {tag for pair in granting_tags(state.permissions) for tag in tag_set(pair)}


def untagged_names(shared: ShareState, number: int, region: str, tags: TagChanges) -> list[str]:
    """The declared repositories of a present share that do not have the tags that grant access after the run.

    :param number: the index of the share
    """
    share = shared.shares[number]
    wanted = repository_tags_of(share.role.repository_tags)
    return [
        name
        for name in (shared.selection[number, region] if share.is_present and not share.is_unchanged else ())
        if (region, name) in tags.after and not has_every_tag(tags.after[region, name], wanted)
    ]


def plan_tag_changes(shared: ShareState) -> TagChanges:
    """Plan the tags that the declaration removes and adds."""
    changes = TagChanges()
    granted = {tag for state in shared.after for tag in _granted_tags(state)}
    _remove_of_absent_shares(shared, granted, changes)
    _remove_of_other_repositories(shared, changes)
    _remove_before_overwriting(shared, granted, changes)
    for region, registry in shared.account.registries.items():
        for name, tags in registry.repositories.items():
            removed = changes.removed.get((region, name), {})
            changes.after[region, name] = {key: value for key, value in tags.items() if key not in removed}
    for _number, share, region, names in shared.places():
        if share.is_present and not share.is_unchanged:
            _add(shared, share, region, names, changes)
    return changes


def _matching_tags(tags: dict[str, str], wanted: set[Tag]) -> dict[str, str]:
    return {key: value for key, value in tags.items() if (key.lower(), value) in wanted}


def _remove_of_absent_shares(shared: ShareState, granted: set[Tag], changes: TagChanges) -> None:
    for _number, share, region, names in shared.places():
        is_known = any(
            state.role_exists or state.policy_exists
            for other, state in zip(shared.shares, shared.before)
            if other.label == share.label
        )
        if share.is_present or share.is_unchanged:
            continue
        undeclared = undeclared_grants(shared.account, region, shared.shares)
        for name in names:
            for key, value in _matching_tags(shared.tags(region, name), share.tag_set).items():
                tag = (key.lower(), value)
                others = [one.text for one in undeclared if tag in one.tags]
                if tag in granted:
                    granting = [
                        other for other, state in zip(shared.shares, shared.after) if tag in _granted_tags(state)
                    ]
                    if any(other.label == share.label for other in granting):
                        continue  # the share stays for its other consumers
                    others = [f"role {other.name}" for other in granting]
                elif not (is_known or shared.is_carried_out):
                    if share.is_named:
                        changes.problems.append(_no_role(share, region, name, tag, others))
                    continue
                if others:
                    text = tag_text(tag)
                    changes.kept.append(
                        f"{text} stays on repository {name} in {region}: {' and '.join(others)} also grants it."
                    )
                else:
                    changes.removed[region, name][key] = value


def _no_role(share: Share, region: str, name: str, tag: Tag, others: list[str]) -> str:
    whose = f" The {' and the '.join(others)} of this collection grants that tag." if others else ""
    kind = "role" if share.has_role else "statement"
    fact = f"Role {share.name} does not exist" if share.has_role else f"No policy has a statement of {share.name}"
    return (
        f"{fact}, but repository {name} in {region} has the tag {tag_text(tag)} of this"
        f" share.{whose} Correct {option('role_name')}. If the share has ended, remove it from the declaration; if the"
        f" {kind} was deleted by hand, or a change of ecr_share_mode was interrupted, remove the tag with"
        " ecr_repository_tag."
    )


def _remove_of_other_repositories(shared: ShareState, changes: TagChanges) -> None:
    for _number, share, region, names in shared.places():
        registry = shared.account.registries.get(region)
        if share.is_present and share.exclusive and registry and not share.is_unchanged:
            for name, tags in registry.repositories.items():
                if name not in names:
                    carried = _matching_tags(tags, share.tag_set)
                    if carried:
                        changes.removed[region, name].update(carried)


def _remove_before_overwriting(shared: ShareState, granted: set[Tag], changes: TagChanges) -> None:
    """Remove tags whose values shares replace while roles still grant the old values. See the head of `_share_plan`."""
    for _number, share, region, names in shared.places():
        for name in names if share.is_present and not share.is_unchanged else ():
            for key, value in shared.tags(region, name).items():
                if share.tags.get(key, value) != value and (key.lower(), value) in granted:
                    changes.removed[region, name][key] = value


def _add(shared: ShareState, share: Share, region: str, names: list[str], changes: TagChanges) -> None:
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
        changes.tag.append(TagStep(region, tuple(change.name for change in plan.changes), share.tags))
