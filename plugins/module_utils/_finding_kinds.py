# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The kinds of findings of an audit, with their severities. The documentation has this table. Standard library only."""

from __future__ import annotations

from dataclasses import dataclass

#: The severities, the most severe first.
SEVERITIES = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True)
class FindingKind:
    """A kind of finding.

    :param id: its stable ID
    :param meaning: the fact that it reports, as a sentence
    :param next_step: the action of the owner, as a sentence
    """

    id: str
    severity: str
    subject: str
    meaning: str
    next_step: str


_TRUST, _PERMISSIONS, _TAGS = "Trust", "Permissions", "Tags"
_TEMPLATES, _LIFECYCLE = "Templates and replication", "Lifecycle"
_DECLARATION = "Declaration"

#: The kinds in the order of the documentation.
KINDS = (
    FindingKind(
        "trust-without-external-id",
        "high",
        _TRUST,
        "A role that can use ECR trusts another account without an external ID.",
        "Require an external ID in the trust policy, and give it to the consumer.",
    ),
    FindingKind(
        "trust-wildcard",
        "critical",
        _TRUST,
        "A role that can use ECR trusts every AWS account.",
        "Name the consumer accounts, or limit the statement to an organization.",
    ),
    FindingKind(
        "dangling-principal",
        "low",
        _TRUST,
        "A policy names the ID of a deleted user or role (AIDA…, AROA…). It admits no principal.",
        "Remove the ID. Name the new principal if it still needs access.",
    ),
    FindingKind(
        "malformed-policy",
        "high",
        _PERMISSIONS,
        "A policy document cannot be read, so the access that it grants is unknown.",
        "Validate the document with IAM Access Analyzer, and correct it.",
    ),
    FindingKind(
        "public-repository",
        "critical",
        _PERMISSIONS,
        "A repository policy allows every AWS account.",
        "Name the consumer accounts, or limit the statement to an organization.",
    ),
    FindingKind(
        "public-registry",
        "critical",
        _PERMISSIONS,
        "The registry policy allows every AWS account.",
        "Name the consumer accounts, or limit the statement to an organization.",
    ),
    FindingKind(
        "untagged-repositories-match",
        "high",
        _PERMISSIONS,
        "A condition on a repository tag also matches repositories without the tag, so principals outside the account"
        " reach repositories that have no tag.",
        "Require the tag, for example with StringEquals.",
    ),
    FindingKind(
        "ineffective-registry-action",
        "low",
        _PERMISSIONS,
        "A registry-level action has a condition on a repository tag. ECR evaluates no tags for such an action, so the"
        " grant never takes effect.",
        "Remove the action. Grant only ecr:GetAuthorizationToken in a statement without a tag condition.",
    ),
    FindingKind(
        "write-access-outside",
        "high",
        _PERMISSIONS,
        "Principals outside the account can push, delete, tag, or change policies.",
        "Remove the write actions.",
    ),
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
        "Remove the statement.",
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
    FindingKind(
        "drift-undeclared-access",
        "high",
        _DECLARATION,
        "The account allows access that ecr_audit_declaration does not allow.",
        "Share again with the declaration, or declare the access.",
    ),
    FindingKind(
        "drift-missing-access",
        "medium",
        _DECLARATION,
        "The account does not allow access that ecr_audit_declaration allows.",
        "Share again with the declaration, or remove the access from it.",
    ),
    FindingKind(
        "drift-conditions",
        "medium",
        _DECLARATION,
        "The conditions of an access, such as the external ID, differ from ecr_audit_declaration.",
        "Share again with the declaration, or declare these conditions.",
    ),
    FindingKind(
        "drift-settings",
        "low",
        _DECLARATION,
        "A role or tag differs from ecr_audit_declaration, but no access differs.",
        "Share again with the declaration.",
    ),
    FindingKind(
        "drift-not-compared",
        "high",
        _DECLARATION,
        "The account cannot be compared with ecr_audit_declaration. The evidence has the reason.",
        "Correct the declaration, or allow the request that AWS denied.",
    ),
)
KIND_OF = {kind.id: kind for kind in KINDS}
