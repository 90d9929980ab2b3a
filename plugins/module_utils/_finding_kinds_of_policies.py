# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The kinds of findings about trust and permissions. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._finding_kind import FindingKind

_TRUST, _PERMISSIONS = "Trust", "Permissions"

#: The kinds in the order of the documentation.
POLICY_KINDS = (
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
)
