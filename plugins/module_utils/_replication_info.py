# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_replication_info`: reads both registries, and compares the images with their copies."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_acceptance import not_accepted_names
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import read_registry_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import (
    MISSING,
    ImageRow,
    Inventory,
    compare_copies,
    count_states,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import (
    read_inventory,
    replication_status,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_report import (
    deletion_problems,
    end_lines,
    missing_problem,
    not_accepted,
    other_side_lines,
    preview_lines,
    table_lines,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import (
    REQUEST_ARGUMENTS,
    ReplicationRequest,
    consumer_parameters,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import read_until
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions, wait_problems

REPLICATION_INFO_ARGUMENTS: Json = {
    **REQUEST_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
    "wait_interval": {"type": "float", "default": 15.0},
}


class _ConsumerModule:
    """The module with the credentials of the consumer account."""

    def __init__(self, module: Module) -> None:
        self.params, self.check_mode = consumer_parameters(module.params), module.check_mode
        self.warn = module.warn


@dataclass(frozen=True)
class _Sides:
    """The sessions of the run.

    :param owner: None if the run has no credentials of the owner account
    :param consumer: None if the run has no credentials of the consumer account
    """

    declared: ReplicationRequest
    owner: Session | None
    consumer: Session | None

    @property
    def region(self) -> str:
        """The region of the images."""
        return (self.owner or t.cast(Session, self.consumer)).region

    @property
    def destinations(self) -> tuple[Destination, ...]:
        return self.declared.destinations(self.region)

    def source(self) -> Inventory:
        return self._inventory(self.owner, self.region)

    def copies(self) -> dict[Destination, Inventory]:
        return {place: self._inventory(self.consumer, place.region) for place in self.destinations if self.consumer}

    def rows(self) -> list[ImageRow]:
        return compare_copies(self.source(), self.copies()) if self.owner and self.consumer else []

    def _inventory(self, session: Session | None, region: str) -> Inventory:
        selects = RuleDeclaration(self.declared.selection, ()).rule(False).selects
        return read_inventory(session.client("ecr", region), region, selects) if session else {}

    def acceptance_problems(self, names: t.Sequence[str]) -> t.Iterator[str]:
        """The destinations whose registry policy does not accept the images."""
        if not self.consumer:
            return
        registry = arn_of(self.consumer.identity["arn"]).identity
        source = Identity(registry.partition, self.declared.owner)
        for place in self.destinations:
            policy = read_registry_policy(self.consumer.client("ecr", place.region), f"registry policy of {place}")
            refused = not_accepted_names(policy, source, registry, place.region, names)
            if refused:
                yield not_accepted(place, self.declared.owner, refused)


def replication_info(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, problems, wait = ReplicationRequest.of(module.params), Problems(), WaitOptions.of(module.params)
    problems.extend(declared.problems())
    problems.extend(wait_problems(wait))
    problems.check()
    sides = _sides(module, declared)
    problems.extend(declared.problems_in(sides.region))
    problems.check()

    source = sides.source()
    rows = compare_copies(source, sides.copies()) if sides.owner else []
    if declared.needs_consent:
        problems.extend(deletion_problems(rows))
    if declared.expects_copies:
        problems.extend(sides.acceptance_problems(list(source)))
    problems.check()
    if declared.expects_copies and sides.owner and sides.consumer:
        rows = _wait_for_copies(sides, rows, wait, progress)
    return {
        "changed": False,
        "owner": declared.has_owner,
        "consumer": declared.has_consumer,
        "destinations": [place._asdict() for place in sides.destinations],
        "repositories": sorted(source),
        "images": [row.result() for row in rows],
        "counts": count_states(rows),
        **_lines(sides, source, rows),
    }


def _sides(module: Module, declared: ReplicationRequest) -> _Sides:
    """The sessions, each of the declared account."""
    owner = session_of(module) if declared.has_owner else None
    consumer = session_of(_ConsumerModule(module)) if declared.has_consumer else None
    declared.check_credentials(
        owner.identity["account"] if owner else None, consumer.identity["account"] if consumer else None
    )
    return _Sides(declared, owner, consumer)


def _lines(sides: _Sides, source: Inventory, rows: list[ImageRow]) -> dict[str, list[str]]:
    declared = sides.declared
    if declared.expects_copies:
        after = list(other_side_lines(declared.side, declared.owner, declared.consumer))
        return {"lines": [*table_lines(rows), *after], "all_lines": [*table_lines(rows, every_row=True), *after]}
    if not sides.owner:
        lines: list[str] = []
    elif declared.is_present:
        lines = list(preview_lines(source, rows, sides.destinations, bool(declared.deletes)))
    else:
        lines = list(end_lines(rows, sides.destinations))
    return {"lines": lines, "all_lines": lines}


def _wait_for_copies(sides: _Sides, rows: list[ImageRow], wait: WaitOptions, progress: Progress) -> list[ImageRow]:
    """The rows after all images are replicated.

    :raises EcrError: if images are missing at the deadline, with the status that AWS reports
    """
    first = iter([rows])

    def read() -> list[ImageRow]:
        found = next(first, None) or sides.rows()
        progress(f"{sum(row.state == MISSING for row in found):,} of {len(found):,} images are not replicated yet")
        return found

    found = read_until(read, lambda rows: all(row.state != MISSING for row in rows), wait)
    missing = [row for row in found if row.state == MISSING]
    if missing:
        ecr = t.cast(Session, sides.owner).client("ecr")
        statuses = map_concurrently(lambda row: replication_status(ecr, row), missing)
        missing = [replace(row, status=status) for row, status in zip(missing, statuses)]
        others = [row for row in found if row.state != MISSING]
        raise EcrError(
            missing_problem(missing, wait.timeout),
            images=[row.result() for row in (*missing, *others)],
            lines=list(table_lines([*missing, *others])),
        )
    return found
