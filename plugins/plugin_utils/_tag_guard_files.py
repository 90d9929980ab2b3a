# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates, reads and replaces the files of a tag guard on the control node."""

from __future__ import annotations

import glob
import os
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._files import read_regular, replacing
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

_LIMIT = 1024 * 1024


def guard_file_problems(dest: str, name: str) -> t.Iterator[str]:
    """Why the files of a guard cannot be written. The check writes nothing.

    :param dest: the directory as it is declared
    :param name: the name of the guard, with which its files begin
    """
    folder = guard_path(dest)
    if not dest.isprintable():
        yield f"{option('dest')} {dest!r} contains an unprintable character. Remove it."
    elif not os.path.isdir(folder):
        yield f"{option('dest')} {dest} does not exist or is not a directory. Create it first."
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield f"{option('dest')} {dest} is not writable. Change its permissions, or use another directory."
    else:
        for path in sorted(glob.glob(os.path.join(glob.escape(folder), f"{glob.escape(name)}-*-[sr]cp.json"))):
            if not stat.S_ISREG(os.lstat(path).st_mode):
                yield f"{path} exists and is not a regular file, so it is not replaced. Remove it, or use another path."


def guard_path(path: str) -> str:
    """The absolute path of a file or the directory of a guard."""
    return os.path.abspath(os.path.expanduser(path))


def guard_text(path: str) -> str | None:
    """The text of a file; None if it does not exist."""
    content = read_regular(path, _LIMIT)
    return None if content is None else content.decode(errors="replace")


def replace_guard_file(path: str, text: str) -> None:
    """Replace a file atomically. It has no secret, so its mode follows the umask."""
    with replacing(path) as file:
        file.write(text.encode())
