# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a cache, of its rule and of its role."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_declaration import Cache
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role_declaration import (
    ROLE_ARGUMENTS,
    CacheRoleDeclaration,
    plan_cache_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_declaration import (
    RULE_ARGUMENTS,
    RuleDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState

OWNER, CONSUMER, REGION = "111111111111", "222222222222", "eu-west-1"
REGISTRY = Identity("aws", CONSUMER)


def cache(prefix: str = "cache", **options: Any) -> Cache:
    defaults = {"upstream_account": OWNER, "upstream_region": None, "upstream_prefix": "ROOT"}
    return Cache.of({"prefix": prefix, **defaults, **options})


@pytest.mark.parametrize("prefix", ["aa", "cache", "cache/", "team/a-b.c__d", "ROOT", "a" * 30])
def test_valid_prefix(prefix: str) -> None:
    assert list(cache(prefix).problems()) == []


@pytest.mark.parametrize("prefix", ["", "a", "/", "Cache", "a" * 31, "ca che", "cache//", "-cache", "ROOT/a", "root*"])
def test_invalid_prefix(prefix: str) -> None:
    for declared in (cache(prefix), cache(upstream_prefix=prefix)):
        (problem,) = declared.problems()
        assert "is not a valid prefix of repository names" in problem


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"upstream_account": 111111111111}, "upstream_account: 111111111111 is a number"),
        ({"upstream_account": f"{OWNER}.dkr.ecr.eu-west-1.amazonaws.com"}, "is not an AWS account ID"),
        ({"upstream_region": "eu-west"}, "upstream_region: 'eu-west' does not look like a region"),
        ({"prefix": "ROOT", "upstream_prefix": "team"}, "upstream_prefix team needs a prefix other than ROOT."),
    ],
)
def test_wrong_declaration(options: dict[str, Any], expected: str) -> None:
    (problem,) = cache(**options).problems()
    assert expected in problem


@pytest.mark.parametrize(
    ("options", "region", "expected"),
    [
        ({}, REGION, []),
        ({"upstream_account": CONSUMER, "upstream_region": "eu-west-2"}, REGION, []),
        ({"upstream_account": CONSUMER}, REGION, ["is the registry of the cache itself"]),
        ({"upstream_region": "cn-north-1"}, REGION, ["Region cn-north-1 is in partition aws-cn."]),
        ({}, "us-gov-east-1", ["Region us-gov-east-1 is in partition aws-us-gov."]),
    ],
)
def test_problems_in_a_registry(options: dict[str, Any], region: str, expected: list[str]) -> None:
    found = list(cache(**options).problems_in(CONSUMER, region))
    assert [part in one for part, one in zip(expected, found)] == [True] * len(found) == [True] * len(expected)


def test_role_of_a_rule_belongs_to_the_registry() -> None:
    for role, part in (("ecr-cache", "is not the ARN"), (f"arn:aws:iam::{OWNER}:role/a", "is not in account 2222")):
        (problem,) = RuleDeclaration(cache(), role).problems_in(REGISTRY, REGION)
        assert part in problem


def test_a_rule_also_has_the_problems_of_its_cache() -> None:
    (problem,) = RuleDeclaration(cache(upstream_account=CONSUMER)).problems_in(REGISTRY, REGION)
    assert "is the registry of the cache itself" in problem


OPTIONS = {"prefix": "cache", "upstream_account": OWNER}
ROLE_ARN = f"arn:aws:iam::{CONSUMER}:role/ecr-cache"


def params(arguments: dict[str, Any], **options: Any) -> dict[str, Any]:
    """The parameters of a module with these options."""
    validated = ArgumentSpecValidator(arguments).validate(options)
    assert validated.error_messages == []
    found: dict[str, Any] = validated.validated_parameters
    return found


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, RuleDeclaration(Cache("cache", OWNER))),
        ({"custom_role_arn": ""}, RuleDeclaration(Cache("cache", OWNER))),
        (
            {"custom_role_arn": ROLE_ARN, "state": "absent", "upstream_region": "us-east-1", "upstream_prefix": "a/"},
            RuleDeclaration(Cache("cache", OWNER, "us-east-1", "a"), ROLE_ARN, is_present=False),
        ),
    ],
)
def test_options_of_a_rule(options: dict[str, Any], expected: RuleDeclaration) -> None:
    assert RuleDeclaration.of(params(RULE_ARGUMENTS, **OPTIONS, **options)) == expected


