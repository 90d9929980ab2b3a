# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.load [--consumers 20] [--pulls 5000]`: consumers pull while the access of three of them ends.

Exit status 1 if a pull of the others fails, or if a request is allowed a second after the end.
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

from .ending import LIMIT, Load


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.load", description=__doc__)
    parser.add_argument("--consumers", type=int, default=20, help="of the share; default: 20")
    parser.add_argument("--pulls", type=int, default=5_000, help="by the consumers that keep access; default: 5000")
    options = parser.parse_args()
    with contextlib.ExitStack() as stack:
        folder = pathlib.Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="load-")))
        lab_command("up", folder / "lab")
        stack.callback(lab_command, "down", folder / "lab")
        load, began = Load(Control(Lab(folder / "lab"), folder), options.consumers, options.pulls), time.monotonic()
        result = load.run()
    lines = [*result.failures, *result.problems]
    print(*lines, sep="\n", end="\n" if lines else "")
    late = ", ".join(f"{name} {seconds:.2f} s" for name, seconds in result.late.items())
    print(
        f"{options.consumers - 3} consumers pulled {result.pulls} times, {len(result.failures)} failures; last request"
        f" allowed after the end of access: {late}; {time.monotonic() - began:.0f} s"
    )
    return 1 if lines or any(seconds > LIMIT for seconds in result.late.values()) else 0


if __name__ == "__main__":
    sys.exit(main())
