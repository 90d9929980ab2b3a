# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An OCI image layout on disk: which images it has, and how an image of a registry gets into it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import typing as t
from concurrent.futures import ThreadPoolExecutor, as_completed

from ansible_collections.crossaccount.ecr.plugins.module_utils import _image, _protected_files, _stored
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import INCOMING, replacing
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible
from ansible_collections.crossaccount.ecr.plugins.module_utils._transfer import check_space

#: Layers fetched at once.
_CONCURRENCY = 4


class Layout:
    """The OCI image layout in the folder `dest`, which need not exist yet."""

    def __init__(self, dest: str) -> None:
        self._dest = dest
        self.folder = pathlib.Path(_protected_files.safe_path(dest))
        if self.folder.exists() and not self.folder.is_dir():
            raise EcrError(f"dest {dest} is there and is not a folder.")
        # Read once: another pull may begin the layout right now.
        names = os.listdir(self.folder) if self.folder.is_dir() else []
        if "oci-layout" not in names and any(not name.startswith(INCOMING) for name in names):
            raise EcrError(f"Folder {dest} holds other things than an OCI image layout. Choose an empty dest.")
        _stored.check_layout(str(self.folder))

    def has(self, name: str, digest: str, platform: str, exact: bool = False) -> bool:
        """Whether the image is here whole under `name`: manifest, configuration and layers have their digests.

        :param digest: of the image in the registry
        :param exact: an image that stands in no index has to be of the platform, too
        :raises EcrError: if the layout cannot be used, so that `add` would fail
        """
        entry = _image.layout_entry(self._read("index.json"), name, digest, platform, exact)
        if entry is None or entry.size > _image.MANIFEST_BYTES or not self._has(entry):
            return False
        try:
            content = self._path(entry.digest).read_bytes()
            parts = _image.contents(_image.parse_manifest(content, entry.media_type, name), name)
        except EcrError:
            return False
        return all(map(self._has, parts))

    def add(
        self, registry: Registry, reference: _image.Reference, digest: str, platform: str, exact: bool = False
    ) -> None:
        """Fetch an image by its digest and enter it under the name of `reference`, last.

        A file that exists is used only if its content has its digest.

        :param exact: as in `has`
        """
        image = _image.resolve(
            lambda wanted: registry.manifest(reference.repository, wanted), digest, platform, str(reference)
        )
        self._begin()
        notes = {_image.REF_NAME: reference.name, _image.SOURCE_DIGEST: digest}
        if image.chosen or exact:
            notes[_image.SOURCE_PLATFORM] = platform
        if exact and not image.chosen:
            self._fetch(registry, reference.repository, image.parts[:1])
            self._check_platform(image.parts[0], platform, image.what)
        self._fetch(registry, reference.repository, image.parts)
        content, media_type = _image.as_oci(image.content, image.manifest)
        entry = _image.Descriptor(media_type, _image.digest_of(content), len(content))
        self._write(_image.file_of(entry.digest), content)
        with self._alone():
            self._write("index.json", _image.layout_index(self._read("index.json"), entry, notes))

    def _begin(self) -> None:
        """Create the folders, and first of all files the one by which the next pull recognizes the layout."""
        _protected_files.make_folders(str(self.folder))
        # Where a folder above is open to all users, such as /tmp, one of them may have been faster.
        if _protected_files.safe_path(self._dest) != str(self.folder):
            raise EcrError(f"dest {self._dest} leads to another folder than before. Run again.")
        _stored.check_layout(str(self.folder))
        self._write("oci-layout", json.dumps(_image.LAYOUT).encode())
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

    def _fetch(self, registry: Registry, repository: str, parts: list[_image.Descriptor]) -> None:
        """Fetch what is not here or not intact, several at once."""
        wanted = [one for one in parts if not self._has(one)]
        check_space(self.folder, sum(one.size for one in wanted))
        with interruptible(), ThreadPoolExecutor(_CONCURRENCY) as pool:
            try:
                under_way = [pool.submit(registry.blob, repository, one, self._path(one.digest)) for one in wanted]
                for done in as_completed(under_way):
                    done.result()
            except BaseException:
                registry.stop()  # the first failure, or a signal: the other threads end too
                pool.shutdown(wait=False, cancel_futures=True)
                raise

    def _check_platform(self, config: _image.Descriptor, platform: str, what: str) -> None:
        if config.size > _image.MANIFEST_BYTES:
            raise EcrError(
                f"The configuration of {what} has {config.size} bytes;"
                f" no more than {_image.MANIFEST_BYTES} are accepted."
            )
        _image.check_platform(self._path(config.digest).read_bytes(), platform, what)

    def _path(self, digest: str) -> pathlib.Path:
        return self.folder / _image.file_of(digest)

    def _has(self, wanted: _image.Descriptor) -> bool:
        return _protected_files.has_content(str(self._path(wanted.digest)), wanted.digest, wanted.size)

    def _read(self, name: str) -> bytes | None:
        return _protected_files.read_file(str(self.folder / name), _image.MANIFEST_BYTES)

    def _write(self, name: str, content: bytes) -> None:
        with replacing(self.folder / name) as file:
            file.write(content)
