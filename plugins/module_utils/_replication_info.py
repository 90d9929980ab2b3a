# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_replication_info`: reads both registries, and compares the images with their copies."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_coverage import has_uncovered_images
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_handoff import (
    handoff_text,
    other_side_problem,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import (
    MISSING,
    ImageRow,
    Inventory,
    count_states,
    unread_copies,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_preflight import Preflight
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_proof import proof_image_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import unread, with_statuses
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_report import (
    MOST_ROWS,
    deletion_problems,
    end_lines,
    missing_problem,
    other_side_lines,
    preview_lines,
    table_lines,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import (
    POSSIBLE,
    REQUEST_ARGUMENTS,
    ReplicationRequest,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_sides import Sides, open_sides
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import read_until
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions, wait_problems

REPLICATION_INFO_ARGUMENTS: Json = {
    **REQUEST_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 1800},
    "wait_interval": {"type": "float", "default": 15.0},
}


def replication_info(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, problems, wait = ReplicationRequest.of(module.params), Problems(), WaitOptions.of(module.params)
    problems.extend(declared.problems())
    problems.extend(wait_problems(wait))
    problems.check()
    sides = open_sides(module, declared)
    problems.extend(declared.problems_in(sides.region))
    source, rows = sides.read(problems)
    if sides.owner and (source or not problems.found):
        problems.extend(proof_image_problems(declared.references, source))
    if declared.needs_consent:
        problems.extend(deletion_problems(rows if sides.consumer else unread_copies(source, sides.destinations)))
    if declared.expects_copies and not problems.found:
        problems.extend(sides.acceptance_problems(list(source)))
    planned = sides.preflight(problems, list(source)) if declared.expects == POSSIBLE else Preflight(declared, problems)
    missing_side = other_side_problem(declared, sides.region) if declared.expects == POSSIBLE else ""
    problems.extend([missing_side] if missing_side and problems.found else ())
    problems.check()
    warn(module, dict.fromkeys((*planned.warnings, *unread(sides.first.client("ecr"), declared.references))))
    rows = _final_rows(sides, rows, wait, progress)
    return {
        "changed": False,
        "declaration": declared.result(),
        "owner": declared.has_owner,
        "consumer": declared.has_consumer,
        "destinations": [place._asdict() for place in sides.destinations],
        "repositories": sorted(source),
        "images": [row.result() for row in rows],
        "counts": count_states(rows),
        "pulls": sides.pulls(source),
        "changes_rule": planned.changes_rule,
        "statements": [place._asdict() for place in planned.statements],
        "templates": planned.templates,
        "missing_side": missing_side,
        "handoff": handoff_text(declared, sides.region),
        "needs_backfill": _needs_backfill(sides, source, rows),
        **_lines(sides, source, rows, planned.deletes),
    }


def _final_rows(sides: Sides, rows: list[ImageRow], wait: WaitOptions, progress: Progress) -> list[ImageRow]:
    """The rows after the wait for the copies, with the statuses that AWS reports if the table is short."""
    if sides.declared.expects_copies and sides.owner and sides.consumer:
        rows = _wait_for_copies(sides, rows, wait, progress)
    is_short = sides.declared.is_present and len(rows) <= MOST_ROWS
    return with_statuses(sides.owner.client("ecr"), rows) if sides.owner and is_short else rows


def _needs_backfill(sides: Sides, source: Inventory, rows: list[ImageRow]) -> bool:
    """Whether existing images have no copy. Without the other account, AWS reports it for each image."""
    if rows or not (sides.owner and sides.declared.backfill):
        return any(row.state == MISSING for row in rows)
    return has_uncovered_images(sides.owner.client("ecr"), source, sides.destinations)


def _lines(sides: Sides, source: Inventory, rows: list[ImageRow], deletes: bool) -> dict[str, list[str]]:
    declared, lines = sides.declared, list[str]()
    after = list(other_side_lines(declared.side, declared.owner, declared.consumer)) if declared.is_present else []
    states, all_states = ([*table_lines(rows, every_row), *after] for every_row in (False, True))
    if declared.expects_copies:
        return {"lines": states, "all_lines": all_states, "state_lines": states, "all_state_lines": all_states}
    if sides.owner and declared.is_present:
        lines = list(preview_lines(source, rows, sides.destinations, deletes))
    elif sides.owner:
        lines = list(end_lines(rows, sides.destinations))
    return {"lines": lines, "all_lines": lines, "state_lines": states, "all_state_lines": all_states}


def _wait_for_copies(sides: Sides, rows: list[ImageRow], wait: WaitOptions, progress: Progress) -> list[ImageRow]:
    """The rows after all images are replicated.

    :raises EcrError: if images are missing at the deadline, with the status that AWS reports
    """
    first = iter([rows])

    def read() -> list[ImageRow]:
        found = next(first, None) or sides.read(Problems())[1]
        progress(f"{sum(row.state == MISSING for row in found):,} of {len(found):,} images are not replicated yet")
        return found

    found = read_until(read, lambda rows: all(row.state != MISSING for row in rows), wait)
    missing = [row for row in found if row.state == MISSING]
    if missing:
        missing = with_statuses(t.cast(Session, sides.owner).client("ecr"), missing)
        others = [row for row in found if row.state != MISSING]
        raise EcrError(
            missing_problem(missing, wait.timeout),
            images=[row.result() for row in (*missing, *others)],
            lines=list(table_lines([*missing, *others])),
        )
    return found
