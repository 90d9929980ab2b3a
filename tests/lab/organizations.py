"""What MiniStack's Organizations lacks, added in place before the lab serves a request.

An account that `CreateAccount` makes comes with a role that trusts the management account, as on AWS: the only way
into an account that is made after the lab is sealed.

Source: AWS Organizations User Guide, "Accessing member accounts in an organization".
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
        made = json.loads(reply[2]).get("CreateAccountStatus")
        if made:
            role = payload.get("RoleName", "OrganizationAccountAccessRole")
            _make_role(made["AccountId"], role, responses.get_account_id())
        return reply

    organizations._DISPATCH["CreateAccount"] = create_account


def _make_role(account: str, name: str, management: str) -> None:
    principal = {"AWS": f"arn:aws:iam::{management}:root"}
    trust = {"Effect": "Allow", "Principal": principal, "Action": "sts:AssumeRole"}
    with responses.request_scope(account, responses.get_region()):
        iam._create_role({"RoleName": [name], "AssumeRolePolicyDocument": [_document(trust)]})
        permissions = {"PolicyName": ["AdministratorAccess"], "PolicyDocument": [_document(accounts.ADMINISTRATOR)]}
        iam._put_role_policy({"RoleName": [name], **permissions})


def _document(statement: dict[str, Any]) -> str:
    return json.dumps({"Version": "2012-10-17", "Statement": [statement]})
