# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The requests that an audit evaluates, with their known context keys. Standard library only.

Keys that the caller does not choose and that the audit does not know, such as `aws:SourceIp`, are unknown.

Source: IAM User Guide, "AWS global condition context keys"; Service Authorization Reference, "AWS Security Token
Service" and "Amazon Elastic Container Registry".
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import (
    BY_A_SERVICE,
    EXTERNAL_ID,
    FOR_A_SESSION,
    MFA,
    Values,
    overridden,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import FEDERATED, Outsider
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


def assume_request(estate: Estate, outsider: Outsider, role: IamPrincipal, chosen: Values) -> Request:
    """The request of an outsider for a session of a role."""
    action, known = "sts:AssumeRole", dict(outsider.context)
    if outsider.kind == FEDERATED:
        saml = ":saml-provider/" in outsider.name
        action = "sts:AssumeRoleWithSAML" if saml else "sts:AssumeRoleWithWebIdentity"
        known["aws:FederatedProvider"] = (outsider.name,)
    return role_request(estate, action, outsider.principal, role, overridden(known, chosen))


def role_request(
    estate: Estate,
    action: str,
    principal: Principal,
    role: IamPrincipal,
    known: t.Mapping[str, t.Sequence[str]],
    tags_known: bool = False,
) -> Request:
    """A request of a principal for a session of a role.

    :param known: the values of further context keys
    :param tags_known: whether all tags of the principal are in `known`
    """
    values = {**_common(estate, principal), **_resource_tags(role.tags, "aws")}
    closed = ["aws:resourcetag/", *(["aws:principaltag/"] if tags_known else ()), *_closed(principal)]
    if action == "sts:AssumeRole":
        values["sts:RoleSessionName"] = (SESSION_NAME,)
    closed += [*(FOR_A_SESSION if action == "sts:AssumeRole" else [EXTERNAL_ID]), *MFA]
    names = {key.lower(): tuple(value) for key, value in known.items()}
    return Request(action, role.arn, estate.account, principal, Context.of(overridden(values, names), tuple(closed)))


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
    tags_known: bool = True,
) -> list[Request]:
    """Several requests of a principal to a repository. Those without tags have one context.

    :param tags_known: whether the tags of a principal of the account are known, with those of its session
    """
    values: dict[str, t.Sequence[str]] = {
        **overridden(_common(estate, principal), {key.lower(): tuple(value) for key, value in known.items()}),
        "aws:RequestedRegion": (repository.region,),
    }
    closed = [*_closed(principal), *MFA, "sts:", "aws:requesttag/", "aws:tagkeys", "ecr:requesttag/"]
    if tags_known and principal.account == estate.account:
        closed.append("aws:principaltag/")
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
    arn = f"arn:{estate.identity.partition}:sts::{estate.account}:assumed-role/{role.name}/{name}"
    values: Values = {
        "aws:PrincipalArn": (role.arn,),
        "aws:TokenIssueTime": (_time(estate),),
        **{f"aws:PrincipalTag/{key}": (value,) for key, value in role.tags.items()},
    }
    if estate.organization:
        values["aws:PrincipalOrgID"] = (estate.organization,)
    return Principal.of(arn, role.arn), values


def without_tags(values: Values) -> dict[str, t.Sequence[str]]:
    """Context keys without those of the tags of a principal, so that these are unknown."""
    return {key: value for key, value in values.items() if not key.startswith("aws:PrincipalTag/")}


def named_sessions(statements: t.Iterable[Statement], account: str) -> dict[str, list[str]]:
    """The names of the sessions of roles that resource policies mention, by the name of the role."""
    found: dict[str, dict[str, None]] = {}
    for statement in statements:
        for _kind, value in statement.names.listed if statement.names else ():
            match = re.fullmatch(rf"arn:aws[a-z-]*:sts::{account}:assumed-role/([^/]+)/([^/]+)", value)
            if match:
                found.setdefault(match[1], {})[match[2]] = None
    return {role: list(names) for role, names in found.items()}


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
        values["aws:PrincipalType"] = (_type_of(principal),)
        values["aws:PrincipalArn"] = (principal.role or principal.name,)
    elif principal.kind == "Service":
        values["aws:PrincipalServiceName"] = (principal.name,)
    if estate.organization:
        values["aws:ResourceOrgID"] = (estate.organization,)
    return values


def _type_of(principal: Principal) -> str:
    if principal.is_root:
        return "Account"
    if ":federated-user/" in principal.name:
        return "FederatedUser"
    return "AssumedRole" if principal.role else "User"


def _closed(principal: Principal) -> list[str]:
    """The keys that are absent unless they have a value."""
    if principal.kind == "Service":  # the list of its names is not known
        return ["aws:calledvia"]
    keys = ["aws:calledvia", "aws:principalservicename"]
    return [*keys, *BY_A_SERVICE] if principal.kind == AWS else keys


def _resource_tags(tags: t.Mapping[str, str], service: str) -> Values:
    return {f"{service}:ResourceTag/{key}": (value,) for key, value in tags.items()}


def _time(estate: Estate) -> str:
    return estate.now.strftime("%Y-%m-%dT%H:%M:%SZ")
