# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The actions of ECR by the resource that they concern, and those that change something. Standard library only.

Source: Service Authorization Reference, "Actions, resources, and condition keys for Amazon ECR".
"""

from __future__ import annotations

#: The actions on the registry. They have no resource type, so a condition on a resource tag is never true.
REGISTRY_ACTIONS = (
    "ecr:CreatePullThroughCacheRule",
    "ecr:CreateRepositoryCreationTemplate",
    "ecr:DeletePullThroughCacheRule",
    "ecr:DeleteRegistryPolicy",
    "ecr:DeleteRepositoryCreationTemplate",
    "ecr:DeleteSigningConfiguration",
    "ecr:DeregisterPullTimeUpdateExclusion",
    "ecr:DescribePullThroughCacheRules",
    "ecr:DescribeRegistry",
    "ecr:DescribeReplicationBackfillResults",
    "ecr:DescribeRepositoryCreationTemplates",
    "ecr:GetAccountSetting",
    "ecr:GetAuthorizationToken",
    "ecr:GetRegistryPolicy",
    "ecr:GetRegistryScanningConfiguration",
    "ecr:GetSigningConfiguration",
    "ecr:ListPullTimeUpdateExclusions",
    "ecr:ListReplicationBackfills",
    "ecr:PutAccountSetting",
    "ecr:PutRegistryPolicy",
    "ecr:PutRegistryScanningConfiguration",
    "ecr:PutReplicationConfiguration",
    "ecr:PutSigningConfiguration",
    "ecr:RegisterPullTimeUpdateExclusion",
    "ecr:StartReplicationBackfill",
    "ecr:StopReplicationBackfill",
    "ecr:UpdatePullThroughCacheRule",
    "ecr:UpdateRepositoryCreationTemplate",
    "ecr:ValidatePullThroughCacheRule",
)

#: The read actions on a repository.
REPOSITORY_READS = (
    "ecr:BatchCheckLayerAvailability",
    "ecr:BatchGetImage",
    "ecr:BatchGetRepositoryScanningConfiguration",
    "ecr:BatchImportUpstreamImage",
    "ecr:DescribeImageReplicationStatus",
    "ecr:DescribeImageScanFindings",
    "ecr:DescribeImageSigningStatus",
    "ecr:DescribeImages",
    "ecr:DescribeRepositories",
    "ecr:GetDownloadUrlForLayer",
    "ecr:GetImageCopyStatus",
    "ecr:GetLifecyclePolicy",
    "ecr:GetLifecyclePolicyPreview",
    "ecr:GetRepositoryPolicy",
    "ecr:ListImages",
    "ecr:ListTagsForResource",
)

#: The write actions on a repository that push, delete, tag, or change policies, by what they do.
REPOSITORY_WRITES = {
    "ecr:BatchDeleteImage": "delete",
    "ecr:CreateRepository": "create repositories",
    "ecr:DeleteLifecyclePolicy": "change policies",
    "ecr:DeleteRepository": "delete",
    "ecr:DeleteRepositoryPolicy": "change policies",
    "ecr:PutImage": "push",
    "ecr:PutLifecyclePolicy": "change policies",
    "ecr:ReplicateImage": "push",
    "ecr:SetRepositoryPolicy": "change policies",
    "ecr:TagResource": "set tags",
    "ecr:UntagResource": "set tags",
}

#: The same on the registry.
REGISTRY_WRITES = {
    "ecr:CreateRepositoryCreationTemplate": "change templates",
    "ecr:DeleteRegistryPolicy": "change policies",
    "ecr:PutRegistryPolicy": "change policies",
    "ecr:PutReplicationConfiguration": "change replication",
    "ecr:UpdateRepositoryCreationTemplate": "change templates",
}
WRITES = {**REPOSITORY_WRITES, **REGISTRY_WRITES}
REPOSITORY_ACTIONS = (*REPOSITORY_READS, *REPOSITORY_WRITES)
