# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Answers that may be unknown: yes, no, or unknown, each with its reason. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass


@dataclass(frozen=True)
class Answer:
    """Whether something holds; None if that is unknown. The reason is a clause for people, and may be empty."""

    holds: bool | None
    reason: str = ""


YES, NO = Answer(True), Answer(False)


def unknown(reason: str) -> Answer:
    """The answer to a question that cannot be decided here."""
    return Answer(None, reason)


def whether(holds: bool) -> Answer:
    """The answer of a plain comparison."""
    return YES if holds else NO


def opposite(answer: Answer) -> Answer:
    """Not: unknown remains unknown."""
    return answer if answer.holds is None else Answer(not answer.holds, answer.reason)


def every(answers: t.Iterable[Answer]) -> Answer:
    """And: one no decides, whatever is unknown."""
    return _combined(answers, decisive=False)


def some(answers: t.Iterable[Answer]) -> Answer:
    """Or: one yes decides, whatever is unknown."""
    return _combined(answers, decisive=True)


def _combined(answers: t.Iterable[Answer], decisive: bool) -> Answer:
    first_unknown = last = None
    for answer in answers:
        if answer.holds is decisive:
            return answer
        if answer.holds is None:
            first_unknown = first_unknown or answer
        last = last or answer
    return first_unknown or last or Answer(not decisive)