@pytest.mark.parametrize(("prefixes", "expected"), [(None, None), ([], ()), (["b1", "a1", "b1"], ("a1", "b1"))])
def test_prefixes_of_a_role(prefixes: list[str] | None, expected: tuple[str, ...] | None) -> None:
    options = {**OPTIONS, "name": "ecr-cache", "prefixes": prefixes}
    assert CacheRoleDeclaration.of(params(ROLE_ARGUMENTS, **options)).prefixes == expected


@pytest.mark.parametrize(
    "changes",
    [{}, {"path": "/team/", "permissions_boundary": "arn:aws:iam::aws:policy/x", "adopt": True, "is_present": False}],
)
def test_options_of_a_role(changes: dict[str, Any]) -> None:
    options = {name: value for name, value in changes.items() if name != "is_present"}
    state = {"state": "absent"} if changes else {}
    found = CacheRoleDeclaration.of(params(ROLE_ARGUMENTS, name="ecr-cache", **OPTIONS, **options, **state))
    assert found == CacheRoleDeclaration("ecr-cache", "ecr-cache", cache=Cache("cache", OWNER), **changes)


def test_role_has_the_problems_of_its_names_and_its_cache() -> None:
    declared = CacheRoleDeclaration("ecr cache", "ecr-cache", path="team", cache=cache("Cache"))
    problems = "\n".join(declared.problems())
    assert all(part in problems for part in ("'ecr cache'", "'team'", "'Cache'")), problems
    assert list(role().problems()) == []


def role(**options: Any) -> CacheRoleDeclaration:
    return CacheRoleDeclaration("ecr-cache", "ecr-cache", cache=cache(**options), region=REGION)


@pytest.mark.parametrize(
    ("options", "upstream", "own"),
    [
        ({}, f"{REGION}:{OWNER}:repository/*", "repository/cache/*"),
        ({"prefix": "ROOT", "upstream_region": "us-east-1"}, f"us-east-1:{OWNER}:repository/*", "repository/*"),
        ({"upstream_prefix": "team/"}, f"{REGION}:{OWNER}:repository/team/*", "repository/cache/*"),
    ],
)
def test_role_reaches_only_the_declared_repositories(options: dict[str, Any], upstream: str, own: str) -> None:
    read, write, token = role(**options).permissions(REGISTRY)["Statement"]
    assert read["Resource"] == f"arn:aws:ecr:{upstream}"
    assert write["Resource"] == f"arn:aws:ecr:{REGION}:{CONSUMER}:{own}"
    assert (token["Action"], token["Resource"]) == ("ecr:GetAuthorizationToken", "*")


@pytest.mark.parametrize(
    ("options", "prefixes", "names"),
    [
        ({}, ["release"], ["release*"]),
        ({}, ["b1", "a1"], ["b1*", "a1*"]),
        ({"upstream_prefix": "team"}, ["team/app", "te"], ["team/app*", "team/*"]),
        ({"upstream_prefix": "team"}, ["team", "team/"], ["team/*"]),
    ],
)
def test_prefixes_limit_the_role(options: dict[str, Any], prefixes: list[str], names: list[str]) -> None:
    declared = dataclasses.replace(role(**options), prefixes=tuple(prefixes))
    assert list(declared.problems()) == []
    read, write, _token = declared.permissions(REGISTRY)["Statement"]
    listed = [f"arn:aws:ecr:{REGION}:{OWNER}:repository/{name}" for name in names]
    assert read["Resource"] == (listed[0] if len(listed) == 1 else listed)
    assert write == role(**options).permissions(REGISTRY)["Statement"][1]


