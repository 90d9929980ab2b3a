# SPDX-License-Identifier: GPL-3.0-or-later
"""A question of authorization, and the answer of the collection's evaluator to it.

A question is an object: `action`, `resource`, `account` (the owner of the resource), `principal` (an ARN), `ctx` (the
request's context), `identity` (the identity policies) and, if there is one, `resourcePolicy` (the repository policy, or
the trust policy of a role). The answer is the question's `id`, the `verdict` and the `reason`.
"""

from __future__ import annotations

import re
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import UNKNOWN, Policies, decide
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, KINDS, Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request


def answer(question: Any) -> dict[str, Any]:
    """The verdict of the evaluator; unknown, with the reason, if the question has another form."""
    if not isinstance(question, dict):
        return {"id": None, "verdict": UNKNOWN, "reason": "the question is not an object"}
    identifier = question.get("id")
    try:
        decision = decide(_request(question), _policies(question))
    except (KeyError, TypeError, ValueError, AttributeError, RecursionError) as error:
        missing = f"it has no {error}" if isinstance(error, KeyError) else str(error)
        return {"id": identifier, "verdict": UNKNOWN, "reason": f"the question is malformed: {missing}"}
    return {"id": identifier, "verdict": decision.verdict, "reason": decision.reason}


def _request(question: dict[str, Any]) -> Request:
    context = Context.of({key: _values(key, value) for key, value in question["ctx"].items()})
    action, resource, account = (question[name] for name in ("action", "resource", "account"))
    if not all(isinstance(value, str) for value in (action, resource, account)):
        raise ValueError("action, resource and account are not text")
    if not re.fullmatch(r"[0-9]{12}", account):
        raise ValueError(f"{account!r} is not an account ID")
    return Request(action, resource, account, _principal(question["principal"], context), context)


def _principal(named: Any, context: Context) -> Principal:
    """An ARN, or an object of one kind of principal, such as `{"Service": "ec2.amazonaws.com"}`."""
    if isinstance(named, dict) and len(named) == 1 and set(named) <= set(KINDS):
        ((kind, named),) = named.items()
        if kind != AWS and isinstance(named, str):
            return Principal(kind, named)
    if not isinstance(named, str):
        raise ValueError("principal is not an ARN")
    role, unique_id = ((context.values.get(key) or ("",))[0] for key in ("aws:principalarn", "aws:userid"))
    return Principal.of(named, role, unique_id)


def _values(key: str, value: Any) -> tuple[str, ...]:
    listed = value if isinstance(value, list) else [value]
    if not all(isinstance(value, (str, bool, int, float)) for value in listed):
        raise ValueError(f"the value of {key} is not text")
    return tuple(str(value).lower() if isinstance(value, bool) else str(value) for value in listed)


def _policies(question: dict[str, Any]) -> Policies:
    identity = question["identity"]
    return Policies(identity if isinstance(identity, list) else [identity], question.get("resourcePolicy"))
