# SPDX-License-Identifier: GPL-3.0-or-later
"""Resource control policies of an organization, added in place before the lab serves a request.

1. A resource control policy of an account's root, organizational units or account can deny a call to its repositories,
   whoever makes the call. It does not limit the repositories of the management account.
2. It can deny that a role of the account is assumed, too.

Source: AWS Organizations User Guide, "Resource control policies (RCPs)" and "RCP evaluation".
"""

from __future__ import annotations

from typing import Any

from ministack.core import iam_evaluator

from . import denials, service_control

_TYPE = "RESOURCE_CONTROL_POLICY"


def install() -> None:
    """Put the additions into MiniStack, after `denials` and `service_control`."""
    combine, evaluate_trust = iam_evaluator.combine_resource_policy, iam_evaluator.evaluate_trust_policy

    def combine_resource_policy(identity: Any, ctx: Any, policy: Any, owner: Any, *more: Any, **options: Any) -> Any:
        limited = identity.decision != "Allow" and identity.reason.policy in denials.ABSOLUTE
        denied = None if limited or ctx.resource_arn == "*" else _denial(ctx, owner)
        return denied or combine(identity, ctx, policy, owner, *more, **options)

    def evaluate_trust_policy(document: Any, caller: str, ctx: Any = None) -> bool:
        account = iam_evaluator._account_from_arn(ctx.resource_arn) if ctx else None
        return not (account and _denial(ctx, account)) and bool(evaluate_trust(document, caller, ctx))

    iam_evaluator.combine_resource_policy = combine_resource_policy
    iam_evaluator.evaluate_trust_policy = evaluate_trust_policy


def _denial(ctx: Any, account: str) -> Any:
    """The result if a policy of the organization of an account denies a call to its resources; None otherwise."""
    for level in service_control.attached(account, _TYPE):
        for policy in level:
            result = iam_evaluator.evaluate_resource_policy(policy["_Content"], ctx)
            if result.decision == "Deny":
                kind = denials.RESOURCE_CONTROL
                result.reason = denials.Reason(kind, denials.named_arn(ctx, kind, policy["Arn"]))
                return result
    return None
