# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Bounded reads and atomic writes of regular files, and the expansion of paths. Standard library only."""

from __future__ import annotations

import contextlib
import errno
import os
import secrets
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._safe_folders import fault_of

#: The prefix of the names of incomplete files.
INCOMING = ".incoming-"


def expand_home(path: str, home: str | None = None) -> str:
    """The path with a leading `~` or `~USER` expanded. Environment variables are never expanded.

    :param home: the home for `~`; None for the home of the user of this process
    """
    if home is not None and (path == "~" or path.startswith("~/")):
        return home + path[1:]
    return os.path.expanduser(path)


def read_regular(path: str, limit: int, follow: bool = True) -> bytes | None:
    """The content of a regular file, or None if the file does not exist.

    The open does not wait for the writer of a FIFO, and the read ends at the limit, whatever size the file reports.

    :param limit: the largest accepted size in bytes
    :param follow: whether the last component of the path may be a symbolic link
    """
    flags = os.O_NONBLOCK | os.O_NOCTTY | (0 if follow else os.O_NOFOLLOW)
    try:
        with open(path, "rb", opener=lambda name, mode: os.open(name, mode | flags)) as file:
            regular = stat.S_ISREG(os.fstat(file.fileno()).st_mode)
            content = (file.read(limit + 1) or b"") if regular else b""
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.ENXIO):  # a directory, a socket
            raise EcrError(f"{path} cannot be read: {error.strerror}. Fix the cause and run again.") from None
        regular = False
    if not regular:
        raise EcrError(f"{path} is not a regular file. Remove it or replace it with a regular file.")
    if len(content) > limit:
        raise EcrError(f"{path} is larger than the limit of {limit} bytes. Check that it is the right file.")
    return content


@contextlib.contextmanager
def replacing(path: str | os.PathLike[str], mode: int | None = None) -> t.Iterator[t.BinaryIO]:
    """Context manager that replaces a file atomically: a reader gets either the old or the new content.

    If the path is a link, the link is replaced. If the block raises an exception, the old file is kept and the new file
    is removed.

    :param mode: the mode of the new file; None for the mode by the umask, without write access of other users
    """
    handle, temporary = new_file(os.path.dirname(path), 0o666 if mode is None else 0o600)
    try:
        with os.fdopen(handle, "wb") as file:
            yield file
            if mode is not None:
                os.fchmod(handle, mode)
        os.replace(temporary, path)
    except BaseException:
        with contextlib.suppress(FileNotFoundError):
            os.unlink(temporary)
        raise


def new_file(folder: str, mode: int) -> tuple[int, str]:
    """Create a file with a unique name, and return its descriptor and its path. The umask applies to its mode."""
    path = os.path.join(folder, INCOMING + secrets.token_hex(8))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, mode)
    close_to_others(path)
    return handle, path


def close_to_others(path: str) -> None:
    """Remove the write access of other users to a new file or folder, which the umask may have allowed."""
    status = os.lstat(path)
    if fault_of(path, status, private_groups=True):
        os.chmod(path, stat.S_IMODE(status.st_mode) & ~0o022)
