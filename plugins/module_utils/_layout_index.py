# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The documents of an OCI image layout: its index, and its manifests. Standard library only.

Source: OCI Image Format Specification 1.1 (image layout); Image Manifest V2 Schema 2; OCI Image Format, Media Types.
"""

from __future__ import annotations

import json

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import (
    INDEX_TYPES,
    MANIFEST_BYTES,
    Descriptor,
    descriptor,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

REF_NAME = "org.opencontainers.image.ref.name"
#: The annotations with the digest and the platform of the image in the registry, if the entry has another digest.
SOURCE_DIGEST, SOURCE_PLATFORM = "crossaccount.ecr.digest", "crossaccount.ecr.platform"
LAYOUT = {"imageLayoutVersion": "1.0.0"}
#: The OCI media type for each Docker media type with the same content.
_OCI_TYPES = {
    "application/vnd.docker.distribution.manifest.v2+json": "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}


def file_of(digest: str) -> str:
    """The path of the blob with a digest in a layout."""
    return "blobs/" + digest.replace(":", "/")


def as_oci(content: bytes, manifest: Json) -> tuple[bytes, str]:
    """A manifest with OCI media types in place of Docker media types, and its media type.

    :param content: the bytes of the manifest, which are returned if no media type changes
    :param manifest: the parsed and validated manifest
    """
    if manifest["mediaType"] not in _OCI_TYPES:
        return content, manifest["mediaType"]

    def renamed(entry: Json) -> Json:
        return {**entry, "mediaType": _OCI_TYPES.get(entry["mediaType"], entry["mediaType"])}

    layers = [renamed(layer) for layer in manifest["layers"]]
    converted = {**renamed(manifest), "config": renamed(manifest["config"]), "layers": layers}
    return json.dumps(converted, separators=(",", ":")).encode(), converted["mediaType"]


def layout_entries(text: bytes | None) -> list[Json]:
    """The entries of the `index.json` of a layout.

    :raises EcrError: if the text is not a valid index
    """
    try:
        index = json.loads(text) if text else {}
        entries = index.get("manifests", [])
        if all(isinstance(entry.get("annotations", {}).get(REF_NAME), (str, type(None))) for entry in entries):
            return list(entries)
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass
    raise EcrError(
        f"The existing index.json is not the index of an OCI image layout. Choose an empty {option('dest')}."
    )


def layout_index(text: bytes | None, manifest: Descriptor, annotations: dict[str, str]) -> bytes:
    """The `index.json` after `manifest` is added under the name in `annotations`. Other images are kept."""
    name = annotations[REF_NAME]
    entries = [entry for entry in layout_entries(text) if entry.get("annotations", {}).get(REF_NAME) != name]
    entries.append({**manifest.entry(), "annotations": annotations})
    index = {
        **(json.loads(text) if text else {}),
        "schemaVersion": 2,
        "mediaType": INDEX_TYPES[0],
        "manifests": sorted(entries, key=lambda entry: (str(entry.get("annotations")), str(entry.get("digest")))),
    }
    content = json.dumps(index).encode()
    if len(content) > MANIFEST_BYTES:
        raise EcrError(
            f"The index.json with the new image would have {len(content)} bytes; no more than {MANIFEST_BYTES} are"
            f" accepted. Choose another {option('dest')}."
        )
    return content


def layout_entry(
    text: bytes | None, name: str, digest: str, platform: str, strict_platform: bool = False
) -> Descriptor | None:
    """The manifest in the `index.json` of a layout for an image of the registry, or None.

    :param digest: the digest of the image or the index in the registry
    :param platform: the platform of the image, which is compared if `digest` is of an index
    :param strict_platform: whether to compare the platform even if `digest` is of an image
    :raises EcrError: if the text is not a valid index
    """
    for entry in layout_entries(text):
        notes = entry.get("annotations", {})
        same_source = notes.get(REF_NAME) == name and notes.get(SOURCE_DIGEST) == digest
        if same_source and notes.get(SOURCE_PLATFORM, None if strict_platform else platform) == platform:
            try:
                return descriptor(entry, name)
            except EcrError:
                return None
    return None
