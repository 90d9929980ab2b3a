# SPDX-License-Identifier: GPL-3.0-or-later
"""Features that MiniStack's Organizations lacks, added in place before the lab serves a request.

1. An account that `CreateAccount` creates has a role that trusts the management account, as on AWS. Only this
   role gives access to an account that is created after the lab is sealed.
2. An account has `State` and `Paths`. MiniStack returns `Status` and a member that AWS does not have.

Source: AWS Organizations User Guide, "Accessing member accounts in an organization"; API reference, "Account".
"""

from __future__ import annotations

import json
from typing import Any

from ministack.core import responses
from ministack.services import iam, organizations

from . import accounts


def install() -> None:
    """Put the addition into MiniStack, before IAM's own calls are changed."""
    create = organizations._DISPATCH["CreateAccount"]

    def create_account(payload: dict[str, Any]) -> Any:
        reply = create(payload)
        created = json.loads(reply[2]).get("CreateAccountStatus")
        if created:
            role = payload.get("RoleName", "OrganizationAccountAccessRole")
            _make_role(created["AccountId"], role, responses.get_account_id())
        return reply

    organizations._DISPATCH["CreateAccount"] = create_account
    organizations._public_account = _public_account


def _public_account(account: dict[str, Any]) -> dict[str, Any]:
    path, place = f"{account['Id']}/", account["_ParentId"]
    while place:
        path, place = f"{place}/{path}", organizations._target(place)[0].get("_ParentId")
    public = {name: value for name, value in account.items() if not name.startswith("_") and name != "Path"}
    return {**public, "State": account["Status"], "Paths": [f"{organizations._orgs['self']['Id']}/{path}"]}


def _make_role(account: str, name: str, management: str) -> None:
    principal = {"AWS": f"arn:aws:iam::{management}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    with responses.request_scope(account, responses.get_region()):
        iam._create_role({"RoleName": [name], "AssumeRolePolicyDocument": [_document(trust)]})
        permissions = {"PolicyName": ["AdministratorAccess"], "PolicyDocument": [_document(accounts.ADMINISTRATOR)]}
        iam._put_role_policy({"RoleName": [name], **permissions})


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
