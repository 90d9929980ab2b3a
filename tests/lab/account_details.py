# SPDX-License-Identifier: GPL-3.0-or-later
"""The response of `GetAccountAuthorizationDetails` as on AWS, added in place before the lab serves a request.

1. All members of users, groups, roles and policies, and pages. MiniStack leaves out boundaries, the last use of a role,
   AWS managed policies, and the dates and counts of policies.
2. `AssumeRole` is the last use of a role, here and in `GetRole`. On AWS, the first request of the session is.
3. The file `state.ROLE_DATES` replaces `CreateDate` and `LastUsedDate` of roles by their names, so that a test has a
   role that was created or used long ago.

Source: IAM API reference, "GetAccountAuthorizationDetails" and "RoleLastUsed".
"""

from __future__ import annotations

import base64
import binascii
import json
import pathlib
import time
from collections.abc import Iterable, Iterator
from typing import Any
from urllib.parse import parse_qs, quote
from xml.sax.saxutils import escape

from ministack.core import responses
from ministack.services import iam, sts

from . import state

DEFAULT = 100
LISTS = {
    "User": "UserDetailList",
    "Group": "GroupDetailList",
    "Role": "RoleDetailList",
    "LocalManagedPolicy": "Policies",
    "AWSManagedPolicy": "Policies",
}
_BOUNDARY = "PermissionsBoundaryPolicy"
#: The ID of a role to the time and the region of its last use.
_used: dict[str, tuple[str, str]] = {}


def install(folder: pathlib.Path) -> None:
    """Put the additions into MiniStack, after `session_tags` and before `propagation`."""
    handle, get_role, role_xml = sts.handle_request, iam._IAM_HANDLERS["GetRole"], iam._role_xml
    dates = folder / state.ROLE_DATES

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        reply = await handle(method, path, headers, body, query)
        parameters = parse_qs(body.decode())
        if reply[0] == 200 and parameters.get("Action", [""])[0].startswith("AssumeRole"):
            _note_use(parameters["RoleArn"][0])
        return reply

    def get_role_with_last_use(parameters: Any) -> Any:
        status, headers, body = get_role(parameters)
        role = iam._roles.get(iam._p(parameters, "RoleName"))
        last = _last_use(_dated(role, dates)) if role else ""
        return status, headers, body.replace(b"</Role>", f"{last}</Role>".encode())

    def dated_role_xml(name: str, *arguments: Any, **options: Any) -> str:
        role = iam._roles[name]
        old, new = role["CreateDate"], _dated(role, dates)["CreateDate"]
        return str(role_xml(name, *arguments, **options)).replace(f"<CreateDate>{old}<", f"<CreateDate>{new}<")

    sts.handle_request = handle_request
    iam._role_xml = dated_role_xml
    iam._IAM_HANDLERS["GetRole"] = get_role_with_last_use
    iam._IAM_HANDLERS["GetAccountAuthorizationDetails"] = lambda parameters: _details(parameters, dates)


def _note_use(arn: str) -> None:
    role = iam._roles.get_scoped(arn.split(":")[4], None, arn.rpartition("/")[2])
    if role:
        _used[role["RoleId"]] = (time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()), responses.get_region())


def _dated(role: dict[str, Any], file: pathlib.Path) -> dict[str, Any]:
    """A role with the dates that a test has chosen."""
    used, region = _used.get(role["RoleId"], ("", responses.get_region()))
    chosen = json.loads(file.read_text(encoding="utf-8")).get(role["RoleName"], {}) if file.exists() else {}
    return {**role, "LastUsedDate": used, "Region": region, **chosen}


def _details(parameters: Any, dates: pathlib.Path) -> Any:
    wanted, number = set(), 1
    while one := iam._p(parameters, f"Filter.member.{number}"):
        wanted.add(one)
        number += 1
    begin = _begin(iam._p(parameters, "Marker"))
    if begin is None:
        return iam._error(400, "ValidationError", "Invalid Marker.", ns="iam")
    found = [(kind, text) for kind, text in _all(dates) if not wanted or kind in wanted]
    end = begin + int(iam._p(parameters, "MaxItems") or DEFAULT)
    page = dict.fromkeys(LISTS.values(), "")
    for kind, text in found[begin:end]:
        page[LISTS[kind]] += f"<member>{text}</member>"
    marker = base64.b64encode(str(end).encode()).decode() if end < len(found) else ""
    inner = "".join(f"<{name}>{text}</{name}>" for name, text in page.items()) + _texts(
        {"IsTruncated": "true" if marker else "false", "Marker": marker}
    )
    name = "GetAccountAuthorizationDetails"
    return iam._xml(200, f"{name}Response", f"<{name}Result>{inner}</{name}Result>", ns="iam")


