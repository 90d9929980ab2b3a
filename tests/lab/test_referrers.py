# SPDX-License-Identifier: GPL-3.0-or-later
"""Signatures and SBOMs: `ListImageReferrers`, and how `DescribeImages` returns them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, refusal
from .replication_copies import SIGNATURE, accept, configure, destination, put_manifest, rule

NAME = "signed"


@pytest.fixture(scope="module")
def signed(lab: Lab) -> Iterator[tuple[Any, str]]:
    """The owner's client, and the digest of an image that has 60 signatures."""
    ecr = lab.client("owner", "ecr")
    ecr.create_repository(repositoryName=NAME)
    image = put_manifest(ecr, NAME, 0, image_tag="v1")
    for number in range(60):
        put_manifest(ecr, NAME, number, image)
    yield ecr, image
    ecr.delete_repository(repositoryName=NAME, force=True)


def referrers(ecr: Any, digest: str, **options: Any) -> list[dict[str, Any]]:
    request = {"repositoryName": NAME, "subjectId": {"imageDigest": digest}, **options}
    reply = ecr.list_image_referrers(**request)
    found: list[dict[str, Any]] = reply["referrers"]
    return found + (referrers(ecr, digest, **options, nextToken=reply["nextToken"]) if "nextToken" in reply else [])


def test_referrers_of_an_image_are_listed_in_pages(signed: tuple[Any, str]) -> None:
    ecr, image = signed
    request = {"repositoryName": NAME, "subjectId": {"imageDigest": image}, "maxResults": 50}
    first = ecr.list_image_referrers(**request)
    rest = ecr.list_image_referrers(**request, nextToken=first["nextToken"])
    assert (len(first["referrers"]), len(rest["referrers"]), "nextToken" in rest) == (50, 10, False)
    assert {one["artifactType"] for one in first["referrers"]} == {SIGNATURE}
    assert referrers(ecr, rest["referrers"][0]["digest"]) == []
    assert referrers(ecr, image, filter={"artifactTypes": ["application/spdx+json"]}) == []
    assert refusal(ecr.list_image_referrers, **{**request, "maxResults": 51})[0] == "InvalidParameterException"
    unknown = {**request, "repositoryName": "unknown"}
    assert refusal(ecr.list_image_referrers, **unknown)[0] == "RepositoryNotFoundException"


def test_archived_referrer_is_listed_on_request(signed: tuple[Any, str]) -> None:
    ecr, image = signed
    one = {"imageDigest": referrers(ecr, image)[0]["digest"]}
    ecr.update_image_storage_class(repositoryName=NAME, imageId=one, targetStorageClass="ARCHIVE")
    assert len(referrers(ecr, image)) == 59
    assert [found["digest"] for found in referrers(ecr, image, filter={"artifactStatus": "ARCHIVED"})] == [
        one["imageDigest"]
    ]
    ecr.update_image_storage_class(repositoryName=NAME, imageId=one, targetStorageClass="STANDARD")


def test_referrers_are_described_as_images(signed: tuple[Any, str]) -> None:
    ecr, image = signed
    details = ecr.describe_images(repositoryName=NAME, maxResults=1000)["imageDetails"]
    subjects = [detail["subjectManifestDigest"] for detail in details if "subjectManifestDigest" in detail]
    assert subjects.count(image) == 60
    assert image in [detail["imageDigest"] for detail in details]
    assert {detail["artifactMediaType"] for detail in details if "subjectManifestDigest" in detail} == {SIGNATURE}


def test_list_needs_the_permission_to_read_the_image(lab: Lab, signed: tuple[Any, str]) -> None:
    _ecr, image = signed
    request = {"repositoryName": NAME, "subjectId": {"imageDigest": image}}
    user = Account(lab).user("ecr", allow("ecr:ListImageReferrers"))
    expected = "because no identity-based policy allows the ecr:BatchGetImage action"
    assert denial(user.list_image_referrers, **request) == expected
    assert Account(lab).user("ecr", allow("ecr:BatchGetImage")).list_image_referrers(**request)["referrers"]


def test_referrer_is_copied_like_an_image(lab: Lab, signed: tuple[Any, str]) -> None:
    ecr, _image = signed
    consumer = lab.client("consumer-administrator", "ecr")
    accept(consumer)
    configure(ecr, rule(destination(), prefix=NAME))
    image = put_manifest(ecr, NAME, 100)
    signature = put_manifest(ecr, NAME, 101, image)
    assert [one["digest"] for one in referrers(consumer, image)] == [signature]
    assert consumer.describe_repositories()["repositories"][0]["registryId"] == accounts.CONSUMER
    configure(ecr)
    consumer.delete_registry_policy()
    consumer.delete_repository(repositoryName=NAME, force=True)
