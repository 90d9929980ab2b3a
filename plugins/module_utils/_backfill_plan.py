# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The replication backfills of a registry: which ones to start, to wait for and to stop. Standard library only.

A second run must neither start a backfill twice nor wait for one that it cannot find. So a plan depends only on what
ECR returns, and not on a previous run: the newest backfill of a destination decides.

Source of the statuses and the limits: ECR API Reference, StartReplicationBackfill and ReplicationBackfillSummary.
"""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

#: The maximum number of backfills of a registry that are in progress at the same time.
MOST_IN_PROGRESS = 10
COMPLETE, STOPPED, STOPPING, NOT_STARTED = "COMPLETE", "STOPPED", "STOPPING", "NOT_STARTED"
_RUNNING = ("PREPARING", "IN_PROGRESS")


class Destination(t.NamedTuple):
    """The registry that receives images."""

    account: str
    region: str

    @classmethod
    def of(cls, reply: Json) -> Destination:
        return cls(reply["registryId"], reply["region"])

    @property
    def request(self) -> Json:
        return {"registryId": self.account, "region": self.region}

    def __str__(self) -> str:
        return f"account {self.account} in {self.region}"


@dataclass(frozen=True)
class Failure:
    """An image that was not replicated."""

    repository: str
    digest: str
    image_tag: str
    code: str

    @classmethod
    def of(cls, reply: Json) -> Failure:
        image = reply["imageId"]
        codes = [reply.get("failureCode") or "", *(reply.get("subImageFailureCodes") or [])]
        return cls(
            reply["repositoryName"],
            image.get("imageDigest") or "",
            image.get("imageTag") or "",
            ", ".join(dict.fromkeys(filter(None, codes))),
        )

    def __str__(self) -> str:
        image_tag = f":{self.image_tag}" if self.image_tag else ""
        return f"{self.repository}{image_tag}@{self.digest} ({self.code or 'no reason'})"

    def as_json(self) -> Json:
        return {
            "repository": self.repository,
            "digest": self.digest,
            "image_tag": self.image_tag,
            "failure_code": self.code,
        }


@dataclass(frozen=True)
class Backfill:
    """A backfill. Its numbers are None while ECR prepares the list of images.

    :param failures: the images that were not replicated; they are known at the end
    """

    destination: Destination
    identifier: str = ""
    status: str = NOT_STARTED
    started: datetime.datetime | None = None
    ended: datetime.datetime | None = None
    failure_code: str = ""
    total: int | None = None
    completed: int | None = None
    failed: int | None = None
    failures: tuple[Failure, ...] = ()

    @classmethod
    def of(cls, reply: Json) -> Backfill:
        """The backfill in a response of ECR."""
        numbers = reply.get("progress") or {}
        return cls(
            Destination.of(reply["destination"]),
            reply["replicationBackfillId"],
            reply["status"],
            reply.get("startedAt"),
            reply.get("endedAt"),
            reply.get("failureCode") or "",
            numbers.get("totalReplicationCount"),
            numbers.get("completedReplicationCount"),
            numbers.get("failedReplicationCount"),
        )

    @property
    def is_running(self) -> bool:
        return self.status in _RUNNING

    @property
    def is_in_progress(self) -> bool:
        return self.is_running or self.status == STOPPING

    @property
    def is_successful(self) -> bool:
        return self.status == COMPLETE and not self.failed

    @property
    def progress_text(self) -> str:
        if self.total is None:
            return f"to {self.destination}: {self.status.lower().replace('_', ' ')}"
        failed = f", {self.failed:,} failed" if self.failed else ""
        return f"to {self.destination}: {self.completed or 0:,} of {self.total:,} replicated{failed}"

    def as_json(self, is_new: bool) -> Json:
        return {
            "account": self.destination.account,
            "region": self.destination.region,
            "id": self.identifier,
            "status": self.status,
            "started": is_new,
            "started_at": _time_text(self.started),
            "ended_at": _time_text(self.ended),
            "failure_code": self.failure_code,
            "total": self.total,
            "completed": self.completed,
            "failed": self.failed,
            "failures": [failure.as_json() for failure in self.failures],
        }


def newest(backfills: t.Iterable[Backfill], destination: Destination) -> Backfill:
    """The newest backfill of a destination; one with the status NOT_STARTED if ECR returns none.

    ECR returns a backfill for 90 days after its end. One that is in progress is the newest.
    """
    own = [backfill for backfill in backfills if backfill.destination == destination]
    first = datetime.datetime.min.replace(tzinfo=datetime.timezone.utc)
    return max(
        own, key=lambda backfill: (backfill.is_in_progress, backfill.started or first), default=Backfill(destination)
    )


def is_needed(backfill: Backfill, force: bool) -> bool:
    """Whether a new backfill has to be started after the newest one of a destination."""
    return not backfill.is_running and (force or not backfill.is_successful)


def can_start(backfills: t.Iterable[Backfill], destination: Destination) -> bool:
    """Whether ECR accepts a new backfill: one is in progress for each region, and ten for the registry."""
    active = [backfill for backfill in backfills if backfill.is_in_progress]
    regions = {backfill.destination.region for backfill in active}
    return destination.region not in regions and len(active) < MOST_IN_PROGRESS


def backfill_problems(backfill: Backfill) -> t.Iterator[str]:
    """Problems with a backfill that has ended."""
    if backfill.status == STOPPED:
        yield f"The backfill to {backfill.destination} was stopped before its end. Run again to start a new one."
    elif not backfill.is_successful:
        code = f" ({backfill.failure_code})" if backfill.failure_code else ""
        images = list_text([str(failure) for failure in backfill.failures], noun="images")
        yield (
            f"The backfill to {backfill.destination} ended with the status {backfill.status}{code}. Not replicated:"
            f" {images or 'unknown'}. Check that the registry policy of account {backfill.destination.account} allows"
            " ecr:ReplicateImage and ecr:CreateRepository to the account of the source, and that the custom role of"
            " its creation template exists. Then run again to start a new backfill."
        )


def _time_text(time: datetime.datetime | None) -> str:
    return time.astimezone(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ") if time else ""


def busy_text(backfill: Backfill) -> str:
    """The status of a destination whose backfill is to be started or stopped."""
    return f"to {backfill.destination}: waiting until AWS accepts a backfill to this region"


def not_started(destination: Destination) -> str:
    """The warning about a backfill that was not started."""
    return (
        f"The backfill to {destination} was not started. AWS runs one backfill at a time for each region, and"
        f" {MOST_IN_PROGRESS} for a registry. Run again when the current one has ended."
    )


def not_ended(waiting: t.Sequence[str], timeout: int) -> str:
    """The message for backfills that have not ended in time."""
    return (
        f"After {timeout} seconds, backfills have not ended: {'; '.join(waiting)}. AWS continues them without this run."
        f" Run again to wait for them, or increase {option('wait_timeout')}."
    )
