# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the users, roles and policies of an account, and its organization, for an audit."""

from __future__ import annotations

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_registry import Reads
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import ROLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Document, IamPrincipal, PolicyDocument
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

_FILTER = ["User", "Role", "Group", "LocalManagedPolicy", "AWSManagedPolicy"]
_MEMBERS = ("UserDetailList", "RoleDetailList", "GroupDetailList", "Policies")


def read_principals(reads: Reads, iam: Client) -> tuple[IamPrincipal, ...]:
    """The users and roles with their policies; none of them if AWS denies the request."""
    empty: dict[str, list[Json]] = {name: [] for name in _MEMBERS}
    details = reads.read(lambda: _details(iam), "IAM users, roles and policies", ROLE) or empty
    managed = {policy["Arn"]: _managed(policy) for policy in details["Policies"]}
    groups = {
        group["GroupName"]: _policies(group, "GroupPolicyList", f"group {group['Arn']}", managed)
        for group in details["GroupDetailList"]
    }
    found = []
    for user in details["UserDetailList"]:
        own = _policies(user, "UserPolicyList", f"user {user['Arn']}", managed)
        inherited = [policy for name in user.get("GroupList", []) for policy in groups.get(name, [])]
        found.append(_principal(user, [*own, *inherited], managed))
    for role in details["RoleDetailList"]:
        own = _policies(role, "RolePolicyList", f"role {role['Arn']}", managed)
        trust = PolicyDocument(f"trust policy of role {role['Arn']}", role["AssumeRolePolicyDocument"])
        found.append(_principal(role, own, managed, trust))
    return tuple(found)


def _details(iam: Client) -> dict[str, list[Json]]:
    found: dict[str, list[Json]] = {name: [] for name in _MEMBERS}
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=_FILTER, PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        for name in _MEMBERS:
            found[name] += page.get(name, [])
    return found


def _managed(policy: Json) -> Document:
    versions: list[Json] = policy.get("PolicyVersionList", [])
    return next((version["Document"] for version in versions if version.get("IsDefaultVersion")), {})


def _policies(entity: Json, inline: str, name: str, managed: dict[str, Document]) -> list[PolicyDocument]:
    found = [
        PolicyDocument(f"inline policy {policy['PolicyName']} of {name}", policy["PolicyDocument"])
        for policy in entity.get(inline, [])
    ]
    for policy in entity.get("AttachedManagedPolicies", []):
        document = managed.get(policy["PolicyArn"], "")  # an empty text is not a valid document, so it is unknown
        found.append(PolicyDocument(f"managed policy {policy['PolicyName']} of {name}", document))
    return found


def _principal(
    entity: Json,
    policies: list[PolicyDocument],
    managed: dict[str, Document],
    trust: PolicyDocument | None = None,
) -> IamPrincipal:
    boundary = (entity.get("PermissionsBoundary") or {}).get("PermissionsBoundaryArn")
    limit = None
    if boundary:
        limit = PolicyDocument(f"permissions boundary {boundary} of {entity['Arn']}", managed.get(boundary, ""))
    return IamPrincipal(
        entity["Arn"],
        tuple(policies),
        limit,
        trust,
        {tag["Key"]: tag["Value"] for tag in entity.get("Tags", [])},
        entity.get("CreateDate"),
        (entity.get("RoleLastUsed") or {}).get("LastUsedDate"),
    )


def read_organization(reads: Reads, organizations: Client) -> tuple[str, frozenset[str] | None]:
    """The ID of the organization and its accounts; None for accounts that cannot be read."""
    try:
        described: Json = reads.read(organizations.describe_organization, "organization") or {}
        identifier = str(described.get("Organization", {}).get("Id", ""))
        if not identifier:
            return "", None
        pages = reads.read(lambda: _accounts(organizations), "accounts of the organization")
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "AWSOrganizationsNotInUseException":
            raise
        return "", frozenset()
    return identifier, pages


def _accounts(organizations: Client) -> frozenset[str] | None:
    pages = organizations.get_paginator("list_accounts").paginate()
    return frozenset(account["Id"] for page in pages for account in page["Accounts"])
