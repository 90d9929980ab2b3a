# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The access of an audit report as a matrix of consumers and repositories. Pure.

Repositories with the same access are one row, and each combination of verdicts and access paths is kept once. Text that
names the repository of a row has a mark in its place, so that rows about different repositories can be equal.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_escape import one_line
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_shape import ACTIONS

#: Stands for the name and the region of a repository. Texts are escaped before, so none of them contains it.
MARK = "\ue000"
_WRITES = ("push", "delete", "tag")

_line = functools.lru_cache(maxsize=50_000)(one_line)


@dataclass(frozen=True, order=True)
class Consumer:
    """A principal outside the account."""

    account: str
    principal: str
    kind: str

    @property
    def label(self) -> str:
        """The principal without what all ARNs have in common."""
        if self.kind == "everyone":
            return "everyone"
        resource = self.principal.split(":", 5)[-1]
        if self.account and resource in (self.account, "root"):
            return self.account
        return f"{self.account} {resource}".strip()


@dataclass(frozen=True)
class Way:
    """An access path. The fields are those of the report."""

    path: str
    actions: tuple[str, ...]
    document: str
    statement: str
    conditions: tuple[str, ...]
    role: str
    role_created: str | None
    role_last_used: str | None
    until: str | None


@dataclass(frozen=True)
class Cell:
    """The access of a consumer to a repository, with its reasons.

    :param verdicts: one for each action of `ACTIONS`
    :param reasons: pairs of an action and the reason for its verdict
    """

    verdicts: tuple[str, ...]
    reasons: tuple[tuple[str, str], ...]
    ways: tuple[Way, ...]

    def of(self, verdict: str) -> list[str]:
        """The actions that have this verdict."""
        return [action for action, found in zip(ACTIONS, self.verdicts) if found == verdict]

    @functools.cached_property
    def letter(self) -> str:
        """The most that the consumer may do: W writes, P pulls, D describes. A question mark is unknown access."""
        allowed = self.of("allowed")
        strongest = "W" if any(action in _WRITES for action in allowed) else "P" if "pull" in allowed else ""
        return (strongest or ("D" if allowed else "")) + ("?" if "unknown" in self.verdicts else "")


@dataclass(frozen=True)
class Row:
    """Repositories with the same access.

    :param repositories: pairs of a name and a region
    :param cells: the index of the cell for each consumer; None if the consumer has no access
    """

    repositories: tuple[tuple[str, str], ...]
    cells: tuple[int | None, ...]


@dataclass(frozen=True)
class Matrix:
    """All access of a report."""

    consumers: tuple[Consumer, ...]
    cells: tuple[Cell, ...]
    rows: tuple[Row, ...]


def matrix_of(document: Json) -> Matrix:
    """The access of a report."""
    consumers: dict[Consumer, int] = {}
    cells: dict[Cell, int] = {}
    repositories: dict[tuple[str, str], dict[int, int]] = {}
    for row in document["access"]:
        consumer = Consumer(_line(row["principal_account"]), _line(row["principal"]), row["principal_kind"])
        number = consumers.setdefault(consumer, len(consumers))
        cell = cells.setdefault(_cell(row), len(cells))
        repositories.setdefault((_line(row["repository"]), _line(row["region"])), {})[number] = cell
    ordered = sorted(consumers)
    columns = [consumers[consumer] for consumer in ordered]
    rows: dict[tuple[int | None, ...], list[tuple[str, str]]] = {}
    for repository, access in sorted(repositories.items()):
        rows.setdefault(tuple(access.get(column) for column in columns), []).append(repository)
    return Matrix(tuple(ordered), tuple(cells), tuple(Row(tuple(names), key) for key, names in rows.items()))


def _cell(row: Json) -> Cell:
    named = f"{_line(row['repository'])} in {_line(row['region'])}"

    def marked(text: str) -> str:
        return _line(text).replace(f"repository policy of {named}", f"repository policy of {MARK}")

    ways = [
        Way(
            path["path"],
            tuple(path["actions"]),
            marked(path["document"]),
            _line(path["statement"]),
            tuple(_line(condition) for condition in path["conditions"]),
            _line(path["role"]),
            *(path[key] and _line(path[key]) for key in ("role_created", "role_last_used", "until")),
        )
        for path in row["paths"]
    ]
    reasons = tuple((action, marked(row["reasons"][action])) for action in ACTIONS if action in row["reasons"])
    return Cell(tuple(row["actions"][action] for action in ACTIONS), reasons, tuple(ways))


def places_of(matrix: Matrix, column: int) -> t.Iterator[tuple[Cell, list[tuple[str, str]]]]:
    """The access of one consumer: each cell with its repositories.

    :param column: the index of the consumer
    """
    found: dict[int, list[tuple[str, str]]] = {}
    for row in matrix.rows:
        cell = row.cells[column]
        if cell is not None:
            found.setdefault(cell, []).extend(row.repositories)
    for cell, repositories in found.items():
        yield matrix.cells[cell], sorted(repositories)
