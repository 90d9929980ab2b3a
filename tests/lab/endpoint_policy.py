# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of a VPC endpoint between clients and the lab, added in place before the lab serves a request.

The lab listens on a second port, whose address is in the file `state.VPC_ENDPOINT`. Requests to this port come through
a VPC endpoint. The file `state.ENDPOINT_POLICY` contains the policy of the endpoint; without this file, the endpoint
has AWS's default policy, which allows everything.

Source: AWS PrivateLink Guide, "Control access to VPC endpoints using endpoint policies".
"""

from __future__ import annotations

import contextvars
import json
import pathlib
from typing import Any

from ministack.core import iam_evaluator

from . import denials, state

VPC_ENDPOINT_ID = "vpce-0123456789abcdef0"
#: The URL of the endpoint that the current request came through; empty without one.
_entrance: contextvars.ContextVar[str] = contextvars.ContextVar("lab_entrance", default="")


class Endpoint:
    """Wraps the application: notes which requests came through the endpoint.

    :param port: of the endpoint
    """

    def __init__(self, application: Any, port: int) -> None:
        self.application, self.port = application, port

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        through = scope["type"] == "http" and scope["server"][1] == self.port
        _entrance.set(f"http://127.0.0.1:{self.port}" if through else "")
        await self.application(scope, receive, send)


def entrance() -> str:
    """The URL of the endpoint that the current request came through; empty without one."""
    return _entrance.get()


def install(folder: pathlib.Path) -> None:
    """Put the additions into MiniStack, after `denials`."""
    resolve, policy = iam_evaluator.resolve_principal, folder / state.ENDPOINT_POLICY

    def resolve_principal(*arguments: Any, **options: Any) -> Any:
        principal = resolve(*arguments, **options)
        if entrance() and isinstance(principal, iam_evaluator.PrincipalInfo):
            principal.keys["aws:sourcevpce"] = VPC_ENDPOINT_ID
            if policy.exists():
                statements = _statements_for(json.loads(policy.read_text(encoding="utf-8")), principal.arn)
                principal.limits.append(denials.Layer(denials.ENDPOINT, [statements]))
        return principal

    iam_evaluator.resolve_principal = resolve_principal


def _statements_for(document: dict[str, Any], principal: str) -> Any:
    """The statements of an endpoint policy that apply to a principal."""
    listed = document["Statement"]
    applicable = [
        statement
        for statement in (listed if isinstance(listed, list) else [listed])
        if iam_evaluator._principal_matches(statement["Principal"], principal)
    ]
    return iam_evaluator.parse_policy_document({**document, "Statement": applicable})
