# SPDX-License-Identifier: GPL-3.0-or-later
"""Service control policies limit the members of an organization as on AWS, and denials name them."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import RELEASE, Account, Organization, allow, denial, deny, document, refusal, trust

IN_ORGANIZATION = "with an explicit deny in a service control policy"
NAMED = {"repositoryName": "release"}


@pytest.fixture(scope="module")
def organization(lab: Lab) -> Organization:
    """The owner is a member, the consumer is not."""
    made = Organization(lab)
    made.join("owner")
    return made


@pytest.mark.parametrize("level", ["account", "root"])
def test_explicit_deny_names_the_policy(lab: Lab, organization: Organization, level: str) -> None:
    ecr, target = lab.client("owner", "ecr"), {"account": accounts.OWNER, "root": organization.root}[level]
    with organization.policy(target, deny("ecr:ListImages")) as arn:
        assert arn.startswith("arn:aws:organizations::")
        assert denial(ecr.list_images, **NAMED) == f"{IN_ORGANIZATION}: {arn}"
        assert not denial(ecr.describe_images, **NAMED)
        assert not denial(lab.client("stranger-administrator", "ecr").describe_repositories)
    assert not denial(ecr.list_images, **NAMED)


def test_session_of_a_role_is_limited_by_the_account_of_the_role(lab: Lab, organization: Organization) -> None:
    name = Account(lab).role(trust(accounts.CONSUMER), allow("*")).rpartition("/")[2]
    with organization.policy(accounts.OWNER, {**deny("ecr:BatchGetImage"), "Resource": RELEASE}) as arn:
        session = lab.assume("consumer", "ecr", name)
        images = {"imageIds": [{"imageTag": accounts.IMAGE_TAG}]}
        assert denial(session.batch_get_image, **NAMED, **images) == f"{IN_ORGANIZATION}: {arn}"
        assert not denial(session.batch_get_image, repositoryName="develop", **images)


def test_every_level_has_to_allow_a_call(lab: Lab, organization: Organization) -> None:
    full, ecr = "p-FullAWSAccess", lab.client("owner", "ecr")
    with organization.policy(accounts.OWNER, allow("ecr:DescribeImages")):
        organization.client.detach_policy(PolicyId=full, TargetId=accounts.OWNER)
        expected = "because no service control policy allows the ecr:ListImages action"
        assert denial(ecr.list_images, **NAMED) == expected
        assert not denial(ecr.describe_images, **NAMED)
        organization.client.attach_policy(PolicyId=full, TargetId=accounts.OWNER)
    assert not denial(ecr.list_images, **NAMED)


def test_organizational_unit_is_a_level(lab: Lab, organization: Organization) -> None:
    ecr, client = lab.client("owner", "ecr"), organization.client
    created = client.create_organizational_unit(ParentId=organization.root, Name="unit")["OrganizationalUnit"]["Id"]
    with organization.policy(created, deny("ecr:ListImages")) as arn:
        assert not denial(ecr.list_images, **NAMED)
        move: dict[str, str] = {"AccountId": accounts.OWNER, "SourceParentId": organization.root}
        client.move_account(**move, DestinationParentId=created)
        assert denial(ecr.list_images, **NAMED) == f"{IN_ORGANIZATION}: {arn}"
        assert not denial(ecr.describe_images, **NAMED)
        client.move_account(AccountId=accounts.OWNER, SourceParentId=created, DestinationParentId=organization.root)
    assert not denial(ecr.list_images, **NAMED)


def test_path_of_an_account_is_a_condition_key(lab: Lab, organization: Organization) -> None:
    """A role trusts everyone below a unit. The account joins the unit, a unit below it, and leaves both."""
    client, sts = organization.client, lab.client("owner", "sts")
    description = client.describe_organization()["Organization"]
    upper, below = f"{description['Id']}/{organization.root}", organization.root
    units = []
    for name in ("upper", "lower"):
        below = client.create_organizational_unit(ParentId=below, Name=name)["OrganizationalUnit"]["Id"]
        units.append(below)
    condition = {
        "StringEquals": {"aws:PrincipalOrgID": description["Id"]},
        "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{upper}/{units[0]}/*"},
    }
    statement = {**allow("sts:AssumeRole", Condition=condition), "Principal": {"AWS": "*"}}
    del statement["Resource"]
    role = Account(lab, "consumer-administrator").role(document(statement), allow("*"))
    arguments = {"RoleArn": role, "RoleSessionName": "any"}
    outcomes, place = [], organization.root
    for target in (*units, organization.root):
        outcomes.append(refusal(sts.assume_role, **arguments)[0])
        client.move_account(AccountId=accounts.OWNER, SourceParentId=place, DestinationParentId=target)
        place = target
    assert [*outcomes, refusal(sts.assume_role, **arguments)[0]] == ["AccessDenied", "", "", "AccessDenied"]
    outside = lab.client("consumer-administrator", "sts").assume_role
    assert refusal(outside, **arguments)[0] == "AccessDenied"  # it is in no organization


def test_assuming_a_role_is_limited_by_the_account_of_the_caller(lab: Lab, organization: Organization) -> None:
    """The role of another organization does not reveal the policy; that of the same organization does."""
    foreign = Account(lab, "consumer-administrator").role(trust(accounts.OWNER), allow("*"))
    own = Account(lab).role(trust(accounts.OWNER), allow("*"))
    sts = lab.client("owner", "sts")
    with organization.policy(accounts.OWNER, deny("sts:AssumeRole")) as arn:
        for role, sentence in ((foreign, IN_ORGANIZATION), (own, f"{IN_ORGANIZATION}: {arn}")):
            assert denial(sts.assume_role, RoleArn=role, RoleSessionName="any") == sentence
    assert sts.assume_role(RoleArn=foreign, RoleSessionName="any")["Credentials"]


def test_policy_of_a_repository_does_not_lift_the_limit(lab: Lab, organization: Organization) -> None:
    ecr = lab.client("owner", "ecr")
    statement = allow("ecr:ListImages", Principal={"AWS": f"arn:aws:iam::{accounts.OWNER}:user/administrator"})
    del statement["Resource"]
    ecr.set_repository_policy(**NAMED, policyText=document(statement))
    with organization.policy(accounts.OWNER, deny("ecr:ListImages")):
        assert denial(ecr.list_images, **NAMED).startswith(IN_ORGANIZATION)
    ecr.delete_repository_policy(**NAMED)


def test_member_belongs_to_the_organization(lab: Lab, organization: Organization) -> None:
    described = organization.client.describe_organization()["Organization"]
    member = lab.client("owner", "organizations")
    assert member.describe_organization()["Organization"] == described
    assert refusal(member.list_accounts) == (
        "AccessDeniedException",
        "You don't have permissions to access this resource.",
    )
    listed = {account["Id"]: account for account in organization.client.list_accounts()["Accounts"]}
    assert listed.keys() == {accounts.STRANGER, accounts.OWNER}
    assert (listed[accounts.OWNER]["State"], listed[accounts.OWNER]["Status"]) == ("ACTIVE", "ACTIVE")
    assert listed[accounts.OWNER]["Paths"] == [f"{described['Id']}/{organization.root}/{accounts.OWNER}/"]
    of_organization: Any = {"Condition": {"StringEquals": {"aws:PrincipalOrgID": described["Id"]}}}
    assert not denial(Account(lab).user("ecr", allow("ecr:ListImages", **of_organization)).list_images, **NAMED)
    outside = Account(lab, "consumer-administrator").user("ecr", allow("ecr:DescribeRepositories", **of_organization))
    assert denial(outside.describe_repositories)


def test_invitation_of_another_account_cannot_be_accepted(lab: Lab, organization: Organization) -> None:
    target = {"Id": accounts.CONSUMER, "Type": "ACCOUNT"}
    handshake = organization.client.invite_account_to_organization(Target=target)["Handshake"]["Id"]
    owner = lab.client("owner", "organizations")
    assert refusal(owner.accept_handshake, HandshakeId=handshake)[0] == "HandshakeNotFoundException"
