# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads all roles of this collection from the listing of the account."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState, is_ours

#: A boto3 client of `iam`; boto3 has no type for it.
Client = t.Any


class AccountListing(t.NamedTuple):
    """The result of one listing of the account.

    :param roles: the trust and the permissions of the roles that have this collection's ownership tag
    :param policies: the path of each managed policy of the account, by its name
    """

    roles: dict[str, RoleState]
    policies: dict[str, str]


def roles_of_this_collection(iam: Client) -> dict[str, RoleState]:
    """The trust and the permissions of all roles that have this collection's ownership tag."""
    return list_account(iam).roles


def list_account(iam: Client) -> AccountListing:
    """The roles of this collection, and the names of all managed policies, which are listed without tags."""
    roles, policies, paths = [], {}, {}
    pages = iam.get_paginator("get_account_authorization_details").paginate(
        Filter=["Role", "LocalManagedPolicy"], PaginationConfig={"PageSize": 1000}
    )
    for page in pages:
        roles += page["RoleDetailList"]
        for policy in page["Policies"]:
            current = next(version for version in policy["PolicyVersionList"] if version["IsDefaultVersion"])
            policies[policy["Arn"]] = current["Document"]
            paths[policy["PolicyName"]] = policy["Path"]
    own = {
        role["RoleName"]: _state(role, policies)
        for role in roles
        if is_ours({tag["Key"]: tag["Value"] for tag in role.get("Tags", [])})
    }
    return AccountListing(own, paths)


def _state(role: Json, policies: Json) -> RoleState:
    arns = [policy["PolicyArn"] for policy in role.get("AttachedManagedPolicies", [])]
    documents = [policies[arn] for arn in arns if arn in policies]
    documents += [inline["PolicyDocument"] for inline in role.get("RolePolicyList", [])]
    statements = [
        statement
        for document in documents
        for statement in _policy_document.statements(_policy_document.parse(document))
    ]
    return RoleState(
        role_exists=True,
        policy_exists=True,
        path=role["Path"],
        trust=_policy_document.parse(role["AssumeRolePolicyDocument"]),
        permissions={"Version": "2012-10-17", "Statement": statements},
        attached=True,
        policy_name=arns[0].rpartition("/")[2] if len(arns) == 1 else "",
        role_tags={tag["Key"]: tag["Value"] for tag in role.get("Tags", [])},
    )
