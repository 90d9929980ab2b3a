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
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_proof import (
    proof_image_problems,
    pulls,
    subjects_of,
    unpulled_lines,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import (
    add_referrers,
    read_inventory,
    replication_status,
    unread,
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
    def first(self) -> Session:
        """The session whose region is the region of the images."""
        return self.owner or t.cast(Session, self.consumer)

    @property
    def region(self) -> str:
        """The region of the images."""
        return self.first.region

    @property
    def destinations(self) -> tuple[Destination, ...]:
        return self.declared.destinations(self.region)

    def source(self) -> Inventory:
        return self._inventory(self.owner, self.region)

    def copies(self, source: Inventory) -> dict[Destination, Inventory]:
        places = self.destinations if self.consumer else ()
        return {place: self._inventory(self.consumer, place.region, source) for place in places}

    def rows(self) -> list[ImageRow]:
        source = self.source()
        return compare_copies(source, self.copies(source))

    def pulls(self, source: Inventory, copies: t.Mapping[Destination, Inventory]) -> list[Json]:
        """The images that the consumer account pulls from each destination."""
        expected = {place: source if self.owner else copy for place, copy in copies.items()}
        return pulls(self.declared.references, expected)

    def _inventory(self, session: Session | None, region: str, source: Inventory | None = None) -> Inventory:
        """The images of a registry, and the referrers of the declared images.

        :param source: the images of the owner account, whose digests the copies have
        """
        if not session:
            return {}
        selects = RuleDeclaration(self.declared.selection, ()).rule(False).selects
        ecr = session.client("ecr", region)
        found = read_inventory(ecr, region, selects)
        return add_referrers(ecr, found, subjects_of(self.declared.references, source or found))

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

    warn(module, unread(sides.first.client("ecr"), declared.references))
    source = sides.source()
    copies = sides.copies(source)
    rows = compare_copies(source, copies) if sides.owner else []
    if sides.owner:
        problems.extend(proof_image_problems(declared.references, source))
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
        "pulls": sides.pulls(source, copies),
        **_lines(sides, source, copies, rows),
    }


def _sides(module: Module, declared: ReplicationRequest) -> _Sides:
    """The sessions, each of the declared account."""
    owner = session_of(module) if declared.has_owner else None
    consumer = session_of(_ConsumerModule(module)) if declared.has_consumer else None
    declared.check_credentials(
        owner.identity["account"] if owner else None, consumer.identity["account"] if consumer else None
    )
    return _Sides(declared, owner, consumer)


def _lines(
    sides: _Sides, source: Inventory, copies: t.Mapping[Destination, Inventory], rows: list[ImageRow]
) -> dict[str, list[str]]:
    declared = sides.declared
    if declared.expects_copies:
        after = list(other_side_lines(declared.side, declared.owner, declared.consumer))
        if not sides.owner:
            after += unpulled_lines(declared.references, copies)
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
