# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The policies that limit who may set the sharing tags: a deny statement for identity policies, a service control
policy (SCP) and a resource control policy (RCP). Standard library only.

Each tag key has its own statement. With all keys in one statement, a principal could set the tags one by one.

An SCP applies to the principals of the member accounts. An RCP applies to every principal inside and outside the
organization that uses resources of the member accounts. Neither applies to the management account or to service-linked
roles. Source: AWS Organizations User Guide, "Service control policies" and "Resource control policies" (RCPs support
ECR since 2025-06).
"""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    compact_json,
    role_name,
    shell_command,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The actions whose requests carry the tags of a repository, and those that write a creation template.
_TAG_ACTIONS = ["ecr:CreateRepository", "ecr:TagResource"]
_TEMPLATE_ACTIONS = ["ecr:CreateRepositoryCreationTemplate", "ecr:UpdateRepositoryCreationTemplate"]
_NAME = "deny_setting_sharing_tag"
_ENTITY = re.compile(r".*:(role|user)/.+")


def deny_tagging(
    tag_values: t.Mapping[str, t.Sequence[str]], allowed: t.Sequence[str], of_a_resource: bool = False
) -> Json:
    """The policy that denies setting the sharing tags to all principals except the allowed ones.

    :param of_a_resource: whether it is a resource control policy, whose statements have a Principal
    """
    unless: Json = {"ArnNotLike": {"aws:PrincipalArn": list(allowed)}} if allowed else {}
    principal: Json = {"Principal": "*"} if of_a_resource else {}
    statements: list[Json] = [
        {
            "Effect": "Deny",
            **principal,
            "Action": _TAG_ACTIONS,
            "Resource": "*",
            "Condition": {"StringEquals": {f"aws:RequestTag/{key}": list(values)}, **unless},
        }
        for key, values in tag_values.items()
    ]
    templates = {"Effect": "Deny", **principal, "Action": _TEMPLATE_ACTIONS, "Resource": "*"}
    statements.append({**templates, "Condition": unless} if unless else templates)
    return {"Version": "2012-10-17", "Statement": statements}


def deny_tagging_commands(
    tag_values: t.Mapping[str, t.Sequence[str]], setters: t.Sequence[str], limit: int, owner: Identity
) -> str:
    """The commands that create the three policies.

    :param setters: the ARNs of the principals that may set the tags
    :param limit: the number of principals that may set the tags
    """
    allowed, others = list(setters[:limit]), setters[limit:]
    policy = shell_command(
        *("aws", "iam", "create-policy", "--policy-name", _NAME),
        *("--policy-document", compact_json(deny_tagging(tag_values, ()))),
    )
    attached = "\n".join(_attach(arn, owner.policy("/", _NAME)) for arn in others if _ENTITY.fullmatch(arn))
    scp = _organization_policy("SERVICE_CONTROL_POLICY", deny_tagging(tag_values, allowed), owner)
    rcp = _organization_policy("RESOURCE_CONTROL_POLICY", deny_tagging(tag_values, allowed, True), owner)
    return (
        "# Choose one of the three. First, decide which principals may set the tags: in the commands, these are the"
        f" first {limit}.\n# 1. In the account: deny it to each of the other principals.\n{policy}\n{attached}\n"
        "# 2. In the management account: a service control policy for the principals of the account. aws:PrincipalArn"
        f" lists the exceptions.\n{scp}\n"
        "# 3. In the management account: a resource control policy for the repositories of the account. It applies to"
        f" principals inside and outside the organization.\n{rcp}\n"
    )


def _attach(arn: str, policy: str) -> str:
    kind = "role" if ":role/" in arn else "user"
    return shell_command(
        *("aws", "iam", f"attach-{kind}-policy", f"--{kind}-name", role_name(arn), "--policy-arn", policy)
    )


def _organization_policy(kind: str, document: Json, owner: Identity) -> str:
    created = shell_command(
        *("aws", "organizations", "create-policy", "--type", kind, "--name", _NAME),
        *("--description", "Limits who may set the sharing tag of ECR repositories"),
        *("--content", compact_json(document), "--query", "Policy.PolicySummary.Id", "--output", "text"),
    )
    return f'aws organizations attach-policy --target-id {owner.account} --policy-id "$({created})"'
