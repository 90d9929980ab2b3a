# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The policies that limit who may set the sharing tags: a managed policy for users and roles, a service control policy
(SCP) and a resource control policy (RCP). Standard library only.

- Each tag has its own statements. With all keys in one statement, a principal could set the tags one by one.
- IAM ignores the case of a key in `aws:RequestTag/<key>`, so `environment` also denies `Environment`. AWS documents
  that the key matches one spelling, "but not both". So the second statement of a tag denies a request that has the key
  in `aws:TagKeys`, but not in `aws:RequestTag/<key>`.
- The requests that write a repository creation template have no condition key for its tags. The last statement denies
  all of them.
- A removed tag grants nothing, so `ecr:UntagResource` is not denied.
- The Resource Groups Tagging API requires `ecr:TagResource` of its callers.

An SCP applies to the principals of the member accounts. An RCP applies to every principal inside and outside the
organization that uses resources of the member accounts. Neither applies to the management account or to service-linked
roles. An RCP also applies to AWS services, which have no ARN that the exception could name.

Source: AWS Organizations User Guide, "Service control policies" and "Resource control policies" (RCPs support ECR since
2025-06), "Quotas and service limits" (SCPs of 10,240 characters since 2026-05); IAM User Guide, "Tags for AWS Identity
and Access Management resources"; Service Authorization Reference, "Amazon Elastic Container Registry".
"""

from __future__ import annotations

import enum
import json
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Arn, Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import POLICY_CHARACTERS

#: The tags that grant access: the alternative values of each key.
TagValues = t.Mapping[str, t.Sequence[str]]

#: The actions whose requests carry the tags of a repository, and those that write a creation template.
_TAG_ACTIONS = ["ecr:CreateRepository", "ecr:TagResource"]
_TEMPLATE_ACTIONS = ["ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate"]


class PolicyType(enum.Enum):
    """A type of policy, as in the names of the files of a guard."""

    MANAGED = "policy"
    SERVICE_CONTROL = "scp"
    RESOURCE_CONTROL = "rcp"


#: The maximum number of characters. White space counts, except in a managed policy.
QUOTAS = {
    PolicyType.MANAGED: POLICY_CHARACTERS,
    PolicyType.SERVICE_CONTROL: 10240,
    PolicyType.RESOURCE_CONTROL: 5120,
}


def deny_tagging(
    owner: Identity, tag_values: TagValues, allowed: t.Sequence[str] = (), kind: PolicyType = PolicyType.MANAGED
) -> Json:
    """The policy that denies setting the sharing tags on the repositories of an account.

    :param allowed: the values of `aws:PrincipalArn` to which the policy does not apply
    """
    unless: Json = {"ArnNotLike": {"aws:PrincipalArn": list(allowed)}} if allowed else {}
    head: Json = {"Effect": "Deny"}
    if kind is PolicyType.RESOURCE_CONTROL:
        head["Principal"] = "*"
        unless["BoolIfExists"] = {"aws:PrincipalIsAWSService": "false"}
    tagging = {**head, "Action": _TAG_ACTIONS, "Resource": owner.repository("*", "*")}
    statements = [
        {**tagging, "Condition": {**condition, **unless}}
        for key, values in tag_values.items()
        for condition in _conditions(key, list(values))
    ]
    within: Json = {"StringEquals": {"aws:PrincipalAccount": owner.account}}
    condition = {**(within if kind is PolicyType.SERVICE_CONTROL else {}), **unless}
    templates = {**head, "Action": _TEMPLATE_ACTIONS, "Resource": "*"}
    return {
        "Version": "2012-10-17",
        "Statement": [*statements, {**templates, "Condition": condition} if condition else templates],
    }


def _conditions(key: str, values: list[str]) -> t.Iterator[Json]:
    """The conditions of the requests that may set one of the tags."""
    yield {"StringEquals": {f"aws:RequestTag/{key}": values[0] if len(values) == 1 else values}}
    yield {"ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": key}, "Null": {f"aws:RequestTag/{key}": "true"}}


def merged_tags(declared: t.Iterable[TagValues]) -> dict[str, tuple[str, ...]]:
    """The tags of several shares as one. Keys that differ only in case are one key, because IAM ignores the case."""
    spellings: dict[str, str] = {}
    merged: dict[str, tuple[str, ...]] = {}
    for tags in declared:
        for key, values in tags.items():
            name = spellings.setdefault(key.lower(), key)
            merged[name] = tuple(dict.fromkeys([*merged.get(name, ()), *values]))
    return merged


def sharing_templates(templates: t.Iterable[Json], tag_values: TagValues) -> list[str]:
    """The prefixes of the creation templates that set a sharing tag.

    :param templates: as ECR returns them
    """
    wanted = {(key.lower(), value) for key, values in tag_values.items() for value in values}
    return [
        template["prefix"]
        for template in templates
        if any((tag["Key"].lower(), tag.get("Value")) in wanted for tag in template.get("resourceTags") or ())
    ]


def is_deny_only(document: Json) -> bool:
    """Whether a document only denies, as the policy of a guard does."""
    return all(statement.get("Effect") == "Deny" for statement in _policy_document.statements(document))


def exempt_arns(caller: Arn) -> list[str]:
    """The patterns of `aws:PrincipalArn` that match a caller, and no other principal.

    The ARN of a session has the name of its role without the path. The name is unique in the account.
    """
    kind, _slash, name = caller.resource.partition("/")
    if kind == "assumed-role":
        role = name.partition("/")[0]
        return [caller.identity.role("/", role), caller.identity.role("/*/", role)]
    return [f"arn:{caller.partition}:{caller.service}::{caller.account}:{caller.resource}"]


def file_name(guard_name: str, account: str, kind: PolicyType) -> str:
    return f"{guard_name}-{account}-{kind.value}.json"


def file_text(document: Json, kind: PolicyType) -> str:
    """The text of a file, with indentation if the quota allows it."""
    readable = json.dumps(document, indent=2) + "\n"
    return readable if len(readable) <= QUOTAS[kind] else _policy_document.text(document)


def policy_size(document: Json, kind: PolicyType) -> int:
    """The number of characters of a document that count for its quota."""
    if kind is PolicyType.MANAGED:
        return _policy_document.size(document)
    return len(_policy_document.text(document))
