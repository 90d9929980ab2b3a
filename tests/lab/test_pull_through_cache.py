# SPDX-License-Identifier: GPL-3.0-or-later
"""The rules of a pull through cache."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, document, refusal, trust

SERVICE = "pullthroughcache.ecr.amazonaws.com"
UPSTREAM = f"{accounts.OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com"
PUBLIC = {"ecrRepositoryPrefix": "public", "upstreamRegistryUrl": "public.ecr.aws"}
NAMED = {"ecrRepositoryPrefix": "public"}
PLACE = f"in the registry with id '{accounts.CONSUMER}'"
ECR = document({"Effect": "Allow", "Principal": {"Service": SERVICE}, "Action": "sts:AssumeRole"})


@pytest.fixture(scope="module")
def account(lab: Lab) -> Account:
    return Account(lab, "consumer-administrator")


@pytest.fixture
def ecr(account: Account) -> Iterator[Any]:
    """The client of the account. The test leaves no rule behind."""
    client = account.lab.client(account.profile, "ecr")
    yield client
    for rule in client.describe_pull_through_cache_rules()["pullThroughCacheRules"]:
        client.delete_pull_through_cache_rule(ecrRepositoryPrefix=rule["ecrRepositoryPrefix"])


def test_rule_for_the_registry_of_another_account(ecr: Any, account: Account) -> None:
    options = {"ecrRepositoryPrefix": "theirs", "customRoleArn": account.role(ECR, allow("ecr:*"))}
    made = ecr.create_pull_through_cache_rule(
        **options, upstreamRegistryUrl=UPSTREAM, upstreamRepositoryPrefix="release"
    )
    assert (made["registryId"], made["upstreamRegistry"]) == (accounts.CONSUMER, "ecr")
    (rule,) = ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"]
    assert rule.items() >= {**options, "upstreamRegistryUrl": UPSTREAM, "upstreamRepositoryPrefix": "release"}.items()
    assert ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="theirs")["isValid"] is True
    other = account.role(trust(account.id), allow("ecr:*"))
    changed = ecr.update_pull_through_cache_rule(ecrRepositoryPrefix="theirs", customRoleArn=other)
    assert changed["customRoleArn"] == other
    checked = ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix="theirs")
    assert (checked["isValid"], checked["failure"]) == (False, "Amazon ECR cannot assume the custom role.")
    assert ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix="theirs")["customRoleArn"] == other
    assert ecr.describe_pull_through_cache_rules()["pullThroughCacheRules"] == []


def test_rules_come_in_pages_or_by_prefix(ecr: Any) -> None:
    for number in range(5):
        ecr.create_pull_through_cache_rule(**{**PUBLIC, "ecrRepositoryPrefix": f"public{number}"})
    pages = list(ecr.get_paginator("describe_pull_through_cache_rules").paginate(PaginationConfig={"PageSize": 2}))
    assert [len(page["pullThroughCacheRules"]) for page in pages] == [2, 2, 1]
    (found,) = ecr.describe_pull_through_cache_rules(ecrRepositoryPrefixes=["public3"])["pullThroughCacheRules"]
    assert found["ecrRepositoryPrefix"] == "public3"


def test_absent_and_existing_rules_are_named(ecr: Any) -> None:
    absent = (
        "PullThroughCacheRuleNotFoundException",
        f"Pull through cache rule with prefix 'public' does not exist {PLACE}",
    )
    assert refusal(ecr.describe_pull_through_cache_rules, ecrRepositoryPrefixes=["public"]) == absent
    assert refusal(ecr.delete_pull_through_cache_rule, **NAMED) == absent
    assert refusal(ecr.validate_pull_through_cache_rule, **NAMED) == absent
    ecr.create_pull_through_cache_rule(**PUBLIC)
    assert refusal(ecr.create_pull_through_cache_rule, **PUBLIC) == (
        "PullThroughCacheRuleAlreadyExistsException",
        f"Pull through cache rule with prefix 'public' already exists {PLACE}",
    )


def test_rule_that_is_not_valid_is_refused(ecr: Any) -> None:
    assert refusal(ecr.create_pull_through_cache_rule, **NAMED, upstreamRegistryUrl="registry.example.com") == (
        "UnsupportedUpstreamRegistryException",
        "The specified upstream registry isn't supported.",
    )
    code, message = refusal(ecr.create_pull_through_cache_rule, **{**PUBLIC, "ecrRepositoryPrefix": "Public"})
    assert code == "InvalidParameterException"
    assert message.startswith("Invalid parameter at 'ecrRepositoryPrefix' failed to satisfy constraint: 'must satisfy")
    assert refusal(ecr.update_pull_through_cache_rule, **NAMED) == (
        "InvalidParameterException",
        "Invalid input: Please set either credential arn or role arn to update the credential",
    )


def test_calls_need_permission_in_the_identity_policy(account: Account) -> None:
    reader, role = account.user("ecr", allow("ecr:Get*")), account.role(ECR, allow("ecr:*"))
    calls = {"Create": PUBLIC, "Update": NAMED, "Validate": NAMED, "Delete": NAMED}
    for verb, options in calls.items():
        call = getattr(reader, f"{verb.lower()}_pull_through_cache_rule")
        end = f"because no identity-based policy allows the ecr:{verb}PullThroughCacheRule action"
        assert denial(call, **options) == end
    listing = denial(reader.describe_pull_through_cache_rules)
    assert listing == "because no identity-based policy allows the ecr:DescribePullThroughCacheRules action"
    user = account.user("ecr", allow("ecr:CreatePullThroughCacheRule"))
    passing = denial(user.create_pull_through_cache_rule, **PUBLIC, customRoleArn=role)
    assert passing == "because no identity-based policy allows the iam:PassRole action"


def test_first_rule_of_an_account_needs_its_service_linked_role(lab: Lab) -> None:
    account = Account(lab, "fifth-administrator")
    user = account.user("ecr", allow("ecr:*"))
    expected = "because no identity-based policy allows the iam:CreateServiceLinkedRole action"
    assert denial(user.create_pull_through_cache_rule, **PUBLIC) == expected
    ecr = lab.client("fifth-administrator", "ecr")
    ecr.create_pull_through_cache_rule(**PUBLIC)
    role = account.iam.get_role(RoleName="AWSServiceRoleForECRPullThroughCache")["Role"]
    assert role["Path"] == f"/aws-service-role/{SERVICE}/"
    user.delete_pull_through_cache_rule(**NAMED)
    assert denial(user.create_pull_through_cache_rule, **PUBLIC) == ""
    ecr.delete_pull_through_cache_rule(**NAMED)


def test_registry_policy_decides_about_rules_of_another_account(lab: Lab, ecr: Any) -> None:
    owner = lab.client("owner", "ecr")
    theirs = {"registryId": accounts.OWNER}
    end = "because no resource-based policy allows the ecr:DescribePullThroughCacheRules action"
    assert denial(ecr.describe_pull_through_cache_rules, **theirs) == end
    owner.create_pull_through_cache_rule(**PUBLIC)
    everyone = {"AWS": accounts.CONSUMER}
    only = allow("ecr:*", Principal=everyone, Resource=f"arn:aws:ecr:*:{accounts.OWNER}:repository/*")
    owner.put_registry_policy(policyText=document(only))
    assert denial(ecr.describe_pull_through_cache_rules, **theirs) == end
    owner.put_registry_policy(policyText=document(allow("ecr:Describe*", Principal=everyone)))
    (rule,) = ecr.describe_pull_through_cache_rules(**theirs)["pullThroughCacheRules"]
    assert rule["registryId"] == accounts.OWNER
    owner.delete_registry_policy()
    owner.delete_pull_through_cache_rule(**NAMED)
