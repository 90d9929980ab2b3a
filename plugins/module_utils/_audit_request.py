# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The requests that an audit evaluates, with their known context keys. Standard library only.

Some keys are chosen by the caller, such as the external ID. For these, the audit tries the values that the policies
compare, and no value. So a verdict is *allowed* if the caller can choose values with which AWS allows the request. Keys
that the caller does not choose and that the audit does not know, such as `aws:SourceIp`, are unknown.

Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "AWS Security Token
Service" and "Amazon Elastic Container Registry".
"""

from __future__ import annotations

import itertools
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import (
    FEDERATED,
    SERVICE,
    Outsider,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, IamPrincipal, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement

#: The actions of ECR that each action of a report requires.
ACTIONS: dict[str, tuple[str, ...]] = {
    "describe": ("ecr:DescribeImages",),
    "pull": ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"),
    "push": ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage"),
    "delete": ("ecr:BatchDeleteImage",),
    "tag": ("ecr:TagResource",),
}
#: All of these actions of ECR.
REQUIRED = tuple(action for actions in ACTIONS.values() for action in actions)
#: The actions whose requests contain tags.
TAGGING = ("ecr:TagResource", "ecr:CreateRepository", "tag:TagResources")
#: The name of the session of a role for which requests are evaluated.
SESSION_NAME = "audit"
_MFA = ("aws:multifactorauthpresent", "aws:multifactorauthage")
_CHOSEN_FOR_A_SESSION = ("sts:externalid", "sts:rolesessionname", "sts:sourceidentity", *_MFA)
_CHOSEN_BY_A_SERVICE = ("aws:sourcearn", "aws:sourceaccount", "aws:sourceorgid", "aws:sourceorgpaths")
#: At most so many combinations of chosen values are tried.
_COMBINATIONS = 512

Values = dict[str, tuple[str, ...]]


def assume_request(estate: Estate, outsider: Outsider, role: IamPrincipal, chosen: Values) -> Request:
    """The request of an outsider for a session of a role."""
    action = "sts:AssumeRole"
    if outsider.kind == FEDERATED:
        saml = ":saml-provider/" in outsider.name
        action = "sts:AssumeRoleWithSAML" if saml else "sts:AssumeRoleWithWebIdentity"
    values = {**_common(estate, outsider.principal), **outsider.context, **_resource_tags(role.tags, "aws"), **chosen}
    closed = ["aws:resourcetag/", *_closed(outsider.principal)]
    if outsider.kind != FEDERATED:
        closed += _CHOSEN_FOR_A_SESSION
    return Request(action, role.arn, estate.account, outsider.principal, Context.of(values, tuple(closed)))


def repository_request(
    estate: Estate, action: str, repository: Repository, principal: Principal, known: t.Mapping[str, t.Sequence[str]]
) -> Request:
    """A request of a principal to a repository.

    :param known: the values of further context keys
    """
    return repository_requests(estate, [action], repository, principal, known)[0]


def repository_requests(
    estate: Estate,
    actions: t.Iterable[str],
    repository: Repository,
    principal: Principal,
    known: t.Mapping[str, t.Sequence[str]],
) -> list[Request]:
    """Several requests of a principal to a repository. Those without tags have one context."""
    values: dict[str, t.Sequence[str]] = {
        **_common(estate, principal),
        "aws:RequestedRegion": (repository.region,),
        **known,
    }
    closed = [*_closed(principal), *_MFA, "sts:", "aws:requesttag/", "aws:tagkeys", "ecr:requesttag/"]
    if repository.tags is not None:
        values.update({**_resource_tags(repository.tags, "aws"), **_resource_tags(repository.tags, "ecr")})
        closed += ["aws:resourcetag/", "ecr:resourcetag/"]
    plain = Context.of(values, tuple(closed))
    tagging = plain
    if estate.requested_tags:
        tags = {
            f"{service}:RequestTag/{key}": (value,)
            for key, value in estate.requested_tags.items()
            for service in ("aws", "ecr")
        }
        tagging = Context.of({**values, "aws:TagKeys": tuple(estate.requested_tags), **tags}, tuple(closed))
    return [
        Request(action, repository.arn, estate.account, principal, tagging if action in TAGGING else plain)
        for action in actions
    ]


def session_of_role(estate: Estate, role: IamPrincipal, name: str = SESSION_NAME) -> tuple[Principal, Values]:
    """The principal of a session of a role, and the context keys that follow from it."""
    short = role.arn.rpartition("/")[2]
    arn = f"arn:{estate.identity.partition}:sts::{estate.account}:assumed-role/{short}/{name}"
    values: Values = {
        "aws:PrincipalArn": (role.arn,),
        "aws:TokenIssueTime": (_time(estate),),
        **{f"aws:PrincipalTag/{key}": (value,) for key, value in role.tags.items()},
    }
    if estate.organization:
        values["aws:PrincipalOrgID"] = (estate.organization,)
    return Principal.of(arn, role.arn), values


def choices(outsider: Outsider, statements: t.Iterable[Statement]) -> list[Values]:
    """The combinations of values that a caller can choose for the keys in the conditions of these statements."""
    candidates: dict[str, dict[tuple[str, ...], None]] = {}
    for statement in statements:
        for check in statement.condition:
            key = check.key.lower()
            if _is_chosen(key, outsider):
                values = candidates.setdefault(key, {(): None})
                values.update({(value,): None for value in _values_for(check)})
    keys = list(candidates)
    combinations = itertools.islice(itertools.product(*(candidates[key] for key in keys)), _COMBINATIONS)
    return [{key: value for key, value in zip(keys, combination) if value} for combination in combinations]


def _is_chosen(key: str, outsider: Outsider) -> bool:
    if outsider.kind == FEDERATED:
        return key in _CHOSEN_FOR_A_SESSION or not key.startswith(("aws:", "ecr:"))
    if outsider.kind == SERVICE:
        return key in _CHOSEN_FOR_A_SESSION or key in _CHOSEN_BY_A_SERVICE
    return key in _CHOSEN_FOR_A_SESSION


def _values_for(check: Check) -> t.Iterator[str]:
    """Values with which a request passes or fails a check."""
    if check.base == "null":
        yield "any"
    elif check.base == "bool":
        yield from ("true", "false")
    else:
        yield from (value.replace("*", "x").replace("?", "x") for value in check.values)
        if "not" in check.base:
            yield "another-value"


def _common(estate: Estate, principal: Principal) -> Values:
    """The context keys of every request."""
    values: Values = {
        "aws:CurrentTime": (_time(estate),),
        "aws:EpochTime": (str(int(estate.now.timestamp())),),
        "aws:SecureTransport": ("true",),
        "aws:ViaAWSService": ("false",),
        "aws:PrincipalIsAWSService": (str(principal.kind == "Service").lower(),),
        "aws:ResourceAccount": (estate.account,),
    }
    if principal.kind == AWS:
        values["aws:PrincipalAccount"] = (principal.account,)
        values["aws:PrincipalType"] = ("AssumedRole" if principal.role else "User",)
        values["aws:PrincipalArn"] = (principal.role or principal.name,)
    if estate.organization:
        values["aws:ResourceOrgID"] = (estate.organization,)
    return values


def _closed(principal: Principal) -> list[str]:
    """The keys that are absent unless they have a value."""
    keys = ["aws:calledvia", "aws:principalservicename"]
    return [*keys, *_CHOSEN_BY_A_SERVICE] if principal.kind == AWS else keys


def _resource_tags(tags: t.Mapping[str, str], service: str) -> Values:
    return {f"{service}:ResourceTag/{key}": (value,) for key, value in tags.items()}


def _time(estate: Estate) -> str:
    return estate.now.strftime("%Y-%m-%dT%H:%M:%SZ")
