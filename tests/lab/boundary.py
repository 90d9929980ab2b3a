"""Permissions boundaries and tag keys in authorization, added in place before the lab serves a request.

MiniStack enforces the boundary of a user or a role. This file adds:

1. The condition key `iam:PermissionsBoundary`: the boundary in the request where the action sets one, otherwise the
   boundary of the user or role that the action changes.
2. `aws:TagKeys` for `ecr:UntagResource`, also through the Resource Groups Tagging API. MiniStack has it for
   `ecr:TagResource` only.
3. The sentences of AWS for a call that a boundary or a session policy denies.

Sources: Service Authorization Reference, pages of IAM and of Amazon ECR; IAM User Guide, "Troubleshoot access denied
error messages".
"""

from __future__ import annotations

import contextvars
import json
import re
from typing import Any

from ministack.core import iam_actions, iam_evaluator
from ministack.services import iam

#: Actions whose key is the boundary in the request.
_SETS_A_BOUNDARY = re.compile("iam:(Create(Role|User)|Put(Role|User)PermissionsBoundary)")
#: Actions whose key is the boundary of the role or user that they name.
_NAMES_A_BOUNDED_ENTITY = re.compile(
    "iam:((Attach|Detach|Put|Delete)(Role|User)Policy|Delete(Role|User)PermissionsBoundary"
    "|GetRole|DeleteRole|UpdateRole|UpdateRoleDescription|UpdateAssumeRolePolicy)"
)

#: What denied the call that is being answered, if it was not an identity-based policy.
_denied_by: contextvars.ContextVar[str] = contextvars.ContextVar("lab_denied_by", default="")


class _Boundary(list[Any]):
    """A limit of a principal that is its permissions boundary; its other limits are session policies."""


def install() -> None:
    """Put the additions into MiniStack."""
    tag_context, find_boundary = iam_actions.request_tag_context, iam_evaluator._permissions_boundary
    evaluate, denial_message = iam_evaluator.evaluate, iam_actions.identity_denial_message

    def request_context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, parameters)
        if action == "ecr:UntagResource":
            data = json.loads(body or b"{}")
            keys = data.get("tagKeys", data.get("TagKeys"))
            context |= {"aws:TagKeys": keys} if keys else {}
        boundary = _boundary_of(action, parameters) if service == "iam" else None
        return context | ({"iam:PermissionsBoundary": boundary} if boundary else {})

    def permissions_boundary(*arguments: Any) -> list[Any]:
        _denied_by.set("")  # a principal is about to be authorized
        return [_Boundary(layer) for layer in find_boundary(*arguments)]

    def evaluate_and_note(context: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(context, policies, *limits)
        if limits:  # MiniStack evaluates a resource policy, too, without limits
            _denied_by.set(_denying_limit(context, policies, limits, result.decision))
        return result

    def message(action: str, principal: str, resource: str, explicit_deny: bool) -> str:
        sentence = str(denial_message(action, principal, resource, explicit_deny))
        limit = _denied_by.get()
        if not limit:
            return sentence
        sentence = sentence.replace("in an identity-based policy", f"in a {limit}")
        return sentence.replace("no identity-based policy allows", f"no {limit} allows")

    iam_actions.request_tag_context = request_context
    iam_actions.identity_denial_message = message
    iam_evaluator._permissions_boundary = permissions_boundary
    iam_evaluator.evaluate = evaluate_and_note


def _boundary_of(action: str, parameters: Any) -> str | None:
    """The value of `iam:PermissionsBoundary` for a call; None if the call has no such key."""
    if _SETS_A_BOUNDARY.fullmatch(action):
        return iam._p(parameters, "PermissionsBoundary") or None
    if not _NAMES_A_BOUNDED_ENTITY.fullmatch(action):
        return None
    entities, name = (iam._roles, "RoleName") if "Role" in action else (iam._users, "UserName")
    entity = entities.get(iam._p(parameters, name)) or {}
    boundary: str | None = entity.get("PermissionsBoundary")
    return boundary


def _denying_limit(context: Any, policies: Any, limits: Any, decision: str) -> str:
    """The limit that denied a call; empty if an identity-based policy denied it, or nothing did."""
    if decision == "Allow":
        return ""
    layers = [("", policies)] + [
        ("permissions boundary" if isinstance(limit, _Boundary) else "session policy", limit) for limit in limits
    ]
    for name, layer in layers:
        statements = [statement for document in layer for statement in document]
        denies = iam_evaluator._first_match(context, statements, "Deny")
        if denies if decision == "Deny" else not iam_evaluator._first_match(context, statements, "Allow"):
            return name
    return ""
