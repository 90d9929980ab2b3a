# SPDX-License-Identifier: GPL-3.0-or-later
"""`GetAccountAuthorizationDetails` returns what AWS returns."""

from __future__ import annotations

import datetime
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, document, refusal, trust

KINDS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}
READ_ONLY, BOUNDARY = (f"arn:aws:iam::aws:policy/{name}" for name in ("ReadOnlyAccess", "PowerUserAccess"))
TAGS = [{"Key": "team", "Value": "a b"}]


@pytest.fixture(scope="module")
def account(lab: Lab) -> Account:
    """An account that has a user in a group, a role and a policy."""
    found = Account(lab, "stranger-administrator")
    iam, policy = found.iam, found.policy(allow("ecr:*"))
    iam.create_group(GroupName="team")
    iam.put_group_policy(GroupName="team", PolicyName="exactly", PolicyDocument=document(allow("sts:*")))
    iam.attach_group_policy(GroupName="team", PolicyArn=policy)
    iam.create_user(UserName="member", PermissionsBoundary=policy, Tags=TAGS, Path="/people/")
    iam.put_user_policy(UserName="member", PolicyName="exactly", PolicyDocument=document(allow("iam:*")))
    iam.add_user_to_group(GroupName="team", UserName="member")
    trusted = trust(accounts.OWNER, found.id)
    iam.create_role(
        RoleName="reader", AssumeRolePolicyDocument=trusted, PermissionsBoundary=BOUNDARY, Tags=TAGS, Path="/team/"
    )
    iam.put_role_policy(RoleName="reader", PolicyName="exactly", PolicyDocument=document(allow("ecr:Get*")))
    iam.attach_role_policy(RoleName="reader", PolicyArn=READ_ONLY)
    iam.create_policy_version(PolicyArn=policy, PolicyDocument=document(allow("ecr:Describe*")), SetAsDefault=True)
    return found


def details(account: Account, *kinds: str) -> dict[str, list[Any]]:
    reply = account.iam.get_account_authorization_details(**({"Filter": list(kinds)} if kinds else {}))
    assert not reply["IsTruncated"]
    return {name: reply[name] for name in set(KINDS.values())}


def the(found: list[dict[str, Any]], **wanted: str) -> dict[str, Any]:
    (one,) = [one for one in found if one.items() >= wanted.items()]
    return one


def boundary(arn: str) -> dict[str, str]:
    return {"PermissionsBoundaryType": "PermissionsBoundaryPolicy", "PermissionsBoundaryArn": arn}


def recent(moment: datetime.datetime) -> bool:
    return abs(datetime.datetime.now(datetime.timezone.utc) - moment) < datetime.timedelta(hours=1)


def test_role_has_its_policies_boundary_tags_and_dates(account: Account) -> None:
    role = the(details(account)["RoleDetailList"], RoleName="reader")
    assert role["AssumeRolePolicyDocument"]["Statement"][0]["Principal"]["AWS"] == [accounts.OWNER, account.id]
    (inline,) = role["RolePolicyList"]
    assert (inline["PolicyName"], inline["PolicyDocument"]["Statement"][0]["Action"]) == ("exactly", ["ecr:Get*"])
    assert role["AttachedManagedPolicies"] == [{"PolicyName": "ReadOnlyAccess", "PolicyArn": READ_ONLY}]
    assert (role["PermissionsBoundary"], role["Tags"]) == (boundary(BOUNDARY), TAGS)
    assert (role["Path"], role["Arn"]) == ("/team/", f"arn:aws:iam::{account.id}:role/team/reader")
    assert recent(role["CreateDate"])


