# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Existence is not readiness: the owner waits until AWS reads back, the consumer by doing. Standard library only."""

from __future__ import annotations

import datetime
import os
import re
import time
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: Reads in a row that must agree: AWS's services answer from several copies, which do not change at once.
CONSISTENT_READS = 3
_FOREVER = 10**9  # seconds
#: Tries of a write that AWS could not do just then.
_TRIES = 6
Seen = t.TypeVar("Seen")

WAIT_ARGUMENTS: dict[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 120},
    "wait_interval": {"type": "float", "default": 0.25},
}


def wait_until_read_back(missing: t.Callable[[], list[str]], options: dict[str, t.Any]) -> None:
    """Read until nothing is missing, several times in a row.

    :param missing: reads, and says what is not there yet
    :param options: `wait`, `wait_timeout` and `wait_interval` (seconds)
    :raises EcrError: at the deadline, naming what is still missing
    """
    if not options["wait"]:
        return
    deadline = time.monotonic() + min(options["wait_timeout"], _FOREVER)
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


def read_until(read: t.Callable[[], Seen], there: t.Callable[[Seen], bool], options: dict[str, t.Any]) -> Seen:
    """Read until it is there, or the time is over; what was read last.

    :param options: those of the owner; without `wait`, it is read once
    """
    deadline = time.monotonic() + (min(options["wait_timeout"], _FOREVER) if options["wait"] else 0)
    seen = read()
    while not there(seen) and time.monotonic() < deadline:
        time.sleep(options["wait_interval"])
        seen = read()
    return seen


def tries(options: dict[str, t.Any]) -> t.Iterator[int]:
    """The numbers of the tries of what AWS could not do just then, each after a longer pause than the one before."""
    for number in range(_TRIES):
        if number:
            time.sleep(options["wait_interval"] * 2 ** (number - 1))
        yield number


#: The consumer's options. IAM's changes are there within seconds, rarely a minute: IAM User Guide, "Troubleshoot IAM".
WAIT_BY_DOING_ARGUMENTS: dict[str, t.Any] = {
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 60},
    "wait_interval": {"type": "float", "default": 2.0},
    "shared_at": {"type": "str"},
}
_TIME = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ", re.ASCII)
Result = dict[str, t.Any]


def time_of(text: str) -> float | None:
    """Seconds since 1970 of `2026-01-31T23:59:59Z`; None when it is no such time."""
    try:
        return datetime.datetime.fromisoformat(text[:-1] + "+00:00").timestamp() if _TIME.fullmatch(text) else None
    except ValueError:
        return None


def shared_at_problem(text: str | None) -> str | None:
    """What is wrong with a `shared_at`, or None."""
    if text is None or time_of(text) is not None:
        return None
    return f"shared_at {text!r} is not a time in UTC such as 2026-01-31T23:59:59Z. Take it from the hand-off."


def wait_problems(options: dict[str, t.Any]) -> list[str]:
    """What is wrong with the options of waiting by doing."""
    return list(filter(None, [shared_at_problem(options["shared_at"]), interval_problem(options)]))


def interval_problem(options: dict[str, t.Any]) -> str | None:
    """What is wrong with a `wait_interval`, or None."""
    if options["wait_interval"] >= 0:  # nan is not
        return None
    return f"wait_interval is {options['wait_interval']} seconds; it can not be negative."


def patience(options: dict[str, t.Any], now: float) -> float:
    """How many seconds a denial may still be one that AWS has not caught up with; 0 when it is settled.

    :param options: `wait`, `wait_timeout` (seconds), and `shared_at`, when the owner last changed the share
    :param now: seconds since 1970
    """
    if not options["wait"]:
        return 0.0
    timeout = float(min(max(options["wait_timeout"], 0), _FOREVER))
    shared_at = time_of(options["shared_at"] or "")
    return timeout if shared_at is None else min(timeout, max(0.0, timeout - (now - shared_at)))


def wait_by_doing(
    attempt: t.Callable[[], Result],
    stays: t.Callable[[Result], bool],
    options: dict[str, t.Any],
    say: t.Callable[[Result, float], None] = lambda _result, _left: None,
) -> Result:
    """Do it until the result stays, or patience ends; the last result.

    A worker of Ansible outlives a job that is canceled: it does not go on where nobody is left to be told.

    :param attempt: a module's result, with `failed` and `msg` where it failed
    :param say: told of each result that may change, and of the seconds that are left
    """
    deadline = time.monotonic() + patience(options, time.time())
    started_by = os.getppid()
    result = attempt()
    while not stays(result) and (left := deadline - time.monotonic()) > 0:
        say(result, left)
        time.sleep(min(options["wait_interval"], left))
        if os.getppid() != started_by:
            break
        result = attempt()
    return result
