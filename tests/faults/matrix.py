# SPDX-License-Identifier: GPL-3.0-or-later
"""The matrix: which fault at which call, what counts as well, and how it is shown. Pure: no lab, no process."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field
from typing import Any

from tests.lab import state

KILLED_BEFORE, KILLED_AFTER, STALE = "killed before", "killed after", "stale read"
FAULTS = (
    KILLED_BEFORE,
    KILLED_AFTER,
    "reply cut",
    "reset",
    "timeout",
    "500",
    "ThrottlingException",
    "Throttling",
    "AccessDenied once",
    "expired token",
    STALE,
)
#: The phases of which the reduced matrix has only the writes.
WRITES_ONLY = ("cache",)
OK, NOT_APPLICABLE, FAIL, LEFT_OUT = "ok", "n/a", "FAIL", "-"


@dataclass(frozen=True)
class Row:
    """One API call of a clean run: the number in its phase, and in the module that makes it."""

    phase: str
    number: int
    name: str
    module: int
    number_in_module: int
    never_stale: str
    module_name: str = ""

    @property
    def writes(self) -> bool:
        return state.is_write(self.name)


@dataclass(frozen=True)
class Cell:
    """A row, a fault, and what came of it; `why` tells the reason of all but `ok`."""

    row: Row
    fault: str
    verdict: str
    why: tuple[str, ...] = ()


@dataclass
class ModuleRun:
    """One module in one run."""

    task: str
    check: bool
    killed: bool
    code: int
    result: dict[str, Any]
    printed: str
    calls: list[str]
    violations: list[dict[str, Any]]

    @property
    def well(self) -> bool:
        return not self.killed and self.code == 0 and bool(self.result) and not self.result.get("failed")

    @property
    def writes(self) -> list[str]:
        return [call for call in self.calls if state.is_write(call)]


@dataclass
class Trial:
    """The three runs of a cell, what stands after the second, and what stands after a clean run."""

    hit: bool
    runs: list[list[ModuleRun]] = field(default_factory=list)
    end: Any = None
    clean: Any = None


def rows_of(phase: str, calls: list[list[tuple[str, str, str]]]) -> list[Row]:
    """The rows of a phase: for each module its calls, each with why it cannot be stale and the name of the module."""
    rows: list[Row] = []
    for module, made in enumerate(calls):
        for number, (name, never_stale, module_name) in enumerate(made, 1):
            rows.append(Row(phase, len(rows) + 1, name, module, number, never_stale, module_name))
    return rows


def applicable(row: Row) -> list[str]:
    return [fault for fault in FAULTS if fault != STALE or not row.never_stale]


def chosen(rows: list[Row], reduced: bool) -> dict[Row, list[str]]:
    """The faults to try at each row.

    Reduced, each write has the kill after it. A kill before a write leaves what the kill after the write before it
    leaves. Each call of a module has one more fault, in turn, in one phase. Where a module reads until several answers
    in a row agree, its second read has one as well, in one phase. The phases in `WRITES_ONLY` have no faults at reads.
    """
    if not reduced:
        return {row: applicable(row) for row in rows}
    picked: dict[Row, list[str]] = {}
    times = Counter(dict.fromkeys(FAULTS, 0))
    seen: dict[tuple[str, str], dict[str, Counter[int]]] = {}
    repeated: set[tuple[str, str]] = set()
    for row in rows:
        if row.phase in WRITES_ONLY and not row.writes:
            picked[row] = []
            continue
        call = (row.module_name, row.name)
        phases = seen.setdefault(call, {})
        made = phases.setdefault(row.phase, Counter())
        made[row.module] += 1
        picked[row] = [KILLED_AFTER] if row.writes else []
        again = not row.writes and call not in repeated and made[row.module] == 2
        if not again and (made.total() > 1 or len(phases) > 1):
            continue
        if again:
            repeated.add(call)
        # Threads make the calls of a pull, in no sure order: another call may stand here, which cannot be stale.
        apart = {STALE} if row.phase == "pull" else {KILLED_AFTER} if row.writes else set()
        faults = [fault for fault in applicable(row) if fault not in apart]
        fault = min(faults, key=lambda one: times[one])
        times[fault] += 1
        picked[row].append(fault)
    return picked


def judge(trial: Trial) -> list[str]:
    """The problems of a cell; nothing, if it is as it must be."""
    wrong = [] if trial.hit else ["The fault hit no call."]
    if not trial.hit or len(trial.runs) < 3:
        return wrong or ["It was not run three times."]
    first, second, third = trial.runs
    for ran in first:
        reason = ran.result.get("failed") and ran.result.get("msg")
        if not ran.well and not ran.killed and not reason:
            wrong.append(f"First run, {ran.task}: it neither succeeded nor said why not: {ran.printed[-300:]}")
        if "Traceback" in ran.printed:
            wrong.append(f"First run, {ran.task}: a traceback: {ran.printed[-600:]}")
    for which, run in (("Second", second), ("Third", third)):
        for ran in run:
            if not ran.well:
                wrong.append(f"{which} run, {ran.task}: {ran.result.get('msg') or ran.printed[-300:]}")
    if trial.end != trial.clean:
        wrong.append(f"The second run ends otherwise than a clean one: {difference(trial.clean, trial.end)}")
    for ran in third:
        if ran.result.get("changed") and not ran.check:
            wrong.append(f"Third run, {ran.task}: changed.")
        if ran.writes:
            wrong.append(f"Third run, {ran.task}: wrote {', '.join(ran.writes)}.")
    for which, run in zip(("First", "Second", "Third"), trial.runs):
        for ran in run:
            for violation in ran.violations[:1]:
                wrong.append(
                    f"{which} run, {ran.task}: invariant 1: after {violation['after']} (call {violation['number']} of"
                    f" the module) {violation['account']} {violation['principal']} with external ID"
                    f" {violation['external_id']} may {violation['what']} {violation['repository']}"
                    f"{' from ' + violation['later'] if violation['later'] else ''}; {len(ran.violations)} such."
                )
    return wrong


def difference(first: Any, second: Any, path: str = "") -> str:
    """Where two values begin to differ."""
    if isinstance(first, dict) and isinstance(second, dict):
        for key in sorted({*first, *second}):
            if first.get(key) != second.get(key):
                return difference(first.get(key), second.get(key), f"{path}/{key}")
    return f"{path}: {str(first)[:300]} became {str(second)[:300]}"


# --- showing


def table(rows: list[Row], cells: Iterable[Cell]) -> Iterator[str]:
    """The matrix as text: a line for each call, a column for each fault."""
    verdicts = {(cell.row, cell.fault): cell.verdict for cell in cells}
    numbers = [f"{number:>4}" for number in range(1, len(FAULTS) + 1)]
    for number, fault in enumerate(FAULTS, 1):
        yield f"{number:>4} {fault}"
    width = max(len(f"{row.phase} {row.number:>3} {row.name}") for row in rows)
    yield f"{'call':<{width}} {' '.join(numbers)}"
    for row in rows:
        marks = [f"{verdicts.get((row, fault), LEFT_OUT):>4}" for fault in FAULTS]
        yield f"{f'{row.phase} {row.number:>3} {row.name}':<{width}} {' '.join(marks)}"


def counts(rows: list[Row], cells: list[Cell]) -> dict[str, int]:
    """How many cells of each verdict; those left out of the reduced form as well."""
    verdicts = Counter(cell.verdict for cell in cells if cell.row in set(rows))
    verdicts[LEFT_OUT] = len(rows) * len(FAULTS) - sum(verdicts.values())
    return {verdict: verdicts[verdict] for verdict in (OK, NOT_APPLICABLE, FAIL, LEFT_OUT)}


def as_json(rows: list[Row], cells: list[Cell], **facts: Any) -> dict[str, Any]:
    return {
        **facts,
        "faults": list(FAULTS),
        "calls": [asdict(row) for row in rows],
        "counts": counts(rows, cells),
        "cells": [
            {
                "phase": cell.row.phase,
                "call": cell.row.number,
                "name": cell.row.name,
                "fault": cell.fault,
                "verdict": cell.verdict,
                "why": list(cell.why),
            }
            for cell in cells
        ],
    }
