# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Three-valued logic: yes, no or unknown, each with a reason. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Ternary:
    """A three-valued result.

    :param holds: True, False, or None if it is unknown
    :param reason: a clause for messages; may be empty
    """

    holds: bool | None
    reason: str = ""


YES, NO = Ternary(True), Ternary(False)


def unknown(reason: str) -> Ternary:
    """An unknown result."""
    return Ternary(None, reason)


def whether(holds: bool) -> Ternary:
    """The result of a boolean comparison."""
    return YES if holds else NO


def opposite(answer: Ternary) -> Ternary:
    """Logical not. Unknown remains unknown."""
    return answer if answer.holds is None else Ternary(not answer.holds, answer.reason)


def every(answers: t.Iterable[Ternary]) -> Ternary:
    """Logical and. One no is sufficient for no, even if other results are unknown."""
    return _combined(answers, decisive=False)


def some(answers: t.Iterable[Ternary]) -> Ternary:
    """Logical or. One yes is sufficient for yes, even if other results are unknown."""
    return _combined(answers, decisive=True)


def _combined(answers: t.Iterable[Ternary], decisive: bool) -> Ternary:
    first_unknown = last = None
    for answer in answers:
        if answer.holds is decisive:
            return answer
        if answer.holds is None:
            first_unknown = first_unknown or answer
        last = last or answer
    return first_unknown or last or Ternary(not decisive)
