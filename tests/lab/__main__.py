# SPDX-License-Identifier: GPL-3.0-or-later
"""`python -m tests.lab up|down [--folder .lab] [--authority HOST:PORT] [--observe]`: start and stop the lab.

`python -m tests.lab at-aws-names -- COMMAND`: run a command where a lab of its own answers as AWS.
"""

from __future__ import annotations

import argparse
import os
import pathlib
import signal
import subprocess
import sys
import time

from . import state

DEADLINE = 300.0  # seconds; a start takes about two


def up(folder: pathlib.Path, *flags: str) -> None:
    """Start the lab, unless it runs, and wait until it is ready.

    :param flags: for `serve`
    """
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if not state.ready(folder):
        down(folder)
        for name in (state.ENVIRONMENT, state.CONFIG, state.REQUEST_LOG, state.MISFITS):
            (folder / name).unlink(missing_ok=True)
        with (folder / state.SERVER_LOG).open("w") as log:
            server = subprocess.Popen(
                [sys.executable, "-m", "tests.lab", "serve", "--folder", str(folder), *flags],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        (folder / state.PID).write_text(str(server.pid))
        _wait_until_ready(folder, server)
    print(f"The lab runs. To use it: . {folder / state.ENVIRONMENT}")


def _wait_until_ready(folder: pathlib.Path, server: subprocess.Popen[bytes]) -> None:
    deadline = time.monotonic() + DEADLINE
    while not (folder / state.ENVIRONMENT).exists():
        if server.poll() is not None or time.monotonic() > deadline:
            server.kill()
            (folder / state.PID).unlink(missing_ok=True)
            raise SystemExit(f"The lab did not start; its log is {folder / state.SERVER_LOG}.")
        time.sleep(0.05)


def down(folder: pathlib.Path) -> None:
    """Stop the lab by its pid; harmless where none runs."""
    pid = state.running(folder)
    if pid is not None:
        os.kill(pid, signal.SIGTERM)
        deadline = time.monotonic() + 60
        while state.running(folder) and time.monotonic() < deadline:
            time.sleep(0.05)
        if state.running(folder):
            os.kill(pid, signal.SIGKILL)
    for name in (state.PID, state.ENVIRONMENT):
        (folder / name).unlink(missing_ok=True)


def main() -> None:
    if sys.argv[1:2] == ["at-aws-names"]:
        from . import at_aws_names

        raise SystemExit(at_aws_names.main(sys.argv[2:]))
    parser = argparse.ArgumentParser(prog="python -m tests.lab", description=__doc__)
    parser.add_argument("command", choices=["up", "down", "serve"])
    parser.add_argument("--folder", type=pathlib.Path, default=pathlib.Path(".lab"), help="default: .lab")
    parser.add_argument("--authority", metavar="HOST:PORT", help="a proxy that clients go through, which replaces Host")
    parser.add_argument("--observe", action="store_true", help="answer tests.faults: who can read what after each call")
    options = parser.parse_args()
    folder = options.folder.absolute()
    os.umask(0o077)  # logs and configuration are for this user only
    if options.command == "serve":
        from .server import serve

        serve(folder, options.authority, options.observe)
    elif options.command == "up":
        fronted = ["--authority", options.authority] if options.authority else []
        up(folder, *fronted, *(["--observe"] if options.observe else []))
    else:
        down(folder)


main()
