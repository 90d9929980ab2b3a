# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.bench [--rows 1,4] [--runs 5] [--json FILE] [--svg FILE]`: how fast, against what.

The tools that people use today, and a minimum, run in turns with it. A missed target is in the table, with what was
measured.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import os
import pathlib
import platform
import signal
import sys
import tempfile
import time

from . import ground, pulls, rows, table

ROWS = {**rows.ROWS, **pulls.ROWS}


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--rows", type=lambda text: text.split(","), default=list(ROWS), metavar="ROW,ROW")
    parser.add_argument("--runs", type=int, default=5, help="of each side; default: 5")
    parser.add_argument("--json", type=pathlib.Path, default=pathlib.Path("build/bench.json"), metavar="FILE")
    parser.add_argument("--svg", type=pathlib.Path, default=pathlib.Path("build/bench.svg"), metavar="FILE")
    options = parser.parse_args()
    unknown = [row for row in options.rows if row not in ROWS]
    if unknown:
        parser.error(f"no row {', '.join(unknown)}; there are {', '.join(ROWS)}")
    # A signal stops the servers first.
    signal.signal(signal.SIGTERM, lambda number, _frame: sys.exit(128 + number))
    began, compared = time.monotonic(), []
    for row in options.rows:
        make, repositories = ROWS[row]
        with contextlib.ExitStack() as stack:
            folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="bench-")))
            here = stack.enter_context(ground.running(folder, repositories))
            for item in rows.measure(here, make(here), options.runs):
                compared.append(item)
                print(f"{item.row}: {item.ours} against {item.reference}", file=sys.stderr)
    facts = {
        "runs": options.runs,
        "latency_ms": rows.LATENCY,
        "cores": os.cpu_count(),
        "python": platform.python_version(),
        "seconds": round(time.monotonic() - began, 1),
    }
    title = f"{rows.LATENCY} ms for each call, {os.cpu_count()} cores, medians of {options.runs} runs"
    for line in [title, "", *table.table(compared)]:
        print(line)
    for file, text in (
        (options.json, json.dumps(table.as_json(compared, **facts), indent=1) + "\n"),
        (options.svg, table.chart(compared, title)),
    ):
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    print(f"\n{facts['seconds']} s. {options.json}, {options.svg}")


if __name__ == "__main__":
    main()
