# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.mutants [--sample 300] [--files _policy,_evaluate]`: break one place of the core; a test must fail.

A mutant that no unit test notices *survives*: it is printed with its file, its line and its change. `equivalent.json`
lists changes that do not change what the code does, each with the reason; they do not count. A sample is the same each
time. The tools on PyPI copy the sources or edit them in place, and name modules by their path; the modules of a
collection have another name, and other processes use these files while this runs.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import random
import sys
import time

from tests.support.pure import PURE

from . import runner
from .mutations import Mutant, mutants

EQUIVALENT = pathlib.Path(__file__).parent / "equivalent.json"
SEED = 20261126
#: At most this part of the mutants may survive.
TARGET = 0.05


def sources(names: list[str]) -> dict[str, str]:
    return {name: (runner.CORE / f"{name}.py").read_text(encoding="utf-8") for name in names}


def counted(generated: list[Mutant]) -> list[Mutant]:
    """The mutants without those that are equivalent to the file."""
    listed = json.loads(EQUIVALENT.read_text(encoding="utf-8"))
    known = {(mutant["file"], mutant["before"], mutant["after"]) for mutant in listed}
    return [mutant for mutant in generated if (mutant.file, mutant.before, mutant.after) not in known]


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutants", description=__doc__)
    parser.add_argument("--files", type=lambda text: text.split(","), default=list(PURE), metavar="FILE,FILE")
    parser.add_argument("--sample", type=int, default=0, metavar="N", help="of all mutants; default: all of them")
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1)
    options = parser.parse_args()
    began, of = time.monotonic(), sources(options.files)
    generated = counted([mutant for name, source in of.items() for mutant in mutants(name, source)])
    if options.sample and options.sample < len(generated):
        generated = random.Random(options.seed).sample(generated, options.sample)  # noqa: S311
    runner.preload()
    survivors = []
    for number, judged in enumerate(runner.judge(generated, options.jobs), 1):
        if number % 20 == 0:
            print(f"{number} of {len(generated)} mutants tried", file=sys.stderr, flush=True)
        if judged.status == runner.SURVIVED:
            survivors.append(judged.mutant)
            print(judged.mutant, flush=True)
    score = len(survivors) / len(generated) if generated else 0
    seconds = time.monotonic() - began
    print(
        f"{len(survivors)} of {len(generated)} mutants survived: {score:.1%}; at most {TARGET:.0%} may."
        f" {seconds:.0f} s."
    )
    return int(score > TARGET)


if __name__ == "__main__":
    sys.exit(main())
