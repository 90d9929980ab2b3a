# SPDX-License-Identifier: GPL-3.0-or-later
"""Features that MiniStack's IAM lacks, added in place before the lab serves a request.

1. `SetDefaultPolicyVersion`.
2. A user or role that does not exist is refused as a principal of a trust policy.
3. A trust policy, and the policy of a resource, names the very user or role: when that one is deleted, its ID is left
   in the document, and one that is created again under the same name is not trusted.

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
    for identifier, one in policy["Versions"].items():
        one["IsDefaultVersion"] = identifier == version
    policy["DefaultVersionId"] = version
    return iam._xml(200, "SetDefaultPolicyVersionResponse", "", ns="iam")


def _with_principals_checked(handler: Callable[[Any], Any], document: str) -> Callable[[Any], Any]:
    """The handler, which first rejects a trust policy that names a principal that does not exist."""

    def checked(parameters: Any) -> Any:
        for principal in principals(iam._p(parameters, document)):
            if not exists(principal):
                message = f'Invalid principal in policy: "AWS":"{principal}"'
                return iam._error(400, "MalformedPolicyDocument", message, ns="iam")
        return handler(parameters)

    return checked


def _with_id_left_behind(handler: Callable[[Any], Any], kind: str) -> Callable[[Any], Any]:
    """The handler of a deletion, which then leaves the ID of the user or role in every policy that names it."""
    entities = {"User": iam._users, "Role": iam._roles}[kind]

    def deleting(parameters: Any) -> Any:
        gone = entities.get(iam._p(parameters, f"{kind}Name"))
        reply = handler(parameters)
        if gone and reply[0] == 200:
            _replace_principal(gone["Arn"], gone[f"{kind}Id"])
        return reply

    return deleting


def principals(document: str) -> Iterator[str]:
    """The AWS principals of a policy; none if the text is not a policy, which other code reports."""
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
    """The ids of all users and roles of all accounts."""
    return {one["UserId"] for one in iam._users._data.values()} | {one["RoleId"] for one in iam._roles._data.values()}


def _replace_principal(arn: str, identifier: str) -> None:
    """Replace an ARN by an ID in every policy that has the ARN as a principal. A condition is text and stays."""
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
            statement["Principal"]["AWS"] = [identifier if one == arn else one for one in named]
        elif named == arn:
            statement["Principal"]["AWS"] = identifier
    return json.dumps(document)
