# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An image of a registry, and its comparison with a copy in another registry. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import (
    INDEX_TYPES,
    MANIFEST_TYPES,
    Descriptor,
    contents,
    in_message,
    parse_manifest,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._platform import choose


@dataclass(frozen=True)
class Image:
    """An image of a registry, with a validated manifest.

    :param label: the name of the image in messages
    :param chosen: whether the image was chosen from an index by its platform
    """

    label: str
    digest: str
    content: bytes
    manifest: Json
    chosen: bool

    @property
    def parts(self) -> list[Descriptor]:
        """The configuration and the layers, without duplicates."""
        return contents(self.manifest, self.label)


def find_image(fetch: t.Callable[[str], tuple[bytes, str | None]], digest: str, platform: str, label: str) -> Image:
    """The image with this digest or, if the digest is of an index, the image in the index for the platform.

    :param fetch: returns the verified content and the Content-Type of the manifest with a digest
    :raises EcrError: if the documents are not valid, or the index has no image for the platform
    """
    content, media_type = fetch(digest)
    manifest = parse_manifest(content, media_type, label)
    chosen = False
    if manifest["mediaType"] in INDEX_TYPES:
        entry, chosen = choose(manifest, platform, label)
        digest = entry.digest
        content, media_type = fetch(digest)
        if len(content) != entry.size:
            raise EcrError(
                f"The index of {label} has {entry.size} bytes for {digest}, which has {len(content)} bytes."
                " Push the index again."
            )
        manifest = parse_manifest(content, media_type, label)
        if manifest["mediaType"] not in MANIFEST_TYPES or manifest["mediaType"] != entry.media_type:
            raise EcrError(
                f"The index of {label} has {in_message(entry.media_type)} for {digest}, which is of type"
                f" {manifest['mediaType']}. Only a manifest of one image is accepted there."
            )
    contents(manifest, label)
    return Image(label, digest, content, manifest, chosen)


def diff_ids(config: object) -> list[str]:
    """The digests of the uncompressed layers in the configuration of an image; empty if it has none."""
    rootfs = config.get("rootfs") if isinstance(config, dict) else None
    found = rootfs.get("diff_ids") if isinstance(rootfs, dict) else None
    return found if isinstance(found, list) else []


def missing_layers(manifest: object, image: Image) -> list[str]:
    """The layers of an image that a manifest of another registry does not list at the same positions.

    Uncompressed layers are ignored, because skopeo compresses them during a copy, which changes their digests.

    :param manifest: the manifest of the copy, or an index that lists the image
    """
    document = manifest if isinstance(manifest, dict) else {}
    try:
        if any(entry["digest"] == image.digest for entry in document.get("manifests", [])):
            return []
        listed = [layer["digest"] for layer in document["layers"]]
    except (AttributeError, LookupError, TypeError):
        listed = []
    wanted = image.manifest["layers"]
    if len(listed) != len(wanted):
        return [layer["digest"] for layer in wanted]
    return [
        layer["digest"]
        for layer, digest in zip(wanted, listed)
        if layer["digest"] != digest and layer["mediaType"].endswith(("gzip", "zstd"))
    ]
