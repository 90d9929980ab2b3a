# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of a pull through cache rule, and its writes while other programs write, or after a lost response."""

from __future__ import annotations

import dataclasses
import types
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _cache_rule
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_declaration import Cache
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule import write_rule
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_plan import (
    CacheRule,
    RulePlan,
    plan_cache_rule,
    rule_differences,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from botocore.exceptions import ClientError, EndpointConnectionError

from tests.unit.aws_answers import stubbed_client

OWNER, CONSUMER, REGION = "111111111111", "222222222222", "eu-west-1"
HOST = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com"
ROLE, OTHER_ROLE = (f"arn:aws:iam::{CONSUMER}:role/{name}" for name in ("cache", "other"))
RULE = CacheRule("cache", HOST, "ROOT", ROLE)
DECLARED = RuleDeclaration(Cache("cache", OWNER), ROLE)
PUBLIC = CacheRule("public", "public.ecr.aws")
LOST = EndpointConnectionError(endpoint_url="http://127.0.0.1:1")


def plan(*rules: CacheRule, declared: RuleDeclaration = DECLARED, **changes: Any) -> RulePlan:
    return plan_cache_rule(rules, dataclasses.replace(declared, **changes), CONSUMER, REGION)


def test_rule_is_created_kept_changed_and_deleted() -> None:
    assert plan(PUBLIC) == RulePlan(None, RULE)
    assert plan(PUBLIC, RULE) == RulePlan(RULE, RULE)
    assert plan(RULE, role_arn=None) == RulePlan(RULE, RULE)
    assert plan(RULE, is_present=False) == RulePlan(RULE, None)
    assert plan(PUBLIC, is_present=False) == RulePlan(None, None)
    assert plan(role_arn=None).problems[0].startswith("custom_role_arn is missing.")
    assert plan(declared=RuleDeclaration(Cache("cache", CONSUMER, "eu-west-2"))).problems == ()


@pytest.mark.parametrize("is_present", [True, False])
@pytest.mark.parametrize("role_arn", [ROLE, ""])
def test_rule_with_another_role_needs_consent(role_arn: str, is_present: bool) -> None:
    before = dataclasses.replace(RULE, role_arn=role_arn)
    after = dataclasses.replace(RULE, role_arn=OTHER_ROLE) if is_present else None
    adopted = plan(before, role_arn=OTHER_ROLE, is_present=is_present, adopt=True)
    assert adopted == RulePlan(before, after)
    (problem,) = plan(before, role_arn=OTHER_ROLE, is_present=is_present).problems
    assert f"has {role_arn or 'no role'} as its custom_role_arn, not {OTHER_ROLE}. If no other program" in problem


@pytest.mark.parametrize("is_present", [True, False])
@pytest.mark.parametrize("change", [{"upstream": "public.ecr.aws"}, {"upstream_prefix": "team"}])
def test_rule_with_another_upstream_is_refused(change: dict[str, str], is_present: bool) -> None:
    other = dataclasses.replace(RULE, **change)
    found = plan(other, is_present=is_present)
    assert (found.is_change, len(found.problems)) == (False, 1)
    upstream = change.get("upstream") or f"{HOST}/team"
    assert found.problems[0].startswith(f"Pull through cache rule cache, which caches {upstream}, ")
    assert ("AWS cannot change its upstream" in found.problems[0]) is is_present


@pytest.mark.parametrize(
    ("prefix", "expected"),
    [("cache/team", True), ("cach", False), ("cache-2", False), ("ROOT", False), ("cache/team/", True)],
)
def test_overlap_is_refused_for_a_new_rule_only(prefix: str, expected: bool) -> None:
    other = CacheRule(prefix, "public.ecr.aws")
    assert bool(plan(other).problems) is expected
    assert (bool(plan(other, RULE).warnings), plan(other, RULE).problems) == (expected, ())
    inner = RuleDeclaration(Cache(prefix.rstrip("/"), OWNER), ROLE)
    assert bool(plan(RULE, declared=inner).problems) is expected


def test_overlap_names_both_rules() -> None:
    (problem,) = plan(CacheRule("cache/team/", "public.ecr.aws")).problems
    assert problem == (
        "Pull through cache rule cache/team/, which caches public.ecr.aws, overlaps with the declared prefix cache."
        " Declare another prefix, which neither contains cache/team/ nor is a part of it, or delete that rule."
    )


def test_diff_shows_the_options_of_the_rule() -> None:
    shown = {"prefix": "cache", "upstream_registry": HOST, "upstream_prefix": "ROOT", "custom_role_arn": ROLE}
    assert (CREATION.diff, DELETION.diff) == ({"before": {}, "after": shown}, {"before": shown, "after": {}})


def test_number_of_rules_is_limited() -> None:
    others = [CacheRule(f"public{number}", "public.ecr.aws") for number in range(50)]
    assert "The registry has 50 pull through cache rules" in plan(*others).problems[0]
    assert plan(*others[:49]).problems == ()
    assert plan(*others[:49], RULE).problems == ()


def test_rule_of_a_response_without_optional_members() -> None:
    reply = {"ecrRepositoryPrefix": "cache/", "upstreamRegistryUrl": f"https://{HOST}/"}
    found = CacheRule.of(reply)
    assert found == CacheRule("cache/", HOST)
    assert plan(found).after == CacheRule("cache/", HOST, "ROOT", ROLE)
    assert CacheRule.of(RULE.request()) == RULE


def aws_error(code: str) -> ClientError:
    return ClientError({"Error": {"Code": code, "Message": code}}, "CreatePullThroughCacheRule")


class Ecr:
    """A registry whose writes raise an error, after another program has left a rule or none."""

    def __init__(self, error: Exception | None = None, left: CacheRule | None = None) -> None:
        self.meta = stubbed_client("ecr").meta
        self.error, self.left = error, left
        self.create_pull_through_cache_rule = self._write
        self.update_pull_through_cache_rule = self._write
        self.delete_pull_through_cache_rule = self._write

    def _write(self, **_request: object) -> None:
        if self.error:
            raise self.error

    def get_paginator(self, _name: str) -> Any:
        page = {"pullThroughCacheRules": [self.left.request()] if self.left else []}
        return types.SimpleNamespace(paginate=lambda: [page])


def changed(write: Callable[[], None]) -> tuple[str, object]:
    """The message of the error, and its fact `changed`."""
    with pytest.raises(EcrError) as caught:
        write()
    return str(caught.value), caught.value.facts.get("changed")


CREATION, DELETION = RulePlan(None, RULE), RulePlan(RULE, None)
UPDATE = RulePlan(dataclasses.replace(RULE, role_arn=OTHER_ROLE), RULE)


def test_repeated_creation_and_deletion_after_a_lost_response() -> None:
    write_rule(Ecr(aws_error("PullThroughCacheRuleAlreadyExistsException"), RULE), CREATION)
    write_rule(Ecr(aws_error("PullThroughCacheRuleNotFoundException")), DELETION)
    for one in (CREATION, DELETION, UPDATE):
        with pytest.raises(ClientError):
            write_rule(Ecr(aws_error("ServerException")), one)


def test_creation_by_another_program_is_reported() -> None:
    ecr = Ecr(aws_error("PullThroughCacheRuleAlreadyExistsException"), PUBLIC)
    message, _changed = changed(lambda: _cache_rule._write(ecr, CREATION))
    assert message.startswith("Pull through cache rule cache was created by another program")


@pytest.mark.parametrize(
    ("error", "left", "expected"),
    [(LOST, RULE, True), (LOST, UPDATE.before, False), (aws_error("AccessDeniedException"), RULE, False)],
)
def test_failed_update_reports_whether_it_was_applied(error: Exception, left: CacheRule, expected: bool) -> None:
    assert changed(lambda: _cache_rule._write(Ecr(error, left), UPDATE))[1] is expected


def test_differences_name_the_settings() -> None:
    assert rule_differences(RULE, RULE) == rule_differences(None, None) == []
    assert rule_differences(RULE, None) == ["the pull through cache rule"]
    assert rule_differences(RULE, UPDATE.before) == ["custom_role_arn of pull through cache rule cache"]
