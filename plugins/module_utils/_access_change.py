# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The access that each principal gains and loses by a change of a role or of tags. Standard library only.

A principal can pull from a repository if the trust policy of the role allows the principal to assume the role, and the
permissions of the role allow the pull. A decision that is unknown counts as allowed, and the output marks it as
unknown. A principal loses access if its old trust statement is not known to be a subset of the new trust policy. A
principal gains access if its new trust statement is not known to be a subset of the old trust policy. If only the
conditions of a principal change, or the session tags that its sessions may have, the output names that change.
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request
from ansible_collections.crossaccount.ecr.plugins.module_utils._trust_subset import is_still_admitted

#: Prefixes of the condition keys whose values in a pull request are all known: the tags of the repository, and no tags
#: to set.
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
    """The trust policy and the permissions policy of a role."""

    trust: Document
    permissions: Document


@dataclass(frozen=True)
class Access:
    """The repositories that one principal can pull from.

    :param doubts: the ARN of each repository with an unknown decision, which counts as allowed, and the reason
    """

    admission: Admission
    repositories: tuple[Repository, ...]
    doubts: t.Mapping[str, str]


class Pair(t.NamedTuple):
    """A principal that gains or loses access to a repository.

    :param doubt: the reason why the change is uncertain; empty if it is certain
    """

    principal: str
    repository: str
    region: str
    doubt: str = ""


@dataclass(frozen=True)
class ChangeOfAccess:
    """The access that principals gain and lose.

    :param lines: the changes as text; a line names at most ten repositories
    :param all_lines: the same with the names of all repositories
    """

    gained: tuple[Pair, ...]
    lost: tuple[Pair, ...]
    lines: tuple[str, ...]
    all_lines: tuple[str, ...]


def pull_decision(permissions: Document, arn: str, tags: t.Mapping[str, str]) -> Decision:
    """Whether a permissions document allows a session of its role to pull from a repository with these tags."""
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


def access_by_principal(
    role: Role | None, repositories: t.Iterable[Repository], now: datetime.datetime | None = None
) -> list[Access]:
    """The repositories that each principal of a role can pull from.

    :param role: None if the role does not exist or its policy is not attached
    :param now: the time at which to evaluate the time limits of the trust policy; None to ignore time limits
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
    """The difference in access between two states of a role and of the tags.

    :param before: the repositories with their current tags, to which `old` applies
    :param after: the repositories with their planned tags, to which `new` applies
    """
    old_access, new_access = access_by_principal(old, before, now), access_by_principal(new, after, now)
    lost = _difference(old_access, new_access, old, new)
    gained = _difference(new_access, old_access, new, old)
    conditions, covered = _changed_conditions(old_access, new_access, lost, gained)
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


def _difference(
    ours: t.Sequence[Access], others: t.Sequence[Access], role: Role | None, other: Role | None
) -> dict[_Key, Pair]:
    """The access in `ours` that is not known to be in `others`."""
    found = {}
    reached = {repository.arn for access in others for repository in access.repositories}
    for access in ours:
        kept = role and other and is_still_admitted(access.admission.statement, other.trust, role.trust)
        for repository in access.repositories:
            if not (kept and repository.arn in reached):
                doubt = access.doubts.get(repository.arn, "")
                found[access.admission, repository.arn] = Pair(
                    access.admission.label, repository.name, repository.region, doubt
                )
    return found


def _changed_conditions(
    old_access: t.Sequence[Access], new_access: t.Sequence[Access], lost: dict[_Key, Pair], gained: dict[_Key, Pair]
) -> tuple[list[str], set[_Key]]:
    """The lines for principals whose conditions change, and the keys of the access that these lines describe."""
    lines, covered = [], set()
    candidates = _without_unchanged(new_access, old_access)
    for before in _without_unchanged(old_access, new_access):
        after = next(
            (candidate for candidate in candidates if candidate.admission.principal == before.admission.principal), None
        )
        if after is None:
            continue
        common = {repository.arn for repository in before.repositories} & {
            repository.arn for repository in after.repositories
        }
        keys = {(access.admission, arn) for access in (before, after) for arn in common}
        if not keys.isdisjoint({*lost, *gained}):
            candidates.remove(after)
            covered |= keys
            lines.append(f"{before.admission.principal}: {'; '.join(_change_texts(before.admission, after.admission))}")
    return lines, covered


def _without_unchanged(ours: t.Sequence[Access], others: t.Sequence[Access]) -> list[Access]:
    """The access in `ours` whose principal or conditions differ from those of each of `others`."""
    return [
        access
        for access in ours
        if not any(
            access.admission.principal == other.admission.principal
            and not _change_texts(access.admission, other.admission)
            for other in others
        )
    ]


def _change_texts(before: Admission, after: Admission) -> tuple[str, ...]:
    """The changes of a principal's conditions, and of the session tags that its sessions may have."""
    old, new = before.statement, after.statement
    return (
        *_condition_text.condition_changes(old.condition, new.condition),
        *_condition_text.action_changes(old.actions.patterns, new.actions.patterns),
    )


def _lines(form: str, pairs: t.Iterable[Pair], several: bool, every_name: bool) -> list[str]:
    by_principal: dict[tuple[str, str], dict[str, None]] = {}
    for pair in sorted(pairs):
        name = f"{pair.repository} in {pair.region}" if several else pair.repository
        by_principal.setdefault((pair.principal, pair.doubt), {})[name] = None
    return [
        form.format(principal, list_text(list(names), every_name))
        + (f" (unknown, counted as allowed: {doubt})" if doubt else "")
        for (principal, doubt), names in by_principal.items()
    ]
