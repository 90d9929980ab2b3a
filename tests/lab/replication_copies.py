# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication rules, and repositories with images, for tests of replication."""

from __future__ import annotations

import hashlib
import itertools
import json
from typing import Any

from tests.support.lab import Lab

from . import accounts
from .clients import allow, document

OTHER_REGION = "eu-west-1"
SOURCE = {"AWS": f"arn:aws:iam::{accounts.OWNER}:root"}
SIGNATURE = "application/vnd.dev.sigstore.bundle.v0.3+json"
EMPTY = "sha256:" + hashlib.sha256(b"{}").hexdigest()
_numbers = itertools.count()


def destination(registry: str = accounts.CONSUMER, region: str = accounts.REGION) -> dict[str, str]:
    return {"region": region, "registryId": registry}


def rule(*destinations: dict[str, str], prefix: str = "") -> dict[str, Any]:
    filters = {"repositoryFilters": [{"filter": prefix, "filterType": "PREFIX_MATCH"}]} if prefix else {}
    return {"destinations": list(destinations), **filters}


def configure(ecr: Any, *rules: dict[str, Any]) -> Any:
    return ecr.put_replication_configuration(replicationConfiguration={"rules": list(rules)})


def accept(ecr: Any, *actions: str) -> None:
    """Have a registry accept images of the owner account."""
    wanted = actions or ("ecr:ReplicateImage", "ecr:CreateRepository")
    ecr.put_registry_policy(policyText=document(allow(*wanted, Principal=SOURCE)))


def fill(lab: Lab, ecr: Any, prefix: str, count: int) -> str:
    """Push images with the image tags 0, 1 and so on to a new repository; the name of the repository."""
    name = f"{prefix}/{next(_numbers)}"
    ecr.create_repository(repositoryName=name)
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    for number in range(count):
        layer = accounts.layer({"number": f"{name} {number}".encode()})
        accounts.push(lab.endpoint, token, name, str(number), [layer])
    return name


def put_manifest(ecr: Any, name: str, number: int, subject: str = "", image_tag: str = "") -> str:
    """Put an image whose manifest has no layers; its digest.

    :param number: distinguishes the images of a repository
    :param subject: the digest of another image, to which this one refers as its signature
    """
    media_type = "application/vnd.oci.image.manifest.v1+json"
    manifest: dict[str, Any] = {
        "schemaVersion": 2,
        "mediaType": media_type,
        "config": {"mediaType": "application/vnd.oci.empty.v1+json", "digest": EMPTY, "size": 2},
        "layers": [],
        "annotations": {"number": str(number)},
    }
    if subject:
        manifest["artifactType"] = SIGNATURE
        manifest["subject"] = {"mediaType": media_type, "digest": subject, "size": 400}
    tagged = {"imageTag": image_tag} if image_tag else {}
    reply = ecr.put_image(
        repositoryName=name, imageManifest=json.dumps(manifest), imageManifestMediaType=media_type, **tagged
    )
    return str(reply["image"]["imageId"]["imageDigest"])


def digests(ecr: Any, name: str) -> dict[str, list[str]]:
    """The image tags of each digest."""
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
    return {
        image["imageDigest"]: sorted(image.get("imageTags", [])) for page in pages for image in page["imageDetails"]
    }
