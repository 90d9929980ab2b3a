# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The rows of an audit: one principal outside the account, one repository, and the verdict for each action.

Standard library only.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import Outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import ALLOWED, DENIED, UNKNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The access paths.
ROLE, REPOSITORY, REGISTRY = "role", "repository_policy", "registry_policy"
REPLICATION, CACHE, TEMPLATE = "replication", "pull_through_cache", "creation_template"
#: The list of the repositories, on which every access path depends.
LISTING = "repositories"


@dataclass(frozen=True)
class Path:
    """One way in which a principal reaches a repository.

    :param actions: the actions of `ACTIONS` that AWS allows through it, or that may be allowed
    :param document: the name of the document that decides
    :param statement: the Sid or the number of the statement that decides; empty if it is not a statement
    :param conditions: the conditions that the principal or the repository must meet
    :param role: the ARN of the role; empty for other paths
    :param until: when the access ends; None if it has no end
    """

    path: str
    actions: tuple[str, ...]
    document: str
    statement: str = ""
    conditions: tuple[str, ...] = ()
    role: str = ""
    role_created: datetime.datetime | None = None
    role_last_used: datetime.datetime | None = None
    until: datetime.datetime | None = None

    def as_json(self) -> Json:
        return {
            "path": self.path,
            "actions": list(self.actions),
            "document": self.document,
            "statement": self.statement,
            "conditions": list(self.conditions),
            "role": self.role,
            "role_created": time_text(self.role_created),
            "role_last_used": time_text(self.role_last_used),
            "until": time_text(self.until),
        }


@dataclass(frozen=True)
class Access:
    """The access of one principal to one kind of repository.

    :param actions: the verdict for each action of `ACTIONS`
    :param reasons: the reason for each verdict that is not `allowed`
    """

    actions: t.Mapping[str, str] = field(default_factory=dict)
    reasons: t.Mapping[str, str] = field(default_factory=dict)
    paths: tuple[Path, ...] = ()

    @property
    def is_any(self) -> bool:
        """Whether any action is allowed or unknown."""
        return any(verdict != DENIED for verdict in self.actions.values())


@dataclass(frozen=True)
class Row:
    """The access of one principal to one repository."""

    outsider: Outsider
    repository: str
    region: str
    access: Access

    def as_json(self) -> Json:
        return {
            "principal": self.outsider.name,
            "principal_kind": self.outsider.kind,
            "principal_account": self.outsider.account,
            "repository": self.repository,
            "region": self.region,
            "actions": dict(self.access.actions),
            "reasons": dict(self.access.reasons),
            "paths": [path.as_json() for path in self.access.paths],
        }


@dataclass(frozen=True)
class Attempt:
    """The verdict for each action through one access path.

    :param verdicts: by action: the verdict, and the reason if it is not `allowed`
    :param paths: the paths for the actions that are not denied
    """

    verdicts: t.Mapping[str, tuple[str, str]]
    paths: tuple[Path, ...] = ()


def unknown_attempt(reason: str, path: str = ROLE, actions: t.Sequence[str] = tuple(ACTIONS)) -> Attempt:
    """The result if an access path could not be read."""
    return Attempt(dict.fromkeys(actions, (UNKNOWN, reason)), (Path(path, tuple(actions), reason),))


def combined(attempts: t.Sequence[Attempt]) -> Access:
    """The access through any of several access paths."""
    actions, reasons = {}, {}
    for action in ACTIONS:
        found = [attempt.verdicts[action] for attempt in attempts if action in attempt.verdicts]
        verdict = next((v for v in (ALLOWED, UNKNOWN) if any(v == other for other, _reason in found)), DENIED)
        actions[action] = verdict
        if verdict != ALLOWED:
            texts = [reason for other, reason in found if other == verdict and reason]
            reasons[action] = texts[0] if texts else "no statement allows it"
    paths = dict.fromkeys(path for attempt in attempts for path in attempt.paths)
    return Access(actions, reasons, tuple(_longest(paths) if any(path.until for path in paths) else paths))


def _longest(paths: t.Iterable[Path]) -> t.Iterator[Path]:
    """Of paths that differ only in their ends, the one that ends last."""
    ends: dict[Path, list[datetime.datetime | None]] = {}
    for path in paths:
        ends.setdefault(replace(path, until=None), []).append(path.until)
    for path, alike in ends.items():
        yield path if None in alike else replace(path, until=max(end for end in alike if end))


def time_text(time: datetime.datetime | None) -> str | None:
    """A time in reports, in UTC."""
    return None if time is None else time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
