# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads, starts and stops the replication backfills of the declared destinations."""

from __future__ import annotations

import contextlib
from dataclasses import replace

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_declaration import BackfillDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import (
    Backfill,
    Destination,
    Failure,
    busy_text,
    can_start,
    is_needed,
    newest,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._sdk_support import require_operation

_WORKAROUND = (
    " Or copy the existing images with skopeo, as the page Replicate existing images of the documentation shows."
)
#: The errors of a destination that is not free: another program has just started a backfill.
_BUSY = ("ReplicationBackfillInProgressException", "LimitExceededException")
#: The errors of a backfill that has ended, or that ECR no longer returns.
_ENDED = ("ReplicationBackfillInvalidStatusException", "ReplicationBackfillNotFoundException")


class BackfillRun:
    """The work on the declared destinations.

    :ivar pending: the destinations whose backfill is to be started or stopped
    :ivar changed: the destinations whose backfill was started or stopped
    """

    def __init__(self, ecr: Client, declared: BackfillDeclaration) -> None:
        self.ecr, self.declared = ecr, declared
        self._started: dict[str, Backfill] = {}
        self._attempted: set[Destination] = set()
        self.changed: list[Destination] = []
        self._read()
        self.pending = [one for one in declared.destinations if self._is_pending(newest(self.listed, one))]

    def _is_pending(self, current: Backfill) -> bool:
        return current.is_running if self.declared.is_stopped else is_needed(current, self.declared.force)

    def _read(self) -> None:
        """Read the backfills. A list may lack one that was started a moment ago."""
        listed = _listed(self.ecr)
        known = {backfill.identifier for backfill in listed}
        self.listed = [*listed, *(one for name, one in self._started.items() if name not in known)]

    @property
    def backfills(self) -> list[Backfill]:
        """The backfill of each destination. One that has not been started yet has no ID."""
        return [
            Backfill(destination)
            if destination in self.pending and not self.declared.is_stopped
            else newest(self.listed, destination)
            for destination in self.declared.destinations
        ]

    @property
    def waiting(self) -> list[str]:
        """The destinations whose backfill has not ended, as texts."""
        return [
            busy_text(backfill) if backfill.destination in self.pending else backfill.progress_text
            for backfill in self.backfills
            if backfill.is_in_progress or backfill.destination in self.pending
        ]

    def advance(self) -> None:
        """Start or stop what is possible now."""
        for destination in list(self.pending):
            current = newest(self.listed, destination)
            if self.declared.is_stopped:
                self._stop(current)
            elif current.is_running:
                # The SDK repeats a request whose response was lost. Then the first request started this backfill.
                self.changed += [destination] if destination in self._attempted else []
            elif not self._start(destination):
                continue
            self.pending.remove(destination)

    def read_and_advance(self) -> None:
        self._read()
        self.advance()

    def _start(self, destination: Destination) -> bool:
        """Whether a backfill was started."""
        if not can_start(self.listed, destination):
            return False
        self._attempted.add(destination)
        try:
            started = Backfill.of(self.ecr.start_replication_backfill(destination=destination.request))
        except botocore.exceptions.ClientError as error:
            if error_code(error) not in _BUSY:
                raise
            return False  # the next read shows whose backfill is in progress
        except Exception:  # AWS may have applied a request whose response was lost
            with contextlib.suppress(Exception):
                self._read()
            self.changed += [destination] if newest(self.listed, destination).is_running else []
            raise
        self._started[started.identifier] = started
        self.listed.append(started)
        self.changed.append(destination)
        return True

    def _stop(self, backfill: Backfill) -> None:
        try:
            self.ecr.stop_replication_backfill(replicationBackfillId=backfill.identifier)
        except botocore.exceptions.ClientError as error:
            if error_code(error) not in _ENDED:
                raise
            return
        self.changed.append(backfill.destination)

    def add_failures(self) -> None:
        """Read the images that were not replicated."""
        unsuccessful = [one for one in self.backfills if not one.is_in_progress and one.failed]
        found = dict(zip((one.identifier for one in unsuccessful), map_concurrently(self._failures, unsuccessful)))
        self.listed = [replace(one, failures=found.get(one.identifier, ())) for one in self.listed]

    def _failures(self, backfill: Backfill) -> tuple[Failure, ...]:
        return tuple(map(Failure.of, _results(self.ecr, backfill, "FAILED")))

    def result(self) -> list[Json]:
        return [one.as_json(one.identifier in self._started) for one in self.backfills]


def require_backfill(ecr: Client) -> None:
    """
    :raises EcrError: if botocore is too old for a backfill
    """
    require_operation(ecr, "StartReplicationBackfill", workaround=_WORKAROUND)


def configured_destinations(ecr: Client) -> set[Destination]:
    """The destinations in the replication rules of the registry."""
    rules = (ecr.describe_registry().get("replicationConfiguration") or {}).get("rules", [])
    return {Destination.of(one) for rule in rules for one in rule["destinations"]}


def newest_backfill(ecr: Client, destination: Destination) -> Backfill:
    """The newest backfill of a destination."""
    return newest(_listed(ecr), destination)


def replicated_digests(ecr: Client, backfill: Backfill) -> frozenset[tuple[str, str]]:
    """The repository and the digest of each image that a backfill replicated. They are known at its end."""
    found = _results(ecr, backfill, "COMPLETE")
    return frozenset((one["repositoryName"], one["imageId"].get("imageDigest") or "") for one in found)


def _listed(ecr: Client) -> list[Backfill]:
    pages = ecr.get_paginator("list_replication_backfills").paginate(PaginationConfig={"PageSize": 50})
    return [Backfill.of(one) for page in pages for one in page["backfills"]]


def _results(ecr: Client, backfill: Backfill, status: str) -> list[Json]:
    pages = ecr.get_paginator("describe_replication_backfill_results").paginate(
        replicationBackfillId=backfill.identifier, resultStatusFilter=status, PaginationConfig={"PageSize": 1000}
    )
    return [one for page in pages for one in page.get("results") or []]
