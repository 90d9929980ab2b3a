# SPDX-License-Identifier: GPL-3.0-or-later
"""The rows of the report of an audit, and how the access through several paths is combined."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import account_outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import (
    Access,
    Attempt,
    Path,
    Row,
    combined,
    time_text,
    unknown_attempt,
)

from tests.unit.audited_estates import CONSUMER, NOW, REGION, ROLE, estate, root

ALLOWED, DENIED, UNKNOWN = "allowed", "denied", "unknown"
ALL = ("describe", "pull", "push", "delete", "tag")
NOTHING = "no statement allows it"


def attempt(pull: str, reason: str = "", *paths: Path) -> Attempt:
    return Attempt({"pull": (pull, reason)}, paths)


@pytest.mark.parametrize(
    ("attempts", "verdict", "reason"),
    [
        ([], DENIED, NOTHING),
        ([attempt(DENIED)], DENIED, NOTHING),
        ([attempt(DENIED, "a boundary"), attempt(DENIED, "another")], DENIED, "a boundary"),
        ([attempt(DENIED), attempt(DENIED, "another")], DENIED, "another"),
        ([attempt(DENIED, "a boundary"), attempt(UNKNOWN, "an address")], UNKNOWN, "an address"),
        ([attempt(UNKNOWN, "an address"), attempt(ALLOWED), attempt(DENIED, "x")], ALLOWED, None),
        ([Attempt({"push": (ALLOWED, "")})], DENIED, NOTHING),
    ],
)
def test_best_verdict_of_several_paths_counts(attempts: list[Attempt], verdict: str, reason: str | None) -> None:
    found = combined(attempts)
    assert (found.actions["pull"], found.reasons.get("pull")) == (verdict, reason)
    assert tuple(found.actions) == ALL
    assert found.is_any is any(one != DENIED for one in found.actions.values())


def test_equal_paths_are_listed_once() -> None:
    one, other = Path("role", ("pull",), "a policy"), Path("role", ("pull",), "another policy")
    assert combined([attempt(ALLOWED, "", one, other), attempt(ALLOWED, "", one)]).paths == (one, other)


def test_of_paths_that_differ_in_their_ends_the_last_end_counts() -> None:
    plain = Path("role", ("pull",), "a policy")
    soon, late = (replace(plain, until=NOW + datetime.timedelta(days)) for days in (1, 2))
    other = replace(soon, document="another policy")
    assert combined([attempt(ALLOWED, "", soon, other, late)]).paths == (late, other)
    assert combined([attempt(ALLOWED, "", late), attempt(ALLOWED, "", plain, soon)]).paths == (plain,)


def test_a_path_that_cannot_be_read_is_unknown() -> None:
    every = unknown_attempt("the policies could not be read")
    assert every.verdicts == dict.fromkeys(ALL, (UNKNOWN, "the policies could not be read"))
    assert every.paths == (Path("role", ALL, "the policies could not be read"),)
    push = unknown_attempt("no", "pull_through_cache", ["push"])
    assert push == Attempt({"push": (UNKNOWN, "no")}, (Path("pull_through_cache", ("push",), "no"),))


def test_row_in_the_report() -> None:
    used = Path("role", ("pull",), "a policy", "1", ("external ID",), ROLE, NOW, NOW + datetime.timedelta(1), NOW)
    access = Access({"pull": UNKNOWN}, {"pull": "an address"}, (used,))
    assert Row(account_outsider(CONSUMER, estate()), "release", REGION, access).as_json() == {
        "principal": root(CONSUMER),
        "principal_kind": "account",
        "principal_account": CONSUMER,
        "repository": "release",
        "region": REGION,
        "actions": {"pull": UNKNOWN},
        "reasons": {"pull": "an address"},
        "paths": [
            {
                "path": "role",
                "actions": ["pull"],
                "document": "a policy",
                "statement": "1",
                "conditions": ["external ID"],
                "role": ROLE,
                "role_created": "2026-11-27T00:00:00Z",
                "role_last_used": "2026-11-28T00:00:00Z",
                "until": "2026-11-27T00:00:00Z",
            }
        ],
    }
    assert not Access().is_any


def test_times_are_in_utc() -> None:
    east = datetime.timezone(datetime.timedelta(hours=9))
    assert time_text(datetime.datetime(2026, 11, 27, 9, tzinfo=east)) == "2026-11-27T00:00:00Z"
    assert time_text(None) is None
