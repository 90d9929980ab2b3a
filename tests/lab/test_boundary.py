# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions boundaries and tag keys decide in the lab as they do on AWS."""

from __future__ import annotations

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import PREFIX, RELEASE, Account, allow, denial, document, trust

REQUIRED, OTHER = f"{PREFIX}policy/required", f"{PREFIX}policy/other"
TRUST = trust(accounts.OWNER)
ANYTHING = document(allow("*"))


@pytest.fixture(scope="module")
def account(lab: Lab) -> Account:
    """The owner account with two policies that serve as boundaries."""
    created = Account(lab)
    for arn in (REQUIRED, OTHER):
        name = arn.rpartition("/")[2]
        created.iam.create_policy(PolicyName=name, PolicyDocument=document(allow("ecr:DescribeRepositories")))
    return created


def test_boundary_in_the_request_is_the_condition_key(account: Account) -> None:
    condition = {"StringEquals": {"iam:PermissionsBoundary": REQUIRED}}
    kinds = ("Role", "User")
    actions = [f"iam:Create{kind}" for kind in kinds] + [f"iam:Put{kind}PermissionsBoundary" for kind in kinds]
    iam = account.user("iam", allow(*actions, Condition=condition))
    new_role = {"RoleName": "in-request", "AssumeRolePolicyDocument": TRUST}
    for create, put, arguments in (
        (iam.create_role, iam.put_role_permissions_boundary, new_role),
        (iam.create_user, iam.put_user_permissions_boundary, {"UserName": "in-request"}),
    ):
        name = {key: value for key, value in arguments.items() if key.endswith("Name")}
        assert denial(create, **arguments).startswith("because no identity-based policy allows the iam:Create")
        assert denial(create, **arguments, PermissionsBoundary=OTHER)
        assert not denial(create, **arguments, PermissionsBoundary=REQUIRED)
        assert denial(put, **name, PermissionsBoundary=OTHER)
        assert not denial(put, **name, PermissionsBoundary=REQUIRED)


@pytest.mark.parametrize("kind", ["role", "user"])
def test_boundary_of_the_entity_is_the_condition_key(account: Account, kind: str) -> None:
    title = kind.title()
    verbs = ("Put{}Policy", "Delete{}Policy", "Attach{}Policy", "Detach{}Policy", "Delete{}PermissionsBoundary")
    actions = [f"iam:{verb.format(title)}" for verb in verbs]
    iam = account.user("iam", allow(*actions, Condition={"StringEquals": {"iam:PermissionsBoundary": REQUIRED}}))
    for number, boundary in enumerate((None, OTHER, REQUIRED)):
        name = {f"{title}Name": f"of-{kind}-{number}"}
        options = {"PermissionsBoundary": boundary} if boundary else {}
        trust = {"AssumeRolePolicyDocument": TRUST} if kind == "role" else {}
        getattr(account.iam, f"create_{kind}")(**name, **trust, **options)
        inline, managed = {"PolicyName": "inline"}, {"PolicyArn": OTHER}
        denials = [
            denial(getattr(iam, f"put_{kind}_policy"), **name, **inline, PolicyDocument=ANYTHING),
            denial(getattr(iam, f"delete_{kind}_policy"), **name, **inline),
            denial(getattr(iam, f"attach_{kind}_policy"), **name, **managed),
            denial(getattr(iam, f"detach_{kind}_policy"), **name, **managed),
            denial(getattr(iam, f"delete_{kind}_permissions_boundary"), **name),
        ]
        assert [bool(sentence) for sentence in denials] == [boundary != REQUIRED] * len(denials)


def test_denials_name_the_boundary_or_the_session_policy(account: Account) -> None:
    tags, read = "ecr:ListTagsForResource", {"resourceArn": RELEASE}
    bounded = account.user("ecr", allow("*"), boundary=REQUIRED)
    assert not denial(bounded.describe_repositories)
    reason = f"because no permissions boundary allows the {tags} action"
    assert denial(bounded.list_tags_for_resource, **read) == reason
    unbounded = account.user("ecr", allow("ecr:DescribeRepositories"), boundary=REQUIRED)
    reason = f"because no identity-based policy allows the {tags} action"
    assert denial(unbounded.list_tags_for_resource, **read) == reason

    account.iam.create_role(RoleName="limited", AssumeRolePolicyDocument=TRUST)
    account.iam.put_role_policy(RoleName="limited", PolicyName="all", PolicyDocument=ANYTHING)
    session = account.lab.assume("owner", "ecr", "limited", Policy=document(allow("ecr:DescribeRepositories")))
    assert denial(session.list_tags_for_resource, **read) == f"because no session policy allows the {tags} action"


def test_keys_of_tags_are_a_condition_key_of_every_way_to_tag(account: Account) -> None:
    condition = {"ForAllValues:StringEquals": {"aws:TagKeys": ["mine"]}, "Null": {"aws:TagKeys": "false"}}
    statements = [
        allow("ecr:TagResource", "ecr:UntagResource", Condition=condition),
        allow("tag:TagResources", "tag:UntagResources"),
    ]
    ecr, tagging = account.user("ecr", *statements), account.user("resourcegroupstaggingapi", *statements)
    for keys in (["mine"], ["theirs"], ["mine", "theirs"], ["Mine"]):
        allowed, release = keys == ["mine"], {"ResourceARNList": [RELEASE]}
        tags = [{"Key": key, "Value": "x"} for key in keys]
        assert allowed != bool(denial(ecr.tag_resource, resourceArn=RELEASE, tags=tags)), keys
        assert allowed != bool(denial(ecr.untag_resource, resourceArn=RELEASE, tagKeys=keys)), keys
        for reply in (
            tagging.tag_resources(**release, Tags=dict.fromkeys(keys, "x")),
            tagging.untag_resources(**release, TagKeys=keys),
        ):
            assert allowed != bool(reply["FailedResourcesMap"]), keys
