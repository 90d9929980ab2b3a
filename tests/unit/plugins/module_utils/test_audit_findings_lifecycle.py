# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about unused roles, the end of access, and the images of shared repositories."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.unit.estates import (
    CONSUMER,
    OWNER,
    REGION,
    ROLE,
    WITH_ID,
    admits,
    allows,
    aws_calls,
    days,
    document_in,
    estate,
    findings,
    grants,
    repository,
    role,
    task_in,
    time_text,
    words_in,
)

UNUSED, SOON, ENDED = "unused-role", "share-ends-soon", "share-ended"
MUTABLE, ARCHIVED = "mutable-image-tags", "archived-images"


def until(time: datetime.datetime, operator: str = "DateLessThan", key: str = "aws:CurrentTime") -> dict[str, Any]:
    text = time_text(time) if key == "aws:CurrentTime" else str(int(time.timestamp()))
    return {**WITH_ID, operator: {key: text}}


# --- unused roles


@pytest.mark.parametrize(
    ("created", "used", "is_found"),
    [
        (-91, None, True),
        (-400, -91, True),
        (-91, -90, True),
        (-89, None, False),
        (-400, -89, False),
        (-400, 0, False),
        (None, None, False),
    ],
)
def test_unused_role(created: int | None, used: int | None, is_found: bool) -> None:
    times: dict[str, Any] = {"created": created and days(created), "last_used": None if used is None else days(used)}
    found = findings(estate(role(**times)), UNUSED)
    assert bool(found) is is_found
    for one in found:
        assert (one.severity, one.key) == ("medium", f"{UNUSED}:{ROLE}")
        assert task_in(one.fix) == ("amazon.aws.iam_role", {"name": "share", "state": "absent"})
        last = "has never been used" if used is None else f"was last used on {days(used):%Y-%m-%d}"
        assert one.title == f"Role share, which account {CONSUMER} may assume, {last}"


def test_number_of_unused_days_is_an_option() -> None:
    account = estate(role(created=days(-400), last_used=days(-20)))
    assert findings(account, UNUSED, unused_days=19)
    assert findings(account, UNUSED, unused_days=21) == []


@pytest.mark.parametrize(
    ("trust", "given"),
    [
        (admits(OWNER), {}),
        (admits({"Service": "ecs-tasks.amazonaws.com"}), {}),
        (admits(CONSUMER, WITH_ID), {"trusted_accounts": CONSUMER}),
    ],
)
def test_role_without_principals_outside_is_not_unused(trust: dict[str, Any], given: dict[str, Any]) -> None:
    assert findings(estate(role([trust], created=days(-400))), UNUSED, **given) == []


# --- ends of access


@pytest.mark.parametrize(
    ("condition", "kind"),
    [
        (until(days(13)), SOON),
        (until(days(14)), SOON),
        (until(days(13), "DateLessThanEquals"), SOON),
        (until(days(13), "NumericLessThan", "aws:EpochTime"), SOON),
        (until(days(13), "DateLessThan", "aws:EpochTime"), SOON),
        ({**until(days(13)), "DateLessThanEquals": {"aws:CurrentTime": time_text(days(400))}}, SOON),
        (until(days(0)), ENDED),
        (until(days(-1)), ENDED),
        (until(days(15)), ""),
        ({**WITH_ID, "DateLessThan": {"aws:CurrentTime": [time_text(days(-1)), time_text(days(400))]}}, ""),
        (until(days(13), "DateGreaterThan"), ""),
        (until(days(13), "DateLessThanIfExists"), ""),
        ({**WITH_ID, "DateLessThan": {"aws:TokenIssueTime": time_text(days(-1))}}, ""),
        ({**WITH_ID, "DateLessThan": {"aws:CurrentTime": "soon"}}, ""),
        (WITH_ID, ""),
    ],
)
def test_end_of_access(condition: dict[str, Any], kind: str) -> None:
    of_trust = estate(role([admits(CONSUMER, condition)]))
    of_policy = estate(role(policy=[allows(condition=condition)]))
    of_repository = estate(repositories=[repository("release", grants(CONSUMER, condition=condition))])
    for account in (of_trust, of_policy, of_repository):
        found = [*findings(account, SOON), *findings(account, ENDED)]
        assert [one.id for one in found] == ([kind] if kind else [])
        assert all(one.severity == ("info" if one.id == SOON else "low") for one in found)


