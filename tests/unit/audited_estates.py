# SPDX-License-Identifier: GPL-3.0-or-later
"""Estates for the tests of the verdicts of an audit."""

from __future__ import annotations

import datetime
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Row
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    Estate,
    IamPrincipal,
    PolicyDocument,
    Registry,
    Repository,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity

OWNER, CONSUMER, OTHER = "111111111111", "222222222222", "333333333333"
REGION = "eu-west-1"
NOW = datetime.datetime(2026, 11, 27, tzinfo=datetime.timezone.utc)
PULLER = f"arn:aws:iam::{CONSUMER}:user/puller"
ROLE = f"arn:aws:iam::{OWNER}:role/allow_ecr_release"
PULL = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
TAGGED = {"StringEquals": {"ecr:ResourceTag/environment": "release"}}


def root(account: str) -> str:
    return f"arn:aws:iam::{account}:root"


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", **statement} for statement in statements]}


def trust(principal: Any, condition: dict[str, Any] | None = None, **more: Any) -> dict[str, Any]:
    principals = {"AWS": principal} if isinstance(principal, str) and principal != "*" else principal
    statement = {"Principal": principals, "Action": "sts:AssumeRole", **more}
    return {**statement, "Condition": condition} if condition else statement


def role(trusted: dict[str, Any], *permissions: dict[str, Any], arn: str = ROLE, **more: Any) -> IamPrincipal:
    policies = tuple(PolicyDocument(f"policy {n} of role {arn}", one) for n, one in enumerate(permissions, 1))
    return IamPrincipal(arn, policies, trust=PolicyDocument(f"trust policy of role {arn}", trusted), **more)


def repository(name: str, policy: Any = None, **tags: str) -> Repository:
    found = None if policy is None else PolicyDocument(f"repository policy of {name} in {REGION}", policy)
    return Repository(name, REGION, f"arn:aws:ecr:{REGION}:{OWNER}:repository/{name}", tags, found)


def estate(
    *principals: IamPrincipal, repositories: tuple[Repository, ...] = (), registry: Any = None, **more: Any
) -> Estate:
    policy = None if registry is None else PolicyDocument(f"registry policy of {REGION}", registry)
    facts = {name: more.pop(name) for name in ("replication", "cache_rules", "templates") if name in more}
    registries = (Registry(REGION, repositories, policy, **facts),)
    return Estate(Identity("aws", OWNER), NOW, principals, registries, **more)


BOTH = (repository("release", environment="release"), repository("develop", environment="develop"))
SHARE = role(
    document(trust(PULLER, {"StringEquals": {"sts:ExternalId": "one"}}, Sid="Puller")),
    document({"Sid": "Pull", "Action": PULL, "Resource": "*", "Condition": TAGGED}),
)


def rows_of(audited: Estate) -> dict[tuple[str, str], Row]:
    return {(row.outsider.name, row.repository): row for row in audit_access(audited).rows}


def verdicts(audited: Estate, action: str = "pull") -> dict[tuple[str, str], str]:
    return {key: row.access.actions[action] for key, row in rows_of(audited).items()}


PULL_ALL = document({"Action": "ecr:*", "Resource": "*"})
