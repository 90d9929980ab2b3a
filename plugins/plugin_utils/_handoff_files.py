# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates, reads and replaces the hand-off files on the control node."""

from __future__ import annotations

import os
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import read_regular, replacing

MODE = 0o600
_LIMIT = 1024 * 1024


def handoff_file_problems(
    path: str, names: t.Iterable[str], check_mode: bool, forms: t.Iterable[str] = ()
) -> t.Iterator[str]:
    """Why the files of a hand-off cannot be written.

    :param path: as it is declared
    :param names: the files, absolute and without their extensions
    :param check_mode: a missing folder is not a problem, see `missing_folder_warning`
    :param forms: the ends of the names of further files
    """
    absolute = os.path.abspath(os.path.expanduser(path))
    if check_mode and missing_folder_warning(path):
        return
    found = list(folder_problems(absolute))
    if not found:
        endings = (os.path.splitext(path)[1], ".md", *forms)
        found = [problem for name in names for ending in endings for problem in file_problems(name + ending)]
    yield from (problem.replace(absolute, path) for problem in found)


def missing_folder_warning(path: str) -> str:
    """The warning of check mode if the folder of a hand-off is missing: an earlier task may create it in a real run."""
    if os.path.lexists(os.path.dirname(os.path.abspath(os.path.expanduser(path)))):
        return ""
    return (
        f"The directory of ecr_share_handoff_path {path} does not exist. Create it before you run without check mode."
    )


def folder_problems(path: str, variable: str = "ecr_share_handoff_path") -> t.Iterator[str]:
    """Reasons why no file can be written to the folder of a path. The check writes nothing.

    :param variable: the variable that has the path
    """
    folder = os.path.dirname(path)
    if not os.path.isdir(folder):
        yield f"The directory of {variable} {path} does not exist. Create it first."
    elif not os.access(folder, os.W_OK | os.X_OK):
        yield f"The directory of {variable} {path} is not writable. Change its permissions or the path."


def file_problems(path: str) -> t.Iterator[str]:
    """Reasons why a file of the hand-off cannot be replaced."""
    try:
        if stat.S_ISREG(os.lstat(path).st_mode):
            content_of(path)
        else:
            yield f"{path} exists and is not a regular file, so it is not replaced. Remove it, or use another path."
    except FileNotFoundError:
        return
    except OSError as error:
        yield f"{path} cannot be used for the hand-off: {error.strerror}. Use another path."
    except EcrError as error:
        yield str(error)


def content_of(path: str) -> str | None:
    """The text of a file; None if the file does not exist."""
    content = read_regular(path, _LIMIT)
    return None if content is None else content.decode(errors="replace")


def replace(path: str, text: str) -> None:
    """Replace a file atomically. An interrupted run leaves the old file."""
    for problem in [*folder_problems(path), *file_problems(path)]:
        raise EcrError(problem)
    with replacing(path, MODE) as file:
        file.write(text.encode())
