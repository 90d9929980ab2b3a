# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication backfills, added in place before the lab serves a request.

1. `StartReplicationBackfill`, `StopReplicationBackfill`, `ListReplicationBackfills` and
   `DescribeReplicationBackfillResults`. One backfill is in progress for each destination region, ten for a registry.
2. A backfill copies the images that match the replication rules at its start, with each image tag. The registry of the
   destination accepts them as it accepts the images of a push.
3. A backfill proceeds with each request that lists or describes backfills: it is prepared, then it copies images in
   several steps, then it has ended. So a test can observe each status without waiting. While copies are held (see
   `replication`), it remains in progress.
4. A backfill fails if at least half of at least a hundred images fail.

Sources: Amazon ECR API Reference, "StartReplicationBackfill"; Amazon ECR User Guide, "Replication backfill". The
messages of the errors, the failure code of an image, and that archived images are left out are inferred.
"""

from __future__ import annotations

import copy
import dataclasses
import time
import uuid
from typing import Any

from ministack.core import responses
from ministack.services import ecr

from . import operations, pages, replication
from .image_states import Response, error

MOST_IN_PROGRESS = 10
STEPS = 3
DENIED = "AccessDenied"
_IN_PROGRESS = ("PREPARING", "IN_PROGRESS", "STOPPING")
_backfills = responses.AccountRegionScopedDict()


@dataclasses.dataclass
class Backfill:
    """One backfill. `remaining` and `results` have the repository, the image and its image tag."""

    destination: dict[str, str]
    remaining: list[tuple[str, dict[str, Any], str]]
    identifier: str = dataclasses.field(default_factory=lambda: str(uuid.uuid4()))
    status: str = "PREPARING"
    total: int | None = None
    started: float = dataclasses.field(default_factory=time.time)
    ended: float | None = None
    results: list[dict[str, Any]] = dataclasses.field(default_factory=list)

    @property
    def failed(self) -> int:
        return len([one for one in self.results if one["status"] == "FAILED"])

    def summary(self) -> dict[str, Any]:
        found: dict[str, Any] = {
            "replicationBackfillId": self.identifier,
            "destination": self.destination,
            "status": self.status,
            "startedAt": self.started,
        }
        if self.total is not None:
            codes = dict.fromkeys(one["failureCode"] for one in self.results if "failureCode" in one)
            found["progress"] = {
                "totalReplicationCount": self.total,
                "completedReplicationCount": len(self.results) - self.failed,
                "failedReplicationCount": self.failed,
                "failureCodes": list(codes),
            }
        if self.status == "FAILED":
            found["failureCode"] = "ReplicationFailureThresholdExceeded"
        return found | ({"endedAt": self.ended} if self.ended else {})


def install() -> None:
    """Put the additions into MiniStack, before `replication`, which would copy the copies."""
    put_manifest = ecr._v2_put_manifest

    def proceed() -> None:
        for backfill in _backfills.values():
            if backfill.status in _IN_PROGRESS:
                _proceed(backfill, put_manifest)

    def list_(_data: dict[str, Any]) -> Response:
        proceed()
        found = sorted(_backfills.values(), key=lambda one: one.started, reverse=True)
        return _reply(backfills=[one.summary() for one in found])

    def describe(data: dict[str, Any]) -> Response:
        proceed()
        backfill = _backfills.get(data["replicationBackfillId"])
        if backfill is None:
            return _not_found(data)
        wanted = data.get("resultStatusFilter")
        results = [] if backfill.status in _IN_PROGRESS else backfill.results
        return _reply(**backfill.summary(), results=[one for one in results if wanted in (None, one["status"])])

    operations.add(
        {
            "StartReplicationBackfill": _start,
            "StopReplicationBackfill": _stop,
            "ListReplicationBackfills": pages.paged(list_, "backfills", ""),
            "DescribeReplicationBackfillResults": pages.paged(describe, "results", ""),
        }
    )


def _proceed(backfill: Backfill, put_manifest: Any) -> None:
    if backfill.status == "PREPARING":
        backfill.status, backfill.total = "IN_PROGRESS", len(backfill.remaining)
        return
    if backfill.status == "IN_PROGRESS" and replication.copies.held.exists():
        return
    if backfill.status == "IN_PROGRESS" and backfill.remaining:
        size = max(1, (backfill.total or 0) // STEPS)
        for one in backfill.remaining[:size]:
            backfill.results.append(_copy(*one, backfill.destination, put_manifest))
        del backfill.remaining[:size]
        return
    backfill.ended = time.time()
    too_many = len(backfill.results) >= 100 and backfill.failed * 2 >= len(backfill.results)
    ended = "FAILED" if too_many else "COMPLETE"
    backfill.status = "STOPPED" if backfill.status == "STOPPING" else ended


def _copy(
    name: str, image: dict[str, Any], image_tag: str, destination: dict[str, str], put_manifest: Any
) -> dict[str, Any]:
    """Copy an image; the result of its replication."""
    identifier = {"imageDigest": image["imageDigest"], **({"imageTag": image_tag} if image_tag else {})}
    result = {"repositoryName": name, "imageId": identifier}
    source, layers = responses.get_account_id(), copy.copy(ecr._layer_blobs.get(name, {}))
    account, region = destination["registryId"], destination["region"]
    with responses.request_scope(account, region):
        if not replication.accepts(source, account, region, name):
            return {**result, "status": "FAILED", "failureCode": DENIED}
        ecr._layer_blobs.setdefault(name, {}).update(layers)
        headers = {"content-type": image["imageManifestMediaType"]}
        reply = put_manifest(name, image_tag or image["imageDigest"], headers, image["imageManifest"].encode())
    failed = reply[0] >= 300
    return {**result, "status": "FAILED" if failed else "COMPLETE", **({"failureCode": "Other"} if failed else {})}


def _start(data: dict[str, Any]) -> Response:
    destination = data["destination"]
    place = (destination["registryId"], destination["region"])
    active = [one for one in _backfills.values() if one.status in _IN_PROGRESS]
    names = [name for name in ecr._repositories if place in replication.destinations(name)]
    if place not in replication.every_destination():
        return operations.invalid("destination", "The destination is not in the replication configuration")
    if any(one.destination["region"] == place[1] for one in active):
        message = f"A replication backfill is already in progress for the destination Region '{place[1]}'"
        return error("ReplicationBackfillInProgressException", message)
    if len(active) >= MOST_IN_PROGRESS:
        message = f"The maximum number of replication backfills in progress, {MOST_IN_PROGRESS}, is reached"
        return error("LimitExceededException", message)
    images = [
        (name, image, image_tag)
        for name in sorted(names)
        for image in ecr._images.get(name, [])
        for image_tag in image.get("imageTags") or [""]
        if image.get("imageStatus", "ACTIVE") == "ACTIVE"
    ]
    backfill = Backfill(destination, images)
    _backfills[backfill.identifier] = backfill
    return _reply(**backfill.summary())


def _stop(data: dict[str, Any]) -> Response:
    backfill = _backfills.get(data["replicationBackfillId"])
    if backfill is None:
        return _not_found(data)
    if backfill.status not in _IN_PROGRESS[:2]:
        message = f"The replication backfill with the status '{backfill.status}' cannot be stopped"
        return error("ReplicationBackfillInvalidStatusException", message)
    backfill.status = "STOPPING"
    summary = {name: value for name, value in backfill.summary().items() if name not in ("progress", "endedAt")}
    return _reply(**summary)


def _reply(**members: Any) -> Response:
    reply: Response = responses.json_response({"registryId": responses.get_account_id(), **members})
    return reply


def _not_found(data: dict[str, Any]) -> Response:
    message = f"The replication backfill with the id '{data['replicationBackfillId']}' does not exist"
    return error("ReplicationBackfillNotFoundException", message)
