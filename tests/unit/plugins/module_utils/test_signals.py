# SPDX-License-Identifier: GPL-3.0-or-later
"""Signals that end a process run its `finally` clauses first."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Iterator

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible

HANDLED = (signal.SIGTERM, signal.SIGHUP)


def handlers() -> list[object]:
    return [signal.getsignal(number) for number in (*HANDLED, signal.SIGINT)]


@pytest.fixture(autouse=True)
def _handlers_stay() -> Iterator[None]:
    """Whatever happens, the test's own process gets back what it had."""
    before = {number: signal.getsignal(number) for number in HANDLED}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


@pytest.mark.parametrize("number", HANDLED)
@pytest.mark.parametrize("second", HANDLED)
def test_a_second_signal_does_not_interrupt_the_cleaning(number: int, second: int) -> None:
    before = handlers()
    cleaned = []

    def work() -> None:
        with interruptible():
            try:
                os.kill(os.getpid(), number)
                time.sleep(5)
            finally:
                os.kill(os.getpid(), second)
                time.sleep(0.01)
                cleaned.append(True)

    with pytest.raises(SystemExit) as caught:
        work()
    assert caught.value.code == 128 + number
    assert cleaned == [True]
    assert handlers() == before


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_afterwards_signals_are_handled_as_before(error: type[BaseException] | None) -> None:
    before = handlers()
    within = []

    def work() -> None:
        with interruptible():
            within.extend(handlers())
            if error:
                raise error

    if error:
        with pytest.raises(error):
            work()
    else:
        work()
    assert handlers() == before
    assert within[0] not in (before[0], signal.SIG_DFL, signal.SIG_IGN)
    assert within[1] not in (before[1], signal.SIG_DFL, signal.SIG_IGN)
    assert within[2] == before[2], "Ctrl-C runs the finally clauses by itself"


@pytest.mark.parametrize("ignored", HANDLED)
def test_ignored_entries_stay_ignored(ignored: signal.Signals) -> None:
    """nohup starts a process so."""
    signal.signal(ignored, signal.SIG_IGN)
    went_on = []
    with interruptible():
        os.kill(os.getpid(), ignored)
        time.sleep(0.01)
        went_on.append(True)
    assert went_on == [True]
    assert signal.getsignal(ignored) == signal.SIG_IGN


@pytest.mark.parametrize("number", HANDLED)
def test_one_within_another(number: int) -> None:
    before = handlers()
    cleaned = []

    def work() -> None:
        with interruptible():
            try:
                with interruptible():
                    try:
                        os.kill(os.getpid(), number)
                        time.sleep(5)
                    finally:
                        cleaned.append("inner")
            finally:
                cleaned.append("outer")

    with pytest.raises(SystemExit) as caught:
        work()
    assert caught.value.code == 128 + number
    assert cleaned == ["inner", "outer"]
    assert handlers() == before
