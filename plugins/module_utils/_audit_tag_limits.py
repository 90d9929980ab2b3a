# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The commands that limit who may set the sharing tags. `_tag_guard` has the policies. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_fixes import (
    compact_json,
    role_name,
    shell_command,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import PolicyType, deny_tagging

_NAME = "deny_setting_sharing_tag"
_ENTITY = re.compile(r".*:(role|user)/.+")


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
        *("--policy-document", compact_json(deny_tagging(owner, tag_values))),
    )
    attached = "\n".join(_attach(arn, owner.policy("/", _NAME)) for arn in others if _ENTITY.fullmatch(arn))
    scp = _organization_policy(PolicyType.SERVICE_CONTROL, tag_values, allowed, owner)
    rcp = _organization_policy(PolicyType.RESOURCE_CONTROL, tag_values, allowed, owner)
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


def _organization_policy(
    kind: PolicyType, tag_values: t.Mapping[str, t.Sequence[str]], allowed: list[str], owner: Identity
) -> str:
    created = shell_command(
        *("aws", "organizations", "create-policy", "--type", f"{kind.name}_POLICY", "--name", _NAME),
        *("--description", "Limits who may set the sharing tag of ECR repositories"),
        *("--content", compact_json(deny_tagging(owner, tag_values, allowed, kind))),
        *("--query", "Policy.PolicySummary.Id", "--output", "text"),
    )
    return f'aws organizations attach-policy --target-id {owner.account} --policy-id "$({created})"'
