# SPDX-License-Identifier: GPL-3.0-or-later
"""One consumer is removed, one is revoked, and the access of one expires, while the others pull."""

from __future__ import annotations

import contextlib
import datetime
import threading
import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from tests.lab import state
from tests.support.control import Control
from tests.support.lab import LabClock
from tests.support.pulling import ALLOWED, DENIED
from tests.support.waiting import until

from .consumers import ASSUME, Consumer, Pulls, Watcher, new_consumers

#: The maximum time from the end of access to the last request that is allowed, in seconds.
LIMIT = 1.0
OPERATIONS = (ASSUME, "token", "describe", "manifest", "layer")
#: The end that is declared at first. A session is valid for longer.
_LATER = datetime.timedelta(minutes=30)
_SECONDS_LEFT = 3
_HOUR = 3_600


class Result(NamedTuple):
    """The outcomes of all requests.

    :param pulls: of the consumers whose access did not end
    :param failures: a line for each of their requests that failed
    :param late: for each consumer whose access ended, the seconds from the end to the last allowed request
    :param problems: a line for each fact that differs from the expected one
    """

    pulls: int
    failures: list[str]
    late: dict[str, float]
    problems: list[str]


class Load:
    """The consumers of one share, each with a role of its own.

    :param pulls: the minimum number of pulls by the others
    """

    def __init__(self, control: Control, count: int, pulls: int) -> None:
        self.control, self.lab, self.pulls = control, control.lab, pulls
        self.removed, self.revoked, self.expiring, *self.others = new_consumers(self.lab, count)
        self.end = datetime.datetime.now(datetime.timezone.utc).replace(microsecond=0) + _LATER

    def run(self) -> Result:
        stop = threading.Event()
        self._share([self.removed, self.revoked, self.expiring, *self.others])
        watchers = {
            name: Watcher(self.lab, consumer, stop)
            for name, consumer in (("removed", self.removed), ("revoked", self.revoked), ("expired", self.expiring))
        }
        pulls = [Pulls(self.lab, consumer, stop) for consumer in self.others]
        threads = [*watchers.values(), *pulls]
        with self.lab.clock() as clock, _running(threads, stop):
            ends = {"removed": self._remove(), "revoked": self._revoke(), "expired": self._expire(clock)}
            until(lambda: sum(one.count for one in pulls) >= self.pulls, "too few pulls", _HOUR)
        failures = [failure for one in pulls for failure in one.failures]
        problems = [problem for name, end in ends.items() for problem in _problems(name, watchers[name], end)]
        late = {name: _late(watchers[name], end) for name, end in ends.items()}
        return Result(sum(one.count for one in pulls), failures, late, problems)

    def _share(self, consumers: list[Consumer]) -> None:
        self._succeeds(self.control.share(**self._declaration(consumers)))

    def _declaration(self, consumers: list[Consumer]) -> dict[str, Any]:
        ends = {self.expiring: {"expires": self.end.strftime("%Y-%m-%dT%H:%M:%SZ")}}
        declared = [{**one.declared, **ends.get(one, {})} for one in consumers]
        return {"ecr_share_consumers": declared, "ecr_share_roles": "per_consumer", "ecr_share_handoff_path": ""}

    def _remove(self) -> dict[str, float]:
        mark = len(self.lab.calls())
        self._share([self.revoked, self.expiring, *self.others])
        return self._written(mark)

    def _revoke(self) -> dict[str, float]:
        mark = len(self.lab.calls())
        declaration = self._declaration([self.revoked, self.expiring, *self.others])
        scenario, only = ("-e", "@playbooks/vars/scenario.yml"), {"ecr_share_revoke_consumers": [self.revoked.account]}
        self._succeeds(self.control.playbook("revoke", "owner", *scenario, **{**declaration, **only}))
        return {**self._written(mark), ASSUME: float("inf")}

    def _expire(self, clock: LabClock) -> dict[str, float]:
        ahead = self.end - datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=_SECONDS_LEFT)
        clock.advance(ahead)
        end = (self.end - ahead).timestamp()
        until(lambda: time.time() > end + 2 * LIMIT, "the end of access")
        return dict.fromkeys(OPERATIONS, end)

    def _written(self, mark: int) -> dict[str, float]:
        """The time of the first write to IAM after a mark, for each operation."""
        first = next(one for one in state.requests(self.lab.folder)[mark:] if _is_end(one["call"]))
        return dict.fromkeys(OPERATIONS, float(first["time"]))

    @staticmethod
    def _succeeds(run: Any) -> None:
        assert run.code == 0, run


def _is_end(call: str) -> bool:
    return call.startswith("iam:") and state.is_write(call)


@contextlib.contextmanager
def _running(threads: list[Any], stop: threading.Event) -> Iterator[None]:
    for thread in threads:
        thread.start()
    try:
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join()


def _problems(name: str, watcher: Watcher, ends: dict[str, float]) -> Iterator[str]:
    """The facts that differ: allowed before the end, denied by a policy after it."""
    if watcher.error:
        yield f"{name}: {watcher.error}"
    for operation in OPERATIONS:
        seen = [one for one in watcher.seen if one.operation == operation]
        before = {one.outcome for one in seen if one.ended < ends[operation]}
        after = {one.outcome for one in seen if one.began > ends[operation] + LIMIT}
        if before != {ALLOWED}:
            yield f"{name} {operation} before the end: {before}"
        if ends[operation] != float("inf") and after != {DENIED}:
            yield f"{name} {operation} after the end: {after}"


def _late(watcher: Watcher, ends: dict[str, float]) -> float:
    """The seconds from the end of access to the beginning of the last request that was allowed; 0 if none was."""
    late = [one.began - ends[one.operation] for one in watcher.seen if one.outcome == ALLOWED]
    return max([0.0, *late])
