# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The images that the consumer account pulls from its own registry, as the proof of a replication. Standard library
only.
"""

from __future__ import annotations

import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import Inventory, ListedImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_rule import Rule

#: The subjects of referrers: the digests of each repository.
Subjects = t.Mapping[str, t.Collection[str]]


def proof_selection_problems(references: t.Iterable[Reference], rule: Rule) -> t.Iterator[str]:
    """Problems with images that the replication does not select.

    :param rule: the declared rule
    """
    outside = [str(reference) for reference in references if not rule.selects(reference.repository)]
    if outside:
        yield (
            f"{option('images')}: the replication does not select the repositories of {list_text(outside)}. Add their"
            f" prefixes to {option('prefixes')}, or remove the images."
        )


def proof_image_problems(references: t.Iterable[Reference], source: Inventory) -> t.Iterator[str]:
    """Problems with images that the owner account does not have, or that are archived there."""
    for reference in references:
        found = listed_image(reference, source)
        if found is None:
            yield (
                f"{option('images')}: image {reference} does not exist in the owner account. Push it first, or correct"
                f" {option('images')}."
            )
        elif not found.is_active:
            yield (
                f"{option('images')}: image {reference} is archived in the owner account, so it is not replicated and"
                f" cannot be pulled. Restore it, or remove it from {option('images')}."
            )


def listed_image(reference: Reference, inventory: Inventory) -> ListedImage | None:
    """The image of a reference. With an image tag and a digest, the image tag has to refer to the digest."""
    listed = inventory.get(reference.repository, {})
    if reference.image_tag is None:
        return listed.get(str(reference.digest))
    for image in listed.values():
        if reference.image_tag in image.image_tags and reference.digest in (None, image.digest):
            return image
    return None


def pulls(references: t.Sequence[Reference], source: Inventory, destinations: t.Iterable[Destination]) -> list[Json]:
    """The images to pull from each destination, by their digests in the owner account."""
    images = [(reference, listed_image(reference, source)) for reference in references]
    pinned = [str(replace(reference, digest=image.digest)) for reference, image in images if image]
    return [{**place._asdict(), "images": pinned} for place in destinations] if pinned else []


def subjects_of(references: t.Iterable[Reference], source: Inventory) -> dict[str, set[str]]:
    """The digests of the images whose referrers are requested."""
    subjects: dict[str, set[str]] = {}
    for reference in references:
        image = listed_image(reference, source)
        if image:
            subjects.setdefault(reference.repository, set()).add(image.digest)
    return subjects


def with_referrers(inventory: Inventory, found: t.Iterable[tuple[str, ListedImage]]) -> Inventory:
    """The images of an inventory, and referrers that it lacks.

    :param found: the repository of each referrer, and the referrer
    """
    merged = {name: dict(images) for name, images in inventory.items()}
    for repository, referrer in found:
        merged[repository].setdefault(referrer.digest, referrer)
    return merged
