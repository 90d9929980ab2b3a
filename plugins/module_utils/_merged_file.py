# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A configuration file merged with entries of this collection. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: Every profile and every helper of this collection has a name that begins with it.
OURS = "ecr-pull-"


class Merged(t.NamedTuple):
    """A merged file.

    :param content: None if the file has to be deleted
    :param before: what a diff may show of the old file
    :param after: what a diff may show of the new file
    """

    content: bytes | None
    before: str
    after: str


def decoded(content: bytes | None) -> str | None:
    """The text of a file; None if the file does not exist.

    :raises EcrError: a message to go after the path
    """
    try:
        return None if content is None else content.decode()
    except UnicodeDecodeError as error:
        raise EcrError(f"is not a text in UTF-8 (byte {error.start}).") from None


def shown_if_valid(value: object, form: re.Pattern[str]) -> str:
    """A value of one of our entries for a diff. Others may have put any text in its place."""
    return value if isinstance(value, str) and form.fullmatch(value) else "(not shown)"
