# SPDX-License-Identifier: GPL-3.0-or-later
"""Backfills while another program starts and stops them, and while a list lags behind."""

from __future__ import annotations

import datetime
import types
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_declaration import BackfillDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_run import (
    BackfillRun,
    configured_destinations,
)
from botocore.exceptions import ClientError

HERE = Destination("222222222222", "eu-west-1")
BUSY = "ReplicationBackfillInProgressException"


def entry(status: str, day: int = 1) -> dict[str, Any]:
    return {
        "replicationBackfillId": f"{status}-{day}",
        "destination": HERE.request,
        "status": status,
        "startedAt": datetime.datetime(2026, 11, day, tzinfo=datetime.timezone.utc),
    }


class Ecr:
    """A registry with a list for each read; the last one remains."""

    def __init__(self, *lists: list[dict[str, Any]], error: str = "") -> None:
        self.lists, self.error, self.writes = [*lists], error, list[str]()

    def get_paginator(self, _name: str) -> Any:
        found = self.lists.pop(0) if len(self.lists) > 1 else self.lists[0]
        return types.SimpleNamespace(paginate=lambda **_options: [{"backfills": found}])

    def _write(self, name: str) -> None:
        self.writes.append(name)
        if self.error:
            raise ClientError({"Error": {"Code": self.error, "Message": ""}}, name)

    def start_replication_backfill(self, **_request: object) -> dict[str, Any]:
        self._write("start")
        return entry("PREPARING", 9)

    def stop_replication_backfill(self, **_request: object) -> None:
        self._write("stop")


def run_of(ecr: Ecr, **options: bool) -> BackfillRun:
    return BackfillRun(ecr, BackfillDeclaration((HERE,), **options))


def test_list_that_lacks_a_new_backfill() -> None:
    run = run_of(Ecr([entry("FAILED")]))
    run.advance()
    run.read_and_advance()
    assert ([one.identifier for one in run.backfills], run.changed) == (["PREPARING-9"], [HERE])
    assert run.ecr.writes == ["start"]
    assert len(run.waiting) == 1


def test_repeated_start_after_a_lost_response_is_a_change() -> None:
    run = run_of(Ecr([], [entry("IN_PROGRESS")], error=BUSY))
    run.advance()
    assert (run.pending, run.changed) == ([HERE], [])
    run.read_and_advance()
    assert (run.pending, run.changed, run.ecr.writes) == ([], [HERE], ["start"])


def test_backfill_that_another_program_started_is_adopted() -> None:
    run = run_of(Ecr([entry("STOPPING")], [entry("STOPPING")], [entry("STOPPED"), entry("PREPARING", 2)]))
    run.advance()
    run.read_and_advance()
    assert run.pending == [HERE]
    run.read_and_advance()
    assert (run.pending, run.changed, run.ecr.writes) == ([], [], [])


def test_start_is_repeated_when_the_region_is_free() -> None:
    ecr = Ecr([], [], error="LimitExceededException")
    run = run_of(ecr)
    run.advance()
    ecr.error = ""
    run.read_and_advance()
    assert (run.pending, ecr.writes) == ([], ["start", "start"])


@pytest.mark.parametrize("error", ["ReplicationBackfillInvalidStatusException", "ReplicationBackfillNotFoundException"])
def test_backfill_that_ended_before_it_was_stopped(error: str) -> None:
    run = run_of(Ecr([entry("IN_PROGRESS")], [entry("COMPLETE")], error=error), is_stopped=True)
    run.advance()
    run.read_and_advance()
    assert (run.pending, run.changed, run.waiting) == ([], [], [])


def test_other_errors_are_raised() -> None:
    for lists, options in (([], {}), ([entry("IN_PROGRESS")], {"is_stopped": True})):
        run = run_of(Ecr(lists, error="ServerException"), **options)
        with pytest.raises(ClientError):
            run.advance()


@pytest.mark.parametrize("reply", [{}, {"replicationConfiguration": None}, {"replicationConfiguration": {"rules": []}}])
def test_registry_without_rules(reply: dict[str, Any]) -> None:
    assert configured_destinations(types.SimpleNamespace(describe_registry=lambda: reply)) == set()
