# SPDX-License-Identifier: GPL-3.0-or-later
"""A random estate: roles, repositories and policies of an owner account, and the external principals that they name."""

from __future__ import annotations

import random
from dataclasses import dataclass, field
from typing import Any

from tests.lab.accounts import OWNER, REGION

Statement = dict[str, Any]

EXTERNAL_IDS = ("one", "two", "three")
#: The names of sessions.
SESSIONS = ("estate", "other")
#: The tag of sessions.
SESSION_TAG = ("team", "a")
TAGS: tuple[dict[str, str], ...] = ({}, {"environment": "release"}, {"environment": "develop"}, {"team": "a"})
PATHS = ("", "", "team/", "ci/team/")
NAMES = ("app", "team-a/app", "team-b/app", "base")
GRANTS: tuple[Any, ...] = (
    "ecr:*",
    ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer", "ecr:DescribeImages"],
    ["ecr:Describe*", "ecr:Get*", "ecr:BatchGet*"],
    ["ecr:PutImage", "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload"],
    ["ecr:BatchDeleteImage"],
    ["ecr:TagResource"],
)
DENIALS: tuple[Any, ...] = ("ecr:Batch*", ["ecr:BatchGetImage"], ["ecr:PutImage", "ecr:BatchDeleteImage"])
TAG_CONDITIONS: tuple[dict[str, Any], ...] = (
    {"StringEquals": {"ecr:ResourceTag/environment": "release"}},
    {"StringEquals": {"aws:ResourceTag/environment": ["release", "develop"]}},
    {"StringLike": {"ecr:ResourceTag/environment": "rel*"}},
    {"StringNotEquals": {"aws:ResourceTag/environment": "develop"}},
    {"StringEqualsIfExists": {"ecr:ResourceTag/environment": "release"}},
    {"Null": {"aws:ResourceTag/team": "true"}},
    {"ForAllValues:StringEquals": {"aws:ResourceTag/environment": "release"}},
)
TIMES: tuple[dict[str, Any], ...] = (
    {"DateLessThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
    {"DateGreaterThan": {"aws:CurrentTime": "2020-01-01T00:00:00Z"}},
)


@dataclass(frozen=True)
class World:
    """The accounts outside the owner account.

    :param named: the ARNs of the users and roles that policies may name
    :param accounts: the accounts that policies may name
    :param organization: the ID of the organization of the owner account
    """

    named: tuple[str, ...]
    accounts: tuple[str, ...]
    organization: str


@dataclass
class EstateSpec:
    """The documents to create.

    :param roles: by path and name: the trust policy, the permissions, and the permissions boundary or None
    :param repositories: by name: the tags, and the repository policy or None
    :param replication: the rules of the replication configuration
    :param templates: the repository creation templates, by prefix: the tags, and the repository policy or None
    """

    roles: dict[str, tuple[Any, Any, Any]] = field(default_factory=dict)
    repositories: dict[str, tuple[dict[str, str], Any]] = field(default_factory=dict)
    registry_policy: Any = None
    replication: list[dict[str, Any]] = field(default_factory=list)
    templates: dict[str, tuple[dict[str, str], Any]] = field(default_factory=dict)


def role_arn(name: str) -> str:
    """The ARN of a role of the owner account.

    :param name: its path and its name
    """
    return f"arn:aws:iam::{OWNER}:role/{name}"


def random_estate(seed: int, world: World, repositories: int = 40, roles: int = 30) -> EstateSpec:
    """The estate with this number. It is the same each time."""
    return _Random(seed, world).estate(repositories, roles)


class _Random:
    def __init__(self, seed: int, world: World) -> None:
        self.pick, self.world = random.Random(seed), world  # noqa: S311

    def estate(self, repositories: int, roles: int) -> EstateSpec:
        spec = EstateSpec()
        for number in range(repositories):
            name = f"{self.pick.choice(NAMES)}-{number}"
            policy = self.resource_policy() if self.chance(0.25) else None
            spec.repositories[name] = (self.pick.choice(TAGS), policy)
        for number in range(roles):
            boundary = self.document(self.permission(deny=0)) if self.chance(0.15) else None
            permissions = self.document(*(self.permission() for _number in range(self.pick.randint(1, 3))))
            name = f"{self.pick.choice(PATHS)}role-{number}"
            if self.chance(0.25):
                permissions["Statement"].append(self.for_tagged_sessions())
            if spec.roles and self.chance(0.1):
                permissions["Statement"].append(self.assuming(list(spec.roles)))
            spec.roles[name] = (self.trust(name, spec.roles), permissions, boundary)
        for name, (tags, policy) in spec.repositories.items():
            if policy is None and self.chance(0.2):
                spec.repositories[name] = (tags, self.document(self.for_a_role(list(spec.roles))))
        if self.chance(0.5):
            spec.registry_policy = self.resource_policy(resource=True)
            if self.chance(0.5):
                spec.registry_policy["Statement"].append(self.replicating())
        spec.replication = [self.rule() for _number in range(self.pick.choice([0, 0, 1, 2]))]
        for number in range(self.pick.choice([0, 0, 1, 2])):
            policy = self.resource_policy() if self.chance(0.5) else None
            spec.templates[f"new-{number}"] = (self.pick.choice(TAGS), policy)
        return spec

    def chance(self, probability: float) -> bool:
        return self.pick.random() < probability

    @staticmethod
    def document(*statements: Statement) -> dict[str, Any]:
        return {"Version": "2012-10-17", "Statement": list(statements)}

    def permission(self, deny: float = 0.15) -> Statement:
        effect = "Deny" if self.chance(deny) else "Allow"
        actions = self.pick.choice(DENIALS if effect == "Deny" else GRANTS)
        statement: Statement = {"Effect": effect, "Action": actions, "Resource": self.resource()}
        if effect == "Allow" and self.chance(0.1):
            statement["NotAction"] = ["sts:*", "ecr:*Upload", "ecr:TagResource", *self.pick.choice(DENIALS[1:])]
            del statement["Action"]
        if effect == "Deny" and self.chance(0.2):
            statement["NotResource"] = statement.pop("Resource")
        return self.with_condition(statement, TAG_CONDITIONS if self.chance(0.6) else TIMES, 0.7)

    def for_tagged_sessions(self) -> Statement:
        key, value = SESSION_TAG
        tagged = {"Condition": {"StringEquals": {f"aws:PrincipalTag/{key}": value}}}
        return {"Effect": "Allow", "Action": self.pick.choice(GRANTS), "Resource": self.resource(), **tagged}

    def session_actions(self) -> Any:
        return ["sts:AssumeRole", "sts:TagSession"] if self.chance(0.4) else "sts:AssumeRole"

    def resource(self) -> Any:
        prefix = f"arn:aws:ecr:*:{OWNER}:repository/"
        return self.pick.choice(
            ["*", "*", f"{prefix}*", f"{prefix}team-a/*", f"arn:aws:ecr:{REGION}:{OWNER}:repository/app-?"]
        )

    def with_condition(self, statement: Statement, conditions: tuple[dict[str, Any], ...], often: float) -> Statement:
        return {**statement, "Condition": self.pick.choice(conditions)} if self.chance(often) else statement

    def principal(self) -> tuple[Any, dict[str, Any]]:
        """A Principal, and the condition that belongs to it."""
        named, account = self.pick.choice(self.world.named), self.pick.choice(self.world.accounts)
        root = f"arn:aws:iam::{account}:root"
        organization = {"StringEquals": {"aws:PrincipalOrgID": self.world.organization}}
        return self.pick.choice(
            [
                ({"AWS": named}, {}),
                ({"AWS": named}, {}),
                ({"AWS": root}, {}),
                ({"AWS": account}, {}),
                ({"AWS": root}, {"ArnEquals": {"aws:PrincipalArn": named}}),
                ("*", {"StringEquals": {"aws:PrincipalAccount": account}}),
                ("*", {"ArnLike": {"aws:PrincipalArn": named}}),
                ("*", organization),
                ({"AWS": root}, organization),
                ("*", {}),
            ]
        )

    def assuming(self, roles: list[str]) -> Statement:
        """A permission to assume roles of the account."""
        resources = [role_arn(self.pick.choice(roles)), role_arn(self.pick.choice(roles)), role_arn("team/*"), "*"]
        return {"Effect": "Allow", "Action": self.session_actions(), "Resource": self.pick.choice(resources)}

    def for_a_role(self, roles: list[str]) -> Statement:
        """A statement of a repository policy for a role of the account, or for one of its sessions."""
        name = self.pick.choice(roles)
        session = f"arn:aws:sts::{OWNER}:assumed-role/{name.rpartition('/')[2]}/{self.pick.choice(SESSIONS)}"
        effect, principal = self.pick.choice([("Allow", role_arn(name)), ("Deny", role_arn(name)), ("Allow", session)])
        actions = self.pick.choice(DENIALS if effect == "Deny" else GRANTS)
        return {"Effect": effect, "Principal": {"AWS": principal}, "Action": actions}

    def inside(self, name: str, roles: dict[str, tuple[Any, Any, Any]]) -> str:
        """The owner account, or one of its roles, which may then assume the role with this name."""
        if self.chance(0.5):
            return f"arn:aws:iam::{OWNER}:root"
        other = self.pick.choice(list(roles))
        own = {"Resource": role_arn(name), "Action": ["sts:AssumeRole", "sts:TagSession"]}
        roles[other][1]["Statement"].append(self.assuming([name]) | own)  # the lab always requires it to tag a session
        return role_arn(other)

    def trust(self, name: str, roles: dict[str, tuple[Any, Any, Any]]) -> dict[str, Any]:
        statements = []
        for _number in range(self.pick.randint(1, 3)):
            principal, condition = self.principal()
            if principal == "*" and not condition and self.chance(0.9):  # an open role decides most cells
                principal = {"AWS": self.pick.choice(self.world.named)}
            if principal == "*" and "ArnLike" not in condition:  # the lab always requires an identity policy
                condition = {**condition, "StringNotEquals": {"aws:PrincipalAccount": OWNER}}
            if roles and self.chance(0.15):
                principal, condition = {"AWS": self.inside(name, roles)}, {}
            effect = "Deny" if self.chance(0.1) else "Allow"
            conditions = dict(condition)
            if self.chance(0.6):
                identifiers: Any = self.pick.choice([*EXTERNAL_IDS, list(EXTERNAL_IDS[:2])])
                operator = self.pick.choice(["StringEquals", "StringEquals", "StringNotEquals"])
                conditions = {**conditions, operator: {**conditions.get(operator, {}), "sts:ExternalId": identifiers}}
            if self.chance(0.15):
                conditions = {**conditions, **self.pick.choice(TIMES)}
            if self.chance(0.15):
                operator = self.pick.choice(["StringLike", "StringNotLike"])
                conditions = {**conditions, operator: {"sts:RoleSessionName": self.pick.choice(SESSIONS)}}
            actions = "sts:AssumeRole" if effect == "Deny" else self.session_actions()
            statements.append({"Effect": effect, "Principal": principal, "Action": actions, "Condition": conditions})
        return self.document(*statements)

    def replicating(self) -> Statement:
        """A statement of a registry policy that accepts images of other accounts."""
        principal, condition = self.principal()
        statement = {
            "Effect": "Allow",
            "Principal": principal,
            "Action": ["ecr:ReplicateImage", "ecr:CreateRepository"],
        }
        return {**statement, "Resource": self.resource(), **({"Condition": condition} if condition else {})}

    def rule(self) -> dict[str, Any]:
        """A replication rule to another account."""
        rule: dict[str, Any] = {
            "destinations": [{"region": REGION, "registryId": self.pick.choice(self.world.accounts)}]
        }
        if self.chance(0.7):
            rule["repositoryFilters"] = [{"filter": self.pick.choice(NAMES), "filterType": "PREFIX_MATCH"}]
        return rule

    def resource_policy(self, resource: bool = False) -> dict[str, Any]:
        statements = []
        for _number in range(self.pick.randint(1, 3)):
            principal, condition = self.principal()
            effect = "Deny" if self.chance(0.2) else "Allow"
            conditions = {**condition, **(self.pick.choice(TAG_CONDITIONS) if self.chance(0.2) else {})}
            if effect == "Deny" and principal == "*":  # does not lock out the owner
                conditions = {**condition, "StringNotEquals": {"aws:PrincipalAccount": OWNER}}
                if not condition and self.chance(0.5):  # the common exemption of some principals
                    conditions["ArnNotEquals"] = {"aws:PrincipalArn": list(self.world.named[:2])}
            actions = self.pick.choice(DENIALS if effect == "Deny" else GRANTS)
            statement: Statement = {"Effect": effect, "Principal": principal, "Action": actions}
            if resource:
                statement["Resource"] = self.resource()
            statements.append({**statement, "Condition": conditions} if conditions else statement)
        return self.document(*statements)
