# SPDX-License-Identifier: GPL-3.0-or-later
"""A failure that a test chooses is returned by the API and by the registry, in the form of each."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any

import pytest

from tests.support.lab import Lab
from tests.support.manifests import manifest

from . import accounts
from .clients import refusal

IMAGE = {"imageTag": accounts.IMAGE_TAG}
NAMED = {"repositoryName": "release"}
#: AWS's sentences.
LAYERS = {
    "KmsException": "The operation failed because access to the KMS key is denied",
    "LayerInaccessibleException": (
        "The specified layer is not available because it is not associated with an image. Unassociated image layers may"
        " be cleaned up at any time."
    ),
    "UnableToGetUpstreamLayerException": (
        "There was an issue getting the upstream layer matching the pull through cache rule."
    ),
}


@pytest.fixture(scope="module")
def ecr(lab: Lab) -> Any:
    return lab.client("owner", "ecr")


def layer_of(ecr: Any) -> str:
    (image,) = ecr.batch_get_image(**NAMED, imageIds=[IMAGE])["images"]
    return str(json.loads(image["imageManifest"])["layers"][0]["digest"])


def blob(lab: Lab, ecr: Any, digest: str) -> tuple[int, str]:
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    connection = http.client.HTTPConnection(urllib.parse.urlsplit(lab.endpoint).netloc, timeout=300)
    connection.request("GET", f"/v2/release/blobs/{digest}", headers={"Authorization": f"Basic {token}"})
    reply = connection.getresponse()
    return reply.status, reply.read().decode("latin-1")


@pytest.mark.parametrize("code", ["KmsError", "UpstreamAccessDenied", "UpstreamTooManyRequests", "UpstreamUnavailable"])
def test_failure_inside_a_successful_response(lab: Lab, ecr: Any, code: str) -> None:
    absent = {"imageTag": "v9"}
    with lab.pull_failures({"release": code}):
        reply = ecr.batch_get_image(**NAMED, imageIds=[IMAGE, absent])
        assert reply["images"] == []
        assert {failure["imageId"]["imageTag"]: failure["failureCode"] for failure in reply["failures"]} == {
            accounts.IMAGE_TAG: code,
            "v9": "ImageNotFound",
        }
        assert manifest(lab, ecr, "release")[0] == 404
        assert ecr.batch_get_image(repositoryName="develop", imageIds=[IMAGE])["images"]
        assert ecr.describe_images(**NAMED)["imageDetails"]
    assert ecr.batch_get_image(**NAMED, imageIds=[IMAGE])["images"]


def test_failure_of_an_image_of_a_pull_through_cache(lab: Lab, ecr: Any) -> None:
    digest = ecr.describe_images(**NAMED)["imageDetails"][0]["imageDigest"]
    for key in ("release", f"release@{digest}"):
        with lab.pull_failures({key: "UnableToGetUpstreamImageException"}):
            code, sentence = refusal(ecr.batch_get_image, **NAMED, imageIds=[IMAGE])
            assert code == "UnableToGetUpstreamImageException"
            assert sentence.startswith(
                "The image or images were unable to be pulled using the pull through cache rule."
            )
            assert manifest(lab, ecr, "release")[0] == 404
    with lab.pull_failures({f"release@sha256:{'0' * 64}": "UnableToGetUpstreamImageException"}):
        assert ecr.batch_get_image(**NAMED, imageIds=[IMAGE])["images"]


@pytest.mark.parametrize("code", LAYERS)
def test_failure_of_a_layer(lab: Lab, ecr: Any, code: str) -> None:
    digest = layer_of(ecr)
    for key in ("release", f"release@{digest}"):
        with lab.pull_failures({key: code}):
            assert refusal(ecr.get_download_url_for_layer, **NAMED, layerDigest=digest) == (code, LAYERS[code])
            status, answer = blob(lab, ecr, digest)
            assert status == (403 if code == "KmsException" else 404)
            assert ("<Code>AccessDenied</Code>" in answer) == (code == "KmsException")
            assert ecr.batch_get_image(**NAMED, imageIds=[IMAGE])["images"]
    assert blob(lab, ecr, digest)[0] == 200
