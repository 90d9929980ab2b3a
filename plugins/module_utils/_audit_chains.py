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
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import ParsedPrincipal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import (
    role_request,
    session_of_role,
    without_tags,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_sessions import (
    BestAdmissions,
    Mentioned,
    RoleAdmission,
    admissions_by_name,
    spare_name,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_trust import (
    best_admission,
    concerning,
    session_requests,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    UNKNOWN,
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, YES, Ternary, every, unknown

_ASSUME = "sts:AssumeRole"
_NAME, _IDENTITY = "sts:rolesessionname", "sts:sourceidentity"


class RoleChains:
    """The roles of an account that sessions of other roles of the account can assume.

    :param mentioned: the session names and source identities that policies contain, by the name of the role
    """

    def __init__(
        self, estate: Estate, roles: t.Iterable[ParsedPrincipal], mentioned: t.Mapping[str, Mentioned]
    ) -> None:
        self._estate, self._mentioned = estate, mentioned
        self._roles = [role for role in roles if role.trust and any(map(self._is_inside, role.trust.statements))]
        #: By the ARN of the role before, the name and source identity of its session, and whether it may have tags.
        self._next: dict[tuple[str, str, tuple[str, ...], bool | None], list[RoleAdmission]] = {}

    def further(self, admissions: t.Iterable[RoleAdmission]) -> list[RoleAdmission]:
        """The sessions of further roles, and better sessions of the same roles, through chains of sessions.

        A longer chain counts if no shorter way to a session of this name is as good: it may be certain, have tags, or
        end later.

        :param admissions: the admissions of an outsider without a chain
        """
        best = BestAdmissions()
        ahead = deque(one for one in admissions if best.add(one))
        found = []
        while ahead:
            before = ahead.popleft()
            for after in self._after(before):
                step = replace(after, answer=every([before.answer, after.answer]), before=before)
                if best.add(step):
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

    def _after(self, before: RoleAdmission) -> list[RoleAdmission]:
        """The sessions of other roles that the session of an admission can have."""
        session = (before.role.principal.arn, before.name, before.identity, before.tagging.holds)
        if session not in self._next:
            found = [self._steps(before, other) for other in self._roles]
            self._next[session] = [step for steps in found for step in steps]
        return self._next[session]

    def _steps(self, before: RoleAdmission, other: ParsedPrincipal) -> list[RoleAdmission]:
        return _steps_between(self._estate, before, other, self._mentioned[other.principal.name])


def _steps_between(
    estate: Estate, before: RoleAdmission, other: ParsedPrincipal, mentioned: Mentioned
) -> list[RoleAdmission]:
    """The sessions of another role that the session of an admission can have.

    :param mentioned: the session names and source identities that policies contain for the other role
    """
    role, tagging = before.role, before.tagging
    principal, _values = session_of_role(estate, role.principal, before.name)
    trust = other.trust or Layer()
    concerned = concerning(trust, principal)
    allowing = [statement for statement in concerned if statement.effect == "Allow"]
    if not (allowing if _may_assume(role) else _naming(allowing, principal)):
        return []
    statements = [*concerned, *role.identity.statements, *(one for limit in role.limits for one in limit.statements)]
    layers = Layers(role.identity, trust, role.limits)
    kept: Values = {_IDENTITY: before.identity} if before.identity else {}  # a chain never changes it

    def request_at(at: Estate, chosen: Values) -> Request:
        _principal, own = session_of_role(at, role.principal, before.name)
        known = overridden(without_tags(own) if tagging.holds is None else own, {**chosen, **kept})
        return role_request(at, _ASSUME, principal, other.principal, known, tagging.holds is False)

    def admission_at(at: Estate, chosen: t.Sequence[Values]) -> RoleAdmission:
        requests = [request_at(at, values) for values in chosen]
        return best_admission(other, trust, requests, lambda request: _admits(layers, request))

    possible = combinations(
        statements,
        lambda key: (key in FOR_A_SESSION and key not in kept) or _is_tag(key, tagging),
        request_at(estate, {_NAME: (spare_name(mentioned.names, statements),)}).context.values,
    )
    return admissions_by_name(estate, statements, mentioned, possible, admission_at)


def _admits(layers: Layers, request: Request) -> Ternary:
    return every(_answer(decide_layers(one, layers)) for one in session_requests(request))


def _is_tag(key: str, tagging: Ternary) -> bool:
    """Whether a key is a tag of a session that the caller sets."""
    return bool(tagging.holds) and key.startswith("aws:principaltag/")


def _answer(decision: Decision) -> Ternary:
    if decision.verdict == UNKNOWN:
        return unknown(decision.reason)
    return YES if decision.verdict == ALLOWED else NO


def _may_assume(role: ParsedPrincipal) -> bool:
    """Whether identity policies may allow a role to assume other roles. It is a quick check."""
    return bool(role.identity.reason) or any(
        statement.effect == "Allow" and covers_action(statement, _ASSUME).holds is not False
        for statement in role.identity.statements
    )


def _naming(statements: list[Statement], principal: Principal) -> list[Statement]:
    """The statements that include a principal by itself or by its role, so that it needs no identity policy."""
    return [one for one in statements if one.names and includes(one.names, principal, NAMED).holds is not False]
