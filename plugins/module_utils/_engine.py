# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The protocol of docker, podman, skopeo and an OCI image layout: find an image, and fetch a missing image."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry


@dataclass(frozen=True)
class RegistryImage:
    """An image to pull: the registry, the image reference in the task, and the digest."""

    registry: Registry
    reference: Reference
    digest: str

    @property
    def by_digest(self) -> str:
        """The image reference with registry and digest."""
        return f"{self.registry.host}/{self.reference.repository}@{self.digest}"

    @property
    def by_tag(self) -> str | None:
        """The image reference with registry and image tag; None if the task has no image tag."""
        return f"{self.registry.host}/{self.reference.name}" if self.reference.image_tag else None


class Engine(t.Protocol):
    """Pulls images: a container engine, skopeo, or an OCI image layout."""

    @property
    def name(self) -> str:
        """The value of the option `engine`."""

    def location(self, image: RegistryImage) -> str:
        """The name of the image on this host, or its destination."""

    def has(self, image: RegistryImage) -> bool:
        """Whether the complete image is present under its name.

        :raises EcrError: if the image cannot be fetched, or the registry does not respond
        """

    def fetch(self, image: RegistryImage) -> None:
        """Fetch the image by its digest, verify it, and tag it.

        :raises EcrError: if the image is not present afterwards
        """

    def status(self) -> str:
        """The progress of `fetch`, such as `12 of 340 MB`; empty if it is unknown. Called from another thread."""
