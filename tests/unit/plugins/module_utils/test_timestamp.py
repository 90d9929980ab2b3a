# SPDX-License-Identifier: GPL-3.0-or-later
"""The time of the last change of a share."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import shared_at_problems, time_of

NOW = datetime.datetime(2026, 1, 31, 12, 0, 0, tzinfo=datetime.timezone.utc).timestamp()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("1970-01-01T00:00:00Z", 0.0),
        ("2026-01-31T12:00:00Z", NOW),
        ("2024-02-29T23:59:59Z", 1709251199.0),
    ],
)
def test_a_time(text: str, seconds: float) -> None:
    assert time_of(text) == seconds
    assert list(shared_at_problems(text)) == []


@pytest.mark.parametrize(
    "text",
    [
        "",
        "Z",
        "now",
        "2026-01-31",
        "2026-01-31T12:00:00",
        "2026-01-31T12:00:00z",
        "2026-01-31 12:00:00Z",
        "2026-01-31T12:00Z",
        "2026-01-31T12:00:00.5Z",
        "2026-01-31T12:00:00+00:00",
        "2026-01-31T12:00:00+01:00Z",
        " 2026-01-31T12:00:00Z",
        "2026-01-31T12:00:00Z\n",
        "2026-02-29T12:00:00Z",
        "2026-13-01T12:00:00Z",
        "2026-01-31T25:00:00Z",
        "2026-01-31T12:00:61Z",
        "0000-01-01T00:00:00Z",
        "２０２６-01-31T12:00:00Z",  # noqa: RUF001 (digits, but not these)
    ],
)
def test_invalid_times(text: str) -> None:
    assert time_of(text) is None
    assert list(shared_at_problems(text)) == [
        f"shared_at {text!r} is not a time in UTC such as 2026-01-31T23:59:59Z. Copy it from the hand-off."
    ]


def test_an_unknown_time_is_not_a_problem() -> None:
    assert list(shared_at_problems(None)) == []
