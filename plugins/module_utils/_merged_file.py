# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The result of merging entries of this collection into a configuration file. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: The prefix of the names of this collection's profiles and helpers.
NAME_PREFIX = "ecr-pull-"


class MergedFile(t.NamedTuple):
    """A merged file.

    :param content: the new content; None to delete the file
    :param before: the part of the old file that a diff may show
    :param after: the part of the new file that a diff may show
    """

    content: bytes | None
    before: str
    after: str


def decoded(content: bytes | None) -> str | None:
    """The text of a file; None if the file does not exist.

    :raises EcrError: with a message that begins after the path of the file
    """
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise EcrError(f"is not a text in UTF-8 (byte {error.start}).") from None


def shown_if_valid(value: object, form: re.Pattern[str]) -> str:
    """The value of an entry for a diff. A value in another format is not shown, because it may be a secret."""
    return value if isinstance(value, str) and form.fullmatch(value) else "(not shown)"
