# SPDX-License-Identifier: GPL-3.0-or-later
"""ecr_cache_info: the problems of both accounts are reported together, and objects of others are kept."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_info import CACHE_INFO_ARGUMENTS, cache_info

from tests.lab import accounts
from tests.lab.clients import Account, allow, document, trust
from tests.support.cache_registries import POLICY, ROLE, Registries
from tests.support.consumer_side import here
from tests.support.control import Control
from tests.support.lab import Lab

SID = f"CrossaccountEcrCache{accounts.CONSUMER}"
MARK = f"crossaccount.ecr: cache of account {accounts.OWNER}"
PURPOSE = "PULL_THROUGH_CACHE"
#: Statements of others that leave no space in the registry policy.
LONG = allow(
    "ecr:ListImages",
    Sid="long",
    Principal={"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"},
    Resource=[f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/{'x' * 200}{number}" for number in range(38)],
)
THEIRS = allow("ecr:BatchGetImage", Sid=SID, Principal={"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"})


@pytest.fixture
def registries(lab: Lab) -> Iterator[Registries]:
    found = Registries(lab)
    found.reset()
    yield found
    found.end()


def info(control: Control, **options: Any) -> dict[str, Any]:
    """The result of the module in this process. It writes nothing."""
    declared = {
        "account": accounts.CONSUMER,
        "upstream_account": accounts.OWNER,
        "profile": "consumer-administrator",
        "upstream_profile": "owner",
        "name": ROLE,
        "prefix": "cache",
        "prefixes": ["release"],
        **options,
    }
    mark = len(control.lab.calls())
    result = here(control, declared, CACHE_INFO_ARGUMENTS, cache_info)
    assert control.lab.writes_since(mark) == []
    return result


def occupy(registries: Registries) -> None:
    """Other programs have an object with each name that the cache uses."""
    iam, policy = registries.iam, document(allow("s3:ListAllMyBuckets"))
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trust(accounts.STRANGER))
    iam.create_policy(PolicyName=ROLE, PolicyDocument=policy)
    registries.consumer.create_repository_creation_template(prefix="cache", appliedFor=["REPLICATION"])
    registries.consumer.create_pull_through_cache_rule(
        ecrRepositoryPrefix="cache/team", upstreamRegistryUrl="public.ecr.aws"
    )
    registries.owner.put_registry_policy(policyText=document(LONG, THEIRS))


def test_problems_of_both_accounts_are_reported_together(control: Control, registries: Registries) -> None:
    occupy(registries)
    found = info(control, template={})["problems"]
    parts = [
        f"Role {ROLE} exists, is not tagged managed-by=crossaccount.ecr-cache",
        f"Policy {ROLE} exists, is not tagged managed-by=crossaccount.ecr-cache",
        "Repository creation template cache was not created by a cache of account 111111111111",
        "which caches public.ecr.aws, overlaps with the declared prefix cache.",
        f"Statement {SID} of the registry policy is not one that accepts a cache of account {accounts.CONSUMER}",
        "The registry policy would have 10,",
    ]
    assert [part in problem for part, problem in zip(parts, found)] == [True] * len(parts) == [True] * len(found), found
    adopted = info(control, template={}, adopt=True)["problems"]
    assert [parts[3] in adopted[0], parts[5] in adopted[1], len(adopted)] == [True, True, 2], adopted


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"upstream_profile": "missing"}, ["Account 111111111111: Profile missing does not exist", "overlaps with"]),
        ({"profile": "missing"}, ["Account 222222222222: Profile missing does not exist", f"Statement {SID}"]),
        (
            {"profile": "owner", "upstream_profile": "stranger"},
            ["belong to account 111111111111", "belong to account 333333333333, but the declared upstream account is"],
        ),
        (
            {"region": "ap-east-1"},
            ["Account 222222222222: GetCallerIdentity: ", "Account 111111111111: ", "or the region is not enabled"],
        ),
        (
            {"upstream_account": accounts.CONSUMER},
            ["is the registry of the cache itself"],
        ),
        (
            {
                **{"prefix": "A", "upstream_region": "mars", "wait_interval": -1, "sid": "a b", "prefixes": []},
                "template": {"tags": {"aws:a": "b"}},
            },
            [
                "prefix 'A'",
                "upstream_region: 'mars'",
                "sid 'a b'",
                "prefixes is empty",
                "template: tags",
                "wait_interval",
            ],
        ),
    ],
)
def test_one_side_does_not_hide_the_other(
    control: Control, registries: Registries, options: dict[str, Any], parts: list[str]
) -> None:
    occupy(registries)
    found = info(control, **{"adopt": "profile" not in options, **options})["problems"]
    assert [any(part in problem for problem in found) for part in parts] == [True] * len(parts), found


def test_denied_reads_are_reported_together(control: Control, registries: Registries) -> None:
    owner = Account(control.lab).role(trust(accounts.OWNER), allow("sts:GetCallerIdentity"))
    consumer = Account(control.lab, "consumer-administrator").role(trust(accounts.CONSUMER), allow("ecr:ListImages"))
    roles = {"assume_role_arn": consumer, "upstream_assume_role_arn": owner}
    found = info(control, template={}, **roles)["problems"]
    # The reads of the role are concurrent, so either of them is denied first.
    actions = ("Get(Role|Policy)", "DescribeRepositoryCreationTemplates", "DescribePullThrough", "GetRegistryPolicy")
    assert len(found) == len(actions), found
    for action, problem in zip(actions, found):
        assert re.search(action, problem), found


@pytest.mark.parametrize(
    ("description", "purposes", "expected"),
    [
        (MARK, [PURPOSE], {"state": "absent"}),
        (MARK, [PURPOSE, "CREATE_ON_PUSH"], {"state": "present", "applied_for": ["CREATE_ON_PUSH"], "description": ""}),
        ("theirs", [PURPOSE], None),
        (MARK.replace("1", "3"), [PURPOSE], None),
    ],
)
def test_the_end_deletes_its_own_template_only(
    control: Control,
    registries: Registries,
    description: str,
    purposes: list[str],
    expected: dict[str, Any] | None,
) -> None:
    registries.consumer.create_repository_creation_template(
        prefix="cache", description=description, appliedFor=purposes
    )
    (planned,) = info(control, state="absent")["templates"] or [None]
    assert (planned and {name: planned[name] for name in expected or ()}) == expected
    assert info(control, state="absent", side="owner")["templates"] == []


def test_rule_with_the_role_of_another_program_is_kept(control: Control, registries: Registries) -> None:
    other = Account(control.lab, "consumer-administrator").role(trust(accounts.CONSUMER), allow("ecr:ListImages"))
    registries.consumer.create_pull_through_cache_rule(
        ecrRepositoryPrefix="cache",
        upstreamRegistryUrl=f"{accounts.OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com",
        upstreamRepositoryPrefix="ROOT",
        customRoleArn=other,
    )
    for state in ("present", "absent"):
        (problem,) = info(control, state=state)["problems"]
        assert f"has {other} as its custom_role_arn, not arn:aws:iam::{accounts.CONSUMER}:role/{ROLE}." in problem
        assert "problems" not in info(control, state=state, adopt=True)


def test_one_side_is_planned_without_the_other(control: Control, registries: Registries) -> None:
    owner = info(control, side="owner", profile="missing", region=accounts.REGION)
    assert (owner["role_arn"], owner["upstream_region"]) == ("", accounts.REGION)
    consumer = info(control, side="consumer", upstream_profile="missing", upstream_region="eu-west-1")
    assert consumer["role_arn"] == POLICY.replace(":policy/", ":role/")
    assert consumer["upstream_region"] == "eu-west-1"
    sides = [(found["owner"], found["consumer"], found["other_side"]) for found in (owner, consumer)]
    assert sides == [(True, False, "consumer"), (False, True, "owner")]
