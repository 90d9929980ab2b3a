# SPDX-License-Identifier: GPL-3.0-or-later
"""Creates roles and repositories in the owner account without the collection."""

from __future__ import annotations

import itertools
from typing import Any

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN
from tests.support.lab import Lab
from tests.support.policies import ASSUME, EXTERNAL_ID, Statement, document


class Owner:
    """Creates roles and repositories in the owner account, each with a unique name."""

    def __init__(self, lab: Lab) -> None:
        self.iam, self.ecr = lab.client("owner", "iam"), lab.client("owner", "ecr")
        self._numbers = itertools.count()

    def name(self) -> str:
        return f"by-hand-{next(self._numbers)}"

    def role(self, *statements: Statement, name: str = "", boundary: tuple[Statement, ...] = (), **trust: Any) -> str:
        """The ARN of a new role with these permissions.

        :param trust: elements to add to the statement that trusts the consumer account
        """
        name, trust = name or self.name(), trust or {"Condition": EXTERNAL_ID}
        principal = {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"}
        trust_statement = {"Effect": "Allow", "Principal": principal, "Action": ASSUME, **trust}
        arn = self.iam.create_role(RoleName=name, AssumeRolePolicyDocument=document(trust_statement))["Role"]["Arn"]
        if boundary:
            policy = self.iam.create_policy(PolicyName=name, PolicyDocument=document(*boundary))["Policy"]["Arn"]
            self.iam.put_role_permissions_boundary(RoleName=name, PermissionsBoundary=policy)
        self.iam.put_role_policy(RoleName=name, PolicyName="by-hand", PolicyDocument=document(*statements))
        return str(arn)

    def repository(self, **tags: str) -> str:
        name = self.name()
        self.ecr.create_repository(repositoryName=name)
        self.tag(name, **tags)
        return name

    def tag(self, name: str, **tags: str) -> None:
        listed = [{"Key": key, "Value": value} for key, value in tags.items()]
        self.ecr.tag_resource(resourceArn=REPOSITORY_ARN + name, tags=listed)

    def untag(self, name: str, *keys: str) -> None:
        self.ecr.untag_resource(resourceArn=REPOSITORY_ARN + name, tagKeys=list(keys))

    def push(self, name: str) -> None:
        """Put the image `v1.0` into a repository."""
        token = self.ecr.get_authorization_token()["authorizationData"][0]
        accounts.push(token["proxyEndpoint"], token["authorizationToken"], name, "v1.0", accounts.scenario_layers())
