# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Suggestions for names that do not exist. Standard library only."""

from __future__ import annotations

import difflib
import typing as t


def did_you_mean(name: str, valid: t.Iterable[str]) -> str:
    """A question to append to a message; empty if no valid name resembles `name`."""
    nearest = difflib.get_close_matches(name, list(valid), 1)
    return f" Did you mean {nearest[0]}?" if nearest else ""


def sentence(text: str) -> str:
    """The output of a program as a sentence: with a period at the end unless it has other punctuation."""
    return text if text.endswith((".", "?", "!")) else f"{text}."
