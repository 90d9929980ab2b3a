# SPDX-License-Identifier: GPL-3.0-or-later
"""An archived image is not found by calls that do not ask for it, until it is restored."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab
from tests.support.manifests import manifest

from . import accounts
from .clients import refusal

IMAGE = {"imageTag": accounts.IMAGE_TAG}
NAMED = {"repositoryName": "release"}


@pytest.fixture
def archived(lab: Lab) -> Any:
    """The owner's client; the image of `release` is archived."""
    ecr = lab.client("owner", "ecr")
    reply = ecr.update_image_storage_class(**NAMED, imageId=IMAGE, targetStorageClass="ARCHIVE")
    assert reply["imageStatus"] == "ARCHIVED"
    yield ecr
    ecr.update_image_storage_class(**NAMED, imageId=IMAGE, targetStorageClass="STANDARD")


def statuses(ecr: Any, **options: Any) -> list[str]:
    return [image_detail["imageStatus"] for image_detail in ecr.describe_images(**NAMED, **options)["imageDetails"]]


def test_archived_image_is_described_if_the_call_asks_for_it(archived: Any) -> None:
    assert statuses(archived) == []
    assert archived.list_images(**NAMED)["imageIds"] == []
    assert refusal(archived.describe_images, **NAMED, imageIds=[IMAGE])[0] == "ImageNotFoundException"
    for status in ("ARCHIVED", "ANY"):
        status_filter = {"filter": {"imageStatus": status}}
        assert (
            statuses(archived, **status_filter) == statuses(archived, **status_filter, imageIds=[IMAGE]) == ["ARCHIVED"]
        )
        assert len(archived.list_images(**NAMED, **status_filter)["imageIds"]) == 1
    assert archived.describe_images(**NAMED, filter={"imageStatus": "ANY"})["imageDetails"][0]["lastArchivedAt"]


def test_archived_image_cannot_be_pulled(lab: Lab, archived: Any) -> None:
    digest = archived.describe_images(**NAMED, filter={"imageStatus": "ANY"})["imageDetails"][0]["imageDigest"]
    for identifier in (IMAGE, {"imageDigest": digest}):
        reply = archived.batch_get_image(**NAMED, imageIds=[identifier])
        assert reply["images"] == []
        assert reply["failures"] == [
            {"imageId": identifier, "failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
        ]
    status, answer = manifest(lab, archived, "release")
    assert (status, answer["errors"][0]["code"]) == (404, "MANIFEST_UNKNOWN")
    assert manifest(lab, archived, "develop")[0] == 200


def test_restored_image_can_be_pulled(lab: Lab, archived: Any) -> None:
    restored = archived.update_image_storage_class(**NAMED, imageId=IMAGE, targetStorageClass="STANDARD")
    assert restored["imageStatus"] == "ACTIVATING"
    assert statuses(archived) == ["ACTIVE"]
    assert archived.batch_get_image(**NAMED, imageIds=[IMAGE])["images"]
    assert manifest(lab, archived, "release")[0] == 200


def test_image_that_does_not_exist_is_named(lab: Lab) -> None:
    ecr = lab.client("owner", "ecr")
    where = f"within the repository with name 'release' in the registry with id '{accounts.OWNER}'"
    expected = f"The image with imageId {{imageDigest:'null', imageTag:'v9'}} does not exist {where}"
    absent = {"imageTag": "v9"}
    assert refusal(ecr.describe_images, **NAMED, imageIds=[absent]) == ("ImageNotFoundException", expected)
    archive = {"imageId": absent, "targetStorageClass": "ARCHIVE"}
    assert refusal(ecr.update_image_storage_class, **NAMED, **archive) == ("ImageNotFoundException", expected)


def test_upload_of_a_layer_begins_as_on_aws(lab: Lab) -> None:
    reply = lab.client("owner", "ecr").initiate_layer_upload(**NAMED)
    assert reply.keys() - {"ResponseMetadata"} == {"uploadId", "partSize"}
