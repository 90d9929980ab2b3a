# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Every statement that allows an action, not only the first one. Standard library only.

If a statement is removed, such as that of a share, the others still allow the action. So a report lists a statement if
it is sufficient without the other Allow statements, and states when its own access ends.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import place_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Attempt, Path
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition_text import requirement_texts
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import (
    ALLOWED,
    DENIED,
    UNKNOWN,
    Decision,
    Layer,
    Layers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, applies
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import every, opposite

#: An action of AWS, and the position of a statement that allows it; empty for all policies together.
Way = tuple[str, str]
Ends = t.Mapping[Way, datetime.datetime]
_NEVER = datetime.datetime.max.replace(tzinfo=datetime.timezone.utc)


@dataclass(frozen=True)
class OpenWay:
    """A way in which an action of the report is possible.

    :param place: the position of the statement; empty if no single statement decides
    :param end: when it ends; None if it has no end
    """

    place: str
    end: datetime.datetime | None


def decisions_by_way(
    request: Request, layers: Layers, decide: t.Callable[[Request, Layers], Decision]
) -> t.Iterator[tuple[Way, Decision]]:
    """The decision for a request, and the same for each Allow statement that is sufficient for it.

    :param decide: whether AWS allows a request with these policies. Those of the resource decide alone about a
        principal of another account
    """
    decision = decide(request, layers)
    yield (request.action, ""), decision
    if decision.verdict == DENIED:
        return
    own = request.principal.kind == AWS and request.principal.account == request.account
    found = list(_candidates(request, layers, own))
    is_only = len(found) == 1 and not (layers.identity.reason or (layers.resource and layers.resource.reason))
    for statement, alone in found:
        if is_only or not own or decide(request, alone).verdict != DENIED:
            yield (request.action, statement.place), decision


def _candidates(request: Request, layers: Layers, own: bool) -> t.Iterator[tuple[Statement, Layers]]:
    """The Allow statements that apply to a request, each with the policies without any other statement.

    :param own: whether the principal is of the account, so that its identity policies are known
    """
    for statement in layers.identity.statements if own else ():
        if statement.effect == "Allow" and applies(statement, request).holds is not False:
            yield statement, Layers(Layer((statement,)), Layer(), layers.limits)
    for statement in layers.resource.statements if layers.resource else ():
        if statement.effect == "Allow" and applies(statement, request).holds is not False:
            yield statement, Layers(Layer(), Layer((statement,)), layers.limits)


def decide_by_resource(request: Request, layers: Layers) -> Decision:
    """Whether the policies of the repository and of the registry allow a request of another account."""
    resource = layers.resource or Layer()
    denied = resource.denies(request)
    if denied.holds:
        return Decision(DENIED, f"{denied.reason} denies it")
    granted = resource.allows(request)
    allowed = every([granted, opposite(denied)])
    if allowed.holds:
        return Decision(ALLOWED, granted.reason)
    return Decision(DENIED if allowed.holds is False else UNKNOWN, allowed.reason or "no statement allows it")


def attempt_of(
    actions: t.Mapping[str, t.Sequence[str]],
    decided: t.Mapping[Way, Decision],
    ends: Ends,
    layer: Layer,
    kind_of: t.Callable[[str], str],
) -> Attempt:
    """The verdict for each action of a report, and every statement that allows it.

    :param actions: the required actions of AWS, by the action of the report
    :param ends: when the actions of AWS are denied
    :param kind_of: the kind of an access path, by the name of its document
    """
    statements = {statement.place: statement for statement in layer.statements}
    verdicts: dict[str, tuple[str, str]] = {}
    found: dict[OpenWay, list[str]] = {}
    for action, required in actions.items():
        decisions = [decided[name, ""] for name in required]
        worst = next((d for v in (DENIED, UNKNOWN) for d in decisions if d.verdict == v), decisions[0])
        verdicts[action] = (worst.verdict, "" if worst.verdict == ALLOWED else worst.reason)
        for way in open_ways(required, decided, ends) if worst.verdict != DENIED else ():
            found.setdefault(way if way.place else replace(way, place=worst.reason), []).append(action)
    paths = []
    for way, possible in found.items():
        statement = statements.get(way.place)
        document, label = place_of(way.place) if statement else (way.place, "")
        conditions = () if statement is None else requirement_texts(statement.condition)
        paths.append(Path(kind_of(document), tuple(possible), document, label, conditions, until=way.end))
    return Attempt(verdicts, tuple(paths))


def open_ways(required: t.Sequence[str], decided: t.Mapping[Way, Decision], ends: Ends) -> list[OpenWay]:
    """The statements through which all required actions of AWS are possible, with the end of each.

    Statements that allow only some of the actions count if they allow all of them together.

    :param required: actions that are not denied
    """
    places = [[place for action, place in decided if place and action == name] for name in required]
    listed = dict.fromkeys(place for one in places for place in one)
    partial = {place for place in listed if not all(place in one for one in places)}
    if not all(partial & set(one) for one in places):
        listed = dict.fromkeys(place for place in listed if place not in partial)
    end = _end(required, "", ends)
    own = {place: min(end, _end(required, place, ends)) for place in listed} or {"": end}
    # Another statement may apply later, and continue the access.
    last = max(own.values())
    return [OpenWay(place, _or_none(end if one == last else one)) for place, one in own.items()]


def _end(required: t.Sequence[str], place: str, ends: Ends) -> datetime.datetime:
    return min((ends[name, place] for name in required if (name, place) in ends), default=_NEVER)


def _or_none(end: datetime.datetime) -> datetime.datetime | None:
    return None if end == _NEVER else end
