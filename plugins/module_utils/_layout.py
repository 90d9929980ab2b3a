# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""An OCI image layout on disk: what is there, and how an image of a registry gets into it."""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pathlib
import tempfile
import typing as t
from concurrent.futures import ThreadPoolExecutor, as_completed

from ansible_collections.crossaccount.ecr.plugins.module_utils import _image
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible
from ansible_collections.crossaccount.ecr.plugins.module_utils._transfer import check_space

#: Layers fetched at once.
_CONCURRENCY = 4
#: How the name of a file begins that is not whole yet.
_INCOMING = ".incoming-"


class Layout:
    """The OCI image layout in the folder `dest`, which need not exist yet."""

    def __init__(self, dest: str) -> None:
        self.folder = pathlib.Path(dest)
        if self.folder.exists() and not self.folder.is_dir():
            raise EcrError(f"dest {dest} is there and is not a folder.")
        # Looked at once: another pull may begin the layout right now.
        there = os.listdir(self.folder) if self.folder.is_dir() else []
        if "oci-layout" not in there and any(not name.startswith(_INCOMING) for name in there):
            raise EcrError(f"Folder {dest} holds other things than an OCI image layout. Choose an empty dest.")

    def has(self, name: str, digest: str, platform: str, exact: bool = False) -> bool:
        """Whether the image is here whole under `name`: each file there, of the size that its digest was checked for.

        :param digest: of the image in the registry
        :param exact: an image that stands in no index has to be of the platform, too
        """
        try:
            found = _image.layout_digest(self._read("index.json"), name, digest, platform, exact)
            if found is None:
                return False
            content = self._path(found).read_bytes()
            manifest = _image.parse_manifest(content, None, name)
            return _image.digest_of(content) == found and all(map(self._has, _image.contents(manifest, name)))
        except (OSError, EcrError):
            return False

    def add(
        self, registry: Registry, reference: _image.Reference, digest: str, platform: str, exact: bool = False
    ) -> None:
        """Fetch an image by its digest and enter it under the name of `reference`, last.

        :param exact: as in `has`
        """
        what = str(reference)
        notes = {_image.REF_NAME: reference.name, _image.SOURCE_DIGEST: digest}
        content, media_type = registry.manifest(reference.repository, digest)
        manifest = _image.parse_manifest(content, media_type, what)
        # The first file, or a pull that breaks off leaves a folder that the next one does not know again.
        self._write("oci-layout", json.dumps(_image.LAYOUT).encode())
        if manifest["mediaType"] in _image.INDEX_TYPES:
            notes[_image.SOURCE_PLATFORM] = platform
            chosen = _image.choose(manifest, platform, what)
            content, media_type = registry.manifest(reference.repository, chosen.digest)
            manifest = _image.parse_manifest(content, media_type, what)
        parts = _image.contents(manifest, what)
        if exact and _image.SOURCE_PLATFORM not in notes:
            notes[_image.SOURCE_PLATFORM] = platform
            self._fetch(registry, reference.repository, parts[:1])
            self._check_platform(parts[0], platform, what)
        self._fetch(registry, reference.repository, parts)
        content, media_type = _image.as_oci(content, manifest)
        entry = _image.Descriptor(media_type, _image.digest_of(content), len(content))
        self._write(_image.file_of(entry.digest), content)
        with self._alone():
            index = _image.layout_index(self._read("index.json"), entry, notes)
            self._write("index.json", json.dumps(index, indent=2).encode())

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
        """Fetch what is not here yet, several at once."""
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
        try:
            return self._path(wanted.digest).stat().st_size == wanted.size
        except OSError:
            return False

    def _read(self, name: str) -> bytes | None:
        path = self.folder / name
        return path.read_bytes() if path.exists() else None

    def _write(self, name: str, content: bytes) -> None:
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=path.parent, prefix=_INCOMING)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
            os.chmod(temporary, 0o644)
            os.replace(temporary, path)
        finally:
            if os.path.exists(temporary):
                os.unlink(temporary)
