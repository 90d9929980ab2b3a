# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares the images of a registry with their copies, by digest. Standard library only.

An image index and its images have a digest each, and so have referrers, such as signatures and SBOMs. Each of them is
one row for each destination.
"""

from __future__ import annotations

import typing as t
from collections import Counter
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import INDEX_TYPES

REPLICATED, MISSING, EXTRA, ARCHIVED = "replicated", "missing", "extra", "archived"
#: The states, in the order of reports.
STATES = (REPLICATED, MISSING, EXTRA, ARCHIVED)
#: The status of an archived image.
ORIGINAL_ARCHIVED, COPY_ARCHIVED = "the original is archived", "the copy is archived"


@dataclass(frozen=True)
class ListedImage:
    """An image of a repository.

    :param kind: `image`, `index`, or `referrer` for a signature or an SBOM
    :param is_active: whether it can be pulled, because it is not archived
    """

    digest: str
    image_tags: tuple[str, ...]
    kind: str
    is_active: bool

    @classmethod
    def of(cls, reply: Json) -> ListedImage:
        """The image in a response of DescribeImages."""
        is_index = reply.get("imageManifestMediaType") in INDEX_TYPES
        return cls(
            reply["imageDigest"],
            tuple(sorted(reply.get("imageTags") or ())),
            "referrer" if reply.get("subjectManifestDigest") else "index" if is_index else "image",
            reply.get("imageStatus", "ACTIVE") == "ACTIVE",
        )

    @classmethod
    def of_referrer(cls, reply: Json) -> ListedImage:
        """The referrer in a response of ListImageReferrers."""
        return cls(reply["digest"], (), "referrer", reply.get("artifactStatus", "ACTIVE") == "ACTIVE")


#: The images of each repository, by digest.
Inventory = t.Mapping[str, t.Mapping[str, ListedImage]]


@dataclass(frozen=True)
class ImageRow:
    """The state of one image at one destination.

    :param status: the status of the replication that AWS reports, or the place where the image is archived; empty if
        the status was not requested
    """

    destination: Destination
    repository: str
    image: ListedImage
    state: str
    status: str = ""

    def result(self) -> Json:
        return {
            "account": self.destination.account,
            "region": self.destination.region,
            "repository": self.repository,
            "digest": self.image.digest,
            "image_tags": list(self.image.image_tags),
            "kind": self.image.kind,
            "state": self.state,
            "status": self.status,
        }


def compare_copies(source: Inventory, copies: t.Mapping[Destination, Inventory]) -> list[ImageRow]:
    """The state of each image at each destination."""
    rows = []
    for destination, inventory in copies.items():
        for repository in sorted({*source, *inventory}):
            originals, found = source.get(repository, {}), inventory.get(repository, {})
            for digest in sorted({*originals, *found}, key=lambda one: (_tags_of(originals, found, one), one)):
                image = originals.get(digest) or found[digest]
                state, status = _state(originals.get(digest), found.get(digest))
                rows.append(ImageRow(destination, repository, image, state, status))
    return rows


def unread_copies(source: Inventory, destinations: t.Iterable[Destination]) -> list[ImageRow]:
    """The images that may be missing at each destination. A run that cannot read the destinations shows these."""
    return compare_copies(source, {destination: {} for destination in destinations})


def _tags_of(originals: t.Mapping[str, ListedImage], found: t.Mapping[str, ListedImage], digest: str) -> t.Any:
    image = originals.get(digest) or found[digest]
    return not image.image_tags, image.image_tags


def _state(original: ListedImage | None, found: ListedImage | None) -> tuple[str, str]:
    """The state, and for an archived image the place where it is archived."""
    if original is None:
        return EXTRA, ""
    if found is None:
        return (MISSING, "") if original.is_active else (ARCHIVED, ORIGINAL_ARCHIVED)
    return (REPLICATED, "") if found.is_active else (ARCHIVED, COPY_ARCHIVED)


def count_states(rows: t.Iterable[ImageRow]) -> dict[str, int]:
    """The number of rows in each state."""
    counted = Counter(row.state for row in rows)
    return {state: counted[state] for state in STATES}
