# SPDX-License-Identifier: GPL-3.0-or-later
"""Permissions for IAM calls that MiniStack does not check, added in place before the lab serves a request.

1. `CreatePolicy` is authorized on the ARN of the policy that it creates.
2. `CreateRole` and `CreatePolicy` with tags also need `iam:TagRole` and `iam:TagPolicy`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from ministack.core import iam_actions, iam_evaluator, responses
from ministack.services import iam


def install() -> None:
    """Put the additions into MiniStack."""
    extract = iam_actions.extract_resource_arn

    def extract_resource_arn(
        service: str, method: str, path: str, headers: Any, body: bytes, query: Any, region: str, account: str
    ) -> str:
        arn = str(extract(service, method, path, headers, body, query, region, account))
        return _arn(account, "policy", query) if service == "iam" and arn == "*" and "PolicyName" in query else arn

    iam_actions.extract_resource_arn = extract_resource_arn
    for kind in ("role", "policy"):
        create = f"Create{kind.title()}"
        iam._IAM_HANDLERS[create] = _needs_tagging(kind, iam._IAM_HANDLERS[create])


def _arn(account: str, kind: str, parameters: Any) -> str:
    """The ARN of the role or the policy that a call creates."""
    path = iam._p(parameters, "Path") or "/"
    return f"arn:aws:iam::{account}:{kind}{path}{iam._p(parameters, f'{kind.title()}Name')}"


def _needs_tagging(kind: str, create: Callable[[Any], Any]) -> Callable[[Any], Any]:
    """Wrap the handler that creates a role or a policy: it rejects tags from a caller that may not tag."""
    action = f"iam:Tag{kind.title()}"

    def create_if_allowed(parameters: Any) -> Any:
        if not iam._p(parameters, "Tags.member.1.Key"):
            return create(parameters)
        arn = _arn(responses.get_account_id(), kind, parameters)
        refusal = iam_evaluator.enforce(iam_evaluator._verified_key.get(), action, "iam", responses.get_region(), arn)
        if refusal is None:
            return create(parameters)
        explicit = refusal.decision == "Deny"
        sentence = iam_actions.identity_denial_message(action, refusal.principal_arn, arn, explicit)
        return iam._error(403, "AccessDenied", sentence, ns="iam")

    return create_if_allowed
