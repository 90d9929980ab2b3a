# SPDX-License-Identifier: GPL-3.0-or-later
"""Repeated requests: until AWS returns what was written, and while a new share propagates. No test waits for real."""

from __future__ import annotations

import datetime
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _retry
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import (
    backoff,
    confirmed_removal,
    read_until,
    retry_while_propagating,
    wait_until_consistent,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

OPTIONS = WaitOptions(True, 60, 0.5)
RETRY = WaitOptions(True, 60, 2.0)
NOW = datetime.datetime(2026, 1, 31, 12, 0, 0, tzinfo=datetime.timezone.utc).timestamp()


class Clock:
    """Stands for the module `time`: it advances only during a pause, or during an attempt."""

    def __init__(self) -> None:
        self.now = 1000.0
        self.slept: list[float] = []

    def monotonic(self) -> float:
        return self.now

    def time(self) -> float:
        return NOW + self.now - 1000.0

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        assert len(self.slept) < 1000, "this waiting has no end"
        self.slept.append(seconds)
        self.now += seconds


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_retry, "time", clock)
    return clock


# --- the owner


@pytest.mark.parametrize(
    ("answers", "slept"),
    [
        ([[], [], []], 2),
        ([["the role"], [], [], []], 3),
        ([[], ["the role"], [], ["the role"], [], [], []], 6),  # agreement must be unbroken
    ],
)
def test_confirmation_needs_several_reads_in_a_row(clock: Clock, answers: list[list[str]], slept: int) -> None:
    left = list(answers)
    wait_until_consistent(lambda: left.pop(0), OPTIONS)
    assert left == []
    assert clock.slept == [0.5] * slept


@pytest.mark.parametrize(
    ("plans", "options", "slept"),
    [
        ([2], OPTIONS, 0),
        ([1, 2], OPTIONS, 1),  # the first read returned an earlier state of one of two repositories
        ([0, 0, 2], OPTIONS, 2),
        ([0, 0, 0], OPTIONS, 2),  # nothing is left to remove
        ([0], replace(OPTIONS, wait=False), 0),
    ],
)
def test_removal_does_not_rely_on_one_read(clock: Clock, plans: list[int], options: WaitOptions, slept: int) -> None:
    left = list(plans)
    assert confirmed_removal(lambda: left.pop(0), lambda plan: plan == 2, options) == plans[-1]
    assert left == []
    assert clock.slept == [0.5] * slept


@pytest.mark.parametrize(("timeout", "reads"), [(0, 2), (2, 6)])
def test_at_the_deadline_the_error_says_what_is_missing(clock: Clock, timeout: int, reads: int) -> None:
    missing = ["the trust", "the policy"]
    asked = []

    def read() -> list[str]:
        asked.append(True)
        return missing

    with pytest.raises(EcrError) as caught:
        wait_until_consistent(read, replace(OPTIONS, timeout=timeout))
    assert str(caught.value) == (
        f"Everything was written, but after {timeout} seconds AWS does not confirm the trust, the policy."
        " Run again: completed changes are not repeated."
    )
    assert caught.value.facts == {"changed": True, "waiting_for": missing}
    assert len(asked) == reads


def test_without_wait_nothing_is_read(clock: Clock) -> None:
    wait_until_consistent(lambda: pytest.fail("read"), replace(OPTIONS, wait=False))
    assert clock.slept == []


@pytest.mark.parametrize(
    ("options", "answers", "last", "slept"),
    [
        ({}, [1], 1, []),
        ({}, [0, 0, 1, 2], 1, [0.5, 0.5]),
        ({"timeout": 1}, [0], 0, [0.5, 0.5]),
        ({"wait": False}, [0], 0, []),
        ({"wait": False}, [1], 1, []),
    ],
)
def test_read_until_it_exists(
    clock: Clock, options: dict[str, Any], answers: list[int], last: int, slept: list[float]
) -> None:
    def read() -> int:
        return answers.pop(0) if len(answers) > 1 else answers[0]

    assert read_until(read, bool, replace(OPTIONS, **options)) == last
    assert clock.slept == slept


def test_the_pauses_between_the_tries_grow(clock: Clock) -> None:
    for number in backoff(OPTIONS):
        assert len(clock.slept) == number  # none before the first, none after the last
    assert clock.slept == [0.5, 1.0, 2.0, 4.0, 8.0]


# --- the consumer

