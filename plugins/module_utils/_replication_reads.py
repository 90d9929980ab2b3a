# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads what a replication concerns in the two registries. `ecr` is a boto3 client of `ecr`."""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import replace

try:
    import botocore
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import (
    MISSING,
    REPLICATED,
    ImageRow,
    Inventory,
    ListedImage,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_proof import Subjects, with_referrers
from ansible_collections.crossaccount.ecr.plugins.module_utils._sdk_support import is_supported

#: The request for referrers, and the member of DescribeImages that requests archived images.
_REFERRERS, _ARCHIVED = ("ListImageReferrers",), ("DescribeImages", "filter", "imageStatus")


def unread(ecr: Client, images: t.Sequence[object]) -> t.Iterator[str]:
    """Warnings about images that the installed botocore cannot read.

    :param images: the images whose referrers are requested
    """
    if not is_supported(ecr, *_ARCHIVED):
        yield (
            f"botocore {botocore.__version__} cannot request archived images, so they are not in the comparison."
            " Install a newer version of botocore and boto3."
        )
    if images and not is_supported(ecr, *_REFERRERS):
        yield (
            f"botocore {botocore.__version__} does not support ListImageReferrers, so the comparison has only the"
            " referrers that DescribeImages returns. Install a newer version of botocore and boto3."
        )


@contextlib.contextmanager
def in_enabled_region(place: Destination) -> t.Iterator[None]:
    """Requests to a registry.

    :raises EcrError: if its region is not enabled
    """
    try:
        yield
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "UnrecognizedClientException":
            raise
        raise EcrError(
            f"Region {place.region} is not enabled in account {place.account}. Enable it, or use other regions."
        ) from None


def read_inventory(ecr: Client, selects: t.Callable[[str], bool]) -> Inventory:
    """The images of the selected repositories."""
    names = [name for name in _ecr.repository_names(ecr) if selects(name)]
    wanted = {"filter": {"imageStatus": "ANY"}} if is_supported(ecr, *_ARCHIVED) else {}
    found = map_concurrently(lambda name: _images(ecr, name, wanted), names)
    return {name: images for name, images in zip(names, found) if images is not None}


def _images(ecr: Client, name: str, wanted: Json) -> dict[str, ListedImage] | None:
    """The images of a repository; None if it was deleted meanwhile."""
    pages = ecr.get_paginator("describe_images").paginate(
        repositoryName=name, **wanted, PaginationConfig={"PageSize": 1000}
    )
    try:
        listed = [ListedImage.of(image) for page in pages for image in page["imageDetails"]]
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "RepositoryNotFoundException":
            raise
        return None
    return {image.digest: image for image in listed}


def add_referrers(ecr: Client, inventory: Inventory, subjects: Subjects) -> Inventory:
    """The images, and the referrers of some of them that AWS lists separately.

    :param subjects: the digests of images that the inventory may lack
    """
    wanted = [
        (name, digest) for name, digests in subjects.items() for digest in digests if digest in inventory.get(name, {})
    ]
    if not wanted or not is_supported(ecr, *_REFERRERS):
        return inventory
    found = map_concurrently(lambda subject: _referrers(ecr, *subject), wanted)
    return with_referrers(inventory, ((name, one) for (name, _digest), listed in zip(wanted, found) for one in listed))


def _referrers(ecr: Client, name: str, digest: str) -> list[ListedImage]:
    """The referrers of an image. botocore has no paginator for this request."""
    request = {"repositoryName": name, "subjectId": {"imageDigest": digest}, "filter": {"artifactStatus": "ANY"}}
    found: list[ListedImage] = []
    token: dict[str, str] = {}
    while True:
        reply = ecr.list_image_referrers(**request, **token, maxResults=50)
        found += [ListedImage.of_referrer(one) for one in reply.get("referrers") or ()]
        if not reply.get("nextToken"):
            return found
        token = {"nextToken": reply["nextToken"]}


def with_statuses(ecr: Client, rows: t.Sequence[ImageRow]) -> list[ImageRow]:
    """The rows, with the status of the replication of each image that both registries can have."""

    def with_status(row: ImageRow) -> ImageRow:
        return replace(row, status=_status(ecr, row)) if row.state in (REPLICATED, MISSING) else row

    return list(map_concurrently(with_status, rows))


def _status(ecr: Client, row: ImageRow) -> str:
    """The status and the failure code of the replication of an image to its destination, or the code of an error; empty
    without a report.
    """
    try:
        return image_status(ecr, row)
    except botocore.exceptions.ClientError as error:
        return error_code(error)


def image_status(ecr: Client, row: ImageRow) -> str:
    """The same, without handling of errors."""
    reply = ecr.describe_image_replication_status(
        repositoryName=row.repository, imageId={"imageDigest": row.image.digest}
    )
    for status in reply.get("replicationStatuses") or ():
        if (status.get("registryId"), status.get("region")) == tuple(row.destination):
            return " ".join(filter(None, (status.get("status"), status.get("failureCode"))))
    return ""
