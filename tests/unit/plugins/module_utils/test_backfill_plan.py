# SPDX-License-Identifier: GPL-3.0-or-later
"""Which backfill decides about a destination, and what happened to it."""

from __future__ import annotations

import dataclasses
import datetime
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import (
    Backfill,
    Destination,
    Failure,
    backfill_problems,
    busy_text,
    can_start,
    is_needed,
    newest,
    not_ended,
    not_started,
)

HERE, THERE = Destination("222222222222", "eu-west-1"), Destination("333333333333", "eu-west-1")
ELSEWHERE = Destination("222222222222", "us-east-1")
RUNNING = ("PREPARING", "IN_PROGRESS")


def time(day: int) -> datetime.datetime:
    return datetime.datetime(2026, 11, day, tzinfo=datetime.timezone.utc)


def backfill(status: str, day: int = 1, destination: Destination = HERE, **facts: Any) -> Backfill:
    return Backfill(destination, f"{status}-{day}", status, time(day), **facts)


def test_backfill_of_a_response() -> None:
    reply = {
        "replicationBackfillId": "id",
        "destination": HERE.request,
        "status": "IN_PROGRESS",
        "startedAt": time(1),
        "progress": {"totalReplicationCount": 2000, "completedReplicationCount": 3, "failedReplicationCount": 1},
    }
    found = Backfill.of(reply)
    assert found.progress_text == "to account 222222222222 in eu-west-1: 3 of 2,000 replicated, 1 failed"
    expected = {"id": "id", "started": True, "started_at": "2026-11-01T00:00:00Z", "ended_at": "", "total": 2000}
    assert found.as_json(True).items() >= expected.items()
    assert Backfill.of({**reply, "progress": None}).progress_text.endswith("eu-west-1: in progress")


def test_failed_backfill_has_its_reason_and_its_images() -> None:
    reply = {
        "replicationBackfillId": "id",
        "destination": HERE.request,
        "status": "FAILED",
        "endedAt": time(2),
        "failureCode": "Internal",
        "progress": {"totalReplicationCount": 1, "completedReplicationCount": 0, "failedReplicationCount": 1},
    }
    image = {"repositoryName": "release", "imageId": {"imageDigest": "sha256:1"}, "failureCode": "AccessDenied"}
    failed = dataclasses.replace(Backfill.of(reply), failures=(Failure.of(image),))
    assert failed.as_json(False) == {
        "account": HERE.account,
        "region": HERE.region,
        "id": "id",
        "status": "FAILED",
        "started": False,
        "started_at": "",
        "ended_at": "2026-11-02T00:00:00Z",
        "failure_code": "Internal",
        "total": 1,
        "completed": 0,
        "failed": 1,
        "failures": [{"repository": "release", "digest": "sha256:1", "image_tag": "", "failure_code": "AccessDenied"}],
    }
    assert Backfill.of({**reply, "failureCode": None}).failure_code == ""


def test_newest_backfill_of_a_destination_decides() -> None:
    old, new, other = backfill("COMPLETE", 1), backfill("FAILED", 2), backfill("COMPLETE", 3, THERE)
    assert newest([old, new, other], HERE) == newest([new, other, old], HERE) == new
    assert newest([backfill("IN_PROGRESS", 1), new], HERE).status == "IN_PROGRESS"
    assert newest([old, other], ELSEWHERE) == Backfill(ELSEWHERE)


@pytest.mark.parametrize(
    ("found", "needed", "forced"),
    [
        (Backfill(HERE), True, True),
        (backfill("PREPARING"), False, False),
        (backfill("IN_PROGRESS"), False, False),
        (backfill("STOPPING"), True, True),
        (backfill("STOPPED"), True, True),
        (backfill("FAILED"), True, True),
        (backfill("COMPLETE", failed=0), False, True),
        (backfill("COMPLETE", failed=1), True, True),
    ],
)
def test_need_of_a_new_backfill(found: Backfill, needed: bool, forced: bool) -> None:
    assert (is_needed(found, False), is_needed(found, True)) == (needed, forced)


def test_one_backfill_for_each_region_and_ten_in_all() -> None:
    assert can_start([], HERE)
    for status in (*RUNNING, "STOPPING"):
        assert not can_start([backfill(status, 1, THERE)], HERE)
        assert can_start([backfill(status, 1, THERE)], ELSEWHERE)
    assert can_start([backfill("COMPLETE", 1, THERE)] * 10, HERE)
    others = [backfill("IN_PROGRESS", 1, Destination("222222222222", f"region-{number}")) for number in range(10)]
    assert not can_start(others, HERE)
    assert can_start(others[:9], HERE)


def test_problem_names_the_images_that_failed() -> None:
    reply = {"repositoryName": "release", "imageId": {"imageDigest": "sha256:1", "imageTag": "v1"}, "status": "FAILED"}
    failures = (
        Failure.of({**reply, "failureCode": "AccessDenied"}),
        Failure.of({**reply, "imageId": {"imageDigest": "sha256:2"}, "subImageFailureCodes": ["A", "B", "A"]}),
        Failure.of({**reply, "imageId": {}}),
    )
    (problem,) = backfill_problems(backfill("FAILED", failed=3, failures=failures, failure_code="TooMany"))
    assert "ended with the status FAILED (TooMany). Not replicated: release:v1@sha256:1 (AccessDenied)" in problem
    assert "release@sha256:2 (A, B), release@ (no reason). Check that the registry policy" in problem
    (problem,) = backfill_problems(backfill("COMPLETE", failed=1))
    assert "Not replicated: unknown." in problem
    assert list(backfill_problems(backfill("COMPLETE", failed=0))) == []
    (problem,) = backfill_problems(backfill("STOPPED"))
    assert "was stopped before its end" in problem


def test_message_at_the_deadline_has_the_progress() -> None:
    message = not_ended(["to account 1: 1 of 2 replicated"], 60)
    assert message.startswith("After 60 seconds, backfills have not ended: to account 1: 1 of 2 replicated. AWS")


def test_message_about_a_destination_that_must_wait() -> None:
    waiting = "to account 222222222222 in eu-west-1: waiting until AWS accepts a backfill to this region"
    assert busy_text(backfill("STOPPING")) == waiting
    assert not_started(HERE) == (
        "The backfill to account 222222222222 in eu-west-1 was not started. AWS runs one backfill at a time for each"
        " region, and 10 for a registry. Run again when the current one has ended."
    )
