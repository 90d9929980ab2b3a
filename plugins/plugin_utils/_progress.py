# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""For action plugins: lines of progress while a long operation runs."""

from __future__ import annotations

import contextlib
import threading
import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Progress
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._show import show

#: Seconds between two lines.
INTERVAL = 10.0


@contextlib.contextmanager
def progress(what: str) -> t.Iterator[Progress]:
    """Within, show a line every ten seconds, with the status that was told last."""
    ended, began = threading.Event(), time.monotonic()
    told = [""]

    def tick() -> None:
        while not ended.wait(INTERVAL):
            status = f"{told[0]}, " if told[0] else ""
            show(f"{what}: {status}{time.monotonic() - began:.0f} s")

    def tell(status: str) -> None:
        told[0] = status

    thread = threading.Thread(target=tick, daemon=True)
    thread.start()
    try:
        yield tell
    finally:
        ended.set()
        thread.join()
