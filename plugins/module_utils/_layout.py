# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An OCI image layout on disk: finds its images, and fetches images of a registry into it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import typing as t
from concurrent.futures import ThreadPoolExecutor, as_completed

from ansible_collections.crossaccount.ecr.plugins.module_utils import (
    _layout_index,
    _manifest,
    _protected_files,
    _stored_image,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import INCOMING, replacing
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import find_image
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout_index import REF_NAME, file_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import MANIFEST_BYTES, Descriptor
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._platform import check_platform
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible
from ansible_collections.crossaccount.ecr.plugins.module_utils._status import megabytes
from ansible_collections.crossaccount.ecr.plugins.module_utils._transfer import check_space
from ansible_collections.crossaccount.ecr.plugins.module_utils._write_error import writing

#: The maximum number of concurrent transfers of layers.
_CONCURRENCY = 4


class Layout:
    """The OCI image layout in the folder `dest`, which need not exist yet.

    :param platform: `os/architecture[/variant]`, the platform of the image to choose from an index
    :param strict_platform: whether an image without an index must also have this platform
    """

    name = "oci_layout"

    def __init__(self, dest: str, platform: str, strict_platform: bool = False) -> None:
        self._dest, self._platform, self._strict_platform = dest, platform, strict_platform
        #: The registry of the current transfers, and their total size in bytes.
        self._registry: Registry | None = None
        self._size = 0
        self.folder = pathlib.Path(_protected_files.safe_path(dest))
        if self.folder.exists() and not self.folder.is_dir():
            raise EcrError(f"{dest} exists and is not a directory. Choose another {option('dest')}.")
        # The folder is read once, because a concurrent pull may create the layout.
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        if "oci-layout" not in names and any(not name.startswith(INCOMING) for name in names):
            raise EcrError(f"Directory {dest} contains no OCI image layout. Choose an empty {option('dest')}.")
        _stored_image.check_layout(str(self.folder))

    def location(self, image: RegistryImage) -> str:
        return f"oci:{self.folder}:{image.reference.name}"

    def has(self, image: RegistryImage) -> bool:
        """Whether the image is present under its name, and its manifest, configuration and layers match their digests.

        :raises EcrError: if the layout is not valid, so that `fetch` would fail
        """
        name, index = image.reference.name, self._read("index.json")
        entry = _layout_index.layout_entry(index, name, image.digest, self._platform, self._strict_platform)
        if entry is None or entry.size > MANIFEST_BYTES or not self._has(entry):
            return False
        try:
            content = self._path(entry.digest).read_bytes()
            parts = _manifest.contents(_manifest.parse_manifest(content, entry.media_type, name), name)
        except EcrError:
            return False
        return all(map(self._has, parts))

    def fetch(self, image: RegistryImage) -> None:
        """Fetch an image by its digest, and add it to the index after all of its files.

        An existing file is reused only if its content matches its digest.
        """
        with writing(f"Image {image.reference}", self.folder):
            self._fetch_image(image)

    def _fetch_image(self, image: RegistryImage) -> None:
        registry, reference = image.registry, image.reference
        found = find_image(
            lambda digest: registry.manifest(reference.repository, digest),
            image.digest,
            self._platform,
            str(reference),
        )
        self._begin()
        notes = {REF_NAME: reference.name, _layout_index.SOURCE_DIGEST: image.digest}
        if found.chosen or self._strict_platform:
            notes[_layout_index.SOURCE_PLATFORM] = self._platform
        if self._strict_platform and not found.chosen:
            self._fetch(image, found.parts[:1])
            self._check_platform(found.parts[0], found.label)
        self._fetch(image, found.parts)
        content, media_type = _layout_index.as_oci(found.content, found.manifest)
        entry = Descriptor(media_type, _manifest.digest_of(content), len(content))
        self._write(file_of(entry.digest), content)
        with self._locked():
            self._write("index.json", _layout_index.layout_index(self._read("index.json"), entry, notes))

    def status(self) -> str:
        received = self._registry.received if self._registry else 0
        return f"{megabytes(received)} of {megabytes(self._size)} MB" if self._size else ""

    def _begin(self) -> None:
        """Create the folders and, before all other files, the file `oci-layout`, which marks the folder as a layout."""
        _protected_files.make_folders(str(self.folder))
        # In a parent folder that all users can write to, such as /tmp, another user may have created the folder first.
        if _protected_files.safe_path(self._dest) != str(self.folder):
            raise EcrError(f"{option('dest')} {self._dest} now leads to a different directory. Run again.")
        _stored_image.check_layout(str(self.folder))
        self._write("oci-layout", json.dumps(_layout_index.LAYOUT).encode())
        _protected_files.make_folders(str(self.folder / "blobs/sha256"))

    @contextlib.contextmanager
    def _locked(self) -> t.Iterator[None]:
        """Context manager with a lock: no other pull reads or writes the index of this layout."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # some network file systems do not support locks
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)  # releases the lock

    def _fetch(self, image: RegistryImage, parts: list[Descriptor]) -> None:
        """Fetch the missing and damaged parts concurrently."""
        registry, repository = image.registry, image.reference.repository
        wanted = [part for part in parts if not self._has(part)]
        size = sum(part.size for part in wanted)
        check_space(self.folder, size)
        self._registry, self._size = registry, self._size + size
        try:
            with interruptible(), ThreadPoolExecutor(_CONCURRENCY) as pool:
                try:
                    under_way = [
                        pool.submit(registry.blob, repository, part, self._path(part.digest)) for part in wanted
                    ]
                    for done in as_completed(under_way):
                        done.result()
                except BaseException:
                    registry.stop()  # after a failure or a signal, the other threads end as well
                    pool.shutdown(wait=False, cancel_futures=True)
                    raise
        finally:
            registry.stopped.clear()  # all threads have ended, and the caller may try again

    def _check_platform(self, config: Descriptor, label: str) -> None:
        if config.size > MANIFEST_BYTES:
            raise EcrError(
                f"The configuration of {label} has {config.size} bytes; no more than {MANIFEST_BYTES} are accepted."
            )
        check_platform(self._path(config.digest).read_bytes(), self._platform, label)

    def _path(self, digest: str) -> pathlib.Path:
        return self.folder / file_of(digest)

    def _has(self, wanted: Descriptor) -> bool:
        return _protected_files.has_content(str(self._path(wanted.digest)), wanted.digest, wanted.size)

    def _read(self, name: str) -> bytes | None:
        return _protected_files.read_file(str(self.folder / name), MANIFEST_BYTES)

    def _write(self, name: str, content: bytes) -> None:
        with replacing(self.folder / name) as file:
            file.write(content)
