# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The kinds of findings of an audit, with their severities. The documentation has this table. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_drift_kinds import DRIFT_KINDS
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding_kind import FindingKind
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding_kinds_of_policies import POLICY_KINDS

#: The severities, the most severe first.
SEVERITIES = ("critical", "high", "medium", "low", "info")


_TAGS = "Tags"
_TEMPLATES, _LIFECYCLE = "Templates and replication", "Lifecycle"

#: The kinds in the order of the documentation.
KINDS = (
    *POLICY_KINDS,
    FindingKind(
        "shared-by-accident",
        "high",
        _TAGS,
        "A repository has the sharing tags, but no declaration lists it.",
        "Remove the tags, or declare the repository.",
    ),
    FindingKind(
        "tag-key-case",
        "medium",
        _TAGS,
        "A repository has a tag whose key differs from a sharing tag only in case. ECR distinguishes the two tags, but"
        " IAM does not.",
        "Remove the tag with the other spelling.",
    ),
    FindingKind(
        "tag-shares-nothing",
        "low",
        _TAGS,
        "A sharing tag has no effect: no repository has it, or no role depends on it.",
        "Tag a repository, or remove the tag or the role.",
    ),
    FindingKind(
        "too-many-tag-setters",
        "medium",
        _TAGS,
        "More principals may set the sharing tag than ecr_audit_tag_setters_max allows.",
        "Deny it with an identity policy, a service control policy (SCP) or a resource control policy (RCP).",
    ),
    FindingKind(
        "template-sets-sharing-tag",
        "high",
        _TEMPLATES,
        "A repository creation template sets a sharing tag, so each new repository is shared.",
        "Remove the tag from the template.",
    ),
    FindingKind(
        "template-open-policy",
        "critical",
        _TEMPLATES,
        "The repository policy of a creation template allows every AWS account, so each new repository is public.",
        "Name the consumer accounts, or limit the statement to an organization.",
    ),
    FindingKind(
        "create-on-push-outside",
        "high",
        _TEMPLATES,
        "Principals outside the account can create repositories by a push.",
        "Remove CREATE_ON_PUSH from the template, or the write actions from the policy.",
    ),
    FindingKind(
        "delete-replication",
        "medium",
        _TEMPLATES,
        "A replication rule replicates deletions. If the last image tag is removed, or a lifecycle rule expires the"
        " image, ECR deletes the image at every destination.",
        "Disable deleteReplication.",
    ),
    FindingKind(
        "unused-role",
        "medium",
        _LIFECYCLE,
        "A role that principals outside the account may assume has not been used for ecr_audit_unused_days.",
        "Delete the role.",
    ),
    FindingKind(
        "share-ends-soon",
        "info",
        _LIFECYCLE,
        "Access ends within ecr_audit_ends_within_days.",
        "Extend it if the consumer still needs it.",
    ),
    FindingKind(
        "share-ended",
        "low",
        _LIFECYCLE,
        "Access has ended, but its statement still exists.",
        "Remove the statement, or the share with unshare.yml and ecr_share_expired_only.",
    ),
    FindingKind(
        "mutable-image-tags",
        "low",
        _LIFECYCLE,
        "The image tags of a shared repository can be moved to other images.",
        "Make the image tags immutable.",
    ),
    FindingKind(
        "archived-images",
        "info",
        _LIFECYCLE,
        "A shared repository contains archived images. A pull of such an image fails as not found.",
        "Restore the images that the consumer needs.",
    ),
    *(FindingKind(name, severity, "Declaration", meaning, step) for name, severity, meaning, step in DRIFT_KINDS),
)
KIND_OF = {kind.id: kind for kind in KINDS}
