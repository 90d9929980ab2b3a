# SPDX-License-Identifier: GPL-3.0-or-later
"""ecr_pull_through_rule and iam_ecr_cache_role: their lives, and rules and roles of others."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, allow, trust
from tests.support.control import Control

PROFILE = "consumer-administrator"
RULE, ROLE = "ecr_pull_through_rule", "iam_ecr_cache_role"
CACHE = {"prefix": "cache", "upstream_account": accounts.OWNER}
NAMED = {**CACHE, "name": "ecr-cache"}
UPSTREAM = f"{accounts.OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com"
ARN = f"arn:aws:iam::{accounts.CONSUMER}:role/ecr-cache"
WRITES = {verb: f"ecr:{verb}PullThroughCacheRule" for verb in ("Create", "Update", "Delete")}


@pytest.fixture
def ecr(control: Control) -> Iterator[Any]:
    """The client of the account that caches. The test leaves no rule behind."""
    client = control.lab.client(PROFILE, "ecr")
    yield client
    for rule in client.describe_pull_through_cache_rules()["pullThroughCacheRules"]:
        client.delete_pull_through_cache_rule(ecrRepositoryPrefix=rule["ecrRepositoryPrefix"])


def both(control: Control, module: str, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result in check mode, which writes nothing, equals the result of the run; and the run's writes."""
    mark = len(control.lab.calls())
    predicted = control.module(module, PROFILE, "--check", "--diff", **options)
    assert control.lab.writes_since(mark) == []
    result = control.module(module, PROFILE, "--diff", **options)
    assert predicted == result, (predicted, result)
    return result, control.lab.writes_since(mark)


def test_role_and_rule_walk_through_their_lives(control: Control, ecr: Any) -> None:
    for state, changed in (("present", True), ("present", False)):
        result, _writes = both(control, ROLE, **NAMED, state=state)
        assert (result["code"], result["changed"], result["role_arn"]) == (0, changed, ARN), result
    rule = {**CACHE, "custom_role_arn": ARN}
    written = {"prefix": "cache", "upstream_registry": UPSTREAM, "upstream_prefix": "ROOT", "custom_role_arn": ARN}
    for options, writes, after in [
        (rule, [WRITES["Create"]], written),
        (rule, [], written),
        (CACHE, [], written),
        ({**CACHE, "state": "absent"}, [WRITES["Delete"]], {}),
        ({**CACHE, "state": "absent"}, [], {}),
    ]:
        result, sent = both(control, RULE, **options)
        assert (result["code"], sent, result["rule"]) == (0, writes, after), result
        assert (result["changed"], result["diff"]["after"]) == (bool(writes), after)
    for changed in (True, False):
        result, _writes = both(control, ROLE, **NAMED, state="absent")
        assert (result["code"], result["changed"]) == (0, changed), result


def test_rule_gets_another_role_and_is_validated(control: Control, ecr: Any) -> None:
    account = Account(control.lab, PROFILE)
    wrong = account.role(trust(accounts.CONSUMER), allow("ecr:*"))
    assert control.module(ROLE, PROFILE, **NAMED)["code"] == 0
    result = control.module(RULE, PROFILE, **CACHE, custom_role_arn=wrong, wait_timeout=0)
    assert (result["code"], result["changed"]) == (2, True)
    assert "exists, but ECR cannot use it: Amazon ECR cannot assume the custom role. Check that" in result["msg"]
    refused, writes = both(control, RULE, **CACHE, custom_role_arn=ARN)
    assert (refused["code"], writes, f"has {wrong} as its custom_role_arn" in refused["msg"]) == (2, [], True)
    result, writes = both(control, RULE, **CACHE, custom_role_arn=ARN, adopt=True)
    assert (result["code"], writes, result["rule"]["custom_role_arn"]) == (0, [WRITES["Update"]], ARN), result
    assert control.module(ROLE, PROFILE, **NAMED, state="absent")["code"] == 0
    result = control.module(RULE, PROFILE, **CACHE, wait_timeout=0)
    assert (result["code"], result["changed"]) == (2, False)


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"upstream_account": accounts.CONSUMER}, ["is the registry of the cache itself."]),
        ({"account": accounts.OWNER}, ["The credentials belong to account 222222222222"]),
        (
            {"prefix": "public/team", "custom_role_arn": None},
            ["2 problems", "caches public.ecr.aws, overlaps with the declared prefix", "custom_role_arn is missing."],
        ),
        ({"prefix": "public"}, ["which caches public.ecr.aws, exists, and AWS cannot change its upstream."]),
        ({"prefix": "public", "state": "absent"}, ["is not the declared one. Nothing was deleted."]),
        (
            {"prefix": "A", "upstream_prefix": "b", "upstream_account": "1"},
            ["3 problems", "prefix 'A'", "upstream_prefix 'b'", "upstream_account: '1'"],
        ),
    ],
)
def test_problems_are_found_before_the_first_write(
    control: Control, ecr: Any, options: dict[str, Any], parts: list[str]
) -> None:
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix="public", upstreamRegistryUrl="public.ecr.aws")
    mark = len(control.lab.calls())
    given = {**CACHE, "custom_role_arn": ARN, **options}
    result = control.module(RULE, PROFILE, **{name: value for name, value in given.items() if value is not None})
    assert (result["code"], [part in result["msg"] for part in parts]) == (2, [True] * len(parts)), result
    assert control.lab.writes_since(mark) == []


def test_role_of_others_is_not_changed(control: Control) -> None:
    iam, document = control.lab.client(PROFILE, "iam"), trust(accounts.CONSUMER)
    iam.create_role(RoleName="theirs", AssumeRolePolicyDocument=document)
    for state in ("present", "absent"):
        result = control.module(ROLE, PROFILE, **{**NAMED, "name": "theirs"}, state=state)
        assert (result["code"], "not tagged managed-by=crossaccount.ecr-cache" in result["msg"]) == (2, True), result
    assert control.module(ROLE, PROFILE, **{**NAMED, "name": "theirs"}, adopt=True)["changed"]
    assert control.module(ROLE, PROFILE, **{**NAMED, "name": "theirs"}, state="absent")["changed"]


def test_role_of_a_cache_is_not_a_pull_role(control: Control) -> None:
    assert control.module(ROLE, PROFILE, **NAMED)["code"] == 0
    consumers = [{"account": accounts.STRANGER, "external_id": "test"}]
    options = {"repository_tags": {"a": "b"}, "consumers": consumers}
    result = control.module("iam_ecr_pull_role", PROFILE, "--check", name="ecr-cache", **options)
    assert "is not tagged managed-by=crossaccount.ecr, and differs" in result["msg"], result
    assert control.module(ROLE, PROFILE, **NAMED, state="absent")["code"] == 0
