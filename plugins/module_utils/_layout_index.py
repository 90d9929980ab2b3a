# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The documents of an OCI image layout: its index, and manifests as it stores them. Standard library only.

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
#: Which image of the registry an entry of a layout came from, if the digest of the entry is another one.
SOURCE_DIGEST, SOURCE_PLATFORM = "crossaccount.ecr.digest", "crossaccount.ecr.platform"
LAYOUT = {"imageLayoutVersion": "1.0.0"}
#: Media types of Docker, and those of OCI for the same bytes.
_OCI_TYPES = {
    "application/vnd.docker.distribution.manifest.v2+json": "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.container.image.v1+json": "application/vnd.oci.image.config.v1+json",
    "application/vnd.docker.image.rootfs.diff.tar": "application/vnd.oci.image.layer.v1.tar",
    "application/vnd.docker.image.rootfs.diff.tar.gzip": "application/vnd.oci.image.layer.v1.tar+gzip",
    "application/vnd.docker.image.rootfs.diff.tar.zstd": "application/vnd.oci.image.layer.v1.tar+zstd",
}


def file_of(digest: str) -> str:
    """The file of a layout with the content of a digest."""
    return "blobs/" + digest.replace(":", "/")


def as_oci(content: bytes, manifest: Json) -> tuple[bytes, str]:
    """A manifest as OCI tools read it in a layout, and its type: unchanged, or with OCI's types instead of Docker's.

    :param content: the manifest's bytes
    :param manifest: the same, parsed and its contents checked
    """
    if manifest["mediaType"] not in _OCI_TYPES:
        return content, manifest["mediaType"]

    def renamed(entry: Json) -> Json:
        return {**entry, "mediaType": _OCI_TYPES.get(entry["mediaType"], entry["mediaType"])}

    layers = [renamed(layer) for layer in manifest["layers"]]
    converted = {**renamed(manifest), "config": renamed(manifest["config"]), "layers": layers}
    return json.dumps(converted, separators=(",", ":")).encode(), converted["mediaType"]


def layout_entries(text: bytes | None) -> list[Json]:
    """The entries of a layout's `index.json`.

    :raises EcrError: if it is anything else
    """
    try:
        index = json.loads(text) if text else {}
        entries = index.get("manifests", [])
        if all(isinstance(entry.get("annotations", {}).get(REF_NAME), (str, type(None))) for entry in entries):
            return list(entries)
    except (ValueError, AttributeError, TypeError, RecursionError):
        pass
    raise EcrError(f"The index.json there is not the index of an OCI image layout. Choose an empty {option('dest')}.")


def layout_index(text: bytes | None, manifest: Descriptor, annotations: dict[str, str]) -> bytes:
    """The layout's `index.json` with `manifest` under the name in `annotations`; its other images remain."""
    name = annotations[REF_NAME]
    entries = [entry for entry in layout_entries(text) if entry.get("annotations", {}).get(REF_NAME) != name]
    entries.append({**manifest.entry(), "annotations": annotations})
    index = {
        **(json.loads(text) if text else {}),
        "schemaVersion": 2,
        "mediaType": INDEX_TYPES[0],
        "manifests": sorted(entries, key=lambda entry: (str(entry.get("annotations")), str(entry.get("digest")))),
    }
    try:
        content = json.dumps(index, indent=2).encode()
    except RecursionError:
        raise EcrError(f"The index.json there is nested too deeply. Choose an empty {option('dest')}.") from None
    if len(content) > MANIFEST_BYTES:
        raise EcrError(
            f"The index.json with one more image would have {len(content)} bytes; no more than {MANIFEST_BYTES} are"
            f" accepted. Choose another {option('dest')}."
        )
    return content


def layout_entry(text: bytes | None, name: str, digest: str, platform: str, exact: bool = False) -> Descriptor | None:
    """The manifest that a layout's `index.json` has for an image of the registry, or None.

    :param digest: of the image in the registry
    :param platform: counts if `digest` is an index, of which the layout has one platform
    :param exact: it counts if `digest` is one image, too
    :raises EcrError: if the text is not an index
    """
    for entry in layout_entries(text):
        notes = entry.get("annotations", {})
        same_source = notes.get(REF_NAME) == name and notes.get(SOURCE_DIGEST) == digest
        if same_source and notes.get(SOURCE_PLATFORM, None if exact else platform) == platform:
            try:
                return descriptor(entry, name)
            except EcrError:
                return None
    return None
