# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.pages [--write] [PAGE …]`: run the commands of pages; `--write` corrects the printed output.

Without PAGE, all pages run. The commands that do not run are listed with their reasons. All programs are the real ones.
"""

from __future__ import annotations

import argparse
import pathlib
import sys
import tempfile

from .run import not_run, pages_that_run, run_page
from .session import terminal


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.pages", description=__doc__)
    parser.add_argument("pages", nargs="*", type=pathlib.Path, metavar="PAGE")
    parser.add_argument(
        "--write", action="store_true", help="replace each stale line by the most similar line of the output"
    )
    options = parser.parse_args()
    failed = False
    for path in options.pages or pages_that_run():
        stale: dict[str, str] = {}
        with tempfile.TemporaryDirectory() as folder, terminal(pathlib.Path(folder)) as reader:
            for problem in run_page(path, reader, stale):
                failed = True
                print(problem)
        if options.write:
            text = path.read_text(encoding="utf-8")
            for line, current in stale.items():
                text = text.replace(line, current) if current else text
            path.write_text(text, encoding="utf-8")
    if not options.pages:
        print("These commands do not run here:", *not_run(), sep="\n")
    sys.exit(failed)


if __name__ == "__main__":
    main()
