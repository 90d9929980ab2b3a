# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Requests that are repeated: until AWS returns what was written, after an error that may pass, and while a new share
propagates.
"""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import passes_by_itself
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

#: Reads in a row that must agree: each service of AWS answers from several copies, which change at different times.
CONSISTENT_READS = 3
#: Attempts of a write that fails with an error that may pass.
_ATTEMPTS = 6
Value = t.TypeVar("Value")
#: Receives each result that may still change, and the seconds that remain.
Say = t.Callable[[Json, float], None]


class ReadBackError(EcrError):
    """Everything was written, but AWS does not return it."""


def quiet(_result: Json, _left: float) -> None:
    """Says nothing."""


def wait_until_read_back(missing: t.Callable[[], list[str]], options: WaitOptions) -> None:
    """Read until nothing is missing, several times in a row.

    :param missing: reads, and returns what is still missing
    :raises EcrError: at the deadline, naming what is still missing
    """
    if not options.wait:
        return
    deadline = time.monotonic() + options.seconds
    agreed = 0
    while agreed < CONSISTENT_READS:
        if agreed:
            time.sleep(options.interval)
        waiting_for = missing()
        agreed = 0 if waiting_for else agreed + 1
        if waiting_for:
            if time.monotonic() > deadline:
                raise ReadBackError(
                    f"Everything was written, but after {options.timeout} seconds AWS does not read back"
                    f" {', '.join(waiting_for)}. Run again: nothing will be written twice.",
                    changed=True,
                    waiting_for=waiting_for,
                )
            time.sleep(options.interval)


def read_until(read: t.Callable[[], Value], is_final: t.Callable[[Value], bool], options: WaitOptions) -> Value:
    """What `read` returned last: something final, or the value at the deadline. Without `wait`, it reads once."""
    deadline = time.monotonic() + options.seconds
    value = read()
    while not is_final(value) and time.monotonic() < deadline:
        time.sleep(options.interval)
        value = read()
    return value


def tries(options: WaitOptions) -> t.Iterator[int]:
    """The number of each attempt, after a pause that is longer each time."""
    for number in range(_ATTEMPTS):
        if number:
            time.sleep(options.interval * 2 ** (number - 1))
        yield number


def retry_while_propagating(
    attempt: t.Callable[[], Json], is_final: t.Callable[[Json], bool], options: WaitOptions, say: Say = quiet
) -> Json:
    """The result of the last attempt: a final one, or the one at the deadline.

    A denial is waited for only while the share is new, an error of AWS that may pass always.
    A worker process of Ansible outlives a job that is canceled. It then stops, because nobody receives the result.

    :param attempt: returns the result of a module, with `failed` and `msg` if it failed
    """
    start, patience = time.monotonic(), options.patience(time.time())

    def remaining(result: Json) -> float:
        seconds = options.seconds if passes_by_itself(result.get("denial_kind")) else patience
        return start + seconds - time.monotonic()

    started_by = os.getppid()
    result = attempt()
    while not is_final(result) and (left := remaining(result)) > 0:
        say(result, left)
        time.sleep(min(options.interval, left))
        if os.getppid() != started_by:
            break
        result = attempt()
    return result
