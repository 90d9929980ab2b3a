# SPDX-License-Identifier: GPL-3.0-or-later
"""The holder of owner-policy.json cannot gain more than read access to images.

Finding: with the former policy, its holder could give the pull role every permission of the account, act as that role,
and write any tag on any repository. Each test has a holder of its own, an IAM user with exactly this policy.
"""

from __future__ import annotations

import itertools
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN
from tests.support.lab import Lab
from tests.support.paths import ROOT

ACCOUNT_ARN = f"arn:aws:iam::{accounts.OWNER}:"
ADMINISTRATOR_ACCESS = "arn:aws:iam::aws:policy/AdministratorAccess"
BOUNDARY, TAG_KEY = "EcrPullBoundary", "environment"
NUMBERS = itertools.count()


def document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


EVERYTHING = document({"Effect": "Allow", "Action": "*", "Resource": "*"})


def trust(account: str) -> str:
    """The trust policy that lets every user of an account in."""
    return document({"Effect": "Allow", "Principal": {"AWS": account}, "Action": "sts:AssumeRole"})


OWNER_TEAM = {"Key": "owner-team", "Value": "payments"}


def refused(action: str, call: Callable[..., Any], **arguments: Any) -> str:
    """The sentence of AWS for a call that it denies; the test fails if the call is allowed."""
    with pytest.raises(ClientError) as caught:
        call(**arguments)
    error = caught.value.response["Error"]
    assert error["Code"].startswith("AccessDenied"), error
    assert f"is not authorized to perform: {action}" in error["Message"]
    return str(error["Message"])


class Holder:
    """An IAM user with exactly owner-policy.json, for a pull role and a policy with the name of the user."""

    def __init__(self, lab: Lab, boundary: str) -> None:
        self.lab, self.boundary, self.name = lab, boundary, f"holder-{next(NUMBERS)}"
        self.administrator = lab.client("owner", "iam")
        self.administrator.create_user(UserName=self.name)
        self.administrator.put_user_policy(
            UserName=self.name, PolicyName="exactly", PolicyDocument=template("owner-policy.json", self.name)
        )
        key = self.administrator.create_access_key(UserName=self.name)["AccessKey"]
        self.session = lab.session(
            "owner", aws_access_key_id=key["AccessKeyId"], aws_secret_access_key=key["SecretAccessKey"]
        )
        self.iam, self.ecr = self.session.client("iam"), self.session.client("ecr")
        self.tagging = self.session.client("resourcegroupstaggingapi")
        self.policy_arn = f"{ACCOUNT_ARN}policy/{self.name}"

    def create_role(self, **options: str) -> None:
        self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=trust(accounts.STRANGER), **options)

    def take_what_it_can(self) -> None:
        """Create the widest role that is allowed, for the third account, with every permission in three ways."""
        try:
            self.create_role()
        except ClientError:
            self.create_role(PermissionsBoundary=self.boundary)
        self.iam.create_policy(PolicyName=self.name, PolicyDocument=EVERYTHING)
        for policy in (self.policy_arn, ADMINISTRATOR_ACCESS):
            self.iam.attach_role_policy(RoleName=self.name, PolicyArn=policy)
        self.iam.put_role_policy(RoleName=self.name, PolicyName="everything", PolicyDocument=EVERYTHING)

    def as_role(self, service: str) -> Any:
        """A client of `service` with the third account's session of the pull role."""
        return self.lab.assume("stranger", service, self.name)


def template(name: str, role: str) -> str:
    text = (ROOT / "playbooks/vars" / name).read_text(encoding="utf-8")
    values = {"OWNER_ACCOUNT": accounts.OWNER, "ROLE": role, "POLICY": role, "BOUNDARY": BOUNDARY, "TAG_KEY": TAG_KEY}
    for placeholder, value in values.items():
        text = text.replace(placeholder, value)
    return text


@pytest.fixture(scope="module")
def boundary(lab: Lab) -> str:
    """The ARN of the boundary that boundary.yml creates."""
    iam = lab.client("owner", "iam")
    policy = iam.create_policy(PolicyName=BOUNDARY, PolicyDocument=template("boundary-policy.json", ""))["Policy"]
    return str(policy["Arn"])


@pytest.fixture
def holder(lab: Lab, boundary: str) -> Holder:
    return Holder(lab, boundary)


@pytest.fixture
def repository(lab: Lab) -> Iterator[str]:
    """The ARN of a repository with a tag of another team."""
    name = f"repository-{next(NUMBERS)}"
    ecr = lab.client("owner", "ecr")
    yield ecr.create_repository(repositoryName=name, tags=[OWNER_TEAM])["repository"]["repositoryArn"]
    ecr.delete_repository(repositoryName=name)


