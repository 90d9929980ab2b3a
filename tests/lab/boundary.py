# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions boundaries and tag keys in authorization, added in place before the lab serves a request.

MiniStack enforces the boundary of a user or a role. This file adds:

1. The condition key `iam:PermissionsBoundary`: the boundary in the request where the action sets one, otherwise the
   boundary of the user or role that the action changes.
2. `aws:TagKeys` for `ecr:UntagResource`, even through the Resource Groups Tagging API. MiniStack has it for
   `ecr:TagResource` only.

Sources: Service Authorization Reference, pages of IAM and of Amazon ECR.
"""

from __future__ import annotations

import json
import re
from typing import Any

from ministack.core import iam_actions
from ministack.services import iam

#: Actions whose key is the boundary in the request.
_SETS_A_BOUNDARY = re.compile("iam:(Create(Role|User)|Put(Role|User)PermissionsBoundary)")
#: Actions whose key is the boundary of the role or user that they name.
_NAMES_A_BOUNDED_ENTITY = re.compile(
    "iam:((Attach|Detach|Put|Delete)(Role|User)Policy|Delete(Role|User)PermissionsBoundary"
    "|GetRole|DeleteRole|UpdateRole|UpdateRoleDescription|UpdateAssumeRolePolicy)"
)


def install() -> None:
    """Put the additions into MiniStack."""
    tag_context = iam_actions.request_tag_context

    def request_context(service: str, action: str, body: bytes, parameters: Any) -> dict[str, Any]:
        context: dict[str, Any] = tag_context(service, action, body, parameters)
        if action == "ecr:UntagResource":
            data = json.loads(body or b"{}")
            keys = data.get("tagKeys", data.get("TagKeys"))
            context |= {"aws:TagKeys": keys} if keys else {}
        boundary = _boundary_of(action, parameters) if service == "iam" else None
        return context | ({"iam:PermissionsBoundary": boundary} if boundary else {})

    iam_actions.request_tag_context = request_context


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
