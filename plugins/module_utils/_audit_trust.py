# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The principals outside an account that can have a session of a role. Standard library only."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import ParsedPrincipal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import Outsider
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import assume_request, choices
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import includes
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, Ternary, every, opposite

_TIME = ("datelessthan", "datelessthanequals")


@dataclass(frozen=True)
class RoleAdmission:
    """The admission of an outsider to a role.

    :param answer: whether AWS issues the session; if so, the reason is the position of the statement
    :param statement: the statement that allows it; None if none does
    """

    role: ParsedPrincipal
    answer: Ternary
    statement: Statement | None = None

    @property
    def conditions(self) -> tuple[str, ...]:
        return () if self.statement is None else _condition_text.requirement_texts(self.statement.condition)


def admission_to(estate: Estate, outsider: Outsider, role: ParsedPrincipal) -> RoleAdmission:
    """Whether the trust policy of a role admits an outsider, with the values that the outsider can choose.

    The identity policies of another account are not visible. The audit assumes that they allow the request.
    """
    trust = role.trust
    if trust is None:
        return RoleAdmission(role, NO)
    concerned = [
        statement
        for statement in trust.statements
        if statement.names is not None and includes(statement.names, outsider.principal).holds is not False
    ]
    if not trust.reason and all(statement.effect == "Deny" for statement in concerned):
        return RoleAdmission(role, NO)
    best = NO
    for chosen in choices(outsider, concerned):
        request = assume_request(estate, outsider, role.principal, chosen)
        answer = every([trust.allows(request), opposite(trust.denies(request))])
        if answer.holds:
            place = trust.allows(request).reason
            statement = next((one for one in trust.statements if one.place == place), None)
            return RoleAdmission(role, Ternary(True, place), statement)
        if answer.holds is None and best.holds is False:
            best = answer
    return RoleAdmission(role, best)


def end_of(statements: t.Iterable[Statement | None]) -> datetime.datetime | None:
    """The earliest time at which a condition on `aws:CurrentTime` ends one of these Allow statements."""
    ends = [
        parsed
        for statement in statements
        if statement is not None
        for check in statement.condition
        if check.key.lower() == "aws:currenttime" and check.base in _TIME and not check.quantifier
        for parsed in [_parsed([value for value in map(parse_time, check.values) if value is not None])]
        if parsed is not None
    ]
    return min(ends, default=None)


def _parsed(times: list[datetime.datetime]) -> datetime.datetime | None:
    return max(times, default=None)  # alternatives: the latest of them decides


def parse_time(text: str) -> datetime.datetime | None:
    """The time in a policy, such as `2026-12-31T00:00:00Z`; None if it has another form."""
    try:
        found = datetime.datetime.fromisoformat(text.replace("Z", "+00:00"))
    except ValueError:
        return None
    return found if found.tzinfo else found.replace(tzinfo=datetime.timezone.utc)
