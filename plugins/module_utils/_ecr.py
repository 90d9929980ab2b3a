# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""ECR's API, one call for each function. `client` is a boto3 client of `ecr`."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: boto3 makes the class of a client at runtime, so its methods have no type.
Client = t.Any

#: Asked for by name, or ECR may convert: the answer must be the bytes behind the digest.
MANIFEST_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
#: A digest that no content has: what is asked for with it is authorized, and then not found.
NO_DIGEST = "sha256:" + "0" * 64


def repository_names(client: Client) -> list[str]:
    """Every repository of the registry in this region."""
    pages = client.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
    return [repository["repositoryName"] for page in pages for repository in page["repositories"]]


def repository_uri(client: Client, name: str) -> str:
    """What a client puts before `:image tag`."""
    return str(client.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])


def tags(client: Client, arn: str) -> dict[str, str]:
    """The tags of a repository."""
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def token(client: Client) -> tuple[str, str]:
    """A registry token, base64 of `AWS:password`, and the registry's URL."""
    entry = client.get_authorization_token()["authorizationData"][0]
    return entry["authorizationToken"], entry["proxyEndpoint"]


class ImageFailureError(Exception):
    """A failure inside a response of ECR that has the status 200.

    :param code: such as `KmsError`
    :param reason: the sentence of AWS
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


def image(client: Client, repository: str, identifier: dict[str, str]) -> Json | None:
    """An image's `digest`, `media_type` and `manifest`; None if there is none.

    :param identifier: `{"imageTag": …}` or `{"imageDigest": …}`
    :raises ImageFailureError: if ECR reports another failure than that the image does not exist
    """
    reply = client.batch_get_image(repositoryName=repository, imageIds=[identifier], acceptedMediaTypes=MANIFEST_TYPES)
    for failure in reply.get("failures", []):
        if failure.get("failureCode") != "ImageNotFound":
            raise ImageFailureError(str(failure.get("failureCode")), str(failure.get("failureReason") or ""))
    for found in reply["images"]:
        return {
            "digest": found["imageId"]["imageDigest"],
            "media_type": found.get("imageManifestMediaType"),
            "manifest": found["imageManifest"],
        }
    if not reply.get("failures"):
        raise ImageFailureError("EmptyResponse", "ECR returned neither the image nor the reason why it is not there.")
    return None


def describe_images(client: Client, repository: str) -> None:
    """Ask for one image's description; only whether it is allowed matters."""
    _require(client.describe_images(repositoryName=repository, maxResults=1), "imageDetails", list)


def ask_manifest(client: Client, repository: str) -> None:
    """Ask for the manifest of an image that does not exist; only whether it is allowed matters."""
    image(client, repository, {"imageDigest": NO_DIGEST})


def ask_layer(client: Client, repository: str) -> None:
    """Ask for the download address of a layer that does not exist; only whether it is allowed matters."""
    _require(client.get_download_url_for_layer(repositoryName=repository, layerDigest=NO_DIGEST), "downloadUrl", str)


def _require(reply: Json, member: str, kind: type) -> None:
    """Reject a response without a member that ECR always returns: it does not show that the request is allowed."""
    if not isinstance(reply.get(member), kind):
        raise EcrError(f"The response of ECR has no {member}. Check the proxy and endpoint_url, and run again.")
