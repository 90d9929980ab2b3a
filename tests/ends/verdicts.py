# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts at random times before, at and after random ends of access."""

from __future__ import annotations

import datetime
import itertools
import random
from collections.abc import Iterator
from typing import NamedTuple

from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import utc_text

from tests.support.lab_accounts import Keys
from tests.support.pulling import ALLOWED, DENIED, Puller

from .shares import FORMS, LONGEST, Ground

OPERATIONS = ("assume", "token", "describe", "manifest", "layer")
#: The number of times at which each end is tested.
TIMES = 20
_SECOND = datetime.timedelta(seconds=1)
#: The time from the start of the session to the end of access. The session is valid for twice as long.
_BEFORE = datetime.timedelta(seconds=LONGEST / 2)


class Verdicts(NamedTuple):
    """The result.

    :param total: the number of verdicts
    :param allowed: the number of those that allow the request
    :param wrong: a line for each verdict that is not exact
    """

    total: int
    allowed: int
    wrong: list[str]


def verdicts(ground: Ground, seed: int, count: int) -> Verdicts:
    """The verdicts of the five operations, `count` of them, rounded up to whole ends."""
    pick, found, allowed, wrong = random.Random(seed), 0, 0, []  # noqa: S311
    with ground.lab.clock() as clock:
        for form in itertools.cycle(FORMS):
            if found >= count:
                break
            end = _random_end(pick)
            later = end + _SECOND * pick.choice((1, 60, 3_600, 86_400))
            clock.stop_at(end - _BEFORE)
            with ground.share(form, end, later) as puller:
                session, token = _earlier_session(puller)
                for now in sorted(_times(pick, end), key=lambda _now: pick.random()):
                    clock.stop_at(now)
                    expected = ALLOWED if now < end else DENIED
                    for operation, outcome in _outcomes(puller, session, token):
                        found, allowed = found + 1, allowed + (outcome == ALLOWED)
                        if outcome != expected:
                            wrong.append(f"{form} until {utc_text(end)}, {operation} at {now.isoformat()}: {outcome}")
    return Verdicts(found, allowed, wrong)


def _random_end(pick: random.Random) -> datetime.datetime:
    """A second of the years 2026 to 2029, sometimes the last one of a day or a year."""
    time = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc) + _SECOND * pick.randrange(4 * 365 * 86_400)
    midnight = time.replace(hour=0, minute=0, second=0)
    return pick.choice((time, time, midnight, midnight - _SECOND, midnight.replace(month=1, day=1)))


def _times(pick: random.Random, end: datetime.datetime) -> Iterator[datetime.datetime]:
    """Times around an end, half of them within a second."""
    close = (0, 0.5, 1, 0.000_001, pick.random())
    yield from (end + sign * _SECOND * seconds for seconds in close for sign in (-1, 1))
    for _number in range(TIMES - 2 * len(close)):
        yield end + pick.choice((-1, 1)) * _SECOND * 10 ** pick.uniform(0, 4.3)  # at most 6 hours


def _earlier_session(puller: Puller) -> tuple[Keys, str]:
    """The keys of a session that started before the end, and its registry token."""
    assumed, session = puller.assume(LONGEST)
    asked, token = puller.token(session)
    outcomes = [assumed.outcome, asked.outcome, puller.manifest(token).outcome]
    assert outcomes == [ALLOWED] * 3, outcomes
    return session, token


def _outcomes(puller: Puller, session: Keys, token: str) -> Iterator[tuple[str, str]]:
    yield "assume", puller.assume()[0].outcome
    yield "token", puller.token(session)[0].outcome
    yield "describe", puller.describe(session).outcome
    yield "manifest", puller.manifest(token).outcome
    yield "layer", puller.layer(token).outcome