@pytest.mark.parametrize(
    ("options", "prefixes", "starts"),
    [
        ({}, [], ["prefixes is an empty list."]),
        ({}, ["a*"], ["prefixes: 'a*' is not a valid prefix"]),
        ({}, [""], ["prefixes: '' is not a valid prefix"]),
        (
            {"upstream_prefix": "team"},
            ["release", "team-b", "team/a"],
            ["prefixes: release selects no repository below upstream_prefix team.", "prefixes: team-b selects no"],
        ),
    ],
)
def test_prefixes_of_a_role_are_checked(options: dict[str, Any], prefixes: list[str], starts: list[str]) -> None:
    declared = dataclasses.replace(role(**options), prefixes=tuple(prefixes))
    problems = list(declared.problems())
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts)
    assert list(dataclasses.replace(declared, is_present=False).problems()) == []


def plan(before: RoleState, declared: CacheRoleDeclaration) -> tuple[RolePlan, list[str]]:
    problems = Problems()
    return plan_cache_role(before, declared, REGISTRY, problems), problems.found


def test_role_is_created_and_deleted() -> None:
    created, problems = plan(RoleState(), role())
    tags = {"managed-by": "crossaccount.ecr-cache", "crossaccount.ecr-cache": f"{REGION}/cache"}
    assert problems == []
    assert created.after.trust == {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Allow",
                "Principal": {"Service": "pullthroughcache.ecr.amazonaws.com"},
                "Action": "sts:AssumeRole",
            }
        ],
    }
    assert created.after.permissions == role().permissions(REGISTRY)
    assert (created.after.role_tags, created.after.policy_tags, created.after.attached) == (tags, tags, True)
    assert plan(created.after, role()) == (RolePlan(created.after, created.after, []), [])
    deleted, problems = plan(created.after, dataclasses.replace(role(), is_present=False))
    assert (deleted.after, bool(deleted.steps), problems) == (RoleState(), True, [])


def test_problems_of_a_planned_role() -> None:
    _plan, problems = plan(RoleState(role_exists=True, path="/team/"), role(upstream_account=CONSUMER))
    parts = ["is the registry of the cache itself", "has the path /team/", "is not tagged managed-by"]
    assert [part in problem for part, problem in zip(parts, problems)] == [True] * len(problems) == [True] * 3


def test_role_of_others_and_pull_role_are_protected() -> None:
    pull_role = {"managed-by": "crossaccount.ecr"}
    for tags, is_ours in (({}, False), (pull_role, False), ({"Managed-By": "crossaccount.ecr-cache"}, True)):
        trust = {"Statement": [{"Effect": "Allow", "Principal": {"AWS": OWNER}, "Action": "sts:AssumeRole"}]}
        before = RoleState(role_exists=True, trust=trust, role_tags=tags)
        problems = Problems()
        plan_cache_role(before, role(), REGISTRY, problems)
        assert (problems.found == []) is is_ours
    assert "is not tagged managed-by=crossaccount.ecr-cache" in problems_of_removal(pull_role)


def problems_of_removal(tags: dict[str, str]) -> str:
    absent, problems = CacheRoleDeclaration("ecr-cache", "ecr-cache", is_present=False, cache=cache()), Problems()
    plan_cache_role(RoleState(role_exists=True, role_tags=tags), absent, REGISTRY, problems)
    return "".join(problems.found)


@pytest.mark.parametrize("is_present", [True, False])
def test_role_of_another_cache_is_protected(is_present: bool) -> None:
    ours = {"managed-by": "crossaccount.ecr-cache"}
    for cached, adopt, is_refused in (
        (f"{REGION}/cache", False, False),
        (f"{REGION}/other", False, True),
        ("us-east-1/cache", False, True),
        ("us-east-1/cache", True, False),
    ):
        before = RoleState(role_exists=True, role_tags={**ours, "crossaccount.ecr-cache": cached})
        declared, problems = dataclasses.replace(role(), is_present=is_present, adopt=adopt), Problems()
        plan_cache_role(before, declared, REGISTRY, problems)
        assert [one.startswith(f"Role ecr-cache is the role of the cache {cached}") for one in problems.found] == (
            [True] if is_refused else []
        )
