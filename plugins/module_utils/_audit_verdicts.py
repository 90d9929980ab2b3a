# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The verdicts for the requests of one principal to one class of repositories. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import (
    REGISTRY_POLICY,
    ParsedPrincipal,
    place_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import FEDERATED, Outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import (
    ACTIONS,
    REQUIRED,
    choices,
    repository_requests,
    session_of_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import (
    REGISTRY,
    REPOSITORY,
    ROLE,
    TEMPLATE,
    Access,
    Attempt,
    Path,
    combined,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import RoleAdmission, end_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate, Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    DENIED,
    UNKNOWN,
    Decision,
    Layer,
    Layers,
    decide_layers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, covers_action
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import every, opposite

_NOT_GRANTED = Decision(DENIED, "no statement allows it")


@dataclass(frozen=True)
class Target:
    """A class of repositories.

    :param repository: one of them, for which requests are evaluated
    :param resource: the statements of the repository policy and of the registry policy
    :param template: the name of the creation template; empty for repositories that exist
    """

    repository: Repository
    resource: Layer
    template: str
    members: t.Sequence[Repository]
    _access: dict[str, Access] = field(default_factory=dict, compare=False)

    def cached(self, principal: str, attempts: t.Sequence[Attempt]) -> Access:
        """The access through these attempts, computed once for each principal."""
        if principal not in self._access:
            self._access[principal] = combined(attempts)
        return self._access[principal]


def direct_attempt(estate: Estate, outsider: Outsider, target: Target) -> Attempt:
    """The requests of an outsider with its own identity, which the policies of its own account must allow as well."""
    if outsider.kind == FEDERATED or not (target.resource.statements or target.resource.reason):
        return Attempt({})
    decided: dict[str, list[Decision]] = {}
    for chosen in choices(outsider, target.resource.statements):
        known = {**outsider.context, **chosen}
        for request in repository_requests(estate, REQUIRED, target.repository, outsider.principal, known):
            decided.setdefault(request.action, []).append(_decide_direct(request, target.resource))
    best = {action: _best(decisions) for action, decisions in decided.items()}
    return _attempt(best, target, target.resource, ())


def role_attempt(
    estate: Estate, admission: RoleAdmission, target: Target, sessions: dict[tuple[str, int], Attempt]
) -> Attempt:
    """The requests of a session of a role.

    :param sessions: the attempts of roles whose admission is certain, which are the same for all outsiders
    """
    key = (admission.role.principal.arn, id(target))
    if key not in sessions:
        sessions[key] = _session_attempt(estate, admission.role, target)
    attempt = sessions[key]
    conditions = admission.conditions
    paths = tuple(_with_admission(path, admission, conditions) for path in attempt.paths)
    if admission.answer.holds:
        return Attempt(attempt.verdicts, paths)
    reason = f"whether the role can be assumed: {admission.answer.reason}"
    uncertain = {
        action: (verdict if verdict == DENIED else UNKNOWN, why if verdict == DENIED else reason)
        for action, (verdict, why) in attempt.verdicts.items()
    }
    return Attempt(uncertain, paths)


def unknown_attempt(reason: str) -> Attempt:
    """The result if an access path could not be read."""
    actions = tuple(ACTIONS)
    return Attempt(dict.fromkeys(actions, (UNKNOWN, reason)), (Path(ROLE, actions, reason),))


def session_layers(role: ParsedPrincipal, target: Target) -> Layers:
    """The policies that apply to a request of a user or of a session of a role in the audited account."""
    return Layers(role.identity, target.resource, role.limits)


def _decide_direct(request: Request, resource: Layer) -> Decision:
    """Whether the policies of the repository and of the registry allow a request of another account."""
    denied = resource.denies(request)
    if denied.holds:
        return Decision(DENIED, f"{denied.reason} denies it")
    allowed = every([resource.allows(request), opposite(denied)])
    if allowed.holds:
        return Decision(ALLOWED, resource.allows(request).reason)
    return Decision(DENIED if allowed.holds is False else UNKNOWN, allowed.reason or "no statement allows it")


def _session_attempt(estate: Estate, role: ParsedPrincipal, target: Target) -> Attempt:
    principal, values = session_of_role(estate, role.principal)
    layers = session_layers(role, target)
    decided = {
        request.action: decide_layers(request, layers) if _is_granted(request.action, layers) else _NOT_GRANTED
        for request in repository_requests(estate, REQUIRED, target.repository, principal, values)
    }
    joined = Layer((*role.identity.statements, *target.resource.statements))
    return _attempt(decided, target, joined, role.limits)


def _is_granted(action: str, layers: Layers) -> bool:
    """Whether any Allow statement covers an action, or some documents could not be read. It is a quick check."""
    listed = [layer for layer in (layers.identity, layers.resource) if layer is not None]
    return any(
        layer.reason
        or any(one.effect == "Allow" and covers_action(one, action).holds is not False for one in layer.statements)
        for layer in listed
    )


def _best(decisions: t.Sequence[Decision]) -> Decision:
    for verdict in (ALLOWED, UNKNOWN):
        for decision in decisions:
            if decision.verdict == verdict:
                return decision
    return decisions[0]


def _attempt(decided: dict[str, Decision], target: Target, layer: Layer, limits: tuple[Layer, ...]) -> Attempt:
    """The verdict for each action of a report, and the statements that decide."""
    places = {statement.place: statement for statement in layer.statements}
    limiting = [statement for limit in limits for statement in limit.statements]
    verdicts: dict[str, tuple[str, str]] = {}
    found: dict[tuple[str, ...], tuple[Statement | None, list[str]]] = {}
    for action, required in ACTIONS.items():
        decisions = [decided[name] for name in required]
        worst = next((d for v in (DENIED, UNKNOWN) for d in decisions if d.verdict == v), decisions[0])
        verdicts[action] = (worst.verdict, "" if worst.verdict == ALLOWED else worst.reason)
        if worst.verdict != DENIED:
            place = worst.reason.removesuffix(" allows it")
            statement = places.get(place)
            key = tuple(place_of(place)) if statement else (worst.reason, "")
            found.setdefault(key, (statement, []))[1].append(action)
    paths = [
        Path(
            _path_kind(key[0], target),
            tuple(actions),
            key[0],
            key[1],
            () if statement is None else _condition_text.requirement_texts(statement.condition),
            until=end_of([statement, *limiting]),
        )
        for key, (statement, actions) in found.items()
    ]
    return Attempt(verdicts, tuple(paths))


def _path_kind(document: str, target: Target) -> str:
    if target.template:
        return TEMPLATE
    return REGISTRY if document == REGISTRY_POLICY else REPOSITORY


def _with_admission(path: Path, admission: RoleAdmission, conditions: tuple[str, ...]) -> Path:
    """A path through a role."""
    role = admission.role.principal
    ends = [end for end in (path.until, end_of([admission.statement])) if end]
    return Path(
        TEMPLATE if path.path == TEMPLATE else ROLE,
        path.actions,
        path.document,
        path.statement,
        tuple(dict.fromkeys([*conditions, *path.conditions])),
        role.arn,
        role.created,
        role.last_used,
        min(ends, default=None),
    )
