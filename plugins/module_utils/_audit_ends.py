# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""When access ends: the first second at which a request is denied that is not denied now.

The result of a condition on the time changes only at the times that it names. So the audit evaluates a request again at
each of these times, with the same documents. Thus every form of an end counts: an Allow with `DateLessThan`, a Deny
with `DateGreaterThanEquals`, in any policy of the request, and conditions on `aws:EpochTime`. Standard library only.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import TIME_KEYS
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED, Decision
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement

#: An action, or an action and a statement.
Key = t.TypeVar("Key", bound=t.Hashable)
_SECOND = datetime.timedelta(seconds=1)


def end_of(
    estate: Estate, statements: t.Iterable[Statement], is_denied: t.Callable[[Estate], bool]
) -> datetime.datetime | None:
    """The first second at which a request is denied; None if no condition on the time ends it.

    :param statements: all statements that apply to the request
    :param is_denied: whether the request is denied at the time of an estate
    """
    later = (replace(estate, now=second) for second in _changes(statements, estate.now))
    return next((at.now for at in later if is_denied(at)), None)


def ends_of(
    estate: Estate, statements: t.Iterable[Statement], decide: t.Callable[[Estate], t.Mapping[Key, Decision]]
) -> tuple[t.Mapping[Key, Decision], dict[Key, datetime.datetime]]:
    """The decision for each action, and the first second at which an action is denied that is not denied now.

    :param statements: all statements that apply to the requests
    :param decide: the decision for each action at the time of an estate; an action without a decision is denied
    """
    decided = decide(estate)
    open_ended = {action for action, one in decided.items() if one.verdict != DENIED}
    ends: dict[Key, datetime.datetime] = {}
    for second in _changes(statements, estate.now) if open_ended else ():
        later = decide(replace(estate, now=second))
        ended = {action for action in open_ended if action not in later or later[action].verdict == DENIED}
        ends.update(dict.fromkeys(ended, second))
        open_ended -= ended
        if not open_ended:
            break
    return decided, ends


def has_time(statement: Statement) -> bool:
    """Whether a statement has a condition on the time."""
    return any(check.key.lower() in TIME_KEYS for check in statement.condition)


def _changes(statements: t.Iterable[Statement], now: datetime.datetime) -> list[datetime.datetime]:
    """The seconds after now at which the result of a condition on the time may change."""
    times = {
        time
        for statement in statements
        for check in statement.condition
        if check.key.lower() in TIME_KEYS
        for time in map(date_of, check.values)
        if time is not None and time.year < datetime.MAXYEAR
    }
    # `DateLessThan` and `DateGreaterThanEquals` change at the time, the other operators after it.
    seconds = {time.replace(microsecond=0) + after for time in times for after in (_SECOND * 0, _SECOND)}
    return sorted(second for second in seconds if second > now)
