# SPDX-License-Identifier: GPL-3.0-or-later
"""Features that MiniStack's IAM lacks, added in place before the lab serves a request.

1. `SetDefaultPolicyVersion`.
2. A trust policy with a user or role that does not exist is rejected.
3. Trust policies and the policies of resources are bound to the unique ID of a user or role. When the user or role is
   deleted, the document keeps the ID, and a new user or role with the same name is not trusted.

Source: IAM User Guide, "AWS JSON policy elements: Principal".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import ecr, iam

_ENTITY = re.compile(r"arn:aws:iam::([0-9]{12}):(user|role)/(?:.*/)?([^/]+)")
_UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]+")
#: The policies of resources: key and text.
RESOURCE_POLICIES: list[dict[Any, str]] = [ecr._repo_policies._data]


def install() -> None:
    """Put the additions into MiniStack."""
    handlers = iam._IAM_HANDLERS
    handlers["SetDefaultPolicyVersion"] = _set_default_policy_version
    for call, document in (("CreateRole", "AssumeRolePolicyDocument"), ("UpdateAssumeRolePolicy", "PolicyDocument")):
        handlers[call] = _with_principals_checked(handlers[call], document)
    for call, kind in (("DeleteUser", "User"), ("DeleteRole", "Role")):
        handlers[call] = _with_id_left_behind(handlers[call], kind)


def _set_default_policy_version(parameters: Any) -> Any:
    arn, version = iam._p(parameters, "PolicyArn"), iam._p(parameters, "VersionId")
    policy = iam._policies.get(arn)
    if not policy or version not in policy["Versions"]:
        message = f"Policy {arn} version {version} does not exist or is not attachable."
        return iam._error(404, "NoSuchEntity", message, ns="iam")
    for identifier, value in policy["Versions"].items():
        value["IsDefaultVersion"] = identifier == version
    policy["DefaultVersionId"] = version
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")


def _with_principals_checked(handler: Callable[[Any], Any], document: str) -> Callable[[Any], Any]:
    """Wrap the handler, so that it rejects a trust policy whose principal does not exist."""

    def checked(parameters: Any) -> Any:
        for principal in principals(iam._p(parameters, document)):
            if not exists(principal):
                message = f'Invalid principal in policy: "AWS":"{principal}"'
                return iam._error(400, "MalformedPolicyDocument", message, ns="iam")
        return handler(parameters)

    return checked


def _with_id_left_behind(handler: Callable[[Any], Any], kind: str) -> Callable[[Any], Any]:
    """Wrap the handler of a deletion, so that every policy keeps the unique ID of the deleted user or role."""
    entities = {"User": iam._users, "Role": iam._roles}[kind]

    def deleting(parameters: Any) -> Any:
        deleted = entities.get(iam._p(parameters, f"{kind}Name"))
        reply = handler(parameters)
        if deleted and reply[0] == 200:
            _replace_principal(deleted["Arn"], deleted[f"{kind}Id"])
        return reply

    return deleting


def principals(document: str) -> Iterator[str]:
    """The AWS principals of a policy. Empty if the text is not a policy, which other code reports."""
    try:
        statements = json.loads(document)["Statement"]
    except (ValueError, KeyError, TypeError):
        return
    for statement in statements if isinstance(statements, list) else [statements]:
        principal = statement.get("Principal")
        named = principal.get("AWS", []) if isinstance(principal, dict) else []
        yield from named if isinstance(named, list) else [named]


def exists(principal: str) -> bool:
    """Whether IAM accepts a principal: `*`, an account, or a user or role that exists. All accounts exist."""
    entity = _ENTITY.fullmatch(principal)
    if entity is None:
        return not _UNIQUE_ID.fullmatch(principal) or principal in _ids()
    account, kind, name = entity.groups()
    known = iam._users if kind == "user" else iam._roles
    data = known._data.get((account, name))
    return data is not None and data["Arn"] == principal


def _ids() -> set[str]:
    """The unique IDs of the users and roles in all accounts."""
    return {user["UserId"] for user in iam._users._data.values()} | {
        role["RoleId"] for role in iam._roles._data.values()
    }


def _replace_principal(arn: str, identifier: str) -> None:
    """Replace an ARN by a unique ID in the principals of all policies. ARNs in conditions are text and are kept."""
    for role in iam._roles._data.values():
        role["AssumeRolePolicyDocument"] = _replaced(role["AssumeRolePolicyDocument"], arn, identifier)
    for policies in RESOURCE_POLICIES:
        policies.update({key: _replaced(text, arn, identifier) for key, text in policies.items()})


def _replaced(text: str, arn: str, identifier: str) -> str:
    if arn not in principals(text):
        return text
    document = json.loads(text)
    statements = document["Statement"]
    for statement in statements if isinstance(statements, list) else [statements]:
        named = statement["Principal"].get("AWS") if isinstance(statement.get("Principal"), dict) else None
        if isinstance(named, list):
            statement["Principal"]["AWS"] = [identifier if principal == arn else principal for principal in named]
        elif named == arn:
            statement["Principal"]["AWS"] = identifier
    return json.dumps(document)