def _begin(marker: str) -> int | None:
    """Where the page begins that a marker is for; None for a marker that the lab did not issue."""
    try:
        return int(base64.b64decode(marker, validate=True)) if marker else 0
    except (binascii.Error, ValueError):
        return None


def _all(dates: pathlib.Path) -> Iterator[tuple[str, str]]:
    """The kind and the description of every user, group, role and policy of the account."""
    yield from (("User", _user(one)) for one in iam._users.values())
    yield from (("Group", _group(one)) for one in iam._groups.values())
    yield from (("Role", _role(_dated(one, dates))) for one in iam._roles.values())
    yield from (("LocalManagedPolicy", _policy(one)) for one in iam._policies.values())
    yield from (("AWSManagedPolicy", _policy(one)) for one in _used_policies_of_aws())


def _user(user: dict[str, Any]) -> str:
    groups = [one["GroupName"] for one in iam._groups.values() if user["UserName"] in one.get("Users", [])]
    return (
        _texts({name: user[name] for name in ("Path", "UserName", "UserId", "Arn", "CreateDate")})
        + _inline("UserPolicyList", iam._user_inline_policies.get(user["UserName"]) or {})
        + _list("GroupList", map(escape, groups))
        + _attached_and_tags(user)
    )


def _group(group: dict[str, Any]) -> str:
    return (
        _texts({name: group[name] for name in ("Path", "GroupName", "GroupId", "Arn", "CreateDate")})
        + _inline("GroupPolicyList", iam._group_inline_policies.get(group["GroupName"]) or {})
        + _attached(group)
    )


def _role(role: dict[str, Any]) -> str:
    name = role["RoleName"]
    profiles = [one for one, profile in iam._instance_profiles.items() if name in profile.get("Roles", [])]
    return (
        _texts({name: role[name] for name in ("Path", "RoleName", "RoleId", "Arn", "CreateDate")})
        + _texts({"AssumeRolePolicyDocument": quote(role["AssumeRolePolicyDocument"], safe="")})
        + _list("InstanceProfileList", map(iam._instance_profile_xml, profiles))
        + _inline("RolePolicyList", role["InlinePolicies"])
        + _attached_and_tags(role)
        + _last_use(role)
    )


def _last_use(role: dict[str, Any]) -> str:
    used = {name: role[name] for name in ("LastUsedDate", "Region")} if role["LastUsedDate"] else {}
    return f"<RoleLastUsed>{_texts(used)}</RoleLastUsed>"


def _attached_and_tags(entity: dict[str, Any]) -> str:
    boundary = {"PermissionsBoundaryType": _BOUNDARY, "PermissionsBoundaryArn": entity.get("PermissionsBoundary") or ""}
    limited = f"<PermissionsBoundary>{_texts(boundary)}</PermissionsBoundary>"
    return (
        _attached(entity)
        + (limited if entity.get("PermissionsBoundary") else "")
        + _list(
            "Tags", (f"<Key>{escape(one['Key'])}</Key><Value>{escape(one['Value'])}</Value>" for one in _tags(entity))
        )
    )


def _tags(entity: dict[str, Any]) -> list[dict[str, str]]:
    return list(entity.get("Tags") or [])


def _attached(entity: dict[str, Any]) -> str:
    arns = entity.get("AttachedPolicies", [])
    named = ({"PolicyName": arn.rpartition("/")[2], "PolicyArn": arn} for arn in arns)
    return _list("AttachedManagedPolicies", map(_texts, named))


def _inline(name: str, policies: dict[str, str]) -> str:
    return _list(
        name, (_texts({"PolicyName": one, "PolicyDocument": quote(text, safe="")}) for one, text in policies.items())
    )


def _used_policies_of_aws() -> list[dict[str, Any]]:
    """The AWS managed policies that are attached in the account, or used as a boundary."""
    entities = [*iam._users.values(), *iam._groups.values(), *iam._roles.values()]
    arns = {arn for one in entities for arn in (*one.get("AttachedPolicies", []), one.get("PermissionsBoundary"))}
    return [policy for arn in sorted(filter(None, arns)) if (policy := iam._aws_managed_policies.get(arn))]


def _policy(policy: dict[str, Any]) -> str:
    names = ("VersionId", "CreateDate")
    versions = (
        _texts({"Document": quote(one["Document"], safe=""), **{name: one[name] for name in names}})
        + _texts({"IsDefaultVersion": "true" if one["IsDefaultVersion"] else "false"})
        for one in policy["Versions"].values()
    )
    arn = policy["Arn"]
    return str(iam._managed_policy_xml(arn)).partition("<Tags>")[0] + _list("PolicyVersionList", versions)


def _texts(values: dict[str, str]) -> str:
    """An element for each value that is not empty."""
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items() if value)


def _list(name: str, members: Iterable[str]) -> str:
    return f"<{name}>{''.join(f'<member>{one}</member>' for one in members)}</{name}>"
