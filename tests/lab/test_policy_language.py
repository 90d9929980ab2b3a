# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab's IAM replaces policy variables and exempts who NotPrincipal lists, in real calls."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.lab import Lab

from . import accounts
from .clients import Account

ROLE = "variables"
ADMINISTRATOR = f"arn:aws:iam::{accounts.OWNER}:user/administrator"
STRANGER = f"arn:aws:iam::{accounts.STRANGER}:user/stranger"


def document(*statements: dict[str, Any], version: str = "2012-10-17") -> str:
    return json.dumps({"Version": version, "Statement": list(statements)})


def allowed(call: Any, **arguments: Any) -> bool:
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"] not in ("AccessDenied", "AccessDeniedException")
    return True


@pytest.mark.parametrize(
    ("condition", "external_id", "version", "admitted"),
    [
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalAccount}"}}, accounts.CONSUMER, "2012-10-17", True),
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalAccount}"}}, "other", "2012-10-17", False),
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalAccount}"}}, accounts.CONSUMER, "2008-10-17", False),
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/team}"}}, "other", "2012-10-17", False),
        ({"StringNotEquals": {"sts:ExternalId": "${aws:PrincipalTag/team}"}}, "other", "2012-10-17", False),
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalTag/team, 'red'}"}}, "red", "2012-10-17", True),
        ({"StringLike": {"sts:ExternalId": "a${*}"}}, "ab", "2012-10-17", False),
        ({"StringLike": {"sts:ExternalId": "a*"}}, "ab", "2012-10-17", True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:PrincipalAccount}:user/*"}}, None, "2012-10-17", True),
        ({"ArnLike": {"aws:PrincipalArn": "arn:aws:*:user/puller"}}, None, "2012-10-17", False),
        ({"StringLike": {"aws:PrincipalArn": "arn:aws:*:user/puller"}}, None, "2012-10-17", True),
    ],
)
def test_variables_in_a_trust_policy(
    lab: Lab, condition: dict[str, Any], external_id: str | None, version: str, admitted: bool
) -> None:
    iam = lab.client("owner", "iam")
    statement = {"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole", "Condition": condition}
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=document(statement, version=version))
    try:
        options = {"ExternalId": external_id} if external_id else {}
        arn = f"arn:aws:iam::{accounts.OWNER}:role/{ROLE}"
        call = lab.client("consumer", "sts").assume_role
        assert allowed(call, RoleArn=arn, RoleSessionName=ROLE, **options) is admitted
    finally:
        iam.delete_role(RoleName=ROLE)


def test_principal_arn_of_a_session_is_the_arn_of_its_role(lab: Lab) -> None:
    iam, arn = lab.client("owner", "iam"), f"arn:aws:iam::{accounts.OWNER}:role/team/{ROLE}"
    trusted = document({"Effect": "Allow", "Principal": {"AWS": accounts.OWNER}, "Action": "sts:AssumeRole"})
    iam.create_role(RoleName=ROLE, AssumeRolePolicyDocument=trusted, Path="/team/")
    conditions = {"ArnEquals": {"aws:PrincipalArn": arn}}, {"ArnLike": {"aws:PrincipalArn": "arn:aws:sts::*:*"}}
    try:
        for condition, reads in zip(conditions, (True, False)):
            statement = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": condition}
            iam.put_role_policy(RoleName=ROLE, PolicyName="p", PolicyDocument=document(statement))
            assert allowed(Account(lab).session("ecr", arn).list_images, repositoryName="release") is reads
    finally:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="p")
        iam.delete_role(RoleName=ROLE)


def test_variables_in_the_resource_of_a_permissions_policy(lab: Lab) -> None:
    iam = lab.client("owner", "iam")
    iam.create_role(
        RoleName=ROLE,
        AssumeRolePolicyDocument=document({"Effect": "Allow", "Principal": "*", "Action": "sts:AssumeRole"}),
    )
    resource = "arn:aws:ecr:*:${aws:PrincipalAccount}:repository/${aws:PrincipalTag/team, 'release'}"
    permissions = document({"Effect": "Allow", "Action": "ecr:*", "Resource": resource})
    iam.put_role_policy(RoleName=ROLE, PolicyName="p", PolicyDocument=permissions)
    try:
        ecr = lab.assume("consumer", "ecr", ROLE)
        assert allowed(ecr.list_images, repositoryName="release")
        assert not allowed(ecr.list_images, repositoryName="develop")
    finally:
        iam.delete_role_policy(RoleName=ROLE, PolicyName="p")
        iam.delete_role(RoleName=ROLE)


@pytest.mark.parametrize(
    ("exempt", "reads"),
    [
        ([ADMINISTRATOR, f"arn:aws:iam::{accounts.OWNER}:root"], True),
        ([STRANGER, f"arn:aws:iam::{accounts.STRANGER}:root"], False),
        ([f"arn:aws:iam::{accounts.OWNER}:root"], False),
    ],
)
def test_not_principal_in_a_repository_policy(lab: Lab, exempt: list[str], reads: bool) -> None:
    ecr = lab.client("owner", "ecr")
    policy = document({"Effect": "Deny", "NotPrincipal": {"AWS": exempt}, "Action": "ecr:ListImages"})
    ecr.set_repository_policy(repositoryName="release", policyText=policy)
    try:
        assert allowed(ecr.list_images, repositoryName="release") is reads
        assert allowed(ecr.describe_images, repositoryName="release")
    finally:
        ecr.delete_repository_policy(repositoryName="release")
