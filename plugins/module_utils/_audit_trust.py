# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The principals outside an account that can have a session of a role. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import Values, choices
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import ParsedPrincipal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import FEDERATED, Outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import assume_request
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_sessions import (
    Mentioned,
    RoleAdmission,
    admissions_by_name,
    spare_name,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Layer
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal, includes
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, covers_action
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, Ternary, every, opposite, some

_TAG = "sts:TagSession"


def admissions_to(
    estate: Estate, outsider: Outsider, role: ParsedPrincipal, mentioned: Mentioned
) -> list[RoleAdmission]:
    """The sessions of a role that its trust policy may give an outsider, with the values that the outsider can choose.

    The identity policies of another account are not visible. The audit assumes that they allow the request.

    Source about root users: AWS STS API Reference, "AssumeRole".
    """
    trust = role.trust or Layer()
    concerned = concerning(trust, outsider.principal)
    if outsider.principal.is_root:  # a root user cannot assume a role
        return []
    if not trust.reason and all(statement.effect == "Deny" for statement in concerned):
        return []
    spare = spare_name(mentioned.names, concerned)
    name: Values = {} if outsider.kind == FEDERATED else {"sts:rolesessionname": (spare,)}
    possible = choices(outsider, concerned, assume_request(estate, outsider, role.principal, name).context.values)

    def admission_at(at: Estate, chosen: t.Sequence[Values]) -> RoleAdmission:
        requests = (assume_request(at, outsider, role.principal, values) for values in chosen)
        return best_admission(role, trust, list(requests), lambda request: _admits(trust, request))

    return admissions_by_name(estate, concerned, mentioned, possible, admission_at)


def best_admission(
    role: ParsedPrincipal, trust: Layer, requests: t.Sequence[Request], admits: t.Callable[[Request], Ternary]
) -> RoleAdmission:
    """The admission through the best of several requests, each with another combination of values.

    :param admits: whether AWS allows a request
    """
    answers = [(one, admits(one)) for one in requests]
    possible = next((one for wanted in (True, None) for one, answer in answers if answer.holds is wanted), None)
    best, statement = some(answer for _request, answer in answers), None
    if best.holds and possible:
        best = trust.allows(possible)
        statement = statement_at(trust, best.reason)
    identity = _source_identity(possible) if possible else ()
    return RoleAdmission(role, best, statement, identity=identity, tagging=_tagging(trust, requests, admits))


def _tagging(trust: Layer, requests: t.Sequence[Request], admits: t.Callable[[Request], Ternary]) -> Ternary:
    """Whether AWS allows the caller to set tags of the session in any of several requests."""
    allowing = (one for one in trust.statements if one.effect == "Allow")
    if not trust.reason and all(covers_action(one, _TAG).holds is False for one in allowing):
        return NO
    return some(every([admits(replace(one, action=_TAG)), admits(one)]) for one in requests)


def concerning(layer: Layer, principal: Principal) -> list[Statement]:
    """The statements of a trust policy or of the policy of a resource that may include a principal."""
    return [
        statement
        for statement in layer.statements
        if statement.names is not None and includes(statement.names, principal).holds is not False
    ]


def statement_at(layer: Layer, place: str) -> Statement | None:
    return next((one for one in layer.statements if one.place == place), None)


def session_requests(request: Request) -> list[Request]:
    """The actions that AWS authorizes for a session. A source identity requires an action of its own."""
    identified = [replace(request, action="sts:SetSourceIdentity")] if _source_identity(request) else []
    return [request, *identified]


def _source_identity(request: Request) -> tuple[str, ...]:
    identity = request.context.get("sts:SourceIdentity")
    return identity if isinstance(identity, tuple) else ()


def _admits(trust: Layer, request: Request) -> Ternary:
    requests = session_requests(request)
    return every(part for one in requests for part in (trust.allows(one), opposite(trust.denies(one))))
