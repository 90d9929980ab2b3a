# SPDX-License-Identifier: GPL-3.0-or-later
"""In a region of the partition `aws-eusc`, all ARNs are of that partition."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import allow, document, refusal

REGION = "eusc-de-east-1"
REPOSITORY = f"arn:aws-eusc:ecr:{REGION}:{accounts.OWNER}:repository/release"
ADMINISTRATOR = f"arn:aws-eusc:iam::{accounts.OWNER}:user/administrator"


def client(lab: Lab, service: str, profile: str = "owner") -> Any:
    return lab.session(profile).client(service, region_name=REGION)


@pytest.fixture(scope="module")
def ecr(lab: Lab) -> Any:
    created = client(lab, "ecr")
    created.create_repository(repositoryName="release")
    return created


def test_caller_is_in_the_partition(lab: Lab) -> None:
    assert client(lab, "sts").get_caller_identity()["Arn"] == ADMINISTRATOR
    assert lab.client("owner", "sts").get_caller_identity()["Arn"] == ADMINISTRATOR.replace("aws-eusc", "aws")


def test_repository_is_in_the_partition(lab: Lab, ecr: Any) -> None:
    (repository,) = ecr.describe_repositories(repositoryNames=["release"])["repositories"]
    assert repository["repositoryArn"] == REPOSITORY
    tag = {"Key": "environment", "Value": "release"}
    ecr.tag_resource(resourceArn=REPOSITORY, tags=[tag])
    assert ecr.list_tags_for_resource(resourceArn=REPOSITORY)["tags"] == [tag]
    (listed,) = client(lab, "resourcegroupstaggingapi").get_resources()["ResourceTagMappingList"]
    assert listed["ResourceARN"] == REPOSITORY
    layer = {"repositoryName": "release", "layerDigest": "sha256:" + "0" * 64}
    assert f".{REGION}.amazonaws.eu/" in ecr.get_download_url_for_layer(**layer)["downloadUrl"]


def test_role_and_its_policies_are_in_the_partition(lab: Lab, ecr: Any) -> None:
    iam, sts = client(lab, "iam"), client(lab, "sts", "consumer-administrator")
    statement = allow("sts:AssumeRole", Principal={"AWS": f"arn:aws-eusc:iam::{accounts.CONSUMER}:root"})
    del statement["Resource"]
    trusted = document(statement)
    role = iam.create_role(RoleName="sovereign", AssumeRolePolicyDocument=trusted)["Role"]
    assert role["Arn"] == f"arn:aws-eusc:iam::{accounts.OWNER}:role/sovereign"
    permissions = document({**allow("ecr:ListImages"), "Resource": REPOSITORY})
    iam.put_role_policy(RoleName="sovereign", PolicyName="exactly", PolicyDocument=permissions)
    read = iam.get_role_policy(RoleName="sovereign", PolicyName="exactly")
    assert read["PolicyDocument"]["Statement"][0]["Resource"] == REPOSITORY
    assert iam.get_role(RoleName="sovereign")["Role"]["AssumeRolePolicyDocument"]["Statement"][0] == statement

    reply = sts.assume_role(RoleArn=role["Arn"], RoleSessionName="any")
    keys = reply["Credentials"]
    session = lab.session(
        "consumer",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    user = f"arn:aws-eusc:sts::{accounts.OWNER}:assumed-role/sovereign/any"
    assert reply["AssumedRoleUser"]["Arn"] == user
    limited = session.client("ecr", region_name=REGION)
    assert limited.list_images(repositoryName="release")["imageIds"] == []
    assert refusal(limited.describe_images, repositoryName="release") == (
        "AccessDeniedException",
        f"User: {user} is not authorized to perform: ecr:DescribeImages on resource: {REPOSITORY}"
        " because no identity-based policy allows the ecr:DescribeImages action",
    )


def test_wrong_signature_is_refused(lab: Lab) -> None:
    key = lab.session("owner").get_credentials().access_key
    session = lab.session("owner", aws_access_key_id=key, aws_secret_access_key="w" * 40)
    ecr = session.client("ecr", region_name=REGION)
    code, _sentence = refusal(ecr.list_tags_for_resource, resourceArn=REPOSITORY)
    assert code == "InvalidSignatureException"
