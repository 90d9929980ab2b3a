# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.replicas [--count 2000] [--brief]`: replicate.yml, killed and resumed at each of its calls.

1. The destination is empty. A run is killed before its first call, the next one before its second call, and so on,
   until a run ends. The same again, with kills after the response.
2. The destination is empty before each kill at a write, and the run after the kill has to end. With `--brief`, only
   two of these kills, after the response.

Exit status 1 unless each image and each signature has a copy with the same digest, and a last run changes nothing.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys
import tempfile
import time
from collections.abc import Iterator

from tests.faults.bench import running
from tests.support import quick_python
from tests.support.lab import Lab

from .registries import Registries
from .runs import KILLS, Run, Runner

#: More calls than a run makes.
MOST_CALLS = 2_000
WRITES = ("Put", "Start")


class Trial:
    """One estate of images, and the runs that replicate it."""

    def __init__(self, folder: pathlib.Path, count: int) -> None:
        self.runner = Runner(folder)
        self.registries = Registries(Lab(folder / "lab"), count)
        self.kills: list[str] = []

    def resumed(self, fault: str) -> Iterator[str]:
        """The problems of one replication that is killed at each call."""
        self.registries.forget()
        for number in range(1, MOST_CALLS):
            run = self.runner.run(number, fault)
            if not run.killed:
                break
            self.kills.append(run.call)
        yield from self._end(run, f"{fault} {number - 1} calls", again=True)

    def afresh(self, fault: str, brief: bool) -> Iterator[str]:
        """The problems of replications that are each killed at one write, and then resumed."""
        self.registries.forget()
        calls = self.runner.run().calls
        writes = [number for number, call in enumerate(calls, 1) if call.partition(":")[2].startswith(WRITES)]
        for number in writes[-2:] if brief else writes:
            self.registries.forget()
            self.kills.append(self.runner.run(number, fault).call)
            if self.kills[-1] != calls[number - 1]:
                yield f"Call {number} of a run is {self.kills[-1]}, and not {calls[number - 1]}."
            yield from self._end(self.runner.run(), f"{fault} {self.kills[-1]}", again=False)

    def _end(self, run: Run, label: str, again: bool) -> Iterator[str]:
        """The problems after a run that has ended.

        :param again: whether one more run must change nothing
        """
        if run.code:
            yield f"{label}: exit status {run.code}\n{run.output[-3000:]}"
        yield from (f"{label}: {problem}" for problem in self.registries.problems())
        if again and "changed=0 " not in (output := self.runner.run().output):
            yield f"{label}: the last run changes something.\n{output[-3000:]}"


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.replicas", description=__doc__)
    parser.add_argument("--count", type=int, default=2_000, help="of the images, each with a signature; default: 2000")
    parser.add_argument("--brief", action="store_true", help="only kills after the last two writes")
    options = parser.parse_args()
    os.environ.update(quick_python.CONFIGURED)  # Ansible reads it while it is imported
    from tests.support import quick_ansible

    quick_ansible.preload()
    quick_python.preload()
    with tempfile.TemporaryDirectory(prefix="replicas-") as folder, running(pathlib.Path(folder) / "bench") as bench:
        began = time.monotonic()
        trial = Trial(bench, options.count)
        images = len(trial.registries.images(trial.registries.owner))
        print(f"{images:,} images and signatures; {time.monotonic() - began:.0f} s", flush=True)
        problems: list[str] = []
        for fault in KILLS[-1:] if options.brief else KILLS:
            problems += [] if options.brief else trial.resumed(fault)
            problems += trial.afresh(fault, options.brief)
            print(f"{fault}: {len(trial.kills):,} kills; {time.monotonic() - began:.0f} s", flush=True)
    print(*problems, sep="\n", end="\n" if problems else "")
    print(
        f"{images:,} images and signatures, {len(trial.kills):,} kills, {len(problems)} problems;"
        f" {time.monotonic() - began:.0f} s"
    )
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
