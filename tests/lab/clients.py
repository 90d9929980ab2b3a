# SPDX-License-Identifier: GPL-3.0-or-later
"""Clients of users and roles with given permissions, and the denials that they receive, for the tests of the lab."""

from __future__ import annotations

import contextlib
import itertools
import json
from collections.abc import Iterator
from typing import Any

from botocore.exceptions import ClientError

from tests.support.lab import Lab

from . import accounts

PREFIX = f"arn:aws:iam::{accounts.OWNER}:"
REPOSITORIES = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/"
RELEASE = f"{REPOSITORIES}release"
Statement = dict[str, Any]
_numbers = itertools.count()


def allow(*actions: str, **more: Any) -> Statement:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*", **more}


def deny(*actions: str, **more: Any) -> Statement:
    return {"Effect": "Deny", "Action": list(actions), "Resource": "*", **more}


def document(*statements: Statement) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def trust(*accounts_: str, actions: tuple[str, ...] = ("sts:AssumeRole",)) -> str:
    """A trust policy for every principal of the accounts."""
    return document({"Effect": "Allow", "Principal": {"AWS": list(accounts_)}, "Action": list(actions)})


class Account:
    """An account in which tests create users and roles.

    :param profile: of an administrator of the account
    """

    def __init__(self, lab: Lab, profile: str = "owner") -> None:
        self.lab, self.profile, self.iam = lab, profile, lab.client(profile, "iam")
        self.id = accounts.USERS[profile][0]

    def policy(self, *statements: Statement) -> str:
        """The ARN of a new managed policy."""
        name = f"policy-{next(_numbers)}"
        arn = self.iam.create_policy(PolicyName=name, PolicyDocument=document(*statements))["Policy"]["Arn"]
        return str(arn)

    def user(self, service: str, *statements: Statement, boundary: str = "", attached: tuple[str, ...] = ()) -> Any:
        """A client of a new user with these permissions."""
        return self.user_session(*statements, boundary=boundary, attached=attached).client(service)

    def user_session(self, *statements: Statement, boundary: str = "", attached: tuple[str, ...] = ()) -> Any:
        """A boto3 session of a new user with these permissions."""
        name = f"user-{next(_numbers)}"
        options = {"PermissionsBoundary": boundary} if boundary else {}
        self.iam.create_user(UserName=name, **options)
        if statements:
            self.iam.put_user_policy(UserName=name, PolicyName="exactly", PolicyDocument=document(*statements))
        for arn in attached:
            self.iam.attach_user_policy(UserName=name, PolicyArn=arn)
        key = self.iam.create_access_key(UserName=name)["AccessKey"]
        keys = {"aws_access_key_id": key["AccessKeyId"], "aws_secret_access_key": key["SecretAccessKey"]}
        return self.lab.session(self.profile, **keys)

    def session(self, service: str, role: str) -> Any:
        """A client of the administrator's session of a role.

        :param role: its ARN
        """
        sts = self.lab.client(self.profile, "sts")
        keys = sts.assume_role(RoleArn=role, RoleSessionName="any")["Credentials"]
        return self.lab.session(
            self.profile,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        ).client(service)

    def role(self, trusted: str, *statements: Statement) -> str:
        """The ARN of a new role with a trust policy and these permissions."""
        name = f"role-{next(_numbers)}"
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=trusted)["Role"]["Arn"]
        self.iam.put_role_policy(RoleName=name, PolicyName="exactly", PolicyDocument=document(*statements))
        return str(arn)


class Organization:
    """An organization whose management account is the third account.

    :param kind: the type of its policies
    """

    def __init__(self, lab: Lab, kind: str = "SERVICE_CONTROL_POLICY") -> None:
        self.kind = kind
        self.lab, self.client = lab, lab.client("stranger-administrator", "organizations")
        self.root = self.client.list_roots()["Roots"][0]["Id"]
        self.policies = 0

    def join(self, profile: str) -> None:
        target = {"Id": accounts.USERS[profile][0], "Type": "ACCOUNT"}
        handshake = self.client.invite_account_to_organization(Target=target)["Handshake"]["Id"]
        accepted = self.lab.client(profile, "organizations").accept_handshake(HandshakeId=handshake)
        assert accepted["Handshake"]["State"] == "ACCEPTED"

    @contextlib.contextmanager
    def policy(self, target: str, *statements: Statement) -> Iterator[str]:
        """Within, the policy is attached; yields its ARN."""
        self.policies += 1
        content = {
            "Content": document(*statements),
            "Description": "",
            "Name": f"policy-{self.policies}",
            "Type": self.kind,
        }
        made = self.client.create_policy(**content)["Policy"]["PolicySummary"]
        self.client.attach_policy(PolicyId=made["Id"], TargetId=target)
        try:
            yield made["Arn"]
        finally:
            self.client.detach_policy(PolicyId=made["Id"], TargetId=target)


def denial(call: Any, **arguments: Any) -> str:
    """The end of the sentence of a denial; empty if the call is allowed."""
    try:
        call(**arguments)
    except ClientError as error:
        message = error.response["Error"]["Message"]
        assert " is not authorized to perform: " in message, message
        return str(message.partition(" on resource: ")[2].partition(" ")[2])
    return ""


def refusal(call: Any, **arguments: Any) -> tuple[str, str]:
    """The code and the message of an error; empty if the call succeeds."""
    try:
        call(**arguments)
    except ClientError as error:
        return error.response["Error"]["Code"], error.response["Error"]["Message"]
    return "", ""
