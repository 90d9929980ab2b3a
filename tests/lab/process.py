# SPDX-License-Identifier: GPL-3.0-or-later
"""Starts and stops the process of a lab."""

from __future__ import annotations

import gc
import importlib
import os
import pathlib
import signal
import subprocess
import sys
import time
import traceback

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


def fork() -> None:
    """Fork a lab for each folder that a line of standard input names. These labs import nothing, and have no flags.

    A lab that does not start leaves the reason in its log.
    """
    from . import server

    preload()
    gc.freeze()  # untouched memory is not copied to a lab
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)  # the system reaps the labs
    for line in sys.stdin:
        if os.fork() == 0:
            folder = pathlib.Path(line.removesuffix("\n"))
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.setsid()
            _redirect(folder / state.SERVER_LOG)
            state.write_pid(folder)
            try:
                server.serve(folder)
            except BaseException:
                traceback.print_exc()
            finally:
                os._exit(0)


def preload() -> None:
    """Do once for all labs the imports and the reads of their first requests. `server` is imported before."""
    from ministack.core import iam_actions, responses

    from . import accounts, client_caches, validation

    client_caches.install()
    validation.preload()
    for service in ("iam", "ecr"):
        client_caches.preload(accounts.client(service, "http://127.0.0.1", "none", "none"))
    for service in ("iam", "ecr", "sts"):
        responses._service_model(service)
        iam_actions._tag_operations(service)
    for name in ("apigateway", "apigateway_v1", "eventbridge", "scheduler"):
        importlib.import_module(f"ministack.services.{name}")


def _redirect(log: pathlib.Path) -> None:
    """Close standard input, and write all output to a log."""
    with open(os.devnull) as nothing, log.open("w") as file:
        os.dup2(nothing.fileno(), 0)
        os.dup2(file.fileno(), 1)
        os.dup2(file.fileno(), 2)
