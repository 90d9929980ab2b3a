# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses manifests and image indexes of a registry. Standard library only.

The registry is not trusted: each document is validated before use. The digest of a descriptor becomes a file name, so
only the format `sha256:<64 hex digits>` is accepted.

Source: OCI Image Format Specification 1.1 (descriptor, manifest, image index).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import DIGEST
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

INDEX_TYPES = (
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
)
MANIFEST_TYPES = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
)
#: The maximum size of a manifest in ECR. Source: ECR User Guide, "Amazon ECR service quotas".
MANIFEST_BYTES = 4 * 1024 * 1024
#: The keys of documents and descriptors that this collection uses.
_KEYS = {key.casefold(): key for key in ("mediaType", "manifests", "config", "layers", "digest", "size", "urls")}


@dataclass(frozen=True)
class Descriptor:
    """A reference to content of a registry: its media type, its digest, and its size in bytes."""

    media_type: str
    digest: str
    size: int

    def entry(self) -> dict[str, str | int]:
        return {"mediaType": self.media_type, "digest": self.digest, "size": self.size}


def digest_of(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def parse_manifest(content: bytes, media_type: str | None, label: str) -> Json:
    """A manifest or an index as an object with a known `mediaType`.

    An ambiguous document is rejected (CVE-2021-41190). A document is ambiguous if it is valid both as an image and as
    an index, or has keys that occur twice or differ only in case.

    :param media_type: the Content-Type of the response, which the document must not contradict
    :param label: the name of the document in messages
    """
    if len(content) > MANIFEST_BYTES:
        raise EcrError(f"The manifest of {label} has {len(content)} bytes; no more than {MANIFEST_BYTES} are accepted.")
    try:
        document = json.loads(content, object_pairs_hook=_unambiguous)
    except (ValueError, RecursionError):
        document = None
    if not isinstance(document, dict) or any(_KEYS.get(key.casefold(), key) != key for key in document):
        raise EcrError(f"The manifest of {label} is not a JSON object with unambiguous keys. Push it again.")
    media_type = media_type.partition(";")[0].strip().lower() if media_type else None
    kind = document.get("mediaType") or media_type
    if kind not in INDEX_TYPES + MANIFEST_TYPES:
        raise EcrError(
            f"The manifest of {label} is of type {in_message(kind)}, which is not an image that can be pulled."
        )
    if media_type and kind != media_type:
        raise EcrError(
            f"The manifest of {label} has the mediaType {in_message(kind)}, but the registry sent it as"
            f" {in_message(media_type)}. Push it again."
        )
    other = [key for key in (("config", "layers") if kind in INDEX_TYPES else ("manifests",)) if key in document]
    if other:
        raise EcrError(f"The manifest of {label} has the type {kind} and the key {other[0]}. Push it again.")
    return {**document, "mediaType": kind}


def _unambiguous(pairs: list[tuple[str, object]]) -> dict[str, object]:
    """A JSON object without ambiguous keys. Go ignores the case of keys, and uses the last of two equal keys.

    :raises ValueError: if a key occurs twice
    """
    names = {name.casefold() if name.casefold() in _KEYS else name for name, _value in pairs}
    if len(names) < len(pairs):
        raise ValueError("a key occurs twice")
    return dict(pairs)


def in_message(value: object) -> str:
    """A value of a registry's document, as a safe text for a message."""
    return ascii(value[:80]) if isinstance(value, str) else "None" if value is None else type(value).__name__


def descriptor(entry: object, label: str) -> Descriptor:
    """The descriptor in an entry of a document."""
    if not isinstance(entry, dict):
        raise EcrError(f"The manifest of {label} has a descriptor that is not an object.")
    media_type, digest, size = entry.get("mediaType"), entry.get("digest"), entry.get("size")
    if not isinstance(digest, str) or not DIGEST.fullmatch(digest):
        raise EcrError(f"The manifest of {label} has the digest {in_message(digest)}; only sha256 is accepted.")
    if not isinstance(size, int) or isinstance(size, bool) or size < 0 or not isinstance(media_type, str):
        raise EcrError(f"The manifest of {label} describes {digest} without a type or a size.")
    if entry.get("urls") or "foreign" in media_type or "nondistributable" in media_type:
        raise EcrError(f"{label} has the foreign layer {digest}, which is not in the registry. Use a container engine.")
    return Descriptor(media_type, digest, size)


def contents(manifest: Json, label: str) -> list[Descriptor]:
    """The descriptors of the configuration and the layers of a manifest, without duplicates."""
    layers = manifest.get("layers")
    if not isinstance(layers, list):
        raise EcrError(f"The manifest of {label} has no list of layers.")
    return list(dict.fromkeys(descriptor(entry, label) for entry in [manifest.get("config"), *layers]))
