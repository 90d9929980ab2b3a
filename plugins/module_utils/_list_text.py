# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Many repositories in one line of text. Standard library only."""

from __future__ import annotations

import typing as t

#: How many repositories are named in one text. The others are counted.
NAMED = 10


def listed(names: t.Sequence[str], every_name: bool = False, what: str = "repositories") -> str:
    """Names as a text: if there are many, their number and the first ten."""
    if len(names) <= NAMED or every_name:
        return ", ".join(names)
    return f"{len(names):,} {what}: {', '.join(names[:NAMED])} and {len(names) - NAMED:,} more"
