# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Who can pull what, before and after a change: what each principal gains and loses. Standard library only.

A principal can pull a repository if the trust policy admits it and the role's permissions allow the pull. What cannot
be decided counts as allowed, and the output says so. A principal loses access if the old statement that admits it is
not proven to be within the new trust policy, and gains access if the new one is not proven to be within the old one.
Where only the conditions of a principal change, or what its sessions may carry, the output names that.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition_text, _evaluate, _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import Admission, admissions
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    DENIED,
    UNKNOWN,
    Decision,
    Document,
    Policies,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import listed
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request
from ansible_collections.crossaccount.ecr.plugins.module_utils._trust_subset import is_kept

#: Keys that a request to pull carries only as they are given: the tags of the repository, and no tags to set.
_KNOWN = ("ecr:resourcetag/", "aws:resourcetag/", "aws:requesttag/", "aws:tagkeys", "sts:", "aws:username")


@dataclass(frozen=True)
class Repository:
    """A repository with the tags that it has at one point in time."""

    name: str
    arn: str
    tags: t.Mapping[str, str]

    @property
    def region(self) -> str:
        return arn_of(self.arn).region


@dataclass(frozen=True)
class Role:
    """What decides who can pull with a role: its trust policy and its permissions."""

    trust: Document
    permissions: Document


@dataclass(frozen=True)
class Access:
    """What one admitted principal can pull; `doubts` has the reason for each repository that is only counted so."""

    admission: Admission
    repositories: tuple[Repository, ...]
    doubts: t.Mapping[str, str]


class Pair(t.NamedTuple):
    """A principal that gains or loses a repository; `doubt` says why that is not certain."""

    principal: str
    repository: str
    region: str
    doubt: str = ""


@dataclass(frozen=True)
class ChangeOfAccess:
    """Who gains and who loses which repository, and lines for people.

    A line of `lines` names at most ten repositories, a line of `all_lines` names all of them.
    """

    gained: tuple[Pair, ...]
    lost: tuple[Pair, ...]
    lines: tuple[str, ...]
    all_lines: tuple[str, ...]


def pull_decision(permissions: Document, arn: str, tags: t.Mapping[str, str]) -> Decision:
    """Whether a permissions document lets a session of its role pull from a repository with these tags."""
    _partition, _service, region, account, _name = arn_of(arn)
    given = {f"{prefix}:ResourceTag/{key}": [value] for prefix in ("ecr", "aws") for key, value in tags.items()}
    given.update({"aws:PrincipalAccount": [account], "aws:ResourceAccount": [account], "aws:RequestedRegion": [region]})
    context = Context.of({**given, "aws:PrincipalType": ["AssumedRole"]}, _KNOWN)
    principal = Principal(account=account)
    decisions = [
        _evaluate.decide(Request(action, arn, account, principal, context), Policies([permissions]))
        for action in _policy.PULL_ACTIONS
    ]
    return min(decisions, key=lambda decision: (DENIED, UNKNOWN, ALLOWED).index(decision.verdict))


def who_may(
    role: Role | None, repositories: t.Iterable[Repository], now: datetime.datetime | None = None
) -> list[Access]:
    """What each principal that a role admits can pull.

    :param role: None if there is none, or if its policy is not attached
    :param now: the time of the question, which ends time limits of the trust policy
    """
    if role is None:
        return []
    decisions = [
        (repository, pull_decision(role.permissions, repository.arn, repository.tags)) for repository in repositories
    ]
    allowed = [(repository, decision) for repository, decision in decisions if decision.verdict != DENIED]
    found = []
    for admission in admissions(role.trust, now):
        doubts = {repository.arn: decision.reason for repository, decision in allowed if decision.verdict == UNKNOWN}
        if admission.doubt:
            doubts = {repository.arn: admission.doubt for repository, _decision in allowed}
        found.append(Access(admission, tuple(repository for repository, _decision in allowed), doubts))
    return found


