# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The lines that show a replication: the images that can appear or be deleted, and the state of each image.
Standard library only.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import (
    ARCHIVED,
    MISSING,
    ORIGINAL_ARCHIVED,
    REPLICATED,
    STATES,
    ImageRow,
    Inventory,
    count_states,
    unread_copies,
)

#: The maximum number of rows of a table without -v.
MOST_ROWS = 20
_DIGEST = 19  # characters


def preview_lines(
    source: Inventory, rows: t.Sequence[ImageRow], destinations: t.Sequence[Destination], deletes: bool
) -> t.Iterator[str]:
    """The change at each destination that a replication would make."""
    images = sum(map(len, source.values()))
    repositories = list_text(sorted(source)) or "no repository yet"
    yield f"The selection has {_count(images, 'image')} in {repositories}."
    for destination in destinations:
        found = [row for row in rows if row.destination == destination]
        exposed = _exposed(found)
        if not found and source:
            yield f"+ {destination}: the images there are not read. New images of the selection appear there."
            exposed = _exposed(unread_copies(source, [destination]))
        else:
            appearing = sorted({row.repository for row in found if row.state == MISSING})
            yield f"+ {destination}: {_count(count_states(found)[MISSING], 'image')} can appear" + (
                f", in {list_text(appearing)}." if appearing else "."
            )
        archived = sum(row.status == ORIGINAL_ARCHIVED for row in found)
        if archived:
            yield (
                f"  {destination}: {_count(archived, 'archived image does', 'archived images do')} not appear. ECR does"
                " not replicate archived images."
            )
        if deletes:
            yield (
                f"- {destination}: if an image or its last image tag is deleted in the owner account, for example by a"
                f" lifecycle policy, ECR deletes the copy there. This affects {_count(len(exposed), 'image')} now."
            )


def _exposed(rows: t.Sequence[ImageRow]) -> list[ImageRow]:
    """The images whose copies a deletion of the owner account would delete, now or after they have been replicated."""
    return [row for row in rows if row.state in (REPLICATED, MISSING)]


def end_lines(rows: t.Sequence[ImageRow], destinations: t.Sequence[Destination]) -> t.Iterator[str]:
    """The change at each destination that the end of a replication makes."""
    for destination in destinations:
        found = [row for row in rows if row.destination == destination]
        copies = sum(row.state != MISSING for row in found)
        kept = _count(copies, "copy of the selection stays", "copies of the selection stay")
        yield f"- {destination}: no new images appear. {kept} there."


def table_lines(rows: t.Sequence[ImageRow], every_row: bool = False) -> t.Iterator[str]:
    """The state of each image at each destination. Without `every_row`, a long table has no replicated images."""
    if not rows:
        return
    shown = rows if every_row or len(rows) <= MOST_ROWS else [row for row in rows if row.state != REPLICATED]
    cells = [("state", "repository", "image tags", "digest", "kind", "destination", "status"), *map(_cells, shown)]
    widths = [max(map(len, column)) for column in zip(*cells)]
    for line in cells if shown else ():
        yield "  ".join(cell.ljust(width) for cell, width in zip(line, widths)).rstrip()
    counted = count_states(rows)
    yield ", ".join(f"{counted[state]:,} {state}" for state in STATES) + "."
    if counted[ARCHIVED]:
        yield (
            "ECR neither replicates an archived image nor returns it in a pull. Restore it (UpdateImageStorageClass) to"
            " use it at the destination."
        )


def _cells(row: ImageRow) -> tuple[str, ...]:
    image = row.image
    place = f"{row.destination.account} {row.destination.region}"
    tags = ", ".join(image.image_tags) or "-"
    return row.state, row.repository, tags, image.digest[:_DIGEST], image.kind, place, row.status or "-"


def other_side_lines(side: str, source: str, destination: str) -> t.Iterator[str]:
    """The next step of the other account, if a run configures one side only."""
    if side == "consumer":
        yield (
            f"Account {destination} accepts the images of account {source}. Next, give account {source} the hand-off."
            " To replicate the images, it runs replicate.yml with ecr_replicate_side=owner."
        )
    if side == "owner":
        yield (
            f"Account {source} replicates the images to account {destination}. This run cannot read the copies there."
        )


def deletion_problems(rows: t.Sequence[ImageRow]) -> t.Iterator[str]:
    """The problem of a replication of deletions without consent, with the images that it could delete."""
    exposed = dict.fromkeys(_name(row) for row in _exposed(rows))
    listed = list_text(list(exposed), noun="images") or "none now"
    yield (
        f"{option('delete_replication')} is true: if an image or its last image tag is deleted in the owner account,"
        " for example by a lifecycle policy, ECR deletes the copy at every destination. This affects these images:"
        f" {listed}. To consent, set {option('allow_deletions')} to true."
    )


def missing_problem(rows: t.Sequence[ImageRow], timeout: int) -> str:
    """The message for images that are not replicated at the deadline."""
    missing = [f"{_name(row)} in {row.destination} ({row.status or 'no status'})" for row in rows]
    return (
        f"After {timeout} seconds, {_count(len(rows), 'image is', 'images are')} not replicated:"
        f" {list_text(missing, noun='images')}."
        " Images that were pushed before the rule existed need a backfill. AWS replicates most images within 30"
        " minutes; run again, or wait longer."
    )


def not_accepted(destination: Destination, source: str, actions: t.Iterable[str], repositories: t.Sequence[str]) -> str:
    """The message for a destination whose registry policy does not accept the images."""
    return (
        f"The registry of {destination} does not accept the images of account {source}: its policy does not allow"
        f" {' and '.join(actions)} for {list_text(repositories)}. Run replicate.yml with the same variables and"
        " ecr_replicate_side=consumer in that account."
    )


def not_created(destination: Destination, repositories: t.Sequence[str]) -> str:
    """The message for repositories that a destination lacks and that replication may not create."""
    return (
        f"{destination} lacks {list_text(repositories, noun='repositories')}, and {option('create_repositories')} is"
        " false, so no image can arrive there. Create the repositories, or set"
        f" {option('create_repositories')} to true."
    )


def _name(row: ImageRow) -> str:
    tag = f":{row.image.image_tags[0]}" if row.image.image_tags else f"@{row.image.digest[:_DIGEST]}"
    return f"{row.repository}{tag}"


def _count(number: int, noun: str, plural: str = "") -> str:
    return f"{number:,} {noun if number == 1 else plural or noun + 's'}"
