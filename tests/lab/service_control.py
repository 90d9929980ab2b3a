# SPDX-License-Identifier: GPL-3.0-or-later
"""Service control policies and the members of an organization, added in place before the lab serves a request.

MiniStack keeps service control policies but does not enforce them. This file adds:

1. The service control policies of an account's root, organizational units and account limit its principals. Each level
   has to allow a call. The management account is not limited.
2. `InviteAccountToOrganization` and `AcceptHandshake`, with which an account of the lab joins an organization.
3. A member account belongs to the organization of its management account: in `aws:PrincipalOrgID`, in
   `aws:PrincipalOrgPaths`, and in `DescribeOrganization`, the only call of Organizations that a member may make here.
4. A new organizational unit has the policy FullAWSAccess.

Source: AWS Organizations User Guide, "SCP evaluation" and "Inviting an AWS account to join your organization"; IAM User
Guide, "AWS global condition context keys", aws:PrincipalOrgPaths.
"""

from __future__ import annotations

import time
import uuid
from collections.abc import Iterator
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import organizations

from . import denials

_FULL_ACCESS = organizations.FULL_ACCESS_POLICY_ID
_TYPE = "SERVICE_CONTROL_POLICY"
_DAY = 24 * 3600  # seconds
#: Handshake id to management account, invited account and the handshake as it is returned.
_handshakes: dict[str, tuple[str, str, dict[str, Any]]] = {}


def install() -> None:
    """Put the additions into MiniStack, after `denials`."""
    resolve, create_unit = iam_evaluator.resolve_principal, organizations._DISPATCH["CreateOrganizationalUnit"]
    handle, resolve_key = organizations.handle_request, iam_evaluator._resolve_condition_key

    def resolve_condition_key(key: str, context: Any) -> Any:
        is_path = key.lower() == "aws:principalorgpaths"
        return _paths_of(context.principal_account) if is_path else resolve_key(key, context)

    def resolve_principal(*arguments: Any, **options: Any) -> Any:
        principal = resolve(*arguments, **options)
        if isinstance(principal, iam_evaluator.PrincipalInfo):
            principal.limits.extend(_limits(principal.account))
        return principal

    def create_organizational_unit(payload: dict[str, Any]) -> Any:
        before = set(organizations._ous)
        reply = create_unit(payload)
        for unit in set(organizations._ous) - before:
            _attach_full_access(unit)
        return reply

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        account = responses.get_account_id()
        management, operation = management_of(account), headers.get("x-amz-target", "").rpartition(".")[2]
        if management == account or operation == "AcceptHandshake":
            return await handle(method, path, headers, body, query)
        if operation != "DescribeOrganization":
            sentence = "You don't have permissions to access this resource."
            return organizations.error_response_json("AccessDeniedException", sentence, 400)
        with responses.request_scope(management, responses.get_region()):
            return await handle(method, path, headers, body, query)

    iam_evaluator.resolve_principal = resolve_principal
    iam_evaluator._principal_org_id = _organization_of
    iam_evaluator._resolve_condition_key = resolve_condition_key
    organizations._DISPATCH["CreateOrganizationalUnit"] = create_organizational_unit
    organizations._DISPATCH["InviteAccountToOrganization"] = _invite
    organizations._DISPATCH["AcceptHandshake"] = _accept
    organizations.handle_request = handle_request


def management_of(account: str) -> str:
    """The management account of an account's organization; the account itself if it is in no other's."""
    found = (management for management, member in organizations._accounts._data if member == account != management)
    return next(found, account)


def _organization_of(account: str) -> str | None:
    organization = organizations._orgs.get_scoped(management_of(account), None, "self")
    return organization["Id"] if organization else None


def _paths_of(account: str) -> list[str] | None:
    """The path from the organization of an account to the place of the account, as the only value of the key."""
    management = management_of(account)
    if _organization_of(account) is None:
        return None
    with responses.request_scope(management, responses.get_region()):
        path, place = "", organizations._target(account)[0]["_ParentId"]
        while place:
            path, place = f"{place}/{path}", organizations._target(place)[0].get("_ParentId")
        return [f"{organizations._orgs['self']['Id']}/{path}"]


def _limits(account: str) -> Iterator[denials.Layer]:
    """The service control policies of an account, a layer for each level of the organization."""
    for level in attached(account, _TYPE):
        documents = [
            denials.Document(iam_evaluator.parse_policy_document(item["_Content"]), item["Arn"]) for item in level
        ]
        yield denials.Layer(denials.ORGANIZATION, documents)


def attached(account: str, kind: str) -> Iterator[list[dict[str, Any]]]:
    """The policies of one type that apply to a member account, for each level of the organization."""
    management = management_of(account)
    if management == account:
        return
    with responses.request_scope(management, responses.get_region()):
        if not organizations._policy_type_enabled(kind):
            return
        place = account
        while place:
            yield [
                policy
                for identifier, policy in organizations._policies.items()
                if policy["Type"] == kind and place in organizations._attachments.get(identifier, [])
            ]
            record, _kind = organizations._target(place)
            place = record.get("_ParentId")


def _attach_full_access(target: str) -> None:
    organizations._attachments[_FULL_ACCESS] = [*organizations._attachments[_FULL_ACCESS], target]


def _invite(payload: dict[str, Any]) -> Any:
    organizations._ensure_org()
    organization, account = organizations._orgs["self"], payload["Target"]["Id"]
    management, now, identifier = responses.get_account_id(), int(time.time()), f"h-{uuid.uuid4().hex[:10]}"
    arn = f"arn:aws:organizations::{management}:handshake/{organization['Id']}/invite/{identifier}"
    handshake = {
        **{"Id": identifier, "Arn": arn, "Action": "INVITE", "State": "OPEN"},
        **{"RequestedTimestamp": now, "ExpirationTimestamp": now + 15 * _DAY},
        "Parties": [{"Id": organization["Id"][2:], "Type": "ORGANIZATION"}, {"Id": account, "Type": "ACCOUNT"}],
        "Resources": [{"Type": "ORGANIZATION", "Value": organization["Id"]}, {"Type": "ACCOUNT", "Value": account}],
    }
    _handshakes[identifier] = (management, account, handshake)
    return organizations._json(200, {"Handshake": handshake})


def _accept(payload: dict[str, Any]) -> Any:
    account, identifier = responses.get_account_id(), payload["HandshakeId"]
    management, invited, handshake = _handshakes.get(identifier, ("", "", {}))
    if invited != account or handshake["State"] != "OPEN":
        sentence = f"We can't find a handshake with the HandshakeId {identifier}."
        return organizations.error_response_json("HandshakeNotFoundException", sentence, 400)
    handshake["State"] = "ACCEPTED"
    with responses.request_scope(management, responses.get_region()):
        organization = organizations._orgs["self"]["Id"]
        organizations._accounts[account] = {
            "Id": account,
            "Arn": f"arn:aws:organizations::{management}:account/{organization}/{account}",
            **{"Email": f"member+{account}@example.com", "Name": f"Member {account}", "Path": "/"},
            **{"Status": "ACTIVE", "JoinedMethod": "INVITED", "JoinedTimestamp": int(time.time())},
            "_ParentId": next(iter(organizations._roots)),
        }
        _attach_full_access(account)
    return organizations._json(200, {"Handshake": handshake})
