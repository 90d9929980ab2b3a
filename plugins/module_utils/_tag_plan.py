# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The tags on repositories that have to change, as values. Standard library only."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._listed import NAMED, listed
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    MAXIMUM_TAGS,
    is_pattern,
    spelling_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

#: Resource Groups Tagging API Reference, TagResources and UntagResources: at most 20 ARNs in a call.
TAGGING_BATCH = 20


@dataclass(frozen=True)
class TaggedRepository:
    """A repository as it was read."""

    name: str
    arn: str
    tags: dict[str, str]


@dataclass(frozen=True)
class TagChange:
    """One repository whose tags change."""

    name: str
    arn: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def removed(self) -> list[str]:
        """The keys of the tags that are removed."""
        return sorted(set(self.before) - set(self.after))


@dataclass(frozen=True)
class TagPlan:
    """The repositories that were read, and those that change."""

    is_present: bool
    tags: dict[str, str]
    repositories: tuple[TaggedRepository, ...]
    changes: tuple[TagChange, ...]

    @property
    def diff(self) -> Json:
        """In Ansible's form: the repositories that change, before and after."""
        return tag_diff(self.changes)

    def is_done(self, change: TagChange, tags: dict[str, str] | None) -> bool:
        """Whether a repository with these tags is as planned. Other tags may have changed meanwhile.

        :param tags: None if the repository does not exist, so that it has no tag
        """
        if tags is None:
            return not self.is_present
        if self.is_present:
            return self.tags.items() <= tags.items()
        return not any(tags.get(key) == change.before[key] for key in change.removed)

    def batches(self) -> list[list[TagChange]]:
        """The changes in groups that fit into one call: few enough, and all lose the same keys."""
        groups: dict[tuple[str, ...], list[TagChange]] = {}
        for change in self.changes:
            groups.setdefault(tuple(change.removed), []).append(change)
        return [
            group[at : at + TAGGING_BATCH] for group in groups.values() for at in range(0, len(group), TAGGING_BATCH)
        ]

    def result(self) -> list[Json]:
        """One entry for each repository, in the order of their names, as after the run."""
        changed = {change.name: change.after for change in self.changes}
        return [
            {
                "name": one.name,
                "arn": one.arn,
                "changed": one.name in changed,
                "before": one.tags,
                "tags": changed.get(one.name, one.tags),
            }
            for one in self.repositories
        ]


_Pairs = tuple[tuple[str, str], ...]


def tag_diff(changes: t.Sequence[TagChange]) -> Json:
    """Changes of tags in the form of Ansible's diff.

    Many changes are grouped: repositories whose tags change in the same way are counted, and only the tags that change
    are shown.
    """
    if len(changes) <= NAMED:
        return {
            "before": {change.name: change.before for change in changes},
            "after": {change.name: change.after for change in changes},
        }
    groups: dict[tuple[_Pairs, _Pairs], list[str]] = {}
    for change in changes:
        gone, new = change.before.items() - change.after.items(), change.after.items() - change.before.items()
        groups.setdefault((tuple(sorted(gone)), tuple(sorted(new))), []).append(change.name)
    return {
        "before": {listed(names): dict(gone) for (gone, _new), names in groups.items()},
        "after": {listed(names): dict(new) for (_gone, new), names in groups.items()},
    }


def select(names: t.Iterable[str], known: t.Iterable[str]) -> list[str]:
    """The repositories that `names` means: exact names as they are, patterns matched against `known`."""
    known, names = sorted(known), list(names)
    selected = dict.fromkeys(name for name in names if not is_pattern(name))
    for pattern in filter(is_pattern, names):
        selected.update(dict.fromkeys(fnmatch.filter(known, pattern)))
    return list(selected)


def unmatched_pattern_problems(names: t.Iterable[str], known: t.Collection[str]) -> t.Iterator[str]:
    """The patterns among `names` that match none of the repositories."""
    for pattern in filter(is_pattern, names):
        if not fnmatch.filter(known, pattern):
            yield (
                f"Pattern {pattern!r} matches none of the {len(known)} repositories in this registry and region."
                f" Correct the pattern or {option('region')}."
            )


def missing_repository_problems(
    names: t.Iterable[str], account: str, region: str, known: t.Collection[str] = ()
) -> t.Iterator[str]:
    """One problem for each declared repository that does not exist.

    :param known: repositories that exist, for a suggestion
    """
    for name in names:
        yield (
            f"Repository {name} does not exist in account {account}, region {region}.{did_you_mean(name, known)} Create"
            f" it, or correct its name or {option('region')}."
        )


def has_any_tag(tags: dict[str, str], wanted: t.Iterable[tuple[str, str]]) -> bool:
    """Whether one of the tags `wanted` is among `tags`. IAM ignores the case of a key."""
    there = {(key.lower(), value) for key, value in tags.items()}
    return any((key.lower(), value) in there for key, value in wanted)


def plan_tags(repositories: t.Iterable[TaggedRepository], tags: dict[str, str], is_present: bool) -> TagPlan:
    """What to change so that each repository has, or no longer has, `tags`. Other tags stay.

    :param is_present: if false, a tag is removed only where its value is the declared one, and then in any case of its
        key, because IAM ignores the case of a key
    """
    removed = {(key.lower(), value) for key, value in tags.items()}
    known, changes = sorted(repositories, key=lambda one: one.name), []
    for one in known:
        if is_present:
            after = {**one.tags, **tags}
        else:
            after = {key: value for key, value in one.tags.items() if (key.lower(), value) not in removed}
        if after != one.tags:
            changes.append(TagChange(one.name, one.arn, one.tags, after))
    return TagPlan(is_present, tags, tuple(known), tuple(changes))


def tag_plan_problems(plan: TagPlan) -> t.Iterator[str]:
    """Why ECR or IAM would not take the tags of a plan."""
    if not plan.is_present:
        return
    for problem in spelling_problems(plan.tags):
        yield f"tags: {problem}"
    for change in plan.changes:
        if len(change.after) > MAXIMUM_TAGS:
            yield (
                f"Repository {change.name} would have {len(change.after)} tags; ECR takes {MAXIMUM_TAGS}."
                " Remove some first."
            )
        for key in plan.tags:
            others = [other for other in change.before if other != key and other.lower() == key.lower()]
            if others:
                yield (
                    f"Repository {change.name} has a tag {others[0]!r}, which IAM does not tell from {key!r}."
                    " Remove it first."
                )
