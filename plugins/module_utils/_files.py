# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Bounded reads of regular files. Standard library only."""

from __future__ import annotations

import errno
import os
import stat

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError


def read_regular(path: str, limit: int) -> bytes | None:
    """The content of a regular file; None if the file does not exist.

    Opening a FIFO does not wait for a writer, and no more than the limit is read, whatever size the file reports.

    :param limit: the largest accepted size in bytes
    :raises EcrError: for anything that is not a regular file of at most `limit` bytes
    """
    content = None
    try:
        with open(path, "rb", opener=lambda name, mode: os.open(name, mode | os.O_NONBLOCK | os.O_NOCTTY)) as file:
            if stat.S_ISREG(os.fstat(file.fileno()).st_mode):
                content = file.read(limit + 1)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        if error.errno not in (errno.EISDIR, errno.ENXIO):  # a directory, a socket
            raise EcrError(f"{path} cannot be read: {error.strerror}. Fix the cause and run again.") from None
    if content is None:
        raise EcrError(f"{path} is not a regular file. Remove it or replace it with a regular file.")
    if len(content) > limit:
        raise EcrError(f"{path} is larger than the limit of {limit} bytes. Check that it is the right file.")
    return content
