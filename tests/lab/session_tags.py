# SPDX-License-Identifier: GPL-3.0-or-later
"""Session tags and source identities of `AssumeRole`, added in place before the lab serves a request.

MiniStack asks the trust policy for `sts:TagSession` if a request has tags. This file adds:

1. The caller's policies have to allow `sts:TagSession` as well.
2. Transitive tags of the caller's session pass to the new session, and need the same permissions.
3. `SourceIdentity`, with `sts:SetSourceIdentity` in both policies. It passes to the new session, too.
4. The condition keys `sts:SourceIdentity`, `sts:TransitiveTagKeys` and `aws:SourceIdentity`.

Sources: IAM User Guide, "Pass session tags in AWS STS" and "Monitor and control actions taken with assumed roles".
"""

from __future__ import annotations

import contextvars
import dataclasses
import itertools
import re
from typing import Any
from urllib.parse import parse_qs, urlencode
from xml.sax.saxutils import escape

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import sts

TAG, IDENTIFY = "sts:TagSession", "sts:SetSourceIdentity"
#: The condition keys of the current request.
_keys: contextvars.ContextVar[dict[str, Any]] = contextvars.ContextVar("lab_session_keys")


class _RefusedError(Exception):
    """The trust policy does not allow `sts:SetSourceIdentity`."""


@dataclasses.dataclass(frozen=True)
class _Request:
    """The properties of a new session.

    :param tags: of the request
    :param inherited: transitive tags of the caller's session
    :param transitive: keys of the tags that pass to further sessions
    """

    role: str
    tags: dict[str, str]
    inherited: dict[str, str]
    transitive: list[str]
    source_identity: str

    @property
    def keys(self) -> dict[str, Any]:
        """Its condition keys."""
        found: dict[str, Any] = {"sts:sourceidentity": self.source_identity} if self.source_identity else {}
        return found | ({"sts:transitivetagkeys": self.transitive} if self.transitive else {})

    @property
    def tag_keys(self) -> dict[str, Any]:
        """The condition keys of its tags."""
        tags = {**self.inherited, **self.tags}
        return {**{f"aws:RequestTag/{key}": value for key, value in tags.items()}, "aws:TagKeys": list(tags)}


def install() -> None:
    """Put the additions into MiniStack, before `propagation`."""
    handle, evaluate, describe = sts.handle_request, iam_evaluator.evaluate_trust_policy, iam_evaluator._principal_keys

    def evaluate_trust_policy(document: Any, caller: str, context: Any = None) -> bool:
        if context is None:
            return bool(evaluate(document, caller))
        context.service_context.update(_keys.get({}))
        allowed = bool(evaluate(document, caller, context))
        identified = context.action == "sts:AssumeRole" and "sts:sourceidentity" in context.service_context
        if allowed and identified and not evaluate(document, caller, dataclasses.replace(context, action=IDENTIFY)):
            raise _RefusedError
        return allowed

    def principal_keys(credential: Any) -> dict[str, Any]:
        identity = sts._sessions.get(credential.access_key_id, {}).get("SourceIdentity")
        return describe(credential) | ({"aws:sourceidentity": identity} if identity else {})

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        parameters = {name: values[0] for name, values in parse_qs(body.decode(), keep_blank_values=True).items()}
        if parameters.get("Action") != "AssumeRole":
            return await handle(method, path, headers, body, query)
        request = _read(parameters)
        refusal = _refuse(request)
        if refusal:
            return refusal
        _keys.set(request.keys)
        try:
            reply = await handle(method, path, headers, urlencode(_with_inherited(parameters, request)).encode(), query)
        except _RefusedError:
            user = iam_evaluator.caller_arn()
            return _denied(f"User: {user} is not authorized to perform: {IDENTIFY} on resource: {request.role}")
        return _noted(reply, request)

    iam_evaluator.evaluate_trust_policy = evaluate_trust_policy
    iam_evaluator._principal_keys = sts._principal_keys = principal_keys
    sts.handle_request = handle_request


def _read(parameters: dict[str, str]) -> _Request:
    session = sts._sessions.get(iam_evaluator._verified_key.get(), {})
    keys = session.get("TransitiveTagKeys", [])
    inherited = {tag["Key"]: tag["Value"] for tag in session.get("SessionTags") or [] if tag["Key"] in keys}
    tags = dict(zip(_members(parameters, "Tags.member.{}.Key"), _members(parameters, "Tags.member.{}.Value")))
    transitive = [*inherited, *_members(parameters, "TransitiveTagKeys.member.{}")]
    identity = parameters.get("SourceIdentity") or session.get("SourceIdentity", "")
    return _Request(parameters.get("RoleArn", ""), tags, inherited, transitive, identity)


def _members(parameters: dict[str, str], name: str) -> list[str]:
    names = itertools.takewhile(parameters.__contains__, map(name.format, itertools.count(1)))
    return [parameters[name] for name in names]


def _refuse(request: _Request) -> Any:
    """The error if the policies of the caller do not allow the request; None if they do."""
    needed = [(TAG, request.tag_keys)] if request.tags or request.inherited else []
    needed += [(IDENTIFY, {})] if request.source_identity else []
    key, region = iam_evaluator._verified_key.get(), responses.get_region()
    for action, context in needed:
        refusal = iam_evaluator.enforce(key, action, "sts", region, request.role, {**request.keys, **context})
        if refusal:
            explicit = refusal.decision == "Deny"
            return _denied(iam_actions.identity_denial_message(action, refusal.principal_arn, request.role, explicit))
    return None


def _denied(sentence: str) -> Any:
    return sts._error(403, "AccessDenied", sentence, ns="sts")


def _with_inherited(parameters: dict[str, str], request: _Request) -> dict[str, str]:
    added = dict(parameters)
    for number, (key, value) in enumerate(request.inherited.items(), len(request.tags) + 1):
        added |= {f"Tags.member.{number}.Key": key, f"Tags.member.{number}.Value": value}
    return added


def _noted(reply: Any, request: _Request) -> Any:
    """The response, after the new session keeps what passes to further sessions."""
    status, headers, body = reply
    key = re.search(rb"<AccessKeyId>([^<]+)<", body)
    if status != 200 or key is None:
        return reply
    sts._sessions[key[1].decode()] |= {
        "TransitiveTagKeys": request.transitive,
        "SourceIdentity": request.source_identity,
    }
    if request.source_identity:
        element = f"<SourceIdentity>{escape(request.source_identity)}</SourceIdentity></AssumeRoleResult>"
        body = body.replace(b"</AssumeRoleResult>", element.encode())
    return status, headers, body
