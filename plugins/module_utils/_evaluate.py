# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Evaluates the policies that apply to a request: AWS allows it, denies it, or the decision is unknown.

- An explicit deny in any policy wins.
- Across accounts, the identity policies of the caller and the policy of the resource must both allow the request.
- Within an account, one of them is sufficient. If the policy of the resource names only the account, the identity
  policies must allow the request as well.
- The trust policy of a role must always allow AssumeRole.
- A permissions boundary and session policies must also allow the request. They do not limit the permissions that a
  resource policy of the same account grants to the ARN of a user or of a session.

If the values that a decision depends on are unknown, the decision is *unknown* and has a reason. Reports count it as
allowed and mark it as unknown.

Source: IAM User Guide, "Policy evaluation logic" and "Cross-account policy evaluation logic".
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Reach
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Request,
    Statement,
    applies,
    read_statements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, YES, Ternary, every, some, unknown

ALLOWED, DENIED, UNKNOWN = "allowed", "denied", "unknown"

#: A policy document, parsed from JSON.
Document = t.Mapping[str, object]


@dataclass(frozen=True)
class Policies:
    """The policies that apply to a request.

    :param identity: the identity policies of the calling user or role, and of the groups of the user
    :param resource: the policy of the resource: the trust policy of a role, or a repository policy
    :param boundary: the permissions boundary of the caller
    :param session: the session policies. An action is within them if any of them allows it
    """

    identity: t.Sequence[Document] = ()
    resource: Document | None = None
    boundary: Document | None = None
    session: t.Sequence[Document] = ()


@dataclass(frozen=True)
class Decision:
    """The verdict, one of `ALLOWED`, `DENIED` and `UNKNOWN`, and its reason."""

    verdict: str
    reason: str


@dataclass(frozen=True)
class Layer:
    """The statements of one or more documents that act as one policy.

    :param reason: why some documents could not be read; empty if all were read
    """

    statements: tuple[Statement, ...] = ()
    reason: str = ""

    def allows(self, request: Request, reaches: frozenset[Reach] = _principal.ANYWAY) -> Ternary:
        return self._matches("Allow", request, reaches)

    def denies(self, request: Request) -> Ternary:
        return self._matches("Deny", request, _principal.ANYWAY)

    def _matches(self, effect: str, request: Request, reaches: frozenset[Reach]) -> Ternary:
        candidates = (statement for statement in self.statements if statement.effect == effect)
        answer = some(applies(statement, request, reaches) for statement in candidates)
        return unknown(self.reason) if self.reason and not answer.holds else answer


@dataclass(frozen=True)
class Layers:
    """The parsed policies that apply to a request.

    :param resource: None if the resource has no policy
    :param limits: the permissions boundary and the session policies, each as one layer
    """

    identity: Layer = Layer()
    resource: Layer | None = None
    limits: tuple[Layer, ...] = ()


def decide(request: Request, policies: Policies) -> Decision:
    """Whether AWS allows a request."""
    identity = layer_of(
        [(f"identity policy {number}", document) for number, document in enumerate(policies.identity, 1)], False
    )
    limits = []
    if policies.boundary is not None:
        limits.append(layer_of([("the permissions boundary", policies.boundary)], False))
    if policies.session:
        limits.append(
            layer_of([(f"session policy {n}", document) for n, document in enumerate(policies.session, 1)], False)
        )
    resource = None if policies.resource is None else layer_of([("the resource's policy", policies.resource)], True)
    return decide_layers(request, Layers(identity, resource, tuple(limits)))


def decide_layers(request: Request, layers: Layers) -> Decision:
    """Whether AWS allows a request, with parsed policies."""
    resource = layers.resource or Layer()
    denied = some(layer.denies(request) for layer in (layers.identity, resource, *layers.limits))
    if denied.holds:
        return Decision(DENIED, f"{denied.reason} denies it")
    allowed = _allowed(request, layers.identity, resource, layers.limits, layers.resource is not None)
    if allowed.holds is False:
        return Decision(DENIED, allowed.reason or "no statement allows it")
    if allowed.holds is None:
        return Decision(UNKNOWN, allowed.reason)
    if denied.holds is None:
        return Decision(UNKNOWN, f"whether it is denied: {denied.reason}")
    return Decision(ALLOWED, f"{allowed.reason} allows it")


def layer_of(documents: t.Iterable[tuple[str, object]], of_a_resource: bool) -> Layer:
    """Parse documents that act as one policy.

    :param documents: pairs of the name in reasons and the document
    :param of_a_resource: whether the documents are trust policies or repository policies, which have principals
    """
    statements: list[Statement] = []
    reasons = []
    for name, document in documents:
        try:
            statements += read_statements(document, name, of_a_resource)
        except MalformedPolicyError as error:
            reasons.append(str(error))
    return Layer(tuple(statements), "; ".join(reasons))


def _allowed(
    request: Request, identity: Layer, resource: Layer, limits: t.Sequence[Layer], has_policy: bool
) -> Ternary:
    """Whether the Allow statements allow the request, before Deny statements are applied."""
    by_resource = resource.allows(request)
    if request.principal.kind != _principal.AWS:
        return by_resource  # services and identity providers have no identity policies
    if request.principal.is_root:
        by_identity = unknown("the root user of an account has no identity policies")
    else:
        by_identity = identity.allows(request)
    within = every(limit.allows(request) for limit in limits)
    if request.principal.account != request.account:
        if not request.principal.account:
            return every([by_resource, unknown("the account of the caller is not known")])
        return every([by_identity, within, by_resource])
    trusts = request.action.lower().startswith("sts:") and has_policy
    return some(
        [
            every([by_identity, within, by_resource if trusts else YES]),
            every([resource.allows(request, _principal.NAMED), within]),
            NO if ":role/" in request.principal.name else resource.allows(request, _principal.DIRECT),
        ]
    )
