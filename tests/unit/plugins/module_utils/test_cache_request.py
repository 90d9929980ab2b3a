# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a cache with its objects in both accounts."""

from __future__ import annotations

import re
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_request import (
    CACHE_REQUEST_ARGUMENTS,
    CacheRequest,
    upstream_parameters,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity

from tests.support.paths import ROOT

OWNER, CONSUMER = "111111111111", "222222222222"
DEFAULTS = {name: spec.get("default") for name, spec in CACHE_REQUEST_ARGUMENTS.items()}
DECLARED = {
    **{"name": "ecr-cache", "path": "/team/", "prefix": "cache/", "prefixes": ["release"]},
    **{"account": CONSUMER, "upstream_account": OWNER},
}
SETTINGS: dict[str, Any] = dict.fromkeys(CACHE_REQUEST_ARGUMENTS["template"]["options"])


def declared(**options: Any) -> CacheRequest:
    return CacheRequest.of({**DEFAULTS, **DECLARED, **options})


def test_objects_of_a_cache_fit_together() -> None:
    request = declared(adopt=True)
    role_arn = f"arn:aws:iam::{CONSUMER}:role/team/ecr-cache"
    rule = request.rule(Identity("aws", CONSUMER))
    assert (rule.role_arn, rule.cache.prefix, rule.is_present, rule.adopt) == (role_arn, "cache", True, True)
    statement = request.statement.statement(Identity("aws", OWNER), "eu-west-1")
    assert statement["Sid"] == f"CrossaccountEcrCache{CONSUMER}"
    assert statement["Condition"] == {"ArnEquals": {"aws:PrincipalArn": role_arn}}
    assert statement["Resource"] == [f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release*"]
    assert request.role_in("eu-west-1").all_tags["crossaccount.ecr-cache"] == "eu-west-1/cache"
    assert request.template.options["description"] == f"crossaccount.ecr: cache of account {OWNER}"
    assert request.template.options["applied_for"] == ["PULL_THROUGH_CACHE"]


@pytest.mark.parametrize(
    ("side", "owner", "consumer"), [("both", True, True), ("owner", True, False), ("consumer", False, True)]
)
def test_side_decides_which_accounts_are_read(side: str, owner: bool, consumer: bool) -> None:
    request = declared(side=side)
    assert (request.has_owner, request.has_consumer) == (owner, consumer)


@pytest.mark.parametrize(
    ("side", "consumer", "starts"),
    [("both", True, []), ("consumer", True, []), ("owner", False, [f"upstream_account and account are both {OWNER}."])],
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_cache_within_an_account_has_no_owner(side: str, consumer: bool, starts: list[str], state: str) -> None:
    request = declared(account=OWNER, upstream_region="us-east-1", side=side, state=state)
    assert (request.is_one_account, request.has_owner, request.has_consumer) == (True, False, consumer)
    problems = list(request.problems())
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts)
    assert not declared(side=side).is_one_account
    assert not replace(declared(side=side), is_one_account=True).has_owner


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize(
    ("account", "side", "owner", "consumer", "other_side"),
    [
        (CONSUMER, "both", True, True, ""),
        (CONSUMER, "owner", True, False, "consumer"),
        (CONSUMER, "consumer", False, True, "owner"),
        (OWNER, "both", False, True, ""),
        (OWNER, "consumer", False, True, ""),
    ],
)
def test_result_has_the_sides_that_the_run_changes(
    account: str, side: str, owner: bool, consumer: bool, other_side: str, state: str
) -> None:
    found = declared(account=account, side=side, state=state).result()
    prefixes = {"role_prefixes": ["release"]} if account == OWNER else {}
    assert found == {"owner": owner, "consumer": consumer, "other_side": other_side, **prefixes}


@pytest.mark.parametrize("name", ["tasks/main.yml", "templates/summary.txt.j2"])
def test_role_uses_the_sides_of_the_plan(name: str) -> None:
    text = (ROOT / "roles/ecr_cache" / name).read_text("utf-8")
    assert re.findall(r"ecr_cache_plan\.(owner|consumer|other_side)", text)
    compared = re.findall(r"ecr_cache_side\s*(?:[=!]=|(?:not )?in\b|is\b)", text)
    assert compared == []


@pytest.mark.parametrize(
    ("account", "options", "expected"),
    [
        (CONSUMER, {}, None),
        (OWNER, {}, ("release",)),
        (OWNER, {"prefixes": ["team/b", "team/a"]}, ("team/a", "team/b")),
        (OWNER, {"prefixes": None, "all_repositories": True}, None),
    ],
)
def test_prefixes_limit_the_role_within_an_account(account: str, options: dict[str, Any], expected: Any) -> None:
    assert declared(account=account, **options).role.prefixes == expected


@pytest.mark.parametrize("prefixes", [[], None])
def test_cache_within_an_account_needs_a_selection(prefixes: Any) -> None:
    (problem,) = declared(account=OWNER, prefixes=prefixes).problems()
    assert problem.startswith("prefixes is empty. Set at least one prefix")
    assert any("exclude each other" in one for one in declared(account=OWNER, all_repositories=True).problems())


@pytest.mark.parametrize(
    ("template", "state", "expected"),
    [(None, "present", False), (None, "absent", True), (SETTINGS, "present", True), (SETTINGS, "absent", True)],
)
def test_template_is_planned_if_declared_or_at_the_end(template: Any, state: str, expected: bool) -> None:
    request = declared(template=template, state=state)
    assert (request.plans_template, request.has_template) == (expected, template is not None)
    assert request.template.is_present is (state == "present")


def test_problems_of_all_objects_are_found() -> None:
    template = {**SETTINGS, "tags": {"aws:a": "b"}}
    request = declared(account=1, name="a b", prefix="A", prefixes=[], template=template)
    parts = ["account: 1 is a number", "'a b'", "prefix 'A'", "prefixes is empty", "template: tags: tag key 'aws:a'"]
    found = list(request.problems())
    assert [any(part in problem for problem in found) for part in parts] == [True] * len(parts), found
    assert list(declared(template=SETTINGS).problems()) == []


def test_parameters_of_the_upstream_account() -> None:
    keys = {"access_key": "a", "secret_key": "b", "session_token": "c"}
    given = {**DEFAULTS, **keys, "profile": "consumer", "region": "eu-west-1", "assume_role_arn": "theirs"}
    own = upstream_parameters(given)
    assert (own["profile"], own["assume_role_arn"], own["region"]) == (None, None, "eu-west-1")
    assert own["access_key"] == "a"
    named = upstream_parameters({**given, "upstream_profile": "owner", "upstream_region": "eu-west-2"})
    assert (named["profile"], named["region"]) == ("owner", "eu-west-2")
    assert {named[name] for name in keys} == {None}
