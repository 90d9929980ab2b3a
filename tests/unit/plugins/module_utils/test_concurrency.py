# SPDX-License-Identifier: GPL-3.0-or-later
"""Concurrent requests: the order of the results, the first error, and the limit."""

from __future__ import annotations

import threading

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import (
    CONCURRENCY,
    map_concurrently,
    start,
)

DEADLINE = 300


def test_results_are_in_the_order_of_the_items() -> None:
    second_is_done = threading.Event()

    def call(number: int) -> int:
        if number == 0:
            assert second_is_done.wait(DEADLINE)
        if number == 1:
            second_is_done.set()
        return number * 10

    assert map_concurrently(call, range(100)) == [number * 10 for number in range(100)]


def test_no_items_have_no_results() -> None:
    assert map_concurrently(str, []) == []


def test_requests_run_at_once_up_to_the_limit() -> None:
    together = threading.Barrier(CONCURRENCY, timeout=DEADLINE)
    threads = set()

    def call(number: int) -> None:
        threads.add(threading.get_ident())
        if number < CONCURRENCY:
            together.wait()

    map_concurrently(call, range(3 * CONCURRENCY))
    assert len(threads) == CONCURRENCY


def test_the_first_error_is_raised_and_ends_the_rest() -> None:
    begun = []

    def call(number: int) -> None:
        begun.append(number)
        raise ValueError(number)

    with pytest.raises(ValueError, match=r"[0-9]+"):
        map_concurrently(call, range(100 * CONCURRENCY))
    assert len(begun) <= CONCURRENCY


def test_a_later_error_does_not_replace_the_first_one() -> None:
    threads: dict[int, threading.Thread] = {}
    second_is_known = threading.Event()

    def call(number: int) -> None:
        threads[number] = threading.current_thread()
        if number:
            second_is_known.set()
            assert second_is_known.wait(DEADLINE)
            threads[0].join(DEADLINE)
        else:
            assert second_is_known.wait(DEADLINE)
        raise ValueError(number)

    with pytest.raises(ValueError, match="0"):
        map_concurrently(call, range(2))


def test_requests_do_not_keep_an_interrupted_process_alive() -> None:
    started = start(lambda: threading.current_thread().daemon)
    assert started() is True
    assert map_concurrently(lambda _item: threading.current_thread().daemon, [1]) == [True]


def test_a_started_call_runs_before_its_result_is_requested() -> None:
    ran = threading.Event()

    def call() -> str:
        ran.set()
        return "result"

    result = start(call)
    assert ran.wait(DEADLINE)
    assert result() == "result"
    assert result() == "result"


def test_the_result_waits_for_the_call() -> None:
    release = threading.Event()
    result = start(lambda: release.wait(DEADLINE))
    start(release.set)
    assert result() is True


def test_the_error_of_a_started_call_is_raised_by_its_result() -> None:
    def call() -> None:
        raise KeyboardInterrupt

    result = start(call)
    with pytest.raises(KeyboardInterrupt):
        result()
