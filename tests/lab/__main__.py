# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.lab up|down [--folder .lab] [--authority HOST:PORT] [--observe]`: start and stop the lab.

`python -m tests.lab fork`: start a lab in each folder that standard input names, as processes of this program.

`python -m tests.lab at-aws-names -- COMMAND`: run a command where a lab of its own answers as AWS.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import sys

from .process import down, fork, up


def main() -> None:
    if sys.argv[1:2] == ["at-aws-names"]:
        from . import at_aws_names

        raise SystemExit(at_aws_names.main(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "serve", "fork"])
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(".lab"), help="default: .lab")
    parser.add_argument("--authority", metavar="HOST:PORT", help="a proxy that clients go through, which replaces Host")
    parser.add_argument("--observe", action="store_true", help="answer tests.faults: who can read what after each call")
    options = parser.parse_args()
    folder = options.folder.absolute()
    os.umask(0o077)  # logs and configuration are for this user only
    if options.command == "serve":
        from .server import serve

        serve(folder, options.authority, options.observe)
    elif options.command == "fork":
        fork()
    elif options.command == "up":
        fronted = ["--authority", options.authority] if options.authority else []
        up(folder, *fronted, *(["--observe"] if options.observe else []))
    else:
        down(folder)


main()
