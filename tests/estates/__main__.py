# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.estates [--count 300] [--first 0] [--sample 200]`: the audit of random estates against real calls.

Exit status 1 if a verdict differs from the real calls, or if more than 1 % of the cells are unknown.
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time

from tests.support.control import Control
from tests.support.lab import Lab, lab_command

from .compare import Comparison, compare
from .lab_estate import PROBE, Outside, created
from .random_estate import random_estate


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.estates", description=__doc__)
    parser.add_argument("--count", type=int, default=300, help="of estates; default: 300")
    parser.add_argument("--first", type=int, default=0, help="the number of the first estate; default: 0")
    parser.add_argument("--sample", type=int, default=0, help="of the cells of each estate; default: all of them")
    options = parser.parse_args()
    began, results = time.monotonic(), []
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="estates-")))
        lab_command("up", folder / "lab")
        stack.callback(lab_command, "down", folder / "lab")
        control = Control(Lab(folder / "lab"), folder)
        outside = Outside(control.lab)
        for seed in range(options.first, options.first + options.count):
            results.append(_judged(control, outside, seed, options.sample))
            for line in results[-1].wrong:
                print(f"estate {seed}: {line}", flush=True)
    cells, unknown = sum(result.cells for result in results), sum(result.unknown for result in results)
    calls, wrong = sum(result.calls for result in results), sum(len(result.wrong) for result in results)
    print(
        f"{len(results)} estates: {cells} cells compared with {calls} calls, {wrong} wrong, {unknown} unknown,"
        f" {time.monotonic() - began:.0f} s"
    )
    return 1 if wrong or unknown > cells * 0.01 else 0


def _judged(control: Control, outside: Outside, seed: int, sample: int) -> Comparison:
    spec = random_estate(seed, outside.world)
    with created(control.lab, spec):
        report = control.module("ecr_audit_info", "owner", repository_tags=PROBE)["audit"]
        return compare(report, spec, outside, sample, seed)


if __name__ == "__main__":
    sys.exit(main())
