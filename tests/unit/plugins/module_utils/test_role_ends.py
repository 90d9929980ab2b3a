# SPDX-License-Identifier: GPL-3.0-or-later
"""The ends of a share and of one of its roles: fixed by the first run, and read from IAM by the next ones."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy, with_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ends import (
    end_line,
    end_of_role,
    has_ended_by,
    role_end_problems,
    with_fixed_ends,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState

from tests.unit.roles import THERE, declaration

NOW = datetime.datetime(2026, 12, 10, 12, 0, 0, 999, tzinfo=datetime.timezone.utc)
DAY = datetime.timedelta(days=1)
FIXED = "14d 2026-12-24T12:00:00Z"
EARLIER = "14d 2026-12-20T00:00:00Z"
SHARE_TAG, ROLE_TAG = "crossaccount.ecr-expires", "crossaccount.ecr-role-expires"


def declared(expires: Any = None, role_expires: Any = None) -> Any:
    return replace(declaration(), expires=expires, role_expires=role_expires)


@pytest.mark.parametrize(
    ("expires", "tags", "fixed"),
    [
        (None, [{SHARE_TAG: EARLIER}], None),
        ("14d", [], FIXED),
        ("14d", [{}], FIXED),
        ("14d", [{SHARE_TAG: EARLIER}], EARLIER),
        ("14d", [{SHARE_TAG.upper(): EARLIER}], EARLIER),
        ("14d", [{}, {SHARE_TAG: EARLIER}], EARLIER),  # another role of the share
        ("7d", [{SHARE_TAG: EARLIER}], "7d 2026-12-17T12:00:00Z"),
        ("14d", [{SHARE_TAG: "7d 2026-12-11T00:00:00Z"}], FIXED),
        ("14d", [{SHARE_TAG: "by hand"}], FIXED),
        ("14d", [{ROLE_TAG: EARLIER}], FIXED),
        ("2026-12-31T00:00:00Z", [{SHARE_TAG: EARLIER}], "2026-12-31T00:00:00Z"),
        ("soon", [{SHARE_TAG: EARLIER}], "soon"),
    ],
)
def test_the_end_of_a_share_is_fixed_once(expires: Any, tags: list[dict[str, str]], fixed: Any) -> None:
    assert with_fixed_ends(declared(expires), tags, NOW).expires == fixed


@pytest.mark.parametrize(
    ("tags", "fixed"),
    [
        ([], FIXED),
        ([{ROLE_TAG: EARLIER}], EARLIER),
        ([{}, {ROLE_TAG: EARLIER}], FIXED),  # the end of another role
        ([{SHARE_TAG: EARLIER}], FIXED),
    ],
)
def test_the_end_of_a_role_is_its_own(tags: list[dict[str, str]], fixed: str) -> None:
    result = with_fixed_ends(declared(None, "14d"), tags, NOW)
    assert (result.expires, result.role_expires) == (None, fixed)


def ended(share: datetime.datetime | None, role: datetime.datetime | None = None) -> RoleState:
    """A role with these ends."""
    permissions = with_end(THERE.permissions or {}, share)
    return replace(THERE, permissions=permissions, end_policy=None if role is None else end_policy(role))


LATER, PAST = NOW.replace(microsecond=0) + DAY, NOW.replace(microsecond=0) - DAY
PAST_TEXT, LATER_TEXT = "2026-12-09T12:00:00Z", "2026-12-11T12:00:00Z"


@pytest.mark.parametrize(
    ("before", "expires", "role_expires", "problems"),
    [
        (THERE, None, None, []),
        (THERE, LATER_TEXT, LATER_TEXT, []),
        (THERE, PAST_TEXT, None,
         [f"expires {PAST_TEXT} of role allow is in the past. Declare a later end, or end the share with state:"
          " absent."]),
        (THERE, None, PAST_TEXT,
         [f"expires {PAST_TEXT} of role allow is in the past. Declare a later end, or remove the consumer."]),
        (ended(PAST), PAST_TEXT, None, []),
        (ended(None, PAST), None, PAST_TEXT, []),
        (ended(LATER), PAST_TEXT, None, ["is in the past"]),
        (ended(None, PAST), PAST_TEXT, None, ["is in the past"]),
        (ended(PAST), None, PAST_TEXT, ["is in the past"]),
        (THERE, "soon", "2026-12-11T12:00:00", ["expires 'soon' is neither a time", "has no time zone"]),
    ],
)  # fmt: skip
def test_only_an_end_that_aws_has_may_be_past(
    before: RoleState, expires: Any, role_expires: Any, problems: list[str]
) -> None:
    found = list(role_end_problems(before, declared(expires, role_expires), NOW))
    assert len(found) == len(problems), found
    assert all(problem in text for problem, text in zip(problems, found))


@pytest.mark.parametrize(
    ("share", "role", "end"),
    [(None, None, None), (LATER, None, LATER), (None, PAST, PAST), (LATER, PAST, PAST), (PAST, LATER, PAST)],
)
def test_the_earlier_end_ends_the_access_through_a_role(share: Any, role: Any, end: Any) -> None:
    state = ended(share, role)
    assert end_of_role(state) == end
    expected = {
        None: "",
        LATER: f"ends on {LATER_TEXT} (in 24 hours)",
        PAST: f"ended on {PAST_TEXT}",
    }
    assert end_line(state, NOW) == expected[end]
    assert has_ended_by(state, NOW) == (end == PAST)


def test_access_has_ended_at_its_end() -> None:
    assert has_ended_by(ended(PAST), PAST)
    assert not has_ended_by(ended(LATER), LATER - datetime.timedelta(seconds=1))
    (problem,) = role_end_problems(THERE, declared(PAST_TEXT), PAST)
    assert "is in the past" in problem
