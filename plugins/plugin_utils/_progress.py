# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action plugins: displays lines of progress during a long operation."""

from __future__ import annotations

import contextlib
import os
import threading
import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Progress
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import start_without_signals
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import display_line

#: Seconds between two lines.
INTERVAL = 10.0


@contextlib.contextmanager
def progress(label: str, read: t.Callable[[], str] | None = None) -> t.Iterator[Progress]:
    """Context manager that displays a line with the current status every ten seconds.

    :param read: returns the status of another process; None if the yielded function sets the status
    """
    ended, began, started_by = threading.Event(), time.monotonic(), os.getppid()
    latest = [""]

    def tick() -> None:
        # A worker process of Ansible outlives a killed run. Then no process reads the lines.
        while not ended.wait(INTERVAL) and os.getppid() == started_by:
            current = read() if read else latest[0]
            display_line(f"{label}: {current + ', ' if current else ''}{time.monotonic() - began:.0f} s")

    def set_status(status: str) -> None:
        latest[0] = status

    thread = threading.Thread(target=tick, daemon=True)
    start_without_signals(thread)
    try:
        yield set_status
    finally:
        ended.set()
        thread.join()
