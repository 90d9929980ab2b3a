# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Texts of an audit report in other formats. Pure.

Names, tags and Sids were written by others. Unprintable characters, among them those that change the direction of text,
are escaped, and long lines are truncated.
"""

from __future__ import annotations

import re

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable

#: The number of characters of a short text, such as a name or a title.
SHORT = 300


def one_line(text: str, limit: int = SHORT) -> str:
    """The text in one line, truncated to the limit."""
    line = printable(text.replace("\n", "\\n"))
    return line if len(line) <= limit else f"{line[:limit]}... ({len(text):,} characters)"


def code_span(text: str) -> str:
    """The text as a code span of Markdown, in which nothing is interpreted."""
    line = one_line(text) or " "
    fence = "`" * (_longest_run(line) + 1)
    return f"{fence} {line} {fence}" if "`" in line else f"{fence}{line}{fence}"


def code_block(text: str, language: str = "") -> list[str]:
    """The text as a code block of Markdown, in which nothing is interpreted."""
    block = printable(text)
    fence = "`" * max(3, _longest_run(block) + 1)
    return [f"{fence}{language}", *block.split("\n"), fence]


def _longest_run(text: str) -> int:
    return max(map(len, re.findall("`+", text)), default=0)
