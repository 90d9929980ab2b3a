# SPDX-License-Identifier: GPL-3.0-or-later
"""Users and role sessions in five accounts of one lab, for tests with many principals."""

from __future__ import annotations

import json
from typing import Any, NamedTuple

from tests.lab import accounts
from tests.support.lab import Lab

#: The profile of the administrator of each account.
ADMINISTRATORS = {
    accounts.OWNER: "owner",
    accounts.CONSUMER: "consumer-administrator",
    accounts.STRANGER: "stranger-administrator",
    accounts.FOURTH: "fourth-administrator",
    accounts.FIFTH: "fifth-administrator",
}


class Keys(NamedTuple):
    """The access key of a principal.

    :param token: of a session; empty for a user
    """

    key: str
    secret: str
    token: str = ""


class Accounts:
    """The accounts of a lab. All clients share one boto3 session, so that a client takes milliseconds."""

    def __init__(self, lab: Lab) -> None:
        self._session = lab.session("owner")
        credentials = {one: lab.session(profile).get_credentials() for one, profile in ADMINISTRATORS.items()}
        self.administrators = {one: Keys(found.access_key, found.secret_key) for one, found in credentials.items()}
        self._iam = {one: self.client("iam", keys) for one, keys in self.administrators.items()}

    def client(self, service: str, keys: Keys, region: str = accounts.REGION) -> Any:
        """A client of the principal that has these keys."""
        return self._session.client(
            service,
            region_name=region,
            aws_access_key_id=keys.key,
            aws_secret_access_key=keys.secret,
            aws_session_token=keys.token or None,
        )

    def administrator(self, account: str, service: str, region: str = accounts.REGION) -> Any:
        """A client of the administrator of an account."""
        return self._iam[account] if service == "iam" else self.client(service, self.administrators[account], region)

    def user(self, account: str, name: str, *statements: dict[str, Any], **options: Any) -> Keys:
        """The keys of a new user with these permissions.

        :param options: of `CreateUser`
        """
        iam = self._iam[account]
        iam.create_user(UserName=name, **options)
        if statements:
            iam.put_user_policy(UserName=name, PolicyName="inline", PolicyDocument=_document(*statements))
        key = iam.create_access_key(UserName=name)["AccessKey"]
        return Keys(key["AccessKeyId"], key["SecretAccessKey"])

    def role(self, account: str, name: str, trusted: Any, *statements: dict[str, Any], **options: Any) -> str:
        """The ARN of a new role with these permissions.

        :param trusted: the principal of its trust policy
        :param options: of `CreateRole`
        """
        iam, trust = self._iam[account], {"Effect": "Allow", "Principal": trusted, "Action": "sts:AssumeRole"}
        arn = iam.create_role(RoleName=name, AssumeRolePolicyDocument=_document(trust), **options)["Role"]["Arn"]
        if statements:
            iam.put_role_policy(RoleName=name, PolicyName="inline", PolicyDocument=_document(*statements))
        return str(arn)

    def assume(self, keys: Keys, role: str, **options: Any) -> Keys:
        """The keys of a session of a role.

        :param keys: of the principal that assumes the role
        :param options: of `AssumeRole`
        """
        reply = self.client("sts", keys).assume_role(**{"RoleArn": role, "RoleSessionName": "session", **options})
        found = reply["Credentials"]
        return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"])


def _document(*statements: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": statements})
