# SPDX-License-Identifier: GPL-3.0-or-later
"""A consumer that is deleted and made again: the result in its trust statement, and the response of the module."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.lab import accounts
from tests.support.control import Control

EXTERNAL_ID, USER = "returning-share", "returning"
USER_ARN = f"arn:aws:iam::{accounts.CONSUMER}:user/{USER}"
TRUST = "iam:UpdateAssumeRolePolicy"


class RecreatedUser:
    """A user of the consumer account who comes and goes."""

    def __init__(self, control: Control) -> None:
        self.endpoint = control.lab.endpoint
        self.iam = control.lab.client("consumer-administrator", "iam")

    def arrive(self) -> None:
        self.identifier = self.iam.create_user(UserName=USER)["User"]["UserId"]
        document = json.dumps({"Version": "2012-10-17", "Statement": [accounts.MAY_ASSUME]})
        self.iam.put_user_policy(UserName=USER, PolicyName="lab", PolicyDocument=document)
        key = self.iam.create_access_key(UserName=USER)["AccessKey"]
        self.key = key["AccessKeyId"]
        self.sts = accounts.client("sts", self.endpoint, self.key, key["SecretAccessKey"])

    def leave(self) -> None:
        self.iam.delete_access_key(UserName=USER, AccessKeyId=self.key)
        self.iam.delete_user_policy(UserName=USER, PolicyName="lab")
        self.iam.delete_user(UserName=USER)

    def is_trusted(self, role: str) -> bool:
        arn = f"arn:aws:iam::{accounts.OWNER}:role/{role}"
        try:
            self.sts.assume_role(RoleArn=arn, RoleSessionName=USER, ExternalId=EXTERNAL_ID)
        except ClientError as error:
            if error.response["Error"]["Code"] != "AccessDenied":
                raise
            return False
        return True


@pytest.fixture
def user(control: Control) -> Iterator[RecreatedUser]:
    returning = RecreatedUser(control)
    returning.arrive()
    yield returning
    returning.leave()


def declaration(name: str, **consumer: Any) -> dict[str, Any]:
    whole = {"account": accounts.CONSUMER, "principals": [f"user/{USER}"], "external_id": EXTERNAL_ID, **consumer}
    return {"name": name, "repository_tags": {"environment": "release"}, "consumers": [whole]}


def shown(control: Control, options: dict[str, Any], *flags: str) -> str:
    """The output of a run of the module for a person; line breaks of the display do not count."""
    command = [*control.ad_hoc("owner"), "localhost", "-m", "crossaccount.ecr.iam_ecr_pull_role"]
    return " ".join(control._run([*command, "-a", json.dumps(options), *flags], "owner").output.split())


def test_id_of_deleted_principal_is_named_and_replaced(control: Control, user: RecreatedUser) -> None:
    options = declaration("named")
    first = control.module("iam_ecr_pull_role", "owner", **options)
    assert (first["code"], first["dangling_principals"], user.is_trusted("named")) == (0, [], True)
    deleted_id = user.identifier
    user.leave()
    user.arrive()
    assert not user.is_trusted("named")

    warning = f"The trust policy of named names deleted users or roles: {deleted_id}. They are replaced."
    assert warning in shown(control, options, "--check")
    mark = len(control.lab.calls())
    predicted = control.module("iam_ecr_pull_role", "owner", "--check", **options)
    assert control.lab.writes_since(mark) == []
    result = control.module("iam_ecr_pull_role", "owner", **options)
    # A principal that is no longer trusted, even only as an ID, has its sessions revoked, before and after the trust
    # changes.
    assert control.lab.writes_since(mark) == [
        "iam:PutRolePolicy",
        TRUST,
        "iam:PutRolePolicy",
        "iam:DeleteRolePolicy",
    ]
    for outcome in (predicted, result):
        assert (outcome["changed"], outcome["dangling_principals"]) == (True, [deleted_id])
        assert outcome["before"]["trust"]["Statement"][0]["Principal"] == {"AWS": deleted_id}
        assert outcome["trust"]["Statement"][0]["Principal"] == {"AWS": USER_ARN}
    assert user.is_trusted("named")

    mark = len(control.lab.calls())
    again = control.module("iam_ecr_pull_role", "owner", **options)
    assert (again["changed"], again["dangling_principals"]) == (False, [])
    assert "WARNING" not in shown(control, options)
    assert control.lab.writes_since(mark) == []


def test_trust_under_a_condition_survives_the_deletion(control: Control, user: RecreatedUser) -> None:
    options = declaration("by-condition", principal_match="condition")
    assert control.module("iam_ecr_pull_role", "owner", **options)["code"] == 0
    user.leave()
    user.arrive()
    assert user.is_trusted("by-condition")
    mark = len(control.lab.calls())
    result = control.module("iam_ecr_pull_role", "owner", **options)
    assert (result["changed"], result["dangling_principals"]) == (False, [])
    assert control.lab.writes_since(mark) == []


def test_missing_principal_leaves_the_trust_policy_unchanged(control: Control) -> None:
    options = declaration("nobody", principals=["user/nobody"])
    iam = control.lab.client("owner", "iam")
    assert control.module("iam_ecr_pull_role", "owner", **declaration("nobody", principals=None))["code"] == 0
    before = iam.get_role(RoleName="nobody")["Role"]["AssumeRolePolicyDocument"]
    result = control.module("iam_ecr_pull_role", "owner", **options)
    assert result["msg"] == (
        "UpdateAssumeRolePolicy: MalformedPolicyDocument: Invalid principal in policy:"
        f' "AWS":"arn:aws:iam::{accounts.CONSUMER}:user/nobody". A principal in the trust policy may not exist.'
        " Create it first, or trust it with principal_match: condition."
        " Completed before that: existing sessions of the role were revoked. Run again: completed changes are not"
        " repeated."
    )
    assert iam.get_role(RoleName="nobody")["Role"]["AssumeRolePolicyDocument"] == before
