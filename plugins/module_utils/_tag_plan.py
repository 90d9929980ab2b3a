# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the changes of repository tags. Standard library only."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import NAMED, list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    MAXIMUM_TAGS,
    is_pattern,
    spelling_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._suggestion import did_you_mean

#: The maximum number of ARNs in a call. Source: Resource Groups Tagging API Reference, TagResources and UntagResources.
TAGGING_BATCH = 20


@dataclass(frozen=True)
class TaggedRepository:
    """The current state of a repository."""

    name: str
    arn: str
    tags: dict[str, str]


@dataclass(frozen=True)
class TagChange:
    """The change of the tags of one repository."""

    name: str
    arn: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def removed(self) -> list[str]:
        """The keys of the removed tags."""
        return sorted(set(self.before) - set(self.after))


@dataclass(frozen=True)
class TagPlan:
    """The repositories, and the changes of their tags."""

    is_present: bool
    tags: dict[str, str]
    repositories: tuple[TaggedRepository, ...]
    changes: tuple[TagChange, ...]

    @property
    def diff(self) -> Json:
        """The changes in the format of Ansible's diff."""
        return tag_diff(self.changes)

    def is_complete(self) -> bool:
        """Whether the plan changes all repositories."""
        return len(self.changes) == len(self.repositories)

    def is_done(self, change: TagChange, tags: dict[str, str] | None) -> bool:
        """Whether a change is complete. Other tags of the repository are not compared.

        :param tags: the current tags; None if the repository does not exist
        """
        if tags is None:
            return not self.is_present
        if self.is_present:
            return self.tags.items() <= tags.items()
        return not any(tags.get(key) == change.before[key] for key in change.removed)

    def batches(self) -> list[list[TagChange]]:
        """The changes in groups for one call each: at most TAGGING_BATCH changes that remove the same keys."""
        groups: dict[tuple[str, ...], list[TagChange]] = {}
        for change in self.changes:
            groups.setdefault(tuple(change.removed), []).append(change)
        return [
            group[at : at + TAGGING_BATCH] for group in groups.values() for at in range(0, len(group), TAGGING_BATCH)
        ]

    def result(self) -> list[Json]:
        """The state of each repository after the run, in the order of the names."""
        changed = {change.name: change.after for change in self.changes}
        return [
            {
                "name": repository.name,
                "arn": repository.arn,
                "changed": repository.name in changed,
                "before": repository.tags,
                "tags": changed.get(repository.name, repository.tags),
            }
            for repository in self.repositories
        ]


_Pairs = tuple[tuple[str, str], ...]


def tag_diff(changes: t.Sequence[TagChange]) -> Json:
    """Changes of tags in the format of Ansible's diff.

    Many changes are shown in groups: the number of repositories with the same change, and only the tags that change.
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
        "before": {list_text(names): dict(gone) for (gone, _new), names in groups.items()},
        "after": {list_text(names): dict(new) for (_gone, new), names in groups.items()},
    }


def select(names: t.Iterable[str], known: t.Iterable[str]) -> list[str]:
    """The names without patterns, and the repositories in `known` that match the patterns."""
    known, names = sorted(known), list(names)
    selected = dict.fromkeys(name for name in names if not is_pattern(name))
    for pattern in filter(is_pattern, names):
        selected.update(dict.fromkeys(fnmatch.filter(known, pattern)))
    return list(selected)


def unmatched_pattern_problems(names: t.Iterable[str], known: t.Collection[str]) -> t.Iterator[str]:
    """Problems with patterns in `names` that match no repository."""
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
    """Whether `tags` has one of the tags `wanted`. The case of keys is ignored, as in IAM."""
    existing = {(key.lower(), value) for key, value in tags.items()}
    return any((key.lower(), value) in existing for key, value in wanted)


def has_every_tag(tags: dict[str, str], wanted: t.Mapping[str, t.Collection[str]]) -> bool:
    """Whether `tags` has each key of `wanted` with one of its values. The case of keys is ignored, as in IAM."""
    return all(has_any_tag(tags, [(key, value) for value in values]) for key, values in wanted.items())


def plan_tags(repositories: t.Iterable[TaggedRepository], tags: dict[str, str], is_present: bool) -> TagPlan:
    """Plan the changes so that each repository has `tags`, or does not have them. Other tags are not changed.

    :param is_present: if False, a tag is removed if it has the declared value, regardless of the case of its key,
        because IAM ignores that case
    """
    removed = {(key.lower(), value) for key, value in tags.items()}
    known, changes = sorted(repositories, key=lambda repository: repository.name), []
    for repository in known:
        if is_present:
            after = {**repository.tags, **tags}
        else:
            after = {key: value for key, value in repository.tags.items() if (key.lower(), value) not in removed}
        if after != repository.tags:
            changes.append(TagChange(repository.name, repository.arn, repository.tags, after))
    return TagPlan(is_present, tags, tuple(known), tuple(changes))


def tag_plan_problems(plan: TagPlan) -> t.Iterator[str]:
    """Reasons why ECR would reject the planned tags, or IAM could not distinguish them."""
    if not plan.is_present:
        return
    for problem in spelling_problems(plan.tags):
        yield f"tags: {problem}"
    for change in plan.changes:
        if len(change.after) > MAXIMUM_TAGS:
            yield (
                f"Repository {change.name} would have {len(change.after)} tags; the limit of ECR is {MAXIMUM_TAGS}."
                " Remove some first."
            )
        for key in plan.tags:
            others = [other for other in change.before if other != key and other.lower() == key.lower()]
            if others:
                yield (
                    f"Repository {change.name} has a tag {others[0]!r}, which differs from {key!r} only in case. IAM"
                    " ignores the case. Remove it first."
                )
