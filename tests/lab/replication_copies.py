# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication rules, and repositories with images, for tests of replication."""

from __future__ import annotations

import itertools
from typing import Any

from tests.support.lab import Lab

from . import accounts
from .clients import allow, document

OTHER_REGION = "eu-west-1"
SOURCE = {"AWS": f"arn:aws:iam::{accounts.OWNER}:root"}
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


def digests(ecr: Any, name: str) -> dict[str, list[str]]:
    """The image tags of each digest."""
    pages = ecr.get_paginator("describe_images").paginate(repositoryName=name)
    return {
        image["imageDigest"]: sorted(image.get("imageTags", [])) for page in pages for image in page["imageDetails"]
    }
