# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The API of ECR: one function for each call. `client` is a boto3 client of `ecr`."""

from __future__ import annotations

import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: boto3 creates the class of a client at run time, so its methods have no types.
Client = t.Any

#: The requested media types. Without them, ECR may convert the manifest, so that it does not match its digest.
MANIFEST_TYPES = [
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
    "application/vnd.docker.distribution.manifest.v2+json",
]
#: A digest that no content has. A request with it is authorized first, and then fails because nothing is found.
NO_DIGEST = "sha256:" + "0" * 64


def repository_names(client: Client) -> list[str]:
    """Every repository of the registry in this region."""
    pages = client.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
    return [repository["repositoryName"] for page in pages for repository in page["repositories"]]


def repository_uri(client: Client, name: str) -> str:
    """The name of a repository in an image reference, with its registry."""
    return str(client.describe_repositories(repositoryNames=[name])["repositories"][0]["repositoryUri"])


def tags(client: Client, arn: str) -> dict[str, str]:
    """The tags of a repository."""
    return {tag["Key"]: tag["Value"] for tag in client.list_tags_for_resource(resourceArn=arn)["tags"]}


def repository_policy(client: Client, name: str) -> str | None:
    """The text of the policy of a repository; None without a policy."""
    try:
        return str(client.get_repository_policy(repositoryName=name)["policyText"])
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "RepositoryPolicyNotFoundException":
            raise
        return None


def registry_policy(client: Client) -> str | None:
    """The text of the registry policy; None without a policy."""
    try:
        return str(client.get_registry_policy()["policyText"])
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "RegistryPolicyNotFoundException":
            raise
        return None


def of_account(client: Client, account: str) -> Client:
    """The client, which sends the requests for images to the registry of another account."""

    def with_registry(params: Json, **_other: object) -> Json:
        return {**params, "registryId": account}

    for call in ("BatchGetImage", "GetDownloadUrlForLayer", "DescribeImages"):
        client.meta.events.register(f"provide-client-params.ecr.{call}", with_registry)
    return client


def token(client: Client) -> tuple[str, str]:
    """A registry token, base64 of `AWS:password`, and the registry's URL."""
    entry = client.get_authorization_token()["authorizationData"][0]
    return entry["authorizationToken"], entry["proxyEndpoint"]


class ImageFailureError(Exception):
    """A failure in a response of ECR with HTTP status 200.

    :param code: the code, such as `KmsError`
    :param reason: the message of AWS
    """

    def __init__(self, code: str, reason: str) -> None:
        super().__init__(f"{code}: {reason}")
        self.code, self.reason = code, reason


def image(client: Client, repository: str, identifier: dict[str, str]) -> Json | None:
    """The `digest`, `media_type` and `manifest` of an image; None if the image does not exist.

    :param identifier: `{"imageTag": …}` or `{"imageDigest": …}`
    :raises ImageFailureError: if ECR reports a failure other than that the image does not exist
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
        raise ImageFailureError("EmptyResponse", "ECR returned neither the image nor the reason.")
    return None


def describe_images(client: Client, repository: str) -> None:
    """Request the description of one image, to find out whether the request is allowed."""
    _require(client.describe_images(repositoryName=repository, maxResults=1), "imageDetails", list)


def request_manifest(client: Client, repository: str) -> None:
    """Request the manifest of an image that does not exist, to find out whether the request is allowed."""
    image(client, repository, {"imageDigest": NO_DIGEST})


def request_layer(client: Client, repository: str) -> None:
    """Request the download URL of a layer that does not exist, to find out whether the request is allowed."""
    _require(client.get_download_url_for_layer(repositoryName=repository, layerDigest=NO_DIGEST), "downloadUrl", str)


def _require(reply: Json, member: str, kind: type) -> None:
    """Reject a response without a member that ECR always returns. Such a response does not prove access."""
    if not isinstance(reply.get(member), kind):
        raise EcrError(f"The response of ECR has no {member}. Check the proxy and endpoint_url, and run again.")
