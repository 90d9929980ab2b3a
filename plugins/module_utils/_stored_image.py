# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Verifies the files of an image in a destination of skopeo on this host.

skopeo reuses an existing file by its name without reading it, so the files are hashed here. The digest of a layer is
the one in the registry. If skopeo has compressed or decompressed the layer, the digest of its uncompressed content is
the one in the configuration.
"""

from __future__ import annotations

import contextlib
import functools
import gzip
import json
import os
import pathlib
import re
import tarfile
import typing as t
import zlib
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _manifest, _protected_files
from ansible_collections.crossaccount.ecr.plugins.module_utils._destination import split_destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import Image
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout_index import REF_NAME, file_of

Open = t.Callable[[str], t.IO[bytes]]
#: The exceptions of reading a file whose content does not match its name.
_UNREADABLE = (
    *(OSError, EOFError, zlib.error, tarfile.TarError),
    *(AttributeError, LookupError, RecursionError, TypeError, ValueError),
)
_INDEX, _MANIFEST = "index.json", "manifest.json"
_IN_DIR = re.compile(r"version|manifest\.json|signature-\d+|[0-9a-f]{64}")


@dataclass(frozen=True)
class Parts:
    """The file names of an image in a destination, and the digest of its configuration."""

    config: str
    config_digest: str
    layers: list[str]


def check_layout(folder: str) -> None:
    """Check that only root and the current user can change the files of an OCI image layout, and that none is a link.

    Blobs are checked when they are read.

    :param folder: a safe path
    """
    _protected_files.check_entries(folder, ["blobs", "blobs/sha256"], ["oci-layout", _INDEX])


def safe_destination(destination: str) -> str:
    """The destination with links in its path resolved. A destination on another host is unchanged.

    :raises EcrError: if another user can change the files of the destination, or it contains links
    """
    transport, path, name = split_destination(destination)
    if not path:
        return destination
    path = _protected_files.safe_path(path)
    if transport == "oci":
        check_layout(path)
    elif transport == "dir":
        _protected_files.check_entries(path, [], [])
    else:
        _protected_files.check_file(path)
    return f"{transport}:{path}{name}"


def unsafe_destination_problems(destinations: t.Iterable[str]) -> t.Iterator[str]:
    """Problems with destinations that another user can change or that contain links."""
    for destination in destinations:
        try:
            safe_destination(destination)
        except EcrError as error:
            yield str(error)


def broken_files(destination: str, image: Image, diff_ids: t.Sequence[str]) -> list[str]:
    """The files of a destination on this host without the content of the image; empty if the image is complete.

    :param diff_ids: the digests of the uncompressed layers, from the configuration of the image
    :raises EcrError: if another user can change a file, or it is a link
    """
    transport, path, name = split_destination(destination)
    with contextlib.ExitStack() as stack:
        try:
            open_part = _opener(transport, str(path), stack)
            parts = _FINDERS[transport](open_part, name, image)
        except _UNREADABLE:
            return [_MANIFEST]
        if len(parts.layers) != len(image.manifest["layers"]):
            return [_MANIFEST]
        broken = [] if _has(open_part, parts.config, [parts.config_digest]) else [parts.config]
        for number, (layer, entry) in enumerate(zip(parts.layers, image.manifest["layers"])):
            diff_id = diff_ids[number] if number < len(diff_ids) else None
            if not _has(open_part, layer, [entry["digest"], diff_id], diff_id):
                broken.append(layer)
        return broken


def is_damaged(destination: str) -> bool:
    """Whether a `dir` or a `docker-archive` contains only one image, so that it can be replaced if it is damaged."""
    transport, path, _name = split_destination(destination)
    with contextlib.ExitStack() as stack, contextlib.suppress(*_UNREADABLE):
        if transport == "dir":
            names = os.listdir(path)
            return "version" in names and all(map(_IN_DIR.fullmatch, names))
        (entry,) = _json(_opener(transport, str(path), stack), _MANIFEST)
        return {"Config", "Layers"} <= entry.keys()
    return False


def _opener(transport: str, path: str, stack: contextlib.ExitStack) -> Open:
    if transport in ("dir", "oci"):
        return lambda name: _protected_files.open_file(os.path.join(path, name))
    file = stack.enter_context(_protected_files.open_file(path))
    return functools.partial(_member, stack.enter_context(tarfile.open(fileobj=file, mode="r:")))


def _member(archive: tarfile.TarFile, name: str) -> t.IO[bytes]:
    member = archive.extractfile(name)
    if member is None:
        raise FileNotFoundError(name)
    return member


def _json(open_part: Open, name: str, digest: str | None = None) -> t.Any:
    with open_part(name) as file:
        content = file.read(_manifest.MANIFEST_BYTES + 1)
    if len(content) > _manifest.MANIFEST_BYTES or (digest and _manifest.digest_of(content) != digest):
        raise ValueError(f"{name} is not the manifest")
    return json.loads(content)


def _entry(entry: object) -> _manifest.Descriptor:
    try:
        return _manifest.descriptor(entry, _MANIFEST)
    except EcrError as error:
        raise ValueError(str(error)) from None


def _in_dir(open_part: Open, _name: str, image: Image) -> Parts:
    _json(open_part, _MANIFEST, image.digest)
    config, *layers = (entry["digest"] for entry in (image.manifest["config"], *image.manifest["layers"]))
    return Parts(config[len("sha256:") :], config, [layer[len("sha256:") :] for layer in layers])


def _in_layout(open_part: Open, name: str, _source: Image) -> Parts:
    entries = _json(open_part, _INDEX)["manifests"]
    if name:
        entries = [entry for entry in entries if entry.get("annotations", {}).get(REF_NAME) == name[1:]]
    (entry,) = entries
    found = _entry(entry)
    manifest = _json(open_part, file_of(found.digest), found.digest)
    config, *layers = (_entry(part) for part in (manifest["config"], *manifest["layers"]))
    return Parts(file_of(config.digest), config.digest, [file_of(layer.digest) for layer in layers])


def _in_docker_archive(open_part: Open, _name: str, image: Image) -> Parts:
    (entry,) = _json(open_part, _MANIFEST)
    return Parts(entry["Config"], image.manifest["config"]["digest"], entry["Layers"])


_FINDERS: dict[str, t.Callable[[Open, str, Image], Parts]] = {
    "dir": _in_dir,
    "oci": _in_layout,
    "oci-archive": _in_layout,
    "docker-archive": _in_docker_archive,
}


def _has(open_part: Open, name: str, digests: t.Sequence[str | None], content: str | None = None) -> bool:
    """Whether a file has one of the digests, or its decompressed content has the digest `content`."""
    try:
        with open_part(name) as file:
            if _protected_files.digest_of_stream(file) in digests:
                return True
        if content is None:
            return False
        with open_part(name) as file, gzip.open(file) as unpacked:
            return _protected_files.digest_of_stream(t.cast("t.IO[bytes]", unpacked)) == content
    except _UNREADABLE:
        return False


def remove_blobs(destination: str, names: t.Iterable[str]) -> None:
    """Remove blobs of an OCI image layout."""
    folder = pathlib.Path(str(split_destination(destination)[1]))
    for name in names:
        if name.startswith("blobs/"):
            (folder / name).unlink(missing_ok=True)
