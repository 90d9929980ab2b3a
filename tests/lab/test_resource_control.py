# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource control policies limit access to the repositories and the roles of a member of an organization."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import RELEASE, Account, Organization, Statement, allow, denial, deny, document, refusal, trust

KIND = "RESOURCE_CONTROL_POLICY"
NAMED = {"repositoryName": "release"}
OF_OWNER = {"registryId": accounts.OWNER, **NAMED}
IN_ORGANIZATION = "with an explicit deny in a resource control policy"
TAG = {"tags": [{"Key": "environment", "Value": "release"}]}


@pytest.fixture(scope="module")
def organization(lab: Lab) -> Organization:
    """The owner is a member, the consumer is not."""
    made = Organization(lab, KIND)
    made.client.enable_policy_type(RootId=made.root, PolicyType=KIND)
    made.join("owner")
    return made


def refuse(*actions: str, **more: Any) -> Statement:
    return deny(*actions, Principal="*", **more)


@pytest.mark.parametrize("level", ["account", "root"])
def test_explicit_deny_names_the_policy(lab: Lab, organization: Organization, level: str) -> None:
    ecr, target = lab.client("owner", "ecr"), {"account": accounts.OWNER, "root": organization.root}[level]
    with organization.policy(target, refuse("ecr:ListImages")) as arn:
        assert denial(ecr.list_images, **NAMED) == f"{IN_ORGANIZATION}: {arn}"
        assert not denial(ecr.describe_images, **NAMED)
        management = lab.client("stranger-administrator", "ecr")
        assert refusal(management.list_images, **NAMED)[0] == "RepositoryNotFoundException"
    assert not denial(ecr.list_images, **NAMED)


def test_policy_limits_principals_of_other_accounts(lab: Lab, organization: Organization) -> None:
    owner, consumer = lab.client("owner", "ecr"), lab.client("consumer-administrator", "ecr")
    owner.put_registry_policy(policyText=document(allow("ecr:*", Principal={"AWS": accounts.CONSUMER})))
    described = organization.client.describe_organization()["Organization"]["Id"]
    outside = {"Condition": {"StringNotEqualsIfExists": {"aws:PrincipalOrgID": described}}}
    assert not denial(consumer.list_images, **OF_OWNER)
    with organization.policy(accounts.OWNER, refuse("ecr:*", **outside)):
        assert denial(consumer.list_images, **OF_OWNER) == IN_ORGANIZATION
        assert not denial(owner.list_images, **NAMED)
    owner.delete_registry_policy()


def test_policy_decides_who_sets_the_sharing_tag(lab: Lab, organization: Organization) -> None:
    owner, user = lab.client("owner", "ecr"), Account(lab).user("ecr", allow("ecr:*"))
    administrator = f"arn:aws:iam::{accounts.OWNER}:user/administrator"
    condition = {
        "ArnNotEquals": {"aws:PrincipalArn": administrator},
        "ForAnyValue:StringEquals": {"aws:TagKeys": "environment"},
    }
    with organization.policy(accounts.OWNER, refuse("ecr:TagResource", "ecr:CreateRepository", Condition=condition)):
        assert denial(user.tag_resource, resourceArn=RELEASE, **TAG).startswith(IN_ORGANIZATION)
        assert denial(user.create_repository, repositoryName="another", **TAG).startswith(IN_ORGANIZATION)
        assert not denial(owner.tag_resource, resourceArn=RELEASE, **TAG)
        assert not denial(user.create_repository, repositoryName="another")


def test_policy_denies_that_a_role_is_assumed(lab: Lab, organization: Organization) -> None:
    role = Account(lab).role(trust(accounts.CONSUMER, accounts.OWNER), allow("*"))
    call = lab.client("consumer-administrator", "sts").assume_role
    with organization.policy(accounts.OWNER, refuse("sts:AssumeRole")):
        assert refusal(call, RoleArn=role, RoleSessionName="any")[0] == "AccessDenied"
    assert call(RoleArn=role, RoleSessionName="any")["Credentials"]