def tags(lab: Lab, repository: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = lab.client("owner", "ecr").list_tags_for_resource(resourceArn=repository)["tags"]
    return found


# --- the permissions of the holder


def test_holder_can_let_a_stranger_read_every_image(holder: Holder) -> None:
    """Remaining risk: anyone may be trusted, and every repository may be read."""
    holder.take_what_it_can()
    ecr = holder.as_role("ecr")
    assert ecr.describe_repositories(repositoryNames=["develop"])["repositories"]
    images = ecr.batch_get_image(repositoryName="develop", imageIds=[{"imageTag": accounts.IMAGE_TAG}])["images"]
    assert images
    assert ecr.get_authorization_token()["authorizationData"]


def test_holder_can_write_the_sharing_tag_and_only_that(holder: Holder, lab: Lab, repository: str) -> None:
    holder.ecr.tag_resource(resourceArn=repository, tags=[{"Key": TAG_KEY, "Value": "release"}])
    holder.ecr.untag_resource(resourceArn=repository, tagKeys=[TAG_KEY])
    added = holder.tagging.tag_resources(ResourceARNList=[repository], Tags={TAG_KEY: "release"})
    assert (added["FailedResourcesMap"], len(tags(lab, repository))) == ({}, 2)
    removed = holder.tagging.untag_resources(ResourceARNList=[repository], TagKeys=[TAG_KEY])
    assert (removed["FailedResourcesMap"], tags(lab, repository)) == ({}, [OWNER_TEAM])


# --- more permissions through the role -------------------------------------------------------------------------------


@pytest.mark.parametrize("options", [{}, {"PermissionsBoundary": ADMINISTRATOR_ACCESS}, {"own": "policy"}])
def test_role_is_created_with_the_boundary_only(holder: Holder, options: dict[str, str]) -> None:
    """A role without the boundary, with another one, or bounded by the policy that the holder may change."""
    if options.pop("own", ""):
        holder.iam.create_policy(PolicyName=holder.name, PolicyDocument=EVERYTHING)
        options = {"PermissionsBoundary": holder.policy_arn}
    refused("iam:CreateRole", holder.create_role, **options)


#: Calls that a session of the pull role must not be able to make: service, operation, arguments.
BEYOND_READING: list[tuple[str, str, dict[str, Any]]] = [
    ("iam:CreateUser", "create_user", {"UserName": "mallory"}),
    ("iam:CreateAccessKey", "create_access_key", {"UserName": "administrator"}),
    ("iam:DeleteRolePermissionsBoundary", "delete_role_permissions_boundary", {"RoleName": "{name}"}),
    (
        "iam:PutRolePermissionsBoundary",
        "put_role_permissions_boundary",
        {"RoleName": "{name}", "PermissionsBoundary": ADMINISTRATOR_ACCESS},
    ),
    (
        "iam:CreatePolicyVersion",
        "create_policy_version",
        {"PolicyArn": f"{ACCOUNT_ARN}policy/{BOUNDARY}", "PolicyDocument": EVERYTHING, "SetAsDefault": True},
    ),
    ("s3:ListAllMyBuckets", "list_buckets", {}),
    ("secretsmanager:GetSecretValue", "get_secret_value", {"SecretId": "of-the-account"}),
    ("ecr:InitiateLayerUpload", "initiate_layer_upload", {"repositoryName": "release"}),
    ("ecr:DeleteRepository", "delete_repository", {"repositoryName": "release", "force": True}),
    ("ecr:SetRepositoryPolicy", "set_repository_policy", {"repositoryName": "release", "policyText": EVERYTHING}),
    ("ecr:TagResource", "tag_resource", {"resourceArn": REPOSITORY_ARN + "release", "tags": [OWNER_TEAM]}),
    ("sts:AssumeRole", "assume_role", {"RoleArn": f"{ACCOUNT_ARN}role/other", "RoleSessionName": "other"}),
]


def test_role_with_every_permission_only_reads_images(holder: Holder) -> None:
    """The role has AdministratorAccess and Allow * in two more policies; the boundary still limits its sessions."""
    holder.administrator.create_role(RoleName="other", AssumeRolePolicyDocument=trust(accounts.OWNER))
    holder.take_what_it_can()
    for action, operation, arguments in BEYOND_READING:
        named = {key: holder.name if value == "{name}" else value for key, value in arguments.items()}
        call = getattr(holder.as_role(action.partition(":")[0]), operation)
        refused(action, call, **named)
    users = {user["UserName"] for user in holder.administrator.list_users()["Users"]}
    assert "mallory" not in users


def test_boundary_stays_on_the_role(holder: Holder) -> None:
    """The boundary is not deleted, replaced, or left out when the role is created again."""
    holder.create_role(PermissionsBoundary=holder.boundary)
    delete, put = holder.iam.delete_role_permissions_boundary, holder.iam.put_role_permissions_boundary
    refused("iam:DeleteRolePermissionsBoundary", delete, RoleName=holder.name)
    for policy in (ADMINISTRATOR_ACCESS, holder.boundary):
        refused("iam:PutRolePermissionsBoundary", put, RoleName=holder.name, PermissionsBoundary=policy)
    holder.iam.delete_role(RoleName=holder.name)
    refused("iam:CreateRole", holder.create_role)


def test_boundary_policy_is_not_changed(holder: Holder) -> None:
    """A wider version of the boundary would widen the role."""
    policy, iam = holder.boundary, holder.iam
    refused("iam:CreatePolicyVersion", iam.create_policy_version, PolicyArn=policy, PolicyDocument=EVERYTHING)
    refused("iam:SetDefaultPolicyVersion", iam.set_default_policy_version, PolicyArn=policy, VersionId="v1")
    refused("iam:DeletePolicyVersion", iam.delete_policy_version, PolicyArn=policy, VersionId="v1")
    refused("iam:DeletePolicy", iam.delete_policy, PolicyArn=policy)
    refused("iam:TagPolicy", iam.tag_policy, PolicyArn=policy, Tags=[OWNER_TEAM])


def test_role_without_boundary_gets_no_permissions(holder: Holder) -> None:
    """A role of that name from before, which an administrator created without the boundary."""
    holder.administrator.create_role(RoleName=holder.name, AssumeRolePolicyDocument=trust(accounts.STRANGER))
    role = {"RoleName": holder.name}
    refused("iam:AttachRolePolicy", holder.iam.attach_role_policy, **role, PolicyArn=ADMINISTRATOR_ACCESS)
    refused("iam:DetachRolePolicy", holder.iam.detach_role_policy, **role, PolicyArn=ADMINISTRATOR_ACCESS)
    inline = {**role, "PolicyName": "everything"}
    refused("iam:PutRolePolicy", holder.iam.put_role_policy, **inline, PolicyDocument=EVERYTHING)
    refused("iam:DeleteRolePolicy", holder.iam.delete_role_policy, **inline)
    holder.administrator.put_role_permissions_boundary(**role, PermissionsBoundary=ADMINISTRATOR_ACCESS)
    refused("iam:PutRolePolicy", holder.iam.put_role_policy, **inline, PolicyDocument=EVERYTHING)


# --- other roles, users and policies ---------------------------------------------------------------------------------


def test_other_roles_users_and_policies_are_out_of_reach(holder: Holder) -> None:
    """Another role, the holder itself, the administrator, a policy of another name, and passing a role to a service."""
    iam, name = holder.iam, f"{holder.name}-other"
    bounded = {"PermissionsBoundary": holder.boundary}
    new = {"RoleName": name, "AssumeRolePolicyDocument": trust(accounts.STRANGER)}
    refused("iam:CreateRole", iam.create_role, **new, **bounded)
    holder.administrator.create_role(**new, **bounded)
    refused(
        "iam:UpdateAssumeRolePolicy",
        iam.update_assume_role_policy,
        RoleName=name,
        PolicyDocument=trust(accounts.STRANGER),
    )
    refused("iam:AttachRolePolicy", iam.attach_role_policy, RoleName=name, PolicyArn=ADMINISTRATOR_ACCESS)
    everything = {"PolicyName": "everything", "PolicyDocument": EVERYTHING}
    refused("iam:PutRolePolicy", iam.put_role_policy, RoleName=name, **everything)
    for user in (holder.name, "administrator"):
        refused("iam:AttachUserPolicy", iam.attach_user_policy, UserName=user, PolicyArn=ADMINISTRATOR_ACCESS)
        refused("iam:PutUserPolicy", iam.put_user_policy, UserName=user, **everything)
        refused("iam:CreateAccessKey", iam.create_access_key, UserName=user)
    refused("iam:CreatePolicy", iam.create_policy, **{**everything, "PolicyName": name})
    function = {
        "FunctionName": name,
        "Role": f"{ACCOUNT_ARN}role/{holder.name}",
        "Handler": "x",
        "Runtime": "python3.12",
    }
    create_function = holder.session.client("lambda").create_function
    refused("lambda:CreateFunction", create_function, **function, Code={"ZipFile": b"x"})


def test_policy_that_is_attached_elsewhere_is_the_holders(holder: Holder) -> None:
    """Remaining risk: the holder writes the content of its policy, so nothing else may have that policy attached."""
    holder.iam.create_policy(PolicyName=holder.name, PolicyDocument=EVERYTHING)
    refused("iam:CreateUser", holder.iam.create_user, UserName="mallory")
    holder.administrator.attach_user_policy(UserName=holder.name, PolicyArn=holder.policy_arn)
    holder.iam.create_user(UserName=f"{holder.name}-created")


# --- tags of others --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("keys", [["owner-team"], [TAG_KEY, "owner-team"], [TAG_KEY.title()], []])
def test_other_tags_are_not_written_or_removed(holder: Holder, lab: Lab, repository: str, keys: list[str]) -> None:
    """Tags of other teams decide about access to other things; also in another spelling, and beside the own tag."""
    new = [{"Key": key, "Value": "mallory"} for key in keys]
    refused("ecr:TagResource", holder.ecr.tag_resource, resourceArn=repository, tags=new)
    refused("ecr:UntagResource", holder.ecr.untag_resource, resourceArn=repository, tagKeys=keys)
    if keys:
        resource = {"ResourceARNList": [repository]}
        added = holder.tagging.tag_resources(**resource, Tags=dict.fromkeys(keys, "mallory"))
        removed = holder.tagging.untag_resources(**resource, TagKeys=keys)
        for reply in (added, removed):
            assert reply["FailedResourcesMap"][repository]["ErrorCode"] == "AccessDeniedException"
    assert tags(lab, repository) == [OWNER_TEAM]
