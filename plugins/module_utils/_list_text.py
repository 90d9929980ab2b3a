# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Lists names in one line of text. Standard library only."""

from __future__ import annotations

import typing as t

#: The maximum number of names in one text. The text has the number of further names.
NAMED = 10


def list_text(names: t.Sequence[str], every_name: bool = False, noun: str = "repositories") -> str:
    """Names as a text. A long list is shortened to its number of names and the first ten names.

    :param every_name: whether to list all names
    :param noun: the plural noun for the names
    """
    if len(names) <= NAMED or every_name:
        return ", ".join(names)
    return f"{len(names):,} {noun}: {', '.join(names[:NAMED])} and {len(names) - NAMED:,} more"
