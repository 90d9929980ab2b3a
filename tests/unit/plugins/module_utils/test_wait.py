# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of waiting, and how long a denial may still be a change that has not propagated."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions, wait_problems

OPTIONS = WaitOptions(True, 60, 2.0)
NOW = datetime.datetime(2026, 1, 31, 12, 0, 0, tzinfo=datetime.timezone.utc).timestamp()


@pytest.mark.parametrize("interval", [-0.1, float("nan")])
def test_an_interval_that_is_not_a_duration(interval: float) -> None:
    message = f"wait_interval is {interval} seconds; it cannot be negative."
    assert list(wait_problems(replace(OPTIONS, interval=interval))) == [message]
    assert list(wait_problems(replace(OPTIONS, interval=interval, shared_at="now")))[1:] == [message]


def test_options_without_a_problem() -> None:
    assert list(wait_problems(replace(OPTIONS, interval=0.0, shared_at="2026-01-31T12:00:00Z"))) == []


@pytest.mark.parametrize(
    ("more", "shared_at"), [({}, None), ({"shared_at": "2026-01-31T12:00:00Z"}, "2026-01-31T12:00:00Z")]
)
def test_the_options_of_a_module(more: dict[str, Any], shared_at: str | None) -> None:
    params = {"wait": False, "wait_timeout": 5, "wait_interval": 0.5, "region": "eu-west-1", **more}
    assert WaitOptions.of(params) == WaitOptions(False, 5, 0.5, shared_at)


@pytest.mark.parametrize(
    ("options", "seconds"),
    [
        ({}, 60.0),
        ({"timeout": 0}, 0.0),
        ({"timeout": -1}, 0.0),
        ({"timeout": 10**400}, 1e9),
        ({"wait": False}, 0.0),
        ({"wait": False, "shared_at": "2026-01-31T12:00:00Z"}, 0.0),
        ({"shared_at": "2026-01-31T12:00:00Z"}, 60.0),
        ({"shared_at": "2026-01-31T11:59:50Z"}, 50.0),
        ({"shared_at": "2026-01-31T11:59:00Z"}, 0.0),
        ({"shared_at": "2026-01-30T12:00:00Z"}, 0.0),
        ({"shared_at": "2026-01-31T12:00:30Z"}, 60.0),  # the owner's clock is ahead
        ({"shared_at": "2036-01-31T12:00:00Z"}, 60.0),
        ({"shared_at": "2026-01-31T11:59:50Z", "timeout": 5}, 0.0),
        ({"shared_at": "2026-01-31T11:59:50Z", "timeout": 15}, 5.0),
    ],
)
def test_patience(options: dict[str, Any], seconds: float) -> None:
    assert replace(OPTIONS, **options).retry_window(NOW) == seconds