def test_user_has_its_groups_policies_and_boundary(account: Account) -> None:
    found = details(account)
    user, group = the(found["UserDetailList"], UserName="member"), the(found["GroupDetailList"], GroupName="team")
    (policy,) = group["AttachedManagedPolicies"]
    assert user["GroupList"] == ["team"]
    assert (user["PermissionsBoundary"], user["Tags"]) == (boundary(policy["PolicyArn"]), TAGS)
    assert user["UserPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["iam:*"]
    assert group["GroupPolicyList"][0]["PolicyDocument"]["Statement"][0]["Action"] == ["sts:*"]


def test_policies_have_the_documents_of_all_versions(account: Account) -> None:
    found = details(account)["Policies"]
    policy = the(found, PolicyName=details(account)["GroupDetailList"][0]["AttachedManagedPolicies"][0]["PolicyName"])
    versions = {one["VersionId"]: one for one in policy["PolicyVersionList"]}
    actions = {name: one["Document"]["Statement"][0]["Action"] for name, one in versions.items()}
    assert actions == {"v1": ["ecr:*"], "v2": ["ecr:Describe*"]}
    assert (versions["v1"]["IsDefaultVersion"], versions["v2"]["IsDefaultVersion"]) == (False, True)
    assert (
        policy.items() >= {"DefaultVersionId": "v2", "AttachmentCount": 1, "PermissionsBoundaryUsageCount": 1}.items()
    )
    (version,) = the(found, Arn=READ_ONLY)["PolicyVersionList"]
    assert version["Document"]["Statement"][0]["Effect"] == "Allow"
    assert {one["Arn"] for one in found if one["Arn"].startswith("arn:aws:iam::aws:")} == {READ_ONLY, BOUNDARY}


@pytest.mark.parametrize("kind", KINDS)
def test_filter_selects_one_kind(account: Account, kind: str) -> None:
    every, found = details(account), details(account, kind)
    assert found[KINDS[kind]]
    assert all(not found[name] for name in found if name != KINDS[kind])
    if KINDS[kind] == "Policies":
        of_aws = {one["Arn"] for one in every["Policies"] if one["Arn"].startswith("arn:aws:iam::aws:")}
        wanted = of_aws if kind == "AWSManagedPolicy" else {one["Arn"] for one in every["Policies"]} - of_aws
        assert {one["Arn"] for one in found["Policies"]} == wanted
    else:
        assert found[KINDS[kind]] == every[KINDS[kind]]


def test_pages_have_every_object_once(account: Account) -> None:
    pages = list(
        account.iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 2})
    )
    sizes = [sum(len(page[name]) for name in set(KINDS.values())) for page in pages]
    assert len(pages) > 2
    assert all(size == 2 for size in sizes[:-1])
    joined = {name: [one for page in pages for one in page[name]] for name in set(KINDS.values())}
    assert joined == details(account)
    call = account.iam.get_account_authorization_details
    assert refusal(call, Marker="invented") == ("ValidationError", "Invalid Marker.")


def test_assume_role_is_the_last_use(account: Account) -> None:
    account.iam.create_role(RoleName="used", AssumeRolePolicyDocument=trust(account.id))
    assert the(details(account, "Role")["RoleDetailList"], RoleName="used")["RoleLastUsed"] == {}
    assert account.iam.get_role(RoleName="used")["Role"]["RoleLastUsed"] == {}
    sts = account.lab.client(account.profile, "sts")
    arn = f"arn:aws:iam::{account.id}:role/used"
    sts.assume_role(RoleArn=arn, RoleSessionName="any")
    last = the(details(account, "Role")["RoleDetailList"], RoleName="used")["RoleLastUsed"]
    assert (last["Region"], recent(last["LastUsedDate"])) == (accounts.REGION, True)
    assert account.iam.get_role(RoleName="used")["Role"]["RoleLastUsed"] == last
    account.iam.delete_role(RoleName="used")
    account.iam.create_role(RoleName="used", AssumeRolePolicyDocument=trust(account.id))
    assert account.iam.get_role(RoleName="used")["Role"]["RoleLastUsed"] == {}


def test_test_chooses_the_dates_of_a_role(account: Account) -> None:
    dates = {"CreateDate": "2020-01-02T03:04:05Z", "LastUsedDate": "2021-02-03T04:05:06Z"}
    with account.lab.role_dates({"reader": dates}):
        for role in (
            the(details(account)["RoleDetailList"], RoleName="reader"),
            account.iam.get_role(RoleName="reader")["Role"],
        ):
            assert (role["CreateDate"].year, role["RoleLastUsed"]["LastUsedDate"].year) == (2020, 2021)
    assert recent(account.iam.get_role(RoleName="reader")["Role"]["CreateDate"])


def test_call_needs_permission_in_the_identity_policy(account: Account) -> None:
    iam = account.user("iam", allow("iam:Get*Policy"))
    action = "iam:GetAccountAuthorizationDetails"
    end = f"because no identity-based policy allows the {action} action"
    assert refusal(iam.get_account_authorization_details)[1].endswith(f"{action} on resource: * {end}")
    assert denial(iam.get_account_authorization_details) == end