Result = dict[str, Any]
DENIED: Result = {"failed": True, "msg": "denied", "denial_kind": "trust"}
ALLOWED: Result = {"changed": False}
FOR_GOOD: Result = {"failed": True, "msg": "denied for good", "denial_kind": "boundary"}


def attempts(*results: Result) -> tuple[Callable[[], Result], list[Result]]:
    """Something to do that ends so, one after the other, and then always as the last; and what was done."""
    done: list[Result] = []

    def attempt() -> Result:
        done.append(results[min(len(done), len(results) - 1)])
        return done[-1]

    return attempt, done


def is_final(result: Result) -> bool:
    return result is not DENIED


def never(_result: Result, _left: float) -> None:
    pytest.fail("said that it waits")


@pytest.mark.parametrize("options", [{}, {"wait": False}, {"timeout": 0}, {"shared_at": "2026-01-30T12:00:00Z"}])
@pytest.mark.parametrize("result", [ALLOWED, FOR_GOOD])
def test_final_result_is_not_waited_for(clock: Clock, options: dict[str, Any], result: Result) -> None:
    attempt, done = attempts(result, {"another": True})
    assert retry_while_propagating(attempt, is_final, replace(RETRY, **options), never) is result
    assert (done, clock.slept) == ([result], [])


@pytest.mark.parametrize("denials", [1, 2, 7])
def test_retried_until_it_succeeds(clock: Clock, denials: int) -> None:
    attempt, done = attempts(*[DENIED] * denials, ALLOWED)
    assert retry_while_propagating(attempt, is_final, RETRY) is ALLOWED
    assert len(done) == denials + 1
    assert clock.slept == [2.0] * denials


def test_retried_until_it_cannot_succeed(clock: Clock) -> None:
    attempt, done = attempts(DENIED, FOR_GOOD, ALLOWED)
    assert retry_while_propagating(attempt, is_final, RETRY) is FOR_GOOD
    assert (len(done), clock.slept) == (2, [2.0])


@pytest.mark.parametrize(
    "options",
    [
        {"wait": False},
        {"timeout": 0},
        {"shared_at": "2026-01-31T11:00:00Z"},
        {"wait": False, "shared_at": "2026-01-31T12:00:00Z"},
    ],
)
def test_one_attempt_if_there_is_nothing_to_wait_for(clock: Clock, options: dict[str, Any]) -> None:
    attempt, done = attempts(DENIED, ALLOWED)
    assert retry_while_propagating(attempt, is_final, replace(RETRY, **options), never) is DENIED
    assert (done, clock.slept) == ([DENIED], [])


@pytest.mark.parametrize(
    ("options", "slept"),
    [
        ({"timeout": 6}, [2.0, 2.0, 2.0]),
        ({"timeout": 5}, [2.0, 2.0, 1.0]),
        ({"timeout": 1}, [1.0]),
        ({"timeout": 60, "interval": 25.0}, [25.0, 25.0, 10.0]),
        ({"timeout": 60, "shared_at": "2026-01-31T11:59:03Z"}, [2.0, 1.0]),
    ],
)
def test_at_the_deadline_the_last_result_counts(clock: Clock, options: dict[str, Any], slept: list[float]) -> None:
    attempt, done = attempts(DENIED)
    assert retry_while_propagating(attempt, is_final, replace(RETRY, **options)) is DENIED
    assert clock.slept == slept
    assert len(done) == len(slept) + 1  # the last one after the deadline


def test_before_each_wait_it_is_said_why_and_how_long_at_most(clock: Clock) -> None:
    attempt, done = attempts(DENIED)
    reports: list[tuple[Result, float, int]] = []
    retry_while_propagating(
        attempt, is_final, replace(RETRY, timeout=5), lambda result, left: reports.append((result, left, len(done)))
    )
    assert reports == [(DENIED, 5.0, 1), (DENIED, 3.0, 2), (DENIED, 1.0, 3)]
    assert len(clock.slept) == 3


def test_slow_call_is_not_repeated_after_the_deadline(clock: Clock) -> None:
    done = []

    def attempt() -> Result:
        done.append(1)
        clock.now += 61
        return DENIED

    assert retry_while_propagating(attempt, is_final, RETRY, never) is DENIED
    assert (len(done), clock.slept) == (1, [])


def test_an_error_ends_it(clock: Clock) -> None:
    def attempt() -> Result:
        raise EcrError("No.")

    with pytest.raises(EcrError, match=r"^No\.$"):
        retry_while_propagating(attempt, is_final, RETRY, never)
    assert clock.slept == []
