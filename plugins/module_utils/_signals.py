# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Runs `finally` clauses when a signal ends the process. Standard library only."""

from __future__ import annotations

import contextlib
import signal
import threading
import typing as t


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Context manager during which SIGTERM and SIGHUP run the `finally` clauses, as Ctrl-C does."""

    def stop(number: int, _frame: object) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # a second signal must not interrupt the `finally` clauses
        raise SystemExit(128 + number)

    wanted = [
        number for number in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(number) != signal.SIG_IGN
    ]  # nohup
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def start_without_signals(thread: threading.Thread) -> None:
    """Start a thread that receives no signals, because a signal must interrupt the main thread."""
    before = signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    try:
        thread.start()
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, before)
