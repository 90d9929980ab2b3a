# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Passes the status of a running module to its action plugin through a file. Standard library only.

A module cannot display output. On a local connection, its action plugin creates a file, and passes its path in an
environment variable.
"""

from __future__ import annotations

import contextlib
import os
import threading
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import start_without_signals

#: The environment variable with the path of the file.
VARIABLE = "CROSSACCOUNT_ECR_STATUS"
_INTERVAL = 1.0  # seconds
_SIZE = 200  # bytes; each write replaces the whole status


@contextlib.contextmanager
def published(status: t.Callable[[], str]) -> t.Iterator[None]:
    """Context manager that writes the status to the file every second, if the environment variable is set."""
    try:
        handle = os.open(os.environ[VARIABLE], os.O_WRONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    except (KeyError, OSError):
        yield
        return
    ended = threading.Event()

    def publish() -> None:
        while not ended.wait(_INTERVAL):
            with contextlib.suppress(OSError, ValueError):  # the operation may end during the call
                text = KNOWN.mask(status()).encode(errors="replace")
                os.pwrite(handle, text[:_SIZE].ljust(_SIZE), 0)

    thread = threading.Thread(target=publish, daemon=True)
    start_without_signals(thread)
    try:
        yield
    finally:
        ended.set()
        thread.join()
        os.close(handle)


def read_status(path: str) -> str:
    """The last written status; empty if none was written."""
    with open(path, "rb") as file:
        return file.read(_SIZE).decode(errors="replace").strip()


def megabytes(size: int) -> str:
    return f"{size / 1_000_000:.1f}"


def size_of(path: str) -> int:
    """The size in bytes of a file, or of all files in a folder. Files may disappear during the call."""
    sizes = [_size(path)]
    for folder, _folders, names in os.walk(path):
        sizes += [_size(os.path.join(folder, name)) for name in names]
    return sum(sizes)


def _size(path: str) -> int:
    try:
        return os.lstat(path).st_size if not os.path.isdir(path) else 0
    except OSError:
        return 0
