# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Access to the files of a pull, which only root and the current user may change. Standard library only.

A verified file remains trustworthy only if no other user can replace it. `_safe_folders` has the rule.
"""

from __future__ import annotations

import hashlib
import os
import shlex
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import close_to_others
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._safe_folders import (
    Fault,
    UnsafeError,
    fault_of,
    real_folder,
)

_CHUNK = 1024 * 1024


def _problem(unsafe: UnsafeError) -> EcrError:
    """The error for an unsafe path, with the fact and the next step."""
    path, quoted = unsafe.path, shlex.quote(unsafe.path)
    writers = "every user" if unsafe.fault is Fault.EVERYONE else f"group {unsafe.group}"
    writable = (
        f"{path} can be changed by {writers} (mode {unsafe.mode}). Run chmod go-w {quoted}, or choose another"
        f" {option('dest')}."
    )
    link = f"{path} is a symbolic link of user {unsafe.owner}. Choose a {option('dest')} without links."
    messages = {
        Fault.OWNER: (
            f"{path} belongs to user {unsafe.owner}, who can change it. Choose a {option('dest')} that only"
            " root and user"
            f" {os.geteuid()} can change."
        ),
        Fault.LINK_OWNER: link,
        Fault.LINKS: link,
        Fault.EVERYONE: writable,
        Fault.GROUP: writable,
        Fault.ACL: (
            f"{path} has an access control list that may let other users change it. Run setfacl -b {quoted}, or choose"
            f" another {option('dest')}."
        ),
        Fault.NOT_A_FOLDER: f"{path} is not a directory. Remove it, or choose another {option('dest')}.",
        Fault.MISSING: (
            f"{path} does not exist, but the path continues with .. after it. Choose another {option('dest')}."
        ),
    }
    return EcrError(messages[unsafe.fault])


def _checked(path: str, folder: bool, parent: bool = False) -> os.stat_result | None:
    """The status of a file or folder that no other user can change; None if it does not exist.

    :raises EcrError: if it is a link, has another type, or another user can change it
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        raise EcrError(f"{path} is a symbolic link. Remove it, or choose a {option('dest')} without links.")
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(status.st_mode):
        kind = "directory" if folder else "regular file"
        raise EcrError(f"{path} is not a {kind}. Remove it, or choose another {option('dest')}.")
    fault = fault_of(path, status, sticky=parent, private_groups=True)
    if fault:
        raise _problem(UnsafeError(fault, path, status))
    return status


def safe_path(path: str) -> str:
    """The absolute path of `path` without links. All parent folders are checked; `path` itself is not.

    Links in the parent folders are followed if they belong to root or the current user, such as /var/run.

    :raises EcrError: if another user could replace a component of the path
    """
    above, last = os.path.split(os.path.abspath(path))
    try:
        return os.path.join(real_folder(above, sticky=True, private_groups=True), last) if last else os.sep
    except UnsafeError as unsafe:
        raise _problem(unsafe) from None


def check_entries(folder: str, folders: t.Sequence[str], files: t.Sequence[str]) -> None:
    """Check the existing entries of a folder and the folder itself. The parent folders must be safe.

    :raises EcrError: if one is a link, has another type, or another user can change it
    """
    for name in ("", *folders):
        _checked(os.path.join(folder, name) if name else folder, folder=True)
    for name in files:
        check_file(os.path.join(folder, name))


def check_file(path: str) -> None:
    """Check a file if it exists. The parent folders must be safe.

    :raises EcrError: if it is a link or a device, or another user can change it
    """
    _checked(path, folder=False)


def open_file(path: str) -> t.BinaryIO:
    """Open a regular file for reading if no other user can change it. The parent folders must be safe.

    :raises EcrError: if it is a link or a device, or another user can change it
    :raises FileNotFoundError: if it does not exist
    """
    check_file(path)
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def read_file(path: str, limit: int) -> bytes | None:
    """The content of a file that `open_file` accepts; None if it does not exist.

    :raises EcrError: as `open_file`, and if the file has more than `limit` bytes
    """
    try:
        with open_file(path) as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        return None
    if len(content) > limit:
        raise EcrError(f"{path} has more than {limit} bytes. Choose another {option('dest')}.")
    return content


def digest_of_stream(stream: t.IO[bytes]) -> str:
    """The digest of the remaining content of a stream, which is read in chunks."""
    hasher, chunk = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    while length := stream.readinto(chunk):  # type: ignore[attr-defined]
        hasher.update(chunk[:length])
    return "sha256:" + hasher.hexdigest()


def has_content(path: str, digest: str, size: int) -> bool:
    """Whether a file exists and has this digest and size."""
    try:
        with open_file(path) as file:
            return os.fstat(file.fileno()).st_size == size and digest_of_stream(file) == digest
    except FileNotFoundError:
        return False


def make_folders(path: str) -> None:
    """Create a folder and its missing parent folders.

    The umask applies to their modes, but other users get no write access.
    """
    if _checked(path, folder=True, parent=True) is None:
        make_folders(os.path.dirname(path))
        try:
            os.mkdir(path)
        except FileExistsError:
            return  # a concurrent pull created it
        close_to_others(path)
