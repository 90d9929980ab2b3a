# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The verdicts for the requests of one principal to one class of repositories. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import (
    COMBINATIONS,
    TOO_MANY,
    Values,
    choices,
    combinations,
    overridden,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import ends_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_members import through_services
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import (
    REGISTRY_POLICY,
    ParsedPrincipal,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import FEDERATED, Outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import (
    ACTIONS,
    REQUIRED,
    repository_request,
    repository_requests,
    session_of_role,
    without_tags,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import (
    REGISTRY,
    REPOSITORY,
    ROLE,
    TEMPLATE,
    Attempt,
    Path,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_sessions import RoleAdmission
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_target import Target
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import concerning
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ways import (
    Ends,
    Way,
    attempt_of,
    decide_by_resource,
    decisions_by_way,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    DENIED,
    UNKNOWN,
    Decision,
    Layer,
    Layers,
    decide_layers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, covers_action

#: The verdicts for sessions, by the ARN of the role, the class of repositories, the name and the tags of the session.
Sessions = dict[tuple[str, int, str, t.Optional[bool]], Attempt]
#: The action of requests of which only the context matters.
_ANY_ACTION = "ecr:BatchGetImage"
_NOT_GRANTED = Decision(DENIED, "no statement allows it")


def direct_attempt(estate: Estate, outsider: Outsider, target: Target) -> Attempt:
    """The requests of an outsider with its own identity, which the policies of its own account must allow as well."""
    if outsider.kind == FEDERATED or not (target.resource.statements or target.resource.reason):
        return Attempt({})
    request = repository_request(estate, _ANY_ACTION, target.repository, outsider.principal, outsider.context)
    tried = choices(outsider, target.resource.statements, request.context.values, for_a_session=False)

    def decide(at: Estate) -> dict[Way, Decision]:
        return _direct_decisions(at, outsider, target, tried)

    decided, ends = ends_of(estate, concerning(target.timed, outsider.principal), decide)
    return _attempt(decided, target, target.resource, ends)


def _concerned(resource: Layer, principal: Principal) -> Layer:
    """The statements that may include a principal, so that each request is evaluated with these only."""
    return Layer(tuple(concerning(resource, principal)), resource.reason)


def _direct_decisions(
    estate: Estate, outsider: Outsider, target: Target, tried: t.Sequence[Values]
) -> dict[Way, Decision]:
    """The decision for each action, with the best of several combinations of values."""
    decided: dict[Way, list[Decision]] = {}
    layers = Layers(resource=_concerned(target.resource, outsider.principal))
    for chosen in tried:
        known = overridden(outsider.context, chosen)
        for request in repository_requests(estate, REQUIRED, target.repository, outsider.principal, known):
            for way, one in decisions_by_way(request, layers, decide_by_resource):
                decided.setdefault(way, []).append(one)
    return _best_of_each(decided, len(tried) >= COMBINATIONS)


def role_attempt(estate: Estate, admission: RoleAdmission, target: Target, sessions: Sessions) -> Attempt:
    """The requests of a session of a role.

    :param sessions: the attempts of sessions that were evaluated before, which are the same for all outsiders
    """
    key = (admission.role.principal.arn, id(target), admission.name, admission.tagging.holds)
    if key not in sessions:
        sessions[key] = _session_attempt(estate, admission, target)
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


def session_layers(role: ParsedPrincipal, target: Target) -> Layers:
    """The policies that apply to a request of a user or of a session of a role in the audited account."""
    return Layers(role.identity, target.resource, role.limits)


def _session_attempt(estate: Estate, admission: RoleAdmission, target: Target) -> Attempt:
    role = admission.role
    session, _values = session_of_role(estate, role.principal, admission.name)
    layers = replace(session_layers(role, target), resource=_concerned(target.resource, session))
    joined = Layer((*role.identity.statements, *target.resource.statements))
    limiting = [statement for limit in role.limits for statement in limit.statements]
    statements = [*joined.statements, *limiting]
    granted = [action for action in REQUIRED if _is_granted(action, layers)]

    def decide(at: Estate) -> dict[Way, Decision]:
        decided: dict[Way, list[Decision]] = {(name, ""): [_NOT_GRANTED] for name in REQUIRED if name not in granted}
        if not granted:
            return _best_of_each(decided, False)
        principal, values = session_of_role(at, role.principal, admission.name)
        request = repository_request(at, _ANY_ACTION, target.repository, principal, values)
        tags = _session_tags(statements, request, target.repository.arn) if admission.tagging.holds else [{}]
        through = [{}, *through_services(statements)]
        contexts = [(overridden(values, {**chosen, **more}), True) for chosen in tags for more in through]
        if admission.tagging.holds is None:
            contexts.append((without_tags(values), False))
        for known, tags_known in contexts:
            for request in repository_requests(at, granted, target.repository, principal, known, tags_known):
                for way, one in decisions_by_way(request, layers, decide_layers):
                    decided.setdefault(way, []).append(one)
        return _best_of_each(decided, len(tags) >= COMBINATIONS)

    of_resource = concerning(target.timed, session)
    decided, ends = ends_of(estate, [*role.identity.statements, *limiting, *of_resource], decide)
    return _attempt(decided, target, joined, ends)


def _session_tags(statements: list[Statement], request: Request, repository: str) -> list[Values]:
    """The tags that the caller can choose for the session.

    :param request: a request of the session without these tags
    :param repository: the ARN of the repository
    """
    tags = "aws:principaltag/"
    return combinations(statements, lambda key: key.startswith(tags), request.context.values, repository)


def _is_granted(action: str, layers: Layers) -> bool:
    """Whether any Allow statement covers an action, or some documents could not be read. It is a quick check."""
    listed = [layer for layer in (layers.identity, layers.resource) if layer is not None]
    return any(
        layer.reason
        or any(one.effect == "Allow" and covers_action(one, action).holds is not False for one in layer.statements)
        for layer in listed
    )


def _best_of_each(decided: t.Mapping[Way, t.Sequence[Decision]], is_limited: bool) -> dict[Way, Decision]:
    """The best decision for each action.

    :param is_limited: whether further combinations of values may exist that were not tried
    """
    best = {action: _best(decisions) for action, decisions in decided.items()}
    if not is_limited:
        return best
    too_many = Decision(UNKNOWN, TOO_MANY)
    return {
        action: too_many if one.verdict == DENIED and one is not _NOT_GRANTED else one for action, one in best.items()
    }


def _best(decisions: t.Sequence[Decision]) -> Decision:
    found = (decision for verdict in (ALLOWED, UNKNOWN) for decision in decisions if decision.verdict == verdict)
    return next(found, decisions[0])


def _attempt(decided: t.Mapping[Way, Decision], target: Target, layer: Layer, ends: Ends) -> Attempt:
    return attempt_of(ACTIONS, decided, ends, layer, lambda document: _path_kind(document, target))


def _path_kind(document: str, target: Target) -> str:
    if target.template:
        return TEMPLATE
    return REGISTRY if document == REGISTRY_POLICY else REPOSITORY


def _with_admission(path: Path, admission: RoleAdmission, conditions: tuple[str, ...]) -> Path:
    """A path through a role."""
    role = admission.role.principal
    return replace(
        path,
        path=TEMPLATE if path.path == TEMPLATE else ROLE,
        conditions=tuple(dict.fromkeys([*conditions, *path.conditions])),
        role=role.arn,
        role_created=role.created,
        role_last_used=role.last_used,
        until=min([end for end in (path.until, admission.until) if end], default=None),
    )
