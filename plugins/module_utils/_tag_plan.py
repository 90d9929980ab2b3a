# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The tags on repositories that have to change, as values. Standard library only."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._listed import NAMED, listed
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import MAXIMUM_TAGS, is_pattern

#: Resource Groups Tagging API Reference, TagResources and UntagResources: at most 20 ARNs in a call.
TAGGING_BATCH = 20


@dataclass(frozen=True)
class TagChange:
    """One repository whose tags change."""

    name: str
    arn: str
    before: dict[str, str]
    after: dict[str, str]

    @property
    def removed(self) -> list[str]:
        """The keys that go."""
        return sorted(set(self.before) - set(self.after))


@dataclass(frozen=True)
class TagPlan:
    """The repositories looked at, and those that change."""

    state: str
    tags: dict[str, str]
    repositories: dict[str, tuple[str, dict[str, str]]]
    changes: list[TagChange]

    @property
    def diff(self) -> dict[str, t.Any]:
        """In Ansible's form: the repositories that change, before and after."""
        return tag_diff(self.changes)

    def is_done(self, change: TagChange, tags: dict[str, str]) -> bool:
        """Whether a repository with these tags has what this plan is about; what others do to other tags is theirs."""
        if self.state == "present":
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

    def result(self) -> list[dict[str, t.Any]]:
        """One entry for each repository, in the order of their names, as after the run."""
        changed = {change.name: change.after for change in self.changes}
        return [
            {"name": name, "arn": arn, "changed": name in changed, "before": tags, "tags": changed.get(name, tags)}
            for name, (arn, tags) in sorted(self.repositories.items())
        ]


def tag_diff(changes: t.Sequence[TagChange]) -> dict[str, t.Any]:
    """Changes of tags in the form of Ansible's diff.

    Many changes are grouped: repositories whose tags change in the same way are counted, and only the tags that change
    are shown.
    """
    if len(changes) <= NAMED:
        return {
            "before": {change.name: change.before for change in changes},
            "after": {change.name: change.after for change in changes},
        }
    groups: dict[tuple[t.Any, t.Any], list[str]] = {}
    for change in changes:
        gone, new = change.before.items() - change.after.items(), change.after.items() - change.before.items()
        groups.setdefault((tuple(sorted(gone)), tuple(sorted(new))), []).append(change.name)
    return {
        "before": {listed(names): dict(gone) for (gone, _new), names in groups.items()},
        "after": {listed(names): dict(new) for (_gone, new), names in groups.items()},
    }


def select(names: t.Sequence[str], known: t.Iterable[str], problems: Problems) -> list[str]:
    """The repositories that `names` means: exact names as they are, patterns matched against `known`."""
    known = sorted(known)
    selected = dict.fromkeys(name for name in names if not is_pattern(name))
    for pattern in filter(is_pattern, names):
        matched = fnmatch.filter(known, pattern)
        if not matched:
            problems.add(
                f"Pattern {pattern!r} matches none of the {len(known)} repositories in this registry and region."
            )
        selected.update(dict.fromkeys(matched))
    return list(selected)


def carries(tags: dict[str, str], wanted: dict[str, str]) -> bool:
    """Whether one of the tags `wanted` is among `tags`, in any case of its key: IAM does not tell them apart."""
    there = {(key.lower(), value) for key, value in tags.items()}
    return any((key.lower(), value) in there for key, value in wanted.items())


def plan_tags(
    repositories: dict[str, tuple[str, dict[str, str]]], tags: dict[str, str], state: str, problems: Problems
) -> TagPlan:
    """What to change so that each repository has, or no longer has, `tags`. Other tags stay.

    :param repositories: name to (ARN, tags as they are)
    :param state: `present` or `absent`; with `absent` a tag goes only where its value is the declared one, and then in
        any case of its key, for IAM does not tell them apart
    """
    changes, going = [], {(key.lower(), value) for key, value in tags.items()}
    if state == "present":
        for problem in _names.spelling_problems(tags):
            problems.add(f"tags: {problem}")
    for name, (arn, before) in sorted(repositories.items()):
        if state == "present":
            after = {**before, **tags}
        else:
            after = {key: value for key, value in before.items() if (key.lower(), value) not in going}
        if after == before:
            continue
        if len(after) > MAXIMUM_TAGS:
            problems.add(
                f"Repository {name} would have {len(after)} tags; ECR takes {MAXIMUM_TAGS}. Remove some first."
            )
        for key in tags:
            twins = [other for other in before if other != key and other.lower() == key.lower()]
            if state == "present" and twins:
                problems.add(
                    f"Repository {name} has a tag {twins[0]!r}, which IAM does not tell from {key!r}. Remove it first."
                )
        changes.append(TagChange(name, arn, before, after))
    return TagPlan(state, tags, repositories, changes)
