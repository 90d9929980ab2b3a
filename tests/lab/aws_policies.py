# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS managed policies of Amazon ECR, which MiniStack lacks, added in place before the lab serves a request.

Source: Amazon ECR User Guide, "AWS managed policies for Amazon Elastic Container Registry".
"""

from __future__ import annotations

import json
from typing import Any

from ministack.services import iam

_PREFIX = "AmazonEC2ContainerRegistry"
_PULL = ("ecr:GetAuthorizationToken", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
_READ = (
    *("ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer"),
    *("ecr:GetRepositoryPolicy", "ecr:DescribeRepositories", "ecr:ListImages", "ecr:DescribeImages"),
    *("ecr:BatchGetImage", "ecr:GetLifecyclePolicy", "ecr:GetLifecyclePolicyPreview", "ecr:ListTagsForResource"),
    "ecr:DescribeImageScanFindings",
)
_PUSH = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
_SERVICE_ROLE: dict[str, Any] = {
    "Effect": "Allow",
    "Action": ["iam:CreateServiceLinkedRole"],
    "Resource": "*",
    "Condition": {"StringEquals": {"iam:AWSServiceName": ["replication.ecr.amazonaws.com"]}},
}


def _allow(*actions: str) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": list(actions), "Resource": "*"}


_POLICIES = {
    "PullOnly": [_allow(*_PULL, "ecr:BatchImportUpstreamImage")],
    "ReadOnly": [_allow(*_READ)],
    "PowerUser": [_allow(*_READ, *_PUSH)],
    "FullAccess": [_allow("ecr:*", "cloudtrail:LookupEvents"), _SERVICE_ROLE],
}


def install() -> None:
    """Put the policies into MiniStack."""
    for name, statements in _POLICIES.items():
        document = json.dumps({"Version": "2012-10-17", "Statement": statements})
        record = iam._make_aws_managed_record(_PREFIX + name, document)
        iam._aws_managed_policies[record["Arn"]] = record
