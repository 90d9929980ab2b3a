# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Existence is not readiness: after a write, wait until AWS reads it back. Standard library only."""

from __future__ import annotations

import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: Reads in a row that must agree: AWS's services answer from several copies, which do not change at once.
CONSISTENT_READS = 3

WAIT_ARGUMENTS: dict[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 120},
    "wait_interval": {"type": "float", "default": 0.5},
}


def wait_until_read_back(missing: t.Callable[[], list[str]], options: dict[str, t.Any]) -> None:
    """Read until nothing is missing, several times in a row.

    :param missing: reads, and says what is not there yet
    :param options: `wait`, `wait_timeout` and `wait_interval` (seconds)
    :raises EcrError: at the deadline, naming what is still missing
    """
    if not options["wait"]:
        return
    deadline = time.monotonic() + options["wait_timeout"]
    agreed = 0
    while agreed < CONSISTENT_READS:
        if agreed:
            time.sleep(options["wait_interval"])
        waiting_for = missing()
        agreed = 0 if waiting_for else agreed + 1
        if waiting_for:
            if time.monotonic() > deadline:
                raise EcrError(
                    f"Everything was written, but after {options['wait_timeout']} seconds AWS does not read back"
                    f" {', '.join(waiting_for)}. Run again: nothing will be written twice.",
                    changed=True,
                    waiting_for=waiting_for,
                )
            time.sleep(options["wait_interval"])
