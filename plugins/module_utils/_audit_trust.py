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
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import (
    NO,
    Ternary,
    every,
    opposite,
    unknown,
)


@dataclass(frozen=True)
class RoleAdmission:
    """The admission of an outsider to a role.

    :param answer: whether AWS issues the session; if so, the reason is the position of the statement
    :param statement: the statement that allows it; None if none does
    :param names: the session names to evaluate
    :param tagging: whether the outsider can set tags of the session
    :param before: the admission to the role whose session assumes this role; None if the outsider assumes it directly
    :param end: when AWS stops issuing the session; None if it has no end
    """

    role: ParsedPrincipal
    answer: Ternary
    statement: Statement | None = None
    names: tuple[str, ...] = (SESSION_NAME,)
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


def admission_to(
    estate: Estate, outsider: Outsider, role: ParsedPrincipal, names: t.Sequence[str] = ()
) -> RoleAdmission:
    """Whether the trust policy of a role admits an outsider, with the values that the outsider can choose.

    The identity policies of another account are not visible. The audit assumes that they allow the request.

    :param names: session names that resource policies mention
    """
    trust = role.trust or Layer()
    concerned = concerning(trust, outsider.principal)
    if not trust.reason and all(statement.effect == "Deny" for statement in concerned):
        return RoleAdmission(role, NO)
    combinations = choices(outsider, concerned, assume_request(estate, outsider, role.principal, {}).context.values)

    def admission_at(at: Estate) -> RoleAdmission:
        return _admission_with(at, outsider, role, trust, combinations, names)

    end = end_of(estate, concerned, lambda at: admission_at(at).answer.holds is False)
    return replace(admission_at(estate), end=end)


def _admission_with(
    estate: Estate,
    outsider: Outsider,
    role: ParsedPrincipal,
    trust: Layer,
    combinations: t.Sequence[Values],
    names: t.Sequence[str],
) -> RoleAdmission:
    """The admission of an outsider with the best of several combinations of values."""
    best = unknown(TOO_MANY) if len(combinations) >= COMBINATIONS else NO
    for chosen in combinations:
        request = assume_request(estate, outsider, role.principal, chosen)
        answer = _admits(trust, request)
        if answer.holds:
            place = trust.allows(request).reason
            named = [{**chosen, "sts:rolesessionname": (name,)} for chosen in combinations for name in names]
            possible = [
                one["sts:rolesessionname"][0]
                for one in named
                if _admits(trust, assume_request(estate, outsider, role.principal, one)).holds
            ]
            tagging = _admits(trust, replace(request, action="sts:TagSession"))
            admitted = tuple(dict.fromkeys([SESSION_NAME, *possible]))
            return RoleAdmission(role, Ternary(True, place), statement_at(trust, place), admitted, tagging)
        if answer.holds is None and best.holds is False:
            best = answer
    return RoleAdmission(role, best)


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
