# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The sessions of a role that a caller can have, by their name, their source identity and their tags.

A resource policy may grant access to one session of a role or deny it, and a chain of roles keeps the source identity.
So the best session is not enough: each session that policies can tell apart has an admission. Standard library only.
"""

from __future__ import annotations

import datetime
import functools
import itertools
import math
import operator
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import (
    COMBINATIONS,
    TOO_MANY,
    Values,
    combinations,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import end_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import ParsedPrincipal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_request import SESSION_NAME
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition_text import requirement_texts
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, Ternary, unknown

_NAME, _IDENTITY = "sts:rolesessionname", "sts:sourceidentity"
_CERTAINTY = {True: 2, None: 1, False: 0}
#: How good an admission is. A higher number is better.
_Rank = tuple[int, int, float]
#: The name of a session and its source identity.
_Session = tuple[str, tuple[str, ...]]
_Items = tuple[tuple[str, tuple[str, ...]], ...]


@dataclass(frozen=True)
class RoleAdmission:
    """The admission of an outsider to a role.

    :param answer: whether AWS issues the session; if so, the reason is the position of the statement
    :param statement: the statement that allows it; None if none does
    :param name: the name of the session; if no resource policy mentions it, it stands for all of these names
    :param identity: the source identity of the session; empty if it has none
    :param tagging: whether the outsider can set tags of the session
    :param before: the admission to the role whose session assumes this role; None if the outsider assumes it directly
    :param end: when AWS stops issuing the session; None if it has no end
    """

    role: ParsedPrincipal
    answer: Ternary
    statement: Statement | None = None
    name: str = SESSION_NAME
    identity: tuple[str, ...] = ()
    tagging: Ternary = NO
    before: RoleAdmission | None = None
    end: datetime.datetime | None = None

    @functools.cached_property
    def conditions(self) -> tuple[str, ...]:
        own = () if self.statement is None else requirement_texts(self.statement.condition, "role tag")
        if self.before is None:
            return own
        return (*self.before.conditions, f"session of role {self.before.role.principal.arn}", *own)

    @functools.cached_property
    def until(self) -> datetime.datetime | None:
        """When the admission ends, with that to the role before; None if it has no end."""
        return min([end for end in (self.end, self.before and self.before.until) if end], default=None)

    @property
    def rank(self) -> _Rank:
        """How certain it is, how certain the tags of its sessions are, and when it ends."""
        until = self.until
        end = math.inf if until is None else until.timestamp()
        return _CERTAINTY[self.answer.holds], _CERTAINTY[self.tagging.holds], end


@dataclass(frozen=True)
class Mentioned:
    """The mentions of the sessions of a role in policies.

    :param names: the names of sessions in resource policies
    :param identities: the source identities that roles require or deny
    """

    names: t.Sequence[str] = ()
    identities: t.Sequence[str] = ()

    @classmethod
    def by_role(
        cls, roles: t.Sequence[ParsedPrincipal], names: t.Mapping[str, t.Sequence[str]]
    ) -> dict[str, Mentioned]:
        """The mentions of the sessions of each role in policies, by the name of the role.

        :param names: the names of sessions in resource policies, by the name of the role
        """
        layers = [layer for role in roles for layer in (role.identity, role.trust, *role.limits) if layer]
        statements = (statement for layer in layers for statement in layer.statements)
        found = combinations(statements, lambda key: key == _IDENTITY, {})
        identities = [value for values in found for value in values.get(_IDENTITY, ())]
        return {role.principal.name: cls(names.get(role.principal.name, ()), identities) for role in roles}


#: The admission with the best of several combinations of values, at the time of an estate.
AdmissionAt = t.Callable[[Estate, t.Sequence[Values]], RoleAdmission]


class BestAdmissions:
    """Admissions to sessions, each unless a known one to a session of the same role and name is as good.

    A session without a source identity is as good as one with it: it may set one when it assumes the next role.
    """

    def __init__(self) -> None:
        self._known: dict[tuple[str, str], list[tuple[_Rank, tuple[str, ...]]]] = {}

    def add(self, admission: RoleAdmission) -> bool:
        """Whether no known admission is as good. If so, it becomes known."""
        known = self._known.setdefault((admission.role.principal.arn, admission.name), [])
        rank, identity = admission.rank, admission.identity
        if any(own in ((), identity) and all(map(operator.ge, other, rank)) for other, own in known):
            return False
        known.append((rank, identity))
        return True


def spare_name(names: t.Iterable[str], statements: t.Iterable[Statement] = ()) -> str:
    """A session name that is not one of these names, and that no condition of these statements mentions."""
    checks = (check for statement in statements for check in statement.condition if check.key.lower() == _NAME)
    mentioned = {*names, *(value for check in checks for value in check.values)}
    numbered = (f"{SESSION_NAME}-{number}" for number in itertools.count(2))
    return next(name for name in itertools.chain([SESSION_NAME], numbered) if name not in mentioned)


def admissions_by_name(
    estate: Estate,
    statements: t.Sequence[Statement],
    mentioned: Mentioned,
    possible: t.Sequence[Values],
    admission_at: AdmissionAt,
) -> list[RoleAdmission]:
    """The admissions that are not denied, by the name of the session and its source identity.

    Each name that resource policies mention has its own admission. All other names have one together, because their
    sessions have the same access.

    :param statements: all statements that apply to the request
    :param possible: the combinations of values that the caller can choose
    """
    best, found = BestAdmissions(), []
    for (name, _identity), chosen in _by_session(mentioned, statements, possible):
        at = _at_each_time(admission_at, chosen, len(possible) >= COMBINATIONS)
        found += [replace(one, name=name) for one in _with_ends(estate, statements, at)]
    return [one for one in found if best.add(one)]


def _by_session(
    mentioned: Mentioned, statements: t.Sequence[Statement], possible: t.Sequence[Values]
) -> list[tuple[_Session, list[Values]]]:
    """The combinations of values for each session. Those without a source identity are the first."""
    names, other = mentioned.names, spare_name(mentioned.names)
    spare = spare_name(names, statements)
    found: dict[_Session, dict[_Items, Values]] = {}
    for values in [*possible, *_identified(mentioned, statements, possible)]:
        free = values.get(_NAME, (spare,))
        of_names = [(name, (name,)) for name in names]
        for name, value in of_names if free[0] in names else [*of_names, (other, free)]:
            chosen = {**values, _NAME: value}
            found.setdefault((name, values.get(_IDENTITY, ())), {})[_items(chosen)] = chosen
    sessions = sorted(found, key=lambda session: bool(session[1]))
    return [(session, list(found[session].values())) for session in sessions]


def _identified(
    mentioned: Mentioned, statements: t.Sequence[Statement], possible: t.Sequence[Values]
) -> t.Iterator[Values]:
    """Combinations with the source identities that other roles mention, if these statements may admit others as well.

    The next role of a chain may require one of them.
    """
    checks = [check for statement in statements for check in statement.condition if check.key.lower() == _IDENTITY]
    if all(check.base == "stringequals" for check in checks):
        return
    rests = [{key: value for key, value in values.items() if key != _IDENTITY} for values in possible]
    different = list({_items(rest): rest for rest in rests}.values())
    for identity in mentioned.identities[: COMBINATIONS // len(different)]:
        yield from ({**rest, _IDENTITY: (identity,)} for rest in different)


def _items(values: Values) -> _Items:
    return tuple(sorted(values.items()))


def _at_each_time(
    admission_at: AdmissionAt, chosen: t.Sequence[Values], is_limited: bool
) -> t.Callable[[Estate], RoleAdmission]:
    """The admission at the time of an estate, computed once for each time.

    :param is_limited: whether further combinations of values may exist that are not tried
    """
    known: dict[datetime.datetime, RoleAdmission] = {}

    def at(moment: Estate) -> RoleAdmission:
        if moment.now not in known:
            best = admission_at(moment, chosen)
            is_unknown = is_limited and best.answer.holds is False
            known[moment.now] = replace(best, answer=unknown(TOO_MANY)) if is_unknown else best
        return known[moment.now]

    return at


def _with_ends(
    estate: Estate, statements: t.Sequence[Statement], at: t.Callable[[Estate], RoleAdmission]
) -> list[RoleAdmission]:
    """The admission with its end; a second one without tags if the permission to set tags ends before."""
    best = at(estate)
    if best.answer.holds is False:
        return []
    end = end_of(estate, statements, lambda later: at(later).answer.holds is False)
    if best.tagging.holds is False:
        return [replace(best, end=end)]
    tagged = end_of(estate, statements, lambda later: at(later).tagging.holds is False)
    with_tags = replace(best, end=tagged)
    return [with_tags] if tagged == end else [with_tags, replace(best, tagging=NO, end=end)]
