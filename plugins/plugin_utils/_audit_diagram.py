# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The diagram of an audit page: consumer accounts, access paths and repositories, as boxes and curves. Pure."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_matrix import Matrix

#: The largest number of boxes for consumers. The last one contains the other consumers.
_BOXES = 8
_STEP, _HEIGHT, _TOP = 44, 32, 36
_WIDEST = 14
WIDTH, BOX = 760, 220
_COLUMNS = (0, (WIDTH - BOX) // 2, WIDTH - BOX)
#: The names of the access paths in reports for people.
PATHS = {
    "role": "roles",
    "repository_policy": "repository policies",
    "registry_policy": "registry policy",
    "replication": "replication",
    "pull_through_cache": "pull through cache",
    "creation_template": "creation templates",
}


@dataclass(frozen=True)
class Box:
    x: int
    y: int
    text: str
    detail: str


@dataclass(frozen=True)
class Curve:
    """A connection of two boxes.

    :param d: the attribute of the SVG element `path`
    """

    d: str
    width: int


@dataclass(frozen=True)
class Diagram:
    boxes: tuple[Box, ...]
    curves: tuple[Curve, ...]
    height: int
    description: str


def diagram_of(matrix: Matrix) -> Diagram:
    """The access paths of a matrix."""
    reached = _reached(matrix)
    sources = _shortened(reached)
    paths = [path for path in PATHS if any(path in found for found in sources.values())]
    total = {repository for found in sources.values() for names in found.values() for repository in names}
    height = max(len(sources), len(paths), 1) * _STEP + _TOP
    left, middle = ({key: _y(n, len(keys), height) for n, key in enumerate(keys)} for keys in (sources, paths))
    right = _y(0, 1, height)
    boxes, curves = [Box(_COLUMNS[2], right, _counted(len(total), "repository", "repositories"), "")], []
    for path, y in middle.items():
        names = {repository for found in sources.values() for repository in found.get(path, ())}
        boxes.append(Box(_COLUMNS[1], y, PATHS[path], _counted(len(names), "repository", "repositories")))
        curves.append(_curve(1, y, right, len(names), len(total)))
    for source, found in sources.items():
        names = {repository for reach in found.values() for repository in reach}
        boxes.append(Box(0, left[source], source, _counted(len(names), "repository", "repositories")))
        curves += [_curve(0, left[source], middle[path], len(reach), len(total)) for path, reach in found.items()]
    description = "; ".join(
        f"{source}: "
        + ", ".join(f"{len(reach)} through {PATHS[path]}" for path, reach in found.items() if path in PATHS)
        for source, found in sources.items()
    )
    return Diagram(tuple(boxes), tuple(curves), height, description)


#: The repositories that each source reaches, by the access path.
_Reach = dict[str, dict[str, set[tuple[str, str]]]]


def _reached(matrix: Matrix) -> _Reach:
    """The repositories that each consumer account, or consumer without an account, reaches."""
    found: _Reach = {}
    for row in matrix.rows:
        for consumer, cell in zip(matrix.consumers, row.cells):
            if cell is not None:
                source = found.setdefault(consumer.account or consumer.label, {})
                for way in matrix.cells[cell].ways:
                    source.setdefault(way.path, set()).update(row.repositories)
    return found


def _shortened(reached: _Reach) -> _Reach:
    """The sources that reach most repositories, and one for the others."""
    ordered = sorted(reached, key=lambda source: (-max(map(len, reached[source].values()), default=0), source))
    named = ordered if len(ordered) <= _BOXES else ordered[: _BOXES - 1]
    shown = {source: reached[source] for source in named}
    others: dict[str, set[tuple[str, str]]] = {}
    for source in ordered[len(named) :]:
        for path, names in reached[source].items():
            others.setdefault(path, set()).update(names)
    return {**shown, f"{len(ordered) - len(named)} other consumers": others} if others else shown


def _y(number: int, count: int, height: int) -> int:
    """The top of a box, in a column that is centered."""
    return _TOP + (height - _TOP - count * _STEP) // 2 + number * _STEP + (_STEP - _HEIGHT) // 2


def _curve(column: int, start: int, end: int, count: int, total: int) -> Curve:
    x, target = _COLUMNS[column] + BOX, _COLUMNS[column + 1]
    half = (x + target) // 2
    first, last = start + _HEIGHT // 2, end + _HEIGHT // 2
    width = max(1, round(_WIDEST * count / total)) if total else 1
    return Curve(f"M{x} {first}C{half} {first} {half} {last} {target} {last}", width)


def _counted(count: int, one: str, several: str) -> str:
    return f"{count:,} {one if count == 1 else several}"


def headings() -> t.Iterator[tuple[int, str]]:
    """The headings of the columns, with their positions."""
    yield from zip(_COLUMNS, ("Consumers", "Access paths", "Repositories"))
