# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An OCI image layout on disk: which images it has, and how an image of a registry gets into it."""

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
    _stored,
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._written import writing

#: Layers fetched at once.
_CONCURRENCY = 4


class Layout:
    """The OCI image layout in the folder `dest`, which need not exist yet.

    :param platform: `os/architecture[/variant]`, which of the images of an index is fetched
    :param exact: an image that is not in an index must be of this platform, too
    """

    name = "oci_layout"

    def __init__(self, dest: str, platform: str, exact: bool = False) -> None:
        self._dest, self._platform, self._exact = dest, platform, exact
        #: The registry that layers are fetched from, and their bytes.
        self._registry: Registry | None = None
        self._size = 0
        self.folder = pathlib.Path(_protected_files.safe_path(dest))
        if self.folder.exists() and not self.folder.is_dir():
            raise EcrError(f"{dest} exists and is not a folder. Choose another {option('dest')}.")
        # Read once: another pull may begin the layout right now.
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        if "oci-layout" not in names and any(not name.startswith(INCOMING) for name in names):
            raise EcrError(f"Folder {dest} does not hold an OCI image layout. Choose an empty {option('dest')}.")
        _stored.check_layout(str(self.folder))

    def location(self, image: RegistryImage) -> str:
        return f"oci:{self.folder}:{image.reference.name}"

    def has(self, image: RegistryImage) -> bool:
        """Whether the image is there under its name: manifest, configuration and layers have their digests.

        :raises EcrError: if the layout cannot be used, so that `fetch` would fail
        """
        name, index = image.reference.name, self._read("index.json")
        entry = _layout_index.layout_entry(index, name, image.digest, self._platform, self._exact)
        if entry is None or entry.size > MANIFEST_BYTES or not self._has(entry):
            return False
        try:
            content = self._path(entry.digest).read_bytes()
            parts = _manifest.contents(_manifest.parse_manifest(content, entry.media_type, name), name)
        except EcrError:
            return False
        return all(map(self._has, parts))

    def fetch(self, image: RegistryImage) -> None:
        """Fetch an image by its digest, and add it to the index last.

        A file that exists is used only if its content has its digest.
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
        if found.chosen or self._exact:
            notes[_layout_index.SOURCE_PLATFORM] = self._platform
        if self._exact and not found.chosen:
            self._fetch(image, found.parts[:1])
            self._check_platform(found.parts[0], found.what)
        self._fetch(image, found.parts)
        content, media_type = _layout_index.as_oci(found.content, found.manifest)
        entry = Descriptor(media_type, _manifest.digest_of(content), len(content))
        self._write(file_of(entry.digest), content)
        with self._alone():
            self._write("index.json", _layout_index.layout_index(self._read("index.json"), entry, notes))

    def status(self) -> str:
        received = self._registry.received if self._registry else 0
        return f"{megabytes(received)} of {megabytes(self._size)} MB" if self._size else ""

    def _begin(self) -> None:
        """Create the folders, and first of all files the one by which the next pull recognizes the layout."""
        _protected_files.make_folders(str(self.folder))
        # Where a folder above is open to all users, such as /tmp, one of them may have been faster.
        if _protected_files.safe_path(self._dest) != str(self.folder):
            raise EcrError(f"{option('dest')} {self._dest} leads to another folder than before. Run again.")
        _stored.check_layout(str(self.folder))
        self._write("oci-layout", json.dumps(_layout_index.LAYOUT).encode())
        _protected_files.make_folders(str(self.folder / "blobs/sha256"))

    @contextlib.contextmanager
    def _alone(self) -> t.Iterator[None]:
        """Within, no other pull into this layout reads or writes its index."""
        handle = os.open(self.folder, os.O_RDONLY)
        try:
            with contextlib.suppress(OSError):  # a file system without locks, such as some of the network
                fcntl.flock(handle, fcntl.LOCK_EX)
            yield
        finally:
            os.close(handle)  # gives the lock back, as the end of the process does

    def _fetch(self, image: RegistryImage, parts: list[Descriptor]) -> None:
        """Fetch the parts that are missing or damaged, several at once."""
        registry, repository = image.registry, image.reference.repository
        wanted = [one for one in parts if not self._has(one)]
        size = sum(one.size for one in wanted)
        check_space(self.folder, size)
        self._registry, self._size = registry, self._size + size
        with interruptible(), ThreadPoolExecutor(_CONCURRENCY) as pool:
            try:
                under_way = [pool.submit(registry.blob, repository, one, self._path(one.digest)) for one in wanted]
                for done in as_completed(under_way):
                    done.result()
            except BaseException:
                registry.stop()  # the first failure, or a signal: the other threads end too
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _check_platform(self, config: Descriptor, what: str) -> None:
        if config.size > MANIFEST_BYTES:
            raise EcrError(
                f"The configuration of {what} has {config.size} bytes; no more than {MANIFEST_BYTES} are accepted."
            )
        check_platform(self._path(config.digest).read_bytes(), self._platform, what)

    def _path(self, digest: str) -> pathlib.Path:
        return self.folder / file_of(digest)

    def _has(self, wanted: Descriptor) -> bool:
        return _protected_files.has_content(str(self._path(wanted.digest)), wanted.digest, wanted.size)

    def _read(self, name: str) -> bytes | None:
        return _protected_files.read_file(str(self.folder / name), MANIFEST_BYTES)

    def _write(self, name: str, content: bytes) -> None:
        with replacing(self.folder / name) as file:
            file.write(content)
