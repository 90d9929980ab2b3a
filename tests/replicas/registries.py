# SPDX-License-Identifier: GPL-3.0-or-later
"""The images of the owner account, their copies, and whether each image has a copy."""

from __future__ import annotations

import concurrent.futures
import itertools
from collections.abc import Iterator
from typing import Any

from tests.lab import accounts
from tests.lab.clients import refusal
from tests.lab.replication_copies import configure, put_manifest
from tests.support.lab import Lab

REPOSITORIES, PREFIX, THREADS = 4, "many/", 8
#: An image with layers, which the consumer account pulls.
PROOF = f"{PREFIX}0:proof"
#: A rule of another program.
FOREIGN_RULE: dict[str, Any] = {
    "destinations": [{"region": "eu-west-1", "registryId": accounts.STRANGER}],
    "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}],
}


class Registries:
    """The registries of both accounts.

    :param count: the number of images, each of which has a signature
    """

    def __init__(self, lab: Lab, count: int) -> None:
        self.owner, self.consumer = (lab.client(one, "ecr") for one in ("owner", "consumer-administrator"))
        self.names = [f"{PREFIX}{number}" for number in range(REPOSITORIES)]
        for name in self.names:
            self.owner.create_repository(repositoryName=name)
        token = self.owner.get_authorization_token()["authorizationData"][0]
        layers = accounts.scenario_layers()
        accounts.push(lab.endpoint, token["authorizationToken"], self.names[0], "proof", layers)
        with concurrent.futures.ThreadPoolExecutor(THREADS) as pool:
            list(pool.map(self._put, range(1, count), itertools.cycle(self.names)))
        configure(self.owner, FOREIGN_RULE)

    def _put(self, number: int, name: str) -> None:
        """Put an image and its signature."""
        image = put_manifest(self.owner, name, number, image_tag=str(number))
        put_manifest(self.owner, name, -number, image)

    def forget(self) -> None:
        """Remove the replication and the copies."""
        configure(self.owner, FOREIGN_RULE)
        refusal(self.consumer.delete_registry_policy)
        for repository in self.consumer.describe_repositories()["repositories"]:
            self.consumer.delete_repository(repositoryName=repository["repositoryName"], force=True)

    def images(self, ecr: Any) -> set[tuple[str, str]]:
        """The repository and the digest of each image of a registry."""
        return {
            (name, image["imageDigest"])
            for name in self.names
            if refusal(ecr.describe_repositories, repositoryNames=[name]) == ("", "")
            for page in ecr.get_paginator("describe_images").paginate(repositoryName=name)
            for image in page["imageDetails"]
        }

    def problems(self) -> Iterator[str]:
        """The differences between the registries, and what else the replication must not change."""
        originals, copies = self.images(self.owner), self.images(self.consumer)
        if originals != copies:
            found, extra = len(originals & copies), len(copies - originals)
            yield f"{found:,} of {len(originals):,} images have a copy; {extra:,} extra images"
        others = {one["repositoryName"] for one in self.consumer.describe_repositories()["repositories"]}
        if others != set(self.names):
            yield f"The consumer account has other repositories: {sorted(others ^ set(self.names))}"
        if FOREIGN_RULE not in self.owner.describe_registry()["replicationConfiguration"]["rules"]:
            yield "The rule of another program is lost."
