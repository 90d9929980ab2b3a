# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of an audit, and their validation."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import (
    AUDIT_ARGUMENTS,
    AuditOptions,
    audit_option_problems,
)

ACCOUNT, OTHER = "222222222222", "033333333333"
ORGANIZATION = "o-exampleorgid"


def params(**given: Any) -> dict[str, Any]:
    return {**{name: argument.get("default") for name, argument in AUDIT_ARGUMENTS.items()}, **given}


def share(name: str, tags: dict[str, Any], **given: Any) -> dict[str, Any]:
    consumers = [{"account": ACCOUNT, "external_id": "share-1"}]
    return {"role_name": name, "repository_tags": tags, "repositories": ["release"], "consumers": consumers, **given}


def test_defaults() -> None:
    options = AuditOptions.of(params())
    assert (options.tag_setters_max, options.unused_days, options.ends_within_days) == (10, 90, 14)
    assert options == AuditOptions()
    assert list(audit_option_problems(params())) == []
    assert list(audit_option_problems(params(tag_setters_max=0, unused_days=0, ends_within_days=36500))) == []


@pytest.mark.parametrize(
    ("given", "accounts"),
    [(ACCOUNT, {ACCOUNT}), ([ACCOUNT, OTHER], {ACCOUNT, OTHER}), ([], set()), (None, set())],
)
def test_trusted_accounts_are_a_scalar_or_a_list(given: Any, accounts: set[str]) -> None:
    assert AuditOptions.of(params(trusted_accounts=given)).trusted_accounts == accounts
    assert list(audit_option_problems(params(trusted_accounts=given))) == []


@pytest.mark.parametrize("given", [ORGANIZATION, [ORGANIZATION], [ORGANIZATION, "o-anotherorgid"]])
def test_trusted_organizations_are_a_scalar_or_a_list(given: Any) -> None:
    found = AuditOptions.of(params(trusted_organizations=given)).trusted_organizations
    assert found == {given} if isinstance(given, str) else {*given}
    assert list(audit_option_problems(params(trusted_organizations=given))) == []


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        (
            {"trusted_accounts": 222222222222},
            [
                "trusted_accounts: 222222222222 is a number, not an AWS account ID of 12 digits. Quote it: YAML reads a"
                " bare number as an integer, and one with a leading zero as another number.",
            ],
        ),
        ({"trusted_accounts": [ACCOUNT, 27]}, ["trusted_accounts: 27 is a number"]),
        ({"trusted_accounts": f"{ACCOUNT},{OTHER}"}, ["trusted_accounts: '222222222222,033333333333' is not an AWS"]),
        ({"trusted_accounts": {"a": "b"}}, ["trusted_accounts: {'a': 'b'} is not an AWS account ID of 12 digits."]),
        ({"trusted_accounts": [None]}, ["trusted_accounts: None is not an AWS account ID"]),
        ({"trusted_organizations": "exampleorgid"}, ["trusted_organizations: organization_id 'exampleorgid' does not"]),
        ({"trusted_organizations": [1, ORGANIZATION]}, ["trusted_organizations: organization_id '1' does not look"]),
        ({"repository_tags": {"environment": 1}}, ["repository_tags: the value of environment must be a string"]),
        (
            {"repository_tags": {"a": "x", "A": "y"}},
            ["repository_tags: a is declared in several", "repository_tags: A"],
        ),
        ({"tag_setters_max": -1}, ["tag_setters_max is -1. Set it to 0 or more."]),
        ({"unused_days": -1, "ends_within_days": -2}, ["unused_days is -1.", "ends_within_days is -2."]),
        ({"unused_days": 10**9}, ["unused_days is 1000000000. Set it to 36500 or less."]),
        (
            {"declared": [share("", {"a": "x"})]},
            ["declared: Role name '' must have", "declared: Policy name '' must have"],
        ),
        ({"declared": [{"role_name": "share"}]}, ["declared: missing required arguments: consumers, repositories"]),
    ],
)
def test_problems_of_options(given: dict[str, Any], problems: list[str]) -> None:
    found = list(audit_option_problems(params(**given)))
    assert len(found) == len(problems)
    for problem, expected in zip(found, problems, strict=True):
        assert problem.startswith(expected)
    AuditOptions.of(params(**given))  # does not fail before the problems are reported


def test_sharing_tags_include_those_of_declared_shares() -> None:
    declared = [share("one", {"a": "x"}), share("two", {"a": "y", "b": "z"}), share("gone", {"c": "x"}, state="absent")]
    options = AuditOptions.of(params(repository_tags={"a": ["x", "w"]}, declared=declared))
    assert options.sharing_tags == [{"a": ("x", "w")}, {"a": ("x",)}, {"a": ("y",), "b": ("z",)}]
    assert options.tag_values == {"a": ["x", "w", "y"], "b": ["z"]}
    again = AuditOptions.of(params(repository_tags={"a": "x"}, declared=[share("one", {"a": "x"})]))
    assert again.sharing_tags == [{"a": ("x",)}]


@pytest.mark.parametrize(
    ("region", "regions", "declares"),
    [
        ("eu-west-1", None, True),
        ("us-east-1", None, False),
        ("", None, True),
        ("us-east-1", ["eu-west-1"], True),
        ("eu-west-1", ["us-east-1"], False),
    ],
)
def test_declared_repository_has_a_region(region: str, regions: list[str] | None, declares: bool) -> None:
    options = AuditOptions.of(params(declared=[share("one", {"a": "x"}, regions=regions)]), region)
    assert options.declares("release", "eu-west-1") is declares
    assert not options.declares("develop", "eu-west-1")


@pytest.mark.parametrize(
    ("tags", "shared"),
    [
        ({"environment": "release"}, True),
        ({"Environment": "release", "team": "a"}, True),
        ({"environment": "Release"}, False),
        ({"stage": "release"}, False),
        ({"share": "yes"}, True),
        ({}, False),
    ],
)
def test_repository_with_the_tags_of_any_share_is_shared(tags: dict[str, str], shared: bool) -> None:
    declared = [share("second", {"share": "yes"})]
    options = AuditOptions.of(params(repository_tags={"environment": ["release", "test"]}, declared=declared))
    assert options.is_shared(tags) is shared