def change_of_access(
    old: Role | None,
    new: Role | None,
    before: t.Sequence[Repository],
    after: t.Sequence[Repository],
    now: datetime.datetime | None = None,
) -> ChangeOfAccess:
    """Who gains and who loses what.

    :param before: the repositories with the tags that they have, for `old`; `after` with those of the plan, for `new`
    """
    had, has = who_may(old, before, now), who_may(new, after, now)
    lost = _differing(had, has, old, new)
    gained = _differing(has, had, new, old)
    conditions, covered = _changed_conditions(had, has, lost, gained)
    several = len({repository.region for repository in (*before, *after)}) > 1
    coming, going = ([pair for key, pair in pairs.items() if key not in covered] for pairs in (gained, lost))
    lines, all_lines = (
        (
            *_lines("+ {} can pull {}", coming, several, every_name),
            *_lines("- {} loses {}", going, several, every_name),
            *conditions,
        )
        for every_name in (False, True)
    )
    return ChangeOfAccess(tuple(sorted(set(gained.values()))), tuple(sorted(set(lost.values()))), lines, all_lines)


_Key = tuple[Admission, str]


def _differing(
    ours: t.Sequence[Access], others: t.Sequence[Access], role: Role | None, other: Role | None
) -> dict[_Key, Pair]:
    """What `ours` has and is not proven to be in `others`."""
    found = {}
    reached = {repository.arn for access in others for repository in access.repositories}
    for access in ours:
        kept = role and other and is_kept(access.admission.statement, other.trust, role.trust)
        for repository in access.repositories:
            if not (kept and repository.arn in reached):
                doubt = access.doubts.get(repository.arn, "")
                found[access.admission, repository.arn] = Pair(
                    access.admission.label, repository.name, repository.region, doubt
                )
    return found


def _changed_conditions(
    had: t.Sequence[Access], has: t.Sequence[Access], lost: dict[_Key, Pair], gained: dict[_Key, Pair]
) -> tuple[list[str], set[_Key]]:
    """The lines of principals whose conditions change, and what those lines cover."""
    lines, covered = [], set()
    left = _without_same(has, had)
    for before in _without_same(had, has):
        after = next(
            (candidate for candidate in left if candidate.admission.principal == before.admission.principal), None
        )
        if after is None:
            continue
        common = {repository.arn for repository in before.repositories} & {
            repository.arn for repository in after.repositories
        }
        keys = {(access.admission, arn) for access in (before, after) for arn in common}
        if not keys.isdisjoint({*lost, *gained}):
            left.remove(after)
            covered |= keys
            lines.append(f"{before.admission.principal}: {'; '.join(_words(before.admission, after.admission))}")
    return lines, covered


def _without_same(ours: t.Sequence[Access], others: t.Sequence[Access]) -> list[Access]:
    """What differs from each of the others in its principal or its conditions."""
    return [
        access
        for access in ours
        if not any(
            access.admission.principal == other.admission.principal and not _words(access.admission, other.admission)
            for other in others
        )
    ]


def _words(before: Admission, after: Admission) -> tuple[str, ...]:
    """What changes for a principal: its conditions, and what its sessions may carry."""
    old, new = before.statement, after.statement
    return (
        *_condition_text.changes(old.condition, new.condition),
        *_condition_text.action_changes(old.actions.patterns, new.actions.patterns),
    )


def _lines(form: str, pairs: t.Iterable[Pair], several: bool, every_name: bool) -> list[str]:
    by_principal: dict[tuple[str, str], dict[str, None]] = {}
    for pair in sorted(pairs):
        name = f"{pair.repository} in {pair.region}" if several else pair.repository
        by_principal.setdefault((pair.principal, pair.doubt), {})[name] = None
    return [
        form.format(who, listed(list(names), every_name))
        + (f" (unknown, counted as allowed: {doubt})" if doubt else "")
        for (who, doubt), names in by_principal.items()
    ]
