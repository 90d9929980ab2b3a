# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded reads of regular files, and the expansion of paths. Standard library only."""

from __future__ import annotations

import errno
import os
import stat

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError


def expand_home(path: str, home: str | None = None) -> str:
    """The path with a leading `~` or `~USER` expanded. Environment variables are never expanded.

    :param home: what `~` without a user name means, if not the home of the user who runs the process
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
