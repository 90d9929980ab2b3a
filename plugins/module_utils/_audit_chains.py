# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Role chains: a session of a role of the account assumes another role of the account. Standard library only."""

from __future__ import annotations

import typing as t
from collections import deque
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import (
    FOR_A_SESSION,
    Values,
    combinations,
    overridden,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import end_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import ParsedPrincipal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import (
    SESSION_NAME,
    role_request,
    session_of_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import (
    RoleAdmission,
    concerning,
    session_requests,
    statement_at,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    DENIED,
    Decision,
    Layer,
    Layers,
    decide_layers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import (
    NAMED,
    Principal,
    includes,
    some_principal,
    whole_account,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, covers_action
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, YES, every, unknown

_ASSUME, _NAME = "sts:AssumeRole", "sts:rolesessionname"


class RoleChains:
    """The roles of an account that sessions of other roles of the account can assume.

    :param names: the session names that resource policies mention, by the name of the role
    """

    def __init__(
        self, estate: Estate, roles: t.Iterable[ParsedPrincipal], names: t.Mapping[str, t.Sequence[str]]
    ) -> None:
        self._estate, self._names = estate, names
        self._roles = [role for role in roles if role.trust and any(map(self._is_inside, role.trust.statements))]
        self._next: dict[tuple[str, tuple[str, ...]], list[RoleAdmission]] = {}

    def further(self, admissions: t.Iterable[RoleAdmission]) -> list[RoleAdmission]:
        """The admissions to further roles, through the shortest chains of sessions.

        :param admissions: the admissions of an outsider without a chain
        """
        known = {admission.role.principal.arn: admission.answer for admission in admissions}
        ahead, found = deque(admissions), []
        while ahead:
            before = ahead.popleft()
            for after in self._after(before.role, before.names):
                reached = known.get(after.role.principal.arn, NO)
                if reached.holds:
                    continue
                answer = every([before.answer, after.answer])
                if reached.holds is False or answer.holds:
                    known[after.role.principal.arn] = answer
                    step = replace(after, answer=answer, before=before)
                    found.append(step)
                    ahead.append(step)
        return found

    def _is_inside(self, statement: Statement) -> bool:
        """Whether a statement of a trust policy may admit a principal of the account."""
        names = statement.names
        if statement.effect == "Deny" or names is None or covers_action(statement, _ASSUME).holds is False:
            return False
        own = self._estate.account
        return names.excluded or any(
            value == "*" or own in (whole_account(value), some_principal(kind, value).account)
            for kind, value in names.listed
        )

    def _after(self, role: ParsedPrincipal, names: tuple[str, ...]) -> list[RoleAdmission]:
        """The roles that a session of a role can assume.

        :param names: the possible names of the session
        """
        key = (role.principal.arn, names)
        if key not in self._next:
            found = [self._step(role, other, name) for other in self._roles for name in names]
            self._next[key] = [step for step in found if step.answer.holds is not False]
        return self._next[key]

    def _step(self, role: ParsedPrincipal, other: ParsedPrincipal, name: str) -> RoleAdmission:
        return _step_between(self._estate, role, name, other, self._names.get(other.principal.name, ()))


def _step_between(
    estate: Estate, role: ParsedPrincipal, name: str, other: ParsedPrincipal, further: t.Sequence[str]
) -> RoleAdmission:
    """The admission of a session of a role to another role.

    :param name: the name of the session
    :param further: the names of sessions of the other role that resource policies mention
    """
    principal, _values = session_of_role(estate, role.principal, name)
    trust = other.trust or Layer()
    concerned = concerning(trust, principal)
    allowing = [statement for statement in concerned if statement.effect == "Allow"]
    if not (allowing if _may_assume(role) else _naming(allowing, principal)):
        return RoleAdmission(other, NO)
    statements = [*concerned, *role.identity.statements, *(one for limit in role.limits for one in limit.statements)]
    layers = Layers(role.identity, trust, role.limits)

    def step_at(at: Estate) -> RoleAdmission:
        return _step_with(at, (role, name), (other, further), layers, statements)

    end = end_of(estate, statements, lambda at: step_at(at).answer.holds is False)
    return replace(step_at(estate), end=end)


def _step_with(
    estate: Estate,
    session: tuple[ParsedPrincipal, str],
    target: tuple[ParsedPrincipal, t.Sequence[str]],
    layers: Layers,
    statements: t.Sequence[Statement],
) -> RoleAdmission:
    """The admission with the best values that the session can choose.

    :param session: a role and the name of its session
    :param target: the other role and the names of its sessions to evaluate as well
    :param statements: all statements that apply to the request
    """
    (role, name), (other, further) = session, target
    principal, values = session_of_role(estate, role.principal, name)
    best, trust = RoleAdmission(other, NO), layers.resource or Layer()
    known = role_request(estate, _ASSUME, principal, other.principal, values).context.values
    possible = combinations(statements, lambda key: key in FOR_A_SESSION, known)

    def decided(chosen: Values) -> tuple[Request, list[Decision]]:
        request = role_request(estate, _ASSUME, principal, other.principal, overridden(values, chosen))
        return request, [decide_layers(one, layers) for one in session_requests(request)]

    def is_allowed(chosen: Values) -> bool:
        return all(one.verdict == ALLOWED for one in decided(chosen)[1])

    for chosen in possible:
        request, decisions = decided(chosen)
        decision = next((one for one in decisions if one.verdict != ALLOWED), None)
        if decision is None:
            names = [one for one in further if any(is_allowed({**given, _NAME: (one,)}) for given in possible)]
            statement = statement_at(trust, trust.allows(request).reason)
            return RoleAdmission(other, YES, statement, tuple(dict.fromkeys([SESSION_NAME, *names])))
        if all(one.verdict != DENIED for one in decisions) and best.answer.holds is False:
            best = RoleAdmission(other, unknown(decision.reason))
    return best


def _may_assume(role: ParsedPrincipal) -> bool:
    """Whether identity policies may allow a role to assume other roles. It is a quick check."""
    return bool(role.identity.reason) or any(
        statement.effect == "Allow" and covers_action(statement, _ASSUME).holds is not False
        for statement in role.identity.statements
    )


def _naming(statements: list[Statement], principal: Principal) -> list[Statement]:
    """The statements that include a principal by itself or by its role, so that it needs no identity policy."""
    return [one for one in statements if one.names and includes(one.names, principal, NAMED).holds is not False]
