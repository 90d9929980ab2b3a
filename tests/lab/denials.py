# SPDX-License-Identifier: GPL-3.0-or-later
"""Which policy denies a call, and AWS's sentence for the denial, added in place before the lab serves a request.

1. The sentence names the type of the policy that decides. MiniStack's sentences name identity-based policies only.
2. The sentence of an explicit deny ends with the ARN of the managed policy, if the caller and the resource are in the
   same account. For the policy of an organization, the same organization is enough. An inline policy has no ARN.

If several policies deny a call, AWS names one type. The lab names the first of the layers in the order of evaluation:
explicit denies before missing permissions, and the policies of the network and the organization before those of the
principal.

Sources: IAM User Guide, "Troubleshoot access denied error messages" and "Policy evaluation logic".
"""

from __future__ import annotations

import contextvars
import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ministack.core import iam_actions, iam_evaluator

ENDPOINT, ORGANIZATION = "VPC endpoint policy", "service control policy"
IDENTITY, BOUNDARY, SESSION = "identity-based policy", "permissions boundary", "session policy"
RESOURCE, RESOURCE_CONTROL = "resource-based policy", "resource control policy"
#: Limits that an Allow of a resource-based policy does not lift.
ABSOLUTE = (ENDPOINT, ORGANIZATION)


@dataclass(frozen=True)
class Reason:
    """The policy that denies a call.

    :param arn: of the policy; empty for a policy without an ARN
    """

    policy: str = IDENTITY
    arn: str = ""


class Layer(list[Any]):
    """Documents of one type. Each call needs an Allow in every layer."""

    def __init__(self, policy: str, documents: Sequence[Any]) -> None:
        super().__init__(documents)
        self.policy = policy


class Document(list[Any]):
    """The statements of a managed policy."""

    def __init__(self, statements: Sequence[Any], arn: str) -> None:
        super().__init__(statements)
        self.arn = arn


class _Managed(str):
    """The text of a managed policy."""

    __slots__ = ("arn",)
    arn: str


#: The reason for the last denial in this request.
_reason: contextvars.ContextVar[Reason] = contextvars.ContextVar("lab_reason", default=Reason())  # noqa: B039, frozen


def install() -> None:
    """Put the additions into MiniStack, after `policy_language` and before everything that asks for authorization."""
    _remember_types()
    enforce, evaluate = iam_evaluator.enforce, iam_evaluator.evaluate
    of_resource, combine = iam_evaluator.evaluate_resource_policy, iam_evaluator.combine_resource_policy

    def evaluate_with_reason(context: Any, policies: Any, *limits: Any) -> Any:
        result = evaluate(context, policies, *limits)
        if result.decision != "Allow":
            layers = sorted([Layer(IDENTITY, policies), *limits], key=lambda layer: layer.policy not in ABSOLUTE)
            result.reason = _find_reason(evaluate, context, layers, result.decision)
        return result

    def evaluate_resource_policy(*arguments: Any, **options: Any) -> Any:
        result = of_resource(*arguments, **options)
        result.reason = Reason(RESOURCE)
        return result

    def combine_resource_policy(identity: Any, *arguments: Any, **options: Any) -> Any:
        if identity.decision != "Allow" and identity.reason.policy in ABSOLUTE:
            return identity
        return combine(identity, *arguments, **options)

    def enforce_with_reason(*arguments: Any, **options: Any) -> Any:
        refusal = enforce(*arguments, **options)
        if isinstance(refusal, iam_evaluator.EvalResult):
            _reason.set(getattr(refusal, "reason", Reason()))
        return refusal

    iam_evaluator.evaluate = evaluate_with_reason
    iam_evaluator.evaluate_resource_policy = evaluate_resource_policy
    iam_evaluator.combine_resource_policy = combine_resource_policy
    iam_evaluator.enforce = enforce_with_reason
    iam_actions.identity_denial_message = sentence


def _remember_types() -> None:
    """Let MiniStack's policies remember their type and their ARN."""
    resolve, parse = iam_evaluator._resolve_managed_policy_document, iam_evaluator.parse_policy_document
    find_boundary, find_session = iam_evaluator._permissions_boundary, iam_evaluator._session_policy_limits

    def resolve_managed_policy_document(arn: str, account: str) -> Any:
        document = resolve(arn, account)
        if not document:
            return document
        managed = _Managed(document if isinstance(document, str) else json.dumps(document))
        managed.arn = arn
        return managed

    def parse_policy_document(document: Any) -> Any:
        statements = parse(document)
        return Document(statements, document.arn) if isinstance(document, _Managed) else statements

    iam_evaluator._resolve_managed_policy_document = resolve_managed_policy_document
    iam_evaluator.parse_policy_document = parse_policy_document
    iam_evaluator._permissions_boundary = lambda *of: [Layer(BOUNDARY, layer) for layer in find_boundary(*of)]
    iam_evaluator._session_policy_limits = lambda *of: [Layer(SESSION, layer) for layer in find_session(*of)]


def _find_reason(evaluate: Any, context: Any, layers: Sequence[Layer], decision: str) -> Reason:
    for layer in layers:
        if decision != "Deny" and evaluate(context, layer).decision != "Allow":
            return Reason(layer.policy)
        for document in layer if decision == "Deny" else ():
            if evaluate(context, [document]).decision == "Deny":
                return Reason(layer.policy, named_arn(context, layer.policy, getattr(document, "arn", "")))
    return Reason()


def named_arn(context: Any, policy: str, arn: str) -> str:
    """The ARN, if AWS reveals it for this call."""
    caller, owner = context.principal_account, iam_evaluator._account_from_arn(context.resource_arn)
    organizations = {iam_evaluator._principal_org_id(account) for account in (caller, owner or caller)}
    same_organization = policy in (ORGANIZATION, RESOURCE_CONTROL) and len(organizations) == 1
    return arn if owner in (None, caller) or same_organization else ""


def sentence(action: str, principal: str, resource: str, explicit_deny: bool) -> str:
    """AWS's sentence for the call that was denied last."""
    reason = _reason.get()
    article = "an" if reason.policy == IDENTITY else "a"
    why = (
        f"with an explicit deny in {article} {reason.policy}" + (f": {reason.arn}" if reason.arn else "")
        if explicit_deny
        else f"because no {reason.policy} allows the {action} action"
    )
    return f"User: {principal} is not authorized to perform: {action} on resource: {resource} {why}"
