# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of the measurements: median, spread, ratio, target, verdict; as lines, JSON, a chart. Standard library
only.

A target is a factor: ours takes at most so many times what the reference takes, and where that is allowed, Ansible's
fixed start on top, which was measured beside them.
"""

from __future__ import annotations

import statistics
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from xml.sax.saxutils import escape

REACHED, MISSED = "reached", "MISSED"
HEADER = ("ROW", "WORK", "OURS", "REFERENCE", "START", "RATIO", "TARGET", "VERDICT")


@dataclass(frozen=True)
class Side:
    """One way to do the work: the seconds or the memory of each run, and the API calls of one run."""

    values: Sequence[float]
    reads: int = 0
    writes: int = 0
    unit: str = "s"

    @property
    def median(self) -> float:
        return statistics.median(self.values)

    @property
    def spread(self) -> float:
        """From the shortest to the longest run, as a part of the median."""
        return (max(self.values) - min(self.values)) / self.median

    def __str__(self) -> str:
        return f"{self.formatted(self.median)} ±{self.spread / 2:.0%}"

    def formatted(self, value: float) -> str:
        return f"{value:.2f} {self.unit}"

    def as_json(self) -> dict[str, Any]:
        return {
            "values": [round(value, 4) for value in self.values],
            "unit": self.unit,
            "median": round(self.median, 4),
            "spread": round(self.spread, 4),
            "reads": self.reads,
            "writes": self.writes,
        }


@dataclass(frozen=True)
class Comparison:
    """Ours against the reference.

    :param row: of the table of targets
    :param factor: at most so many times what the reference takes
    :param start: Ansible's fixed start, where the target allows it on top
    :param note: notes that explain the numbers
    """

    row: str
    work: str
    against: str
    factor: float
    ours: Side
    reference: Side
    start: Side | None = None
    note: str = ""

    @property
    def ratio(self) -> float:
        return (self.ours.median - (self.start.median if self.start else 0)) / self.reference.median

    @property
    def reached(self) -> bool:
        return self.ratio <= self.factor

    @property
    def target(self) -> str:
        times = f"≤ {self.factor:g}" if self.factor >= 0.1 else f"{1 / self.factor:g} times faster"
        return times + (" + start" if self.start else "")

    @property
    def reason(self) -> str:
        """Why the target was not reached, as measured; empty where it was."""
        if self.reached:
            return ""
        allowed = self.factor * self.reference.median + (self.start.median if self.start else 0)
        start = f", {self.start.formatted(self.start.median)} of it Ansible's start" if self.start else ""
        return (
            f"{self.ours.formatted(self.ours.median)}{start}{_calls(self.ours)}; the reference took"
            f" {self.reference.formatted(self.reference.median)}{_calls(self.reference)}; allowed were"
            f" {self.ours.formatted(allowed)}."
        )

    def as_json(self) -> dict[str, Any]:
        return {
            "row": self.row,
            "work": self.work,
            "against": self.against,
            "ours": self.ours.as_json(),
            "reference": self.reference.as_json(),
            "start": self.start.as_json() if self.start else None,
            "ratio": round(self.ratio, 4),
            "target": self.factor,
            "reached": self.reached,
            "reason": self.reason,
            "note": self.note,
        }


def _calls(side: Side) -> str:
    return f", for {side.reads} reads and {side.writes} writes" if side.reads or side.writes else ""


def table(comparisons: Sequence[Comparison]) -> list[str]:
    """A line for each comparison, then the notes of each."""
    rows = [HEADER]
    for comparison in comparisons:
        measured = (str(comparison.ours), str(comparison.reference), str(comparison.start) if comparison.start else "")
        rows.append(
            (
                comparison.row,
                comparison.work,
                *measured,
                f"{comparison.ratio:.3g}",
                comparison.target,
                REACHED if comparison.reached else MISSED,
            )
        )
    widths = [max(len(row[column]) for row in rows) for column in range(len(HEADER))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths)).rstrip() for row in rows]
    for item in comparisons:
        remark = f"{item.row}: against {item.against}. {item.note} {item.reason}"
        lines += ["", *textwrap.wrap(" ".join(remark.split()), 120)]
    return lines


def as_json(comparisons: Iterable[Comparison], **facts: Any) -> dict[str, Any]:
    return {**facts, "comparisons": [comparison.as_json() for comparison in comparisons]}


# --- the chart

WIDTH, LEFT, RIGHT, LINE = 1000, 420, 80, 64
_COLOURS = {"ours": "#2563a8", "start": "#9cc3ea", "reference": "#8a8a8a", "text": "#222222", "target": "#b3261e"}


def chart(comparisons: Sequence[Comparison], title: str) -> str:
    """An SVG with two bars for each comparison, on a scale of their own; a line stands at the target."""
    height = LINE * (len(comparisons) + 1)
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" role="img" font-family="sans-serif"'
        ' font-size="12">',
        f"<title>{escape(title)}</title>",
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>',
        _text(12, 26, title, bold=True),
    ]
    for number, comparison in enumerate(comparisons):
        top = LINE * number + 48
        start = comparison.start.median if comparison.start else 0.0
        allowed = comparison.factor * comparison.reference.median + start
        scale = (WIDTH - LEFT - RIGHT) / max(comparison.ours.median, comparison.reference.median, allowed)
        verdict = f"{comparison.ratio:.3g} ({comparison.target}) {REACHED if comparison.reached else MISSED}"
        parts += [
            _text(12, top + 14, f"{comparison.row}  {comparison.work}"),
            _text(12, top + 34, f"against {comparison.against}"),
            _bar("ours", top, comparison.ours.median * scale),
            _bar("start", top, start * scale),
            _bar("reference", top + 20, comparison.reference.median * scale),
            _text(
                LEFT + comparison.ours.median * scale + 6, top + 14, comparison.ours.formatted(comparison.ours.median)
            ),
            _text(
                LEFT + comparison.reference.median * scale + 6,
                top + 34,
                comparison.reference.formatted(comparison.reference.median),
            ),
            f'<rect x="{LEFT + allowed * scale:.1f}" y="{top - 3}" width="2" height="24" fill="{_COLOURS["target"]}"/>',
            _text(WIDTH - 12, top + 52, verdict, end=True),
        ]
    return "\n".join([*parts, "</svg>", ""])


def _bar(kind: str, top: float, width: float) -> str:
    return f'<rect class="{kind}" x="{LEFT}" y="{top}" width="{width:.1f}" height="18" fill="{_COLOURS[kind]}"/>'


def _text(x: float, y: float, words: str, bold: bool = False, end: bool = False) -> str:
    style = (' font-weight="bold"' if bold else "") + (' text-anchor="end"' if end else "")
    return f'<text x="{x:.1f}" y="{y}" fill="{_COLOURS["text"]}"{style}>{escape(words)}</text>'