def test_end_of_access_of_others_is_not_reported() -> None:
    account = estate(role([admits(CONSUMER, until(days(1)))]))
    assert findings(account, SOON, ends_within_days=0) == []
    assert findings(account, SOON, trusted_accounts=CONSUMER) == []
    assert findings(estate(role([admits(OWNER, until(days(1)))])), SOON) == []
    assert findings(estate(role(policy=[allows("s3:*", until(days(1))), allows()])), SOON) == []
    assert findings(estate(role([{**admits(CONSUMER, until(days(-1))), "Effect": "Deny"}])), ENDED) == []


def test_fix_for_a_share_that_ends_soon_extends_it() -> None:
    soon = {"aws:CurrentTime": time_text(days(7)), "aws:TokenIssueTime": time_text(days(7))}
    condition = {
        **WITH_ID,
        "DateLessThan": soon,
        "DateLessThanEquals": {"aws:CurrentTime": time_text(days(400))},
        "DateGreaterThan": {"aws:CurrentTime": time_text(days(-7))},
    }
    [found] = findings(estate(role([admits(CONSUMER, condition)])), SOON)
    assert found.title == f"The access of account {CONSUMER} through the trust policy of role {ROLE} ends on 2026-12-04"
    assert words_in(found.fix)[:5] == ["aws", "iam", "update-assume-role-policy", "--role-name", "share"]
    assert document_in(found.fix)[0]["Condition"] == {
        **condition,
        "DateLessThan": {**soon, "aws:CurrentTime": time_text(days(97))},
    }
    numeric = until(days(7), "NumericLessThan", "aws:EpochTime")
    [found] = findings(estate(role([admits(CONSUMER, numeric)])), SOON)
    assert document_in(found.fix)[0]["Condition"] == until(days(97), "NumericLessThan", "aws:EpochTime")


def test_fix_for_a_share_that_has_ended_removes_its_statement() -> None:
    others = admits(CONSUMER, WITH_ID)
    [found] = findings(estate(role([admits(CONSUMER, until(days(-7))), others])), ENDED)
    assert document_in(found.fix) == [{"Effect": "Allow", **others}]


# --- images


@pytest.mark.parametrize(
    ("principals", "given", "is_found"),
    [
        ([role()], {}, True),
        ([role([admits("*", {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}})])], {}, True),
        ([], {}, False),
        ([role()], {"trusted_accounts": CONSUMER}, False),
        (
            [role([admits("*", {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}})])],
            {"trusted_organizations": "o-exampleorgid"},
            False,
        ),
        ([role([admits({"Service": "lambda.amazonaws.com"})])], {}, False),
        ([role([admits(OWNER)])], {}, False),
    ],
)
def test_images_of_shared_repositories(principals: list[Any], given: dict[str, Any], is_found: bool) -> None:
    account = estate(*principals, repositories=[repository(mutable=True, archived=1_200)])
    for kind, severity in ((MUTABLE, "low"), (ARCHIVED, "info")):
        found = findings(account, kind, **given)
        assert [one.severity for one in found] == ([severity] if is_found else [])


def test_repository_without_archived_or_movable_images() -> None:
    account = estate(role(), repositories=[repository(), repository("develop", tags={}, mutable=True, archived=1)])
    assert [*findings(account, MUTABLE), *findings(account, ARCHIVED)] == []


def test_fixes_for_images() -> None:
    account = estate(role(), repositories=[repository(mutable=True, archived=1_200)])
    [mutable], [archived] = findings(account, MUTABLE), findings(account, ARCHIVED)
    place = ["--region", REGION, "--repository-name", "release"]
    assert words_in(mutable.fix) == [
        *("aws", "ecr", "put-image-tag-mutability", *place, "--image-tag-mutability", "IMMUTABLE"),
    ]
    assert archived.title == f"The shared repository release in {REGION} contains 1,200 archived images"
    listed, *restored = aws_calls(archived.fix, "sha256:1 sha256:2")
    assert listed[:8] == ["ecr", "list-images", *place, "--filter", "imageStatus=ARCHIVED"]
    storage = ["--target-storage-class", "STANDARD"]
    assert restored == [
        ["ecr", "update-image-storage-class", *place, "--image-id", f"imageDigest=sha256:{number}", *storage]
        for number in (1, 2)
    ]
