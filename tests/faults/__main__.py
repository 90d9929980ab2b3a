# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.faults [--reduced] [--afresh] [--json FILE]`: every fault at every API call of the playbooks.

Two labs work side by side, or one for the reduced matrix: each of them plays all phases first. Exit status 1 when a
cell fails.
"""

from __future__ import annotations

import argparse
import collections
import contextlib
import json
import multiprocessing
import pathlib
import sys
import tempfile
import time
from collections.abc import Sequence
from concurrent.futures import ProcessPoolExecutor
from typing import Any

from . import bench, matrix, runs

WORKERS = 2
#: The tools of a worker; set in its process.
replay: runs.Replay
reduced: bool


def begin(queue: Any, phases: list[runs.Phase], afresh: bool, in_short: bool) -> None:
    """In a worker: take a lab, and run every phase on it without a fault."""
    global replay, reduced
    folder, start = queue.get(timeout=bench.DEADLINE)
    replay, reduced = runs.Replay(bench.Bench(folder), start, phases, afresh), in_short


def work(part: tuple[str, int]) -> tuple[list[matrix.Row], list[matrix.Cell]]:
    """In a worker: the rows and the cells of one module of a phase, or of a playbook of that name."""
    rows = [row for name, calls in replay.calls.items() for row in matrix.rows_of(name, calls)]
    if part[0] == runs.PLAYBOOK:
        return runs.playbook_cells(replay, rows)
    mine, cells = [], []
    for row, faults in matrix.chosen(rows, reduced).items():
        if (row.phase, row.module) == part:
            mine.append(row)
            cells += [replay.cell(row, fault) for fault in faults]
            if row.never_stale:
                cells.append(matrix.Cell(row, matrix.STALE, matrix.NOT_APPLICABLE, (row.never_stale,)))
    return mine, cells


def run(
    in_short: bool, afresh: bool = False, names: Sequence[str] = ()
) -> tuple[dict[str, Any], list[matrix.Row], list[matrix.Cell]]:
    """The matrix: as JSON has it, its rows, its cells.

    :param names: the phases; empty for all of them
    """
    began = time.monotonic()
    workers = 1 if in_short else WORKERS
    bench.preload()
    with contextlib.ExitStack() as stack:
        root = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="faults-")))
        folders = [stack.enter_context(bench.running(root / str(number))) for number in range(workers)]
        benches = [bench.Bench(folder) for folder in folders]
        starts = [runs.prepare(bench) for bench in benches]
        phases = runs.record(benches[0], starts[0], runs.phases_of(names, in_short))
        context = multiprocessing.get_context("fork")
        queue = context.Queue()
        for folder, start in zip(folders, starts):
            queue.put((folder, start))
        parts = [(phase.name, module) for phase in phases for module in range(phase.modules)]
        parts.reverse()  # the modules that write, which have the most to do, first
        if not (in_short or names):
            parts.insert(0, (runs.PLAYBOOK, 0))
        with ProcessPoolExecutor(workers, context, begin, (queue, phases, afresh, in_short)) as pool:
            done = []
            for part, result in zip(parts, pool.map(work, parts)):
                done.append(result)
                _show(part, *result)
    order = [phase.name for phase in phases] + [runs.PLAYBOOK]
    rows = sorted(
        (row for found, _cells in done for row in found), key=lambda row: (order.index(row.phase), row.number)
    )
    cells = [cell for _rows, found in done for cell in found]
    facts: dict[str, Any] = {
        "seconds": round(time.monotonic() - began, 1),
        "clean_run_calls": {phase.name: phase.calls for phase in phases},
    }
    return matrix.as_json(rows, cells, **facts), rows, cells


def _show(part: tuple[str, int], rows: list[matrix.Row], cells: list[matrix.Cell]) -> None:
    """Show the result of a part at once, because the matrix takes long."""
    verdicts = collections.Counter(cell.verdict for cell in cells)
    module = rows[0].module_name if rows else part[1]
    print(f"{part[0]}, {module}: {len(rows)} calls, {dict(verdicts)}", file=sys.stderr, flush=True)


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.faults", description=__doc__)
    parser.add_argument("--reduced", action="store_true", help="a kill at every write, other faults at some calls")
    parser.add_argument("--afresh", action="store_true", help="keep no outcome of a module without a fault")
    parser.add_argument(
        "--phases", nargs="*", default=[], metavar="NAME", help="only these phases, and those from which they start"
    )
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("build/faults.json"), metavar="FILE")
    options = parser.parse_args()
    result, rows, cells = run(options.reduced, options.afresh, options.phases)
    for line in matrix.table(rows, cells):
        print(line)
    for cell in cells:
        if cell.verdict == matrix.FAIL:
            print(f"\n{cell.row.phase} {cell.row.number} {cell.row.name}, {cell.fault}:")
            print("\n".join(f"  {why}" for why in cell.why))
    options.json.parent.mkdir(parents=True, exist_ok=True)
    options.json.write_text(json.dumps(result, indent=1), encoding="utf-8")
    total = result["counts"]
    print(
        f"\n{len(rows)} calls, {len(matrix.FAULTS)} faults: {total['ok']} ok, {total['n/a']} not applicable,"
        f" {total['FAIL']} failed, {total['-']} left out. {result['seconds']} s. {options.json}"
    )
    sys.exit(bool(total["FAIL"]))


if __name__ == "__main__":
    main()
