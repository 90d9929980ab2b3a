# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The form of a hand-off for ECS and Lambda, which assume no role to pull. Standard library only.

Sources: aws/containers-roadmap#1467 and #1281; ECR User Guide, "Using Amazon ECR images with Amazon ECS"; Lambda
Developer Guide, "Amazon ECR permissions".
"""

from __future__ import annotations

import json
import shlex

from ansible_collections.crossaccount.ecr.plugins.module_utils._form_text import (
    comment,
    form_text,
    introduction,
    own_account,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import Handoff, policy_of_consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import NAME_PREFIX


def ecs_lambda(handoff: Handoff) -> str:
    """A command that allows the consumer's own role to pull, which a policy of the owner must allow as well."""
    name = NAME_PREFIX + "-".join(filter(None, (handoff.owner, handoff.region, handoff.sid)))
    mode = (
        [
            f"ECS and Lambda cannot use the pull role {handoff.role_name}: they assume no role to pull.",
            "They need a share with ecr_share_mode: repository_policy. Ask the owner account for it.",
            "ecr_share_mode: role is for clients that assume a role: hosts, pipelines, pods and people.",
        ]
        if handoff.role_arn
        else [f"The share has ecr_share_mode: {handoff.mode}."]
    )
    head = introduction(
        handoff,
        "Policy for ECS and Lambda",
        {
            "ROLE_NAME": f"the name of your own role in {own_account(handoff)}: for ECS, the task execution"
            " role on Fargate, or the role of the container instances; for Lambda, the role that creates the function."
        },
        *mode,
        "Both sides must allow the pull. The command below allows it on your side. For Lambda, the owner account also",
        f"declares the service lambda.amazonaws.com, and the function must be in {handoff.region}.",
        f"The command replaces the inline policy {name} of the role, if it exists.",
        "Set the variable below in the environment, and run: sh THIS_FILE",
    )
    uris = [f"  {handoff.registry}/{image}" for image in handoff.images or handoff.repositories]
    policy = handoff.consumer_policy or policy_of_consumer(handoff.owner, handoff.region, handoff.repositories, "pull")
    lines = [
        "#!/bin/sh",
        *head,
        "set -eu",
        *comment("The image in a task definition, or ImageUri of a function:", *uris),
        'aws iam put-role-policy --role-name "${ROLE_NAME:?}" \\',
        f"  --policy-name {name} \\",
        f"  --policy-document {shlex.quote(json.dumps(policy))}",
    ]
    return form_text(lines)
