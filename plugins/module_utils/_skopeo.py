# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Copies images with skopeo to destinations of any of its transports."""

from __future__ import annotations

import json
import os
import pathlib
import tempfile

from ansible_collections.crossaccount.ecr.plugins.module_utils._destination import (
    REPLACED,
    destination_of,
    split_destination,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import Image, diff_ids, find_image, missing_layers
from ansible_collections.crossaccount.ecr.plugins.module_utils._platform import check_platform
from ansible_collections.crossaccount.ecr.plugins.module_utils._program import (
    LARGE_FILES,
    Finished,
    Program,
    json_of,
    last_line,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._protected_files import make_folders
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible
from ansible_collections.crossaccount.ecr.plugins.module_utils._stored_image import (
    broken_files,
    is_damaged,
    remove_blobs,
    safe_destination,
)


class Skopeo(Program):
    """skopeo, with one destination for each image.

    :param dest: the destination, with placeholders for repository and image tag
    :param platform: `os/architecture[/variant]`
    :param strict_platform: whether an image without an index must also have this platform
    """

    def __init__(self, temporary: str, dest: str, platform: str, strict_platform: bool = False) -> None:
        super().__init__("skopeo", temporary)
        self._dest, self._platform, self._strict_platform = dest, platform, strict_platform
        system, _slash, rest = platform.partition("/")
        architecture, _slash, variant = rest.partition("/")
        self._overrides = [f"--override-os={system}", f"--override-arch={architecture}"]
        self._overrides += [f"--override-variant={variant}"] if variant else []

    def location(self, image: RegistryImage) -> str:
        return destination_of(self._dest, image.reference)

    def has(self, image: RegistryImage) -> bool:
        """Whether the destination has the image, with the same configuration and the content of each layer.

        :raises EcrError: if another user can change a destination on this host, or it contains links
        """
        return self._broken(image, safe_destination(self.location(image))) == []

    def _broken(self, image: RegistryImage, destination: str, source: Image | None = None) -> list[str] | None:
        """The damaged files or layers of the image in a destination; None if the destination has another image.

        Destinations in other formats have other manifest digests for the same image, so the configurations are
        compared.

        :param source: the image in the registry; None to read it
        """
        config = self._inspect("--config", destination)
        if config is None:
            return None
        source = source or self._source(image)
        if config != json_of(self._source_config(image, source), "skopeo inspect"):
            return None
        if self._strict_platform and not source.chosen:
            check_platform(json.dumps(config).encode(), self._platform, image.by_digest)
        transport, path, _name = split_destination(destination)
        if path:
            return broken_files(destination, source, diff_ids(config))
        manifest = self._inspect("--raw", destination) if transport == "docker" else None
        return [] if manifest is None else missing_layers(manifest, source)

    def _source(self, image: RegistryImage) -> Image:
        """The image in the registry. In an index, it is the image for the platform."""
        repository = image.reference.repository
        return find_image(
            lambda digest: image.registry.manifest(repository, digest), image.digest, self._platform, image.by_digest
        )

    def _inspect(self, flag: str, destination: str) -> object:
        """The configuration or the manifest of the image in a destination; None if it has no image."""
        found = self._run(*self._overrides, "inspect", flag, *_daemon("", destination), destination)
        return None if found.returncode else json_of(found, "skopeo inspect")

    def _source_config(self, image: RegistryImage, source: Image) -> Finished:
        """The configuration of the image in the registry."""
        with self._private_login(image.registry) as folder, self._tls(image.registry) as tls:
            words = ["--config", f"--authfile={folder}/config.json", *tls, _address(image, source)]
            found = self._run(*self._overrides, "inspect", *words)
        if found.returncode:
            raise EcrError(f"skopeo could not inspect {image.by_digest}: {last_line(found)}")
        return found

    def fetch(self, image: RegistryImage) -> None:
        """Copy an image by its digest, which skopeo verifies, and verify the destination."""
        destination = safe_destination(self.location(image))
        source = self._source(image)
        if self._strict_platform and not source.chosen:
            config = self._source_config(image, source).stdout.encode()
            check_platform(config, self._platform, image.by_digest)
        transport, path, _name = split_destination(destination)
        if path is None:
            self._copy(image, source, destination)
            return
        # The folders are created here rather than by skopeo, so that no other user can create them first in a shared
        # folder.
        make_folders(path if transport == "oci" else str(pathlib.Path(path).parent))
        safe_destination(destination)
        if transport in REPLACED:
            self._replace(image, source, destination)
        else:
            self._copy(image, source, destination)

    def _replace(self, image: RegistryImage, source: Image, destination: str) -> None:
        """Copy an image to a new path, and then replace the old image, because skopeo would overwrite it in place."""
        transport, path, name = split_destination(destination)
        location = pathlib.Path(str(path))
        empty = not location.exists() or (location.is_dir() and not any(location.iterdir()))
        if not empty and self._inspect("--config", f"{transport}:{path}") is None and not is_damaged(destination):
            raise EcrError(
                f"{path} exists and does not hold exactly one image. Nothing was changed. Move it to another place."
            )
        with interruptible(), tempfile.TemporaryDirectory(dir=location.parent, prefix=".incoming-") as folder:
            incoming, former = pathlib.Path(folder, "incoming"), pathlib.Path(folder, "former")
            self._copy(image, source, f"{transport}:{incoming}{name}")
            try:
                if location.exists():
                    location.rename(former)
                incoming.rename(location)
            except BaseException:
                if former.exists() and not location.exists():
                    former.rename(location)
                raise

    def _copy(self, image: RegistryImage, source: Image, destination: str) -> None:
        transport, path, _name = split_destination(destination)
        for _attempt in range(2):
            self._copy_once(image, source, destination)
            broken = self._broken(image, destination, source)
            if not broken or transport != "oci":
                break
            remove_blobs(destination, broken)  # skopeo would reuse these existing blobs without reading them
        # The blobs of another registry may differ, because skopeo reuses a layer that exists there in another
        # compression.
        if broken == [] or (broken and not path):
            return
        removed = self._run("delete", destination)
        next_step = "It was removed" if removed.returncode == 0 else f"Remove {destination}"
        raise EcrError(f"skopeo copied {image.by_digest}, but {destination} has another image. {next_step}.")

    def _copy_once(self, image: RegistryImage, source: Image, destination: str) -> None:
        registry, parent = image.registry, os.environ.get("TMPDIR", LARGE_FILES)
        with self._private_login(registry) as folder, self._tls(registry, "src-") as tls:
            options = ["--quiet", f"--src-authfile={folder}/config.json", *tls, *_daemon("dest-", destination)]
            path = split_destination(destination)[1]
            with self._large_files(parent, *([path] if path else [])) as large:
                words = [*self._overrides, "copy", *options, _address(image, source), destination]
                copied = self._run(*words, TMPDIR=large)
        if copied.returncode:
            raise EcrError(f"skopeo could not copy {image.by_digest}: {last_line(copied)}")


def _address(image: RegistryImage, source: Image) -> str:
    """The reference of the image in the registry, by the digest of the image rather than of its index."""
    return f"docker://{image.by_digest.rpartition('@')[0]}@{source.digest}"


def _daemon(prefix: str, destination: str) -> list[str]:
    """The option for the docker daemon, because skopeo ignores DOCKER_HOST."""
    host = os.environ.get("DOCKER_HOST")
    return [f"--{prefix}daemon-host={host}"] if host and destination.startswith("docker-daemon:") else []
