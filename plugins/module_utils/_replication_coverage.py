# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Whether existing images still need a backfill, by what AWS reports to the owner account alone.

A run that was interrupted between the rule and the backfill leaves nothing behind. So each image counts as covered if
the newest backfill of the destination replicated it, or if AWS reports its replication. Only images with an image tag
are considered, because AWS may report the images of an index only together with the index.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_run import (
    newest_backfill,
    replicated_digests,
    require_backfill,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import MISSING, ImageRow, Inventory
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import image_status

#: The statuses of an image that ECR replicates without a backfill.
_COVERED = ("COMPLETE", "IN_PROGRESS")


def has_uncovered_images(ecr: Client, source: Inventory, destinations: t.Sequence[Destination]) -> bool:
    """Whether an image has neither a copy nor a replication in progress, or a backfill is in progress."""
    require_backfill(ecr)
    rows = []
    for place in destinations:
        backfill = newest_backfill(ecr, place)
        known = replicated_digests(ecr, backfill) if backfill.is_successful else frozenset[tuple[str, str]]()
        rows += [
            ImageRow(place, name, image, MISSING)
            for name, images in source.items()
            for image in images.values()
            if image.is_active
            and image.image_tags
            and (name, image.digest) not in known
            and not backfill.is_in_progress
        ]
    statuses = map_concurrently(lambda row: image_status(ecr, row), rows)
    return not all(status.startswith(_COVERED) for status in statuses)
