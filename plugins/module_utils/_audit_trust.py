# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The principals outside an account that can have a session of a role. Standard library only."""

from __future__ import annotations

import datetime
import functools
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import (
    COMBINATIONS,
    TOO_MANY,
    Values,
    choices,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import end_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import ParsedPrincipal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import Outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import SESSION_NAME, assume_request
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Layer
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal, includes
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, covers_action
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import (
    NO,
    Ternary,
    every,
    opposite,
    some,
    unknown,
)

_NAME, _TAG = "sts:rolesessionname", "sts:TagSession"


@dataclass(frozen=True)
class RoleAdmission:
    """The admission of an outsider to a role.

    :param answer: whether AWS issues the session; if so, the reason is the position of the statement
    :param statement: the statement that allows it; None if none does
    :param name: the name of the session
    :param tagging: whether the outsider can set tags of the session
    :param before: the admission to the role whose session assumes this role; None if the outsider assumes it directly
    :param end: when AWS stops issuing the session; None if it has no end
    """

    role: ParsedPrincipal
    answer: Ternary
    statement: Statement | None = None
    name: str = SESSION_NAME
    tagging: Ternary = NO
    before: RoleAdmission | None = None
    end: datetime.datetime | None = None

    @functools.cached_property
    def conditions(self) -> tuple[str, ...]:
        own = () if self.statement is None else _condition_text.requirement_texts(self.statement.condition)
        if self.before is None:
            return own
        return (*self.before.conditions, f"session of role {self.before.role.principal.arn}", *own)

    @functools.cached_property
    def until(self) -> datetime.datetime | None:
        """When the admission ends, with that to the role before; None if it has no end."""
        return min([end for end in (self.end, self.before and self.before.until) if end], default=None)


#: The admission with the best of several combinations of values, at the time of an estate.
AdmissionAt = t.Callable[[Estate, t.Sequence[Values]], RoleAdmission]


def admissions_to(
    estate: Estate, outsider: Outsider, role: ParsedPrincipal, names: t.Sequence[str] = ()
) -> list[RoleAdmission]:
    """The sessions of a role that its trust policy may give an outsider, with the values that the outsider can choose.

    The identity policies of another account are not visible. The audit assumes that they allow the request.

    :param names: session names that resource policies mention
    """
    trust = role.trust or Layer()
    concerned = concerning(trust, outsider.principal)
    if not trust.reason and all(statement.effect == "Deny" for statement in concerned):
        return []
    possible = choices(outsider, concerned, assume_request(estate, outsider, role.principal, {}).context.values)

    def admission_at(at: Estate, chosen: t.Sequence[Values]) -> RoleAdmission:
        requests = (assume_request(at, outsider, role.principal, values) for values in chosen)
        return best_admission(role, trust, list(requests), lambda request: _admits(trust, request))

    return admissions_by_name(estate, concerned, names, possible, admission_at)


def admissions_by_name(
    estate: Estate,
    statements: t.Sequence[Statement],
    names: t.Sequence[str],
    possible: t.Sequence[Values],
    admission_at: AdmissionAt,
) -> list[RoleAdmission]:
    """The admissions that are not denied: one with any session name, and one with each name that policies mention.

    :param statements: all statements that apply to the request
    :param possible: the combinations of values that the caller can choose
    """
    found: dict[str, RoleAdmission] = {}
    for chosen in (possible, *([{**values, _NAME: (name,)} for values in possible] for name in names)):
        best = admission_at(estate, chosen)
        if best.answer.holds is not False and best.name not in found:
            is_denied = functools.partial(_is_denied, admission_at, chosen)
            found[best.name] = replace(best, end=end_of(estate, statements, is_denied))
    return list(found.values())


def _is_denied(admission_at: AdmissionAt, chosen: t.Sequence[Values], at: Estate) -> bool:
    return admission_at(at, chosen).answer.holds is False


def best_admission(
    role: ParsedPrincipal, trust: Layer, requests: t.Sequence[Request], admits: t.Callable[[Request], Ternary]
) -> RoleAdmission:
    """The admission through the best of several requests, each with another combination of values.

    :param admits: whether AWS allows a request
    """
    answers = [(one, admits(one)) for one in requests]
    possible = next((one for wanted in (True, None) for one, answer in answers if answer.holds is wanted), None)
    limit = [unknown(TOO_MANY)] if len(requests) >= COMBINATIONS else []
    best, statement = some([*(answer for _request, answer in answers), *limit]), None
    if best.holds and possible:
        best = trust.allows(possible)
        statement = statement_at(trust, best.reason)
    name = possible.context.get(_NAME) if possible else None
    session = name[0] if isinstance(name, tuple) else SESSION_NAME
    return RoleAdmission(role, best, statement, session, _tagging(trust, requests, admits))


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
    identity = request.context.get("sts:SourceIdentity")
    return (
        [request, replace(request, action="sts:SetSourceIdentity")]
        if isinstance(identity, tuple) and identity
        else [request]
    )


def _admits(trust: Layer, request: Request) -> Ternary:
    requests = session_requests(request)
    return every(part for one in requests for part in (trust.allows(one), opposite(trust.denies(one))))
