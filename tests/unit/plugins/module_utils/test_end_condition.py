# SPDX-License-Identifier: GPL-3.0-or-later
"""Ends of access in policy documents: written, removed, and read from documents of others."""

from __future__ import annotations

import copy
import datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import (
    active,
    earlier,
    end_in,
    end_in_policy,
    end_policy,
    with_end,
    without_end,
)


def at(day: int) -> datetime.datetime:
    return datetime.datetime(2026, 12, day, tzinfo=datetime.timezone.utc)


NOW, TEXT = at(10), "2026-12-20T00:00:00Z"
ID: dict[str, Any] = {"StringEquals": {"sts:ExternalId": "one"}}
#: A condition on the time of a request, which is not the end of access.
SINCE: dict[str, Any] = {"DateLessThan": {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"}}


def statement(effect: str = "Allow", condition: Any = None, **more: Any) -> dict[str, Any]:
    plain = {"Effect": effect, "Action": "sts:AssumeRole", **more}
    return plain if condition is None else {**plain, "Condition": condition}


def ending(end: Any = TEXT, key: str = "aws:CurrentTime", **rest: Any) -> dict[str, Any]:
    """A condition with an end."""
    return {**rest, "DateLessThan": {**rest.get("DateLessThan", {}), key: end}}


def document(*listed: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(listed)}


LIMITED = [
    (statement(), statement(condition=ending())),
    (statement(condition=ID), statement(condition=ending(**ID))),
    (statement(condition=SINCE), statement(condition=ending(**SINCE))),
    (statement("Deny", ID), statement("Deny", ID)),
]


@pytest.mark.parametrize(("without", "with_it"), LIMITED)
def test_an_end_is_added_and_removed(without: dict[str, Any], with_it: dict[str, Any]) -> None:
    before = document(statement("Deny"), without)
    original = copy.deepcopy(before)
    after = with_end(before, at(20))
    assert after == document(statement("Deny"), with_it)
    assert without_end(after) == before == original
    assert with_end(after, at(20)) == after
    assert with_end(before, None) is before


def test_a_single_statement_gets_an_end() -> None:
    assert with_end({"Statement": statement()}, at(20))["Statement"] == [statement(condition=ending())]


def test_an_end_replaces_an_earlier_one() -> None:
    assert with_end(document(statement(condition=ending("2026-12-01T00:00:00Z"))), at(20)) == document(
        statement(condition=ending())
    )


def test_ends_are_recognized_in_any_case() -> None:
    respelled = document(statement(condition=ending(key="AWS:currenttime", **ID)))
    assert without_end(respelled) == document(statement(condition=ID))
    assert end_in(respelled) == at(20)


@pytest.mark.parametrize(
    ("listed", "end"),
    [
        ([], None),
        ([statement()], None),
        ([statement(condition=ending())], 20),
        ([statement(condition=ending("2026-12-20T01:00:00+01:00"))], 20),
        ([statement(condition=ending()), statement(condition=ending("2026-12-25T00:00:00Z"))], 25),
        ([statement(condition=ending("2026-12-25T00:00:00Z")), statement(condition=ending())], 25),
        ([statement(condition=ending()), statement()], None),
        ([statement(condition=ending()), statement("Deny")], 20),
        ([statement("Deny", ending())], None),
        # Several values are alternatives, so the latest of them ends the access.
        ([statement(condition=ending(["2026-12-15T00:00:00Z", TEXT]))], 20),
        ([statement(condition=ending(["soon", TEXT]))], None),
        ([statement(condition=ending("soon"))], None),
        ([statement(condition=SINCE)], None),
        ([statement(condition={"DateGreaterThan": {"aws:CurrentTime": TEXT}})], None),
    ],
)
def test_the_end_of_a_document(listed: list[dict[str, Any]], end: int | None) -> None:
    assert end_in(document(*listed)) == (end and at(end))


def test_no_document_has_no_end() -> None:
    assert end_in(None) is None
    assert end_in_policy(None) is None


@pytest.mark.parametrize(
    ("before", "limit", "after"),
    [
        (statement(), None, statement()),
        (statement(condition=SINCE), None, statement(condition=SINCE)),
        (statement(), 20, statement(condition=ending())),
        (statement(condition=ending()), None, statement(condition=ending())),
        (statement(condition=ending("2026-12-25T00:00:00Z")), 20, statement(condition=ending())),
        (statement(condition=ending()), 25, statement(condition=ending())),
        (statement(condition=ending()), 5, None),
        (statement(condition=ending("2026-12-09T23:59:59Z")), None, None),
        (statement(condition=ending("2026-12-10T00:00:00Z")), None, None),  # DateLessThan
        (statement(condition=ending("2026-12-10T00:00:01Z")), None,
         statement(condition=ending("2026-12-10T00:00:01Z"))),
        (statement("Deny"), 5, statement("Deny")),
    ],
)  # fmt: skip
def test_only_statements_that_admit_a_principal_now_are_active(before: Any, limit: int | None, after: Any) -> None:
    deny = statement("Deny", ID)
    found = active(document(deny, before), limit and at(limit), NOW)  # type: ignore[arg-type]
    assert found == document(deny, *([] if after is None else [after]))


@pytest.mark.parametrize(
    ("ends", "earliest"), [([], None), ([None, None], None), ([None, 20], 20), ([25, 20, None], 20)]
)
def test_the_earliest_end_counts(ends: list[int | None], earliest: int | None) -> None:
    assert earlier(*(end and at(end) for end in ends)) == (earliest and at(earliest))  # type: ignore[arg-type]


def test_the_end_of_one_role_is_a_deny_for_everything() -> None:
    policy = end_policy(at(20))
    assert policy["Statement"] == [
        {
            "Sid": "EndOfAccess",
            "Effect": "Deny",
            "Action": "*",
            "Resource": "*",
            "Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": TEXT}},
        }
    ]
    assert end_in_policy(policy) == at(20)


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "Allow"},
        {"Action": "ecr:*"},
        {"Resource": "arn:aws:ecr:*:*:repository/release"},
        {"Condition": {"DateGreaterThan": {"aws:CurrentTime": TEXT}}},
        {"Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": "soon"}}},
        {"Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": [TEXT]}}},
        {"Condition": {"DateGreaterThanEquals": {"aws:CurrentTime": TEXT}, **ID}},
        {"Condition": {}},
    ],
)
def test_a_policy_that_someone_changed_has_no_known_end(changed: dict[str, Any]) -> None:
    (written,) = end_policy(at(20))["Statement"]
    assert end_in_policy(document({**written, **changed})) is None
    assert end_in_policy(document({**written, **changed}, written)) == at(20)
