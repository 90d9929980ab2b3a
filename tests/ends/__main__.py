# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.ends [--count 10000] [--seed 0]`: real requests at random times around random ends of access.

Exit status 1 if a verdict is not exact to the second.
"""

from __future__ import annotations

import argparse
import contextlib
import pathlib
import sys
import tempfile
import time

sys.path.append(str(pathlib.Path(__file__).parents[2] / ".venv/collections"))

from tests.ends.shares import Ground
from tests.ends.verdicts import verdicts
from tests.support.lab import Lab, lab_command


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.ends", description=__doc__)
    parser.add_argument("--count", type=int, default=10_000, help="of verdicts; default: 10000")
    parser.add_argument("--seed", type=int, default=0, help="of the random ends; default: 0")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="ends-")))
        lab_command("up", folder)
        stack.callback(lab_command, "down", folder)
        ground, began = Ground(Lab(folder)), time.monotonic()
        found = verdicts(ground, options.seed, options.count)
    print(*found.wrong, sep="\n", end="\n" if found.wrong else "")
    print(
        f"{found.total} verdicts, {found.allowed} of them allowed, {len(found.wrong)} wrong,"
        f" {time.monotonic() - began:.0f} s"
    )
    return 1 if found.wrong else 0


if __name__ == "__main__":
    sys.exit(main())
