# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about unused roles, and the images of shared repositories."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.estates import (
    CONSUMER,
    OWNER,
    REGION,
    ROLE,
    WITH_ID,
    admits,
    aws_calls,
    days,
    estate,
    findings,
    repository,
    role,
    task_in,
    words_in,
)

UNUSED, MUTABLE, ARCHIVED = "unused-role", "mutable-image-tags", "archived-images"


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
