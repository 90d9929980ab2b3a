# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import datetime

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _end_condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import End, end_problems, end_text, parse_end
from hypothesis import given
from hypothesis import strategies as st

UTC = datetime.timezone.utc
NOW = datetime.datetime(2026, 1, 1, 12, tzinfo=UTC)
END = datetime.datetime(2026, 1, 31, tzinfo=UTC)


@pytest.mark.parametrize(
    ("declared", "end"),
    [
        ("2026-01-31T00:00:00Z", End("", END)),
        (" 2026-01-31 09:00:00+09:00 ", End("", END)),
        ("2026-01-31T00:00:00.000+00:00", End("", END)),  # a YAML timestamp in the JSON of a module
        (END, End("", END)),
        ("14d", End("14d")),
        ("14d 2026-01-31T00:00:00Z", End("14d", END)),
        (None, None),
        ("", None),
        ("14d soon", None),
        ("soon", None),
        ("9999-12-31T23:59:59-14:00", None),
        (14, None),
        ("3652d", End("3652d")),
        ("3653d", None),
    ],
)
def test_an_end_is_read(declared: object, end: End | None) -> None:
    assert parse_end(declared) == end
    assert bool(list(end_problems(declared))) == (end is None and declared is not None)
    if end is not None:
        assert parse_end(end.text) == end


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (6 * 86_400 - 4, "(in 6 days)"),
        (86_400, "(in 1 day)"),
        (86_399, "(in 24 hours)"),
        (3_600, "(in 1 hour)"),
        (3_599, "(in 60 minutes)"),
        (60, "(in 1 minute)"),
        (59.4, "(in 59 seconds)"),
        (1.4, "(in 1 second)"),
        (0.2, "(in 1 second)"),
    ],
)
def test_the_time_that_is_left_is_rounded(seconds: float, text: str) -> None:
    end = NOW + datetime.timedelta(seconds=seconds)
    assert end_text(end, NOW) == f"ends on {end:%Y-%m-%dT%H:%M:%SZ} {text}"
    assert end_text(NOW, NOW) == "ended on 2026-01-01T12:00:00Z"


def test_a_duration_keeps_only_the_end_of_the_same_duration() -> None:
    fixed = End("14d", END)
    assert End("14d").fixed(fixed, NOW) == fixed
    assert End("1w").fixed(fixed, NOW) == End("1w", NOW + datetime.timedelta(days=7))
    assert End("90m").fixed(None, NOW.replace(microsecond=5)) == End("90m", NOW + datetime.timedelta(minutes=90))
    assert End("", END).fixed(fixed, NOW) == End("", END)


@pytest.mark.parametrize(
    ("duration", "seconds"), [("90s", 90), ("2m", 120), ("2h", 7_200), ("2d", 172_800), ("2w", 1_209_600)]
)
def test_units_of_a_duration(duration: str, seconds: int) -> None:
    fixed = End(duration).fixed(None, NOW)
    assert fixed.time == NOW + datetime.timedelta(seconds=seconds)
    assert (End(duration).text, fixed.text) == (duration, f"{duration} {fixed.time:%Y-%m-%dT%H:%M:%SZ}")
    assert End("", END).text == "2026-01-31T00:00:00Z"


def test_time_requires_a_time_zone() -> None:
    assert list(end_problems("2026-01-31T00:00:00")) == [
        "expires '2026-01-31T00:00:00' has no time zone. For a time in UTC, append Z."
    ]


TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {"Effect": "Allow", "Principal": {"AWS": "222222222222"}, "Action": "sts:AssumeRole"},
        {
            "Effect": "Allow",
            "Principal": {"AWS": "333333333333"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "x"}, "DateLessThan": {"aws:EpochTime": "1"}},
        },
        {"Effect": "Deny", "Principal": "*", "Action": "sts:AssumeRole"},
    ],
}


@given(st.datetimes(datetime.datetime(2000, 1, 1), datetime.datetime(9000, 1, 1), timezones=st.just(UTC)))
def test_an_end_is_added_to_every_statement_that_allows(end: datetime.datetime) -> None:
    end = end.replace(microsecond=0)
    ending = _end_condition.with_end(TRUST, end)
    assert _end_condition.without_end(ending) == TRUST
    assert _end_condition.end_in(ending) == end
    assert _end_condition.end_in(TRUST) is None
    assert ending["Statement"][2] == TRUST["Statement"][2]
    policy = _end_condition.end_policy(end)
    assert _end_condition.end_in_policy(policy) == end
    policy["Statement"][0]["NotAction"] = policy["Statement"][0].pop("Action")
    assert _end_condition.end_in_policy(policy) is None


def test_active_statements_have_the_earlier_end() -> None:
    later = END + datetime.timedelta(days=1)
    ending = _end_condition.with_end(TRUST, END)
    assert _end_condition.end_in(_end_condition.active(ending, later, NOW)) == END
    assert _end_condition.end_in(_end_condition.active(_end_condition.with_end(TRUST, later), END, NOW)) == END
    assert _end_condition.active(TRUST, None, NOW) == TRUST
    for ended in (_end_condition.active(ending, None, END), _end_condition.active(TRUST, END, END)):
        assert [statement["Effect"] for statement in ended["Statement"]] == ["Deny"]
