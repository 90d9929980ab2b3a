# SPDX-License-Identifier: GPL-3.0-or-later
"""The change of access by the statement of a share in the policies of repositories, or of the registry."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import PolicyChange
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statement_access import (
    access_in_registry,
    access_in_repositories,
)

OWNER, REGION = Identity("aws", "111111111111"), "eu-west-1"
ONE, TWO = Consumer("222222222222"), Consumer("333333333333")
ORGANIZATION = Consumer(None, organization_id="o-abcdefghij")
TAGS = {"environment": ("release", "test"), "team": ("a",)}


def policy(*consumers: Consumer, name: str = "share", in_registry: bool = False) -> dict[str, Any] | None:
    declared = AccessDeclaration(name, ("*",), TAGS, consumers=consumers, in_registry=in_registry)
    statements = declared.statements(OWNER, REGION)
    return {"Statement": statements} if statements else None


def lines(*changes: PolicyChange) -> list[str]:
    found = access_in_repositories(changes, AccessDeclaration("share"), OWNER, REGION)
    return [line for change in found for line in change.lines]


@pytest.mark.parametrize(
    ("before", "after", "expected"),
    [
        ((), (ONE,), ["+ 222222222222 can pull app"]),
        ((ONE,), (), ["- 222222222222 loses app"]),
        ((ONE,), (ONE, TWO), ["+ 333333333333 can pull app"]),
        ((ONE,), (TWO,), ["+ 333333333333 can pull app", "- 222222222222 loses app"]),
        ((), (ORGANIZATION,), ["+ organization o-abcdefghij can pull app"]),
        ((ONE, ORGANIZATION), (ONE,), ["- organization o-abcdefghij loses app"]),
        ((ONE,), (ONE,), []),
    ],
)
def test_access_through_one_repository(before: Any, after: Any, expected: list[str]) -> None:
    assert lines(PolicyChange("app", policy(*before), policy(*after))) == expected


def test_repositories_with_the_same_change_are_one_line() -> None:
    changes = [PolicyChange(name, None, policy(ONE)) for name in ("a1", "b1")]
    assert lines(*changes, PolicyChange("c1", policy(ONE), None)) == [
        "+ 222222222222 can pull a1, b1",
        "- 222222222222 loses c1",
    ]


def test_statements_of_others_are_no_access_of_the_share() -> None:
    assert lines(PolicyChange("app", policy(ONE, name="other"), policy(TWO))) == ["+ 333333333333 can pull app"]


def repository(name: str, **tags: str) -> Repository:
    return Repository(name, OWNER.repository(REGION, name), tags)


@pytest.mark.parametrize(
    ("old", "new", "before", "after", "expected"),
    [
        ((), (ONE,), {"environment": "test", "team": "a"}, None, ["+ 222222222222 can pull app"]),
        ((ONE,), (ONE,), {"team": "a"}, {"environment": "test", "team": "a"}, ["+ 222222222222 can pull app"]),
        ((ONE,), (ONE,), {"environment": "release", "team": "a"}, {"team": "a"}, ["- 222222222222 loses app"]),
        ((), (ONE,), {"environment": "develop", "team": "a"}, None, []),
        ((), (ONE,), {"environment": "test"}, None, []),
        (
            (ONE,),
            (ONE, ORGANIZATION),
            {"environment": "test", "team": "a"},
            None,
            ["+ organization o-abcdefghij can pull app"],
        ),
    ],
)
def test_access_through_the_registry_follows_every_tag(
    old: Any, new: Any, before: dict[str, str], after: dict[str, str] | None, expected: list[str]
) -> None:
    change = PolicyChange("*", policy(*old, in_registry=True), policy(*new, in_registry=True))
    current, planned = [repository("app", **before)], [repository("app", **(before if after is None else after))]
    found = access_in_registry(change, AccessDeclaration("share"), current, planned)
    assert list(found.lines) == expected
