# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication between the owner account and others, and repositories of templates, found out with real images."""

from __future__ import annotations

import contextlib
import json
import urllib.request
from typing import Any

from botocore.exceptions import ClientError

from tests.lab import accounts
from tests.lab.clients import allow, document

from .lab_estate import External, Outside, created_by
from .random_estate import EstateSpec

_EMPTY = f"sha256:{'0' * 64}"
_MEDIA = "application/vnd.oci.image."


class RealCopies:
    """The copies of images between the current estate and the accounts of principals outside it.

    Each of these accounts copies its images to the owner account, and accepts those of the owner account.
    """

    def __init__(self, outside: Outside, spec: EstateSpec) -> None:
        self.owner, self.spec, self.endpoint = outside.lab.client("owner", "ecr"), spec, outside.endpoint
        self.calls = 0
        self._registries = {one.account: outside.client("ecr", one.keys) for one in outside.principals}
        self._pushed: dict[tuple[str, str], str] = {}
        rule = {"destinations": [{"region": accounts.REGION, "registryId": accounts.OWNER}]}
        owner = {"Principal": {"AWS": f"arn:aws:iam::{accounts.OWNER}:root"}}
        accepting = document({**allow("ecr:ReplicateImage", "ecr:CreateRepository"), "Sid": "Copies", **owner})
        for registry in self._registries.values():
            registry.put_replication_configuration(replicationConfiguration={"rules": [rule]})
            registry.put_registry_policy(policyText=accepting)

    def create_new(self) -> None:
        """Create a repository from each template, with the first request of a push."""
        token = self.owner.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        for prefix in self.spec.templates:
            url = f"{self.endpoint}/v2/{created_by(prefix)}/blobs/uploads/"
            request = urllib.request.Request(url, method="POST", headers={"Authorization": f"Basic {token}"})
            urllib.request.urlopen(request, timeout=60).close()

    def allow(self, principal: External, repository: str, action: str) -> bool:
        """Whether the account of a principal can copy an image to a repository, or gets a copy of its images."""
        registry = self._registries[principal.account]
        if action == "push" and self.spec.registry_policy:
            return self._has(self.owner, repository, self._digest(registry, principal.account, repository))
        if action in ("describe", "pull") and self.spec.replication and repository in self.spec.repositories:
            return self._has(registry, repository, self._digest(self.owner, accounts.OWNER, repository))
        return False

    def delete(self) -> None:
        """Delete what the other accounts have because of this estate."""
        for registry in self._registries.values():
            for page in registry.get_paginator("describe_repositories").paginate():
                for repository in page["repositories"]:
                    registry.delete_repository(repositoryName=repository["repositoryName"], force=True)

    def _digest(self, registry: Any, account: str, repository: str) -> str:
        """The digest of an image of this account, which is pushed once."""
        if (account, repository) not in self._pushed:
            with contextlib.suppress(registry.exceptions.RepositoryAlreadyExistsException):
                registry.create_repository(repositoryName=repository)
            empty = {"mediaType": f"{_MEDIA}config.v1+json", "size": 2, "digest": _EMPTY}
            image = {"config": empty, "layers": [], "annotations": {"account": account}}
            text = json.dumps({"schemaVersion": 2, "mediaType": f"{_MEDIA}manifest.v1+json", **image})
            reply = registry.put_image(repositoryName=repository, imageManifest=text)
            self._pushed[account, repository] = reply["image"]["imageId"]["imageDigest"]
            self.calls += 2
        return self._pushed[account, repository]

    def _has(self, registry: Any, repository: str, digest: str) -> bool:
        self.calls += 1
        try:
            registry.describe_images(repositoryName=repository, imageIds=[{"imageDigest": digest}])
        except ClientError as error:
            if error.response["Error"]["Code"] not in ("ImageNotFoundException", "RepositoryNotFoundException"):
                raise
            return False
        return True
