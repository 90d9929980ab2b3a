# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Repeats requests until AWS returns the written state, after a transient error, and while a new share propagates."""

from __future__ import annotations

import os
import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_transient_kind
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

#: The number of consecutive reads that must agree, because AWS services are eventually consistent.
CONSISTENT_READS = 3
#: The maximum number of attempts of a write that fails with a transient error.
_ATTEMPTS = 6
Value = t.TypeVar("Value")
#: A function that receives each result that is not final, and the remaining seconds.
Report = t.Callable[[Json, float], None]


class NotConfirmedError(EcrError):
    """All writes succeeded, but AWS does not return the written state."""


def ignore_result(_result: Json, _left: float) -> None:
    """Ignore a result that is not final."""


def wait_until_consistent(missing: t.Callable[[], list[str]], options: WaitOptions) -> None:
    """Read until several consecutive reads return the written state.

    :param missing: reads the state, and returns the missing parts
    :raises EcrError: at the deadline, with the missing parts
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
                raise NotConfirmedError(
                    f"Everything was written, but after {options.timeout} seconds AWS does not confirm"
                    f" {', '.join(waiting_for)}. Run again: completed changes are not repeated.",
                    changed=True,
                    waiting_for=waiting_for,
                )
            time.sleep(options.interval)


def confirmed_removal(
    read: t.Callable[[], Value], is_complete: t.Callable[[Value], bool], options: WaitOptions
) -> Value:
    """The plan of a removal: the first that finds everything that is to be removed, or the last of several plans.

    AWS may return an earlier state, in which a part did not exist yet. Later writes rely on its removal.

    :param read: reads the state, and plans the removal
    :param is_complete: whether a plan removes everything that was declared
    """
    plan = read()
    for _number in range(CONSISTENT_READS - 1 if options.wait else 0):
        if is_complete(plan):
            break
        time.sleep(options.interval)
        plan = read()
    return plan


def read_until(read: t.Callable[[], Value], is_final: t.Callable[[Value], bool], options: WaitOptions) -> Value:
    """The last value of `read`: a final value, or the value at the deadline. Without `wait`, it is read once."""
    deadline = time.monotonic() + options.seconds
    value = read()
    while not is_final(value) and time.monotonic() < deadline:
        time.sleep(options.interval)
        value = read()
    return value


def backoff(options: WaitOptions) -> t.Iterator[int]:
    """The number of each attempt, with an exponential backoff between attempts."""
    for number in range(_ATTEMPTS):
        if number:
            time.sleep(options.interval * 2 ** (number - 1))
        yield number


def retry_while_propagating(
    attempt: t.Callable[[], Json],
    is_final: t.Callable[[Json], bool],
    options: WaitOptions,
    report: Report = ignore_result,
) -> Json:
    """The result of the last attempt: a final result, or the result at the deadline.

    A denial is retried only while the share is new. A transient error of AWS is always retried. A worker process of
    Ansible outlives a canceled job; then the retries end, because no process receives the result.

    :param attempt: returns the result of a module, with `failed` and `msg` if it failed
    :param report: receives each result that is not final
    """
    start, retry_window = time.monotonic(), options.retry_window(time.time())

    def remaining(result: Json) -> float:
        seconds = options.seconds if is_transient_kind(result.get("denial_kind")) else retry_window
        return start + seconds - time.monotonic()

    started_by = os.getppid()
    result = attempt()
    while not is_final(result) and (left := remaining(result)) > 0:
        report(result, left)
        time.sleep(min(options.interval, left))
        if os.getppid() != started_by:
            break
        result = attempt()
    return result
