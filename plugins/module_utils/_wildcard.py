# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Matches the wildcards of IAM: `*` matches any characters, and `?` matches one character. Standard library only.

A template is the text of a policy after its variables were replaced. It consists of pieces of text with or without
wildcards. The value of a variable never acts as a wildcard. The match stores the set of possible positions in the
pattern in one integer. It never backtracks, so its cost is at most the product of the lengths of text and pattern.

Source: IAM User Guide, "IAM JSON policy elements: Resource" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import functools
import typing as t

#: Pieces of text, each with a flag whether `*` and `?` are wildcards.
Template = tuple[tuple[str, bool], ...]


def literal(template: Template) -> str:
    """The text of a template, for an operator without wildcards."""
    return "".join(text for text, _wild in template)


@functools.lru_cache(maxsize=16384)
def matches(template: Template, text: str) -> bool:
    """Whether the whole text matches the template, with regard to case."""
    return _pattern(template, False).fits(text)


@functools.lru_cache(maxsize=16384)
def matches_in_segments(template: Template, arn: str) -> bool:
    """Whether an ARN matches the template. Only a `*` at the end of a segment matches colons."""
    return _pattern(template, True).fits(arn)


@functools.lru_cache(maxsize=16384)
def matches_any_case(pattern: str, text: str) -> bool:
    """Whether an action matches the pattern, without regard to case."""
    return matches(((pattern.lower(), True),), text.lower())


class _Pattern:
    def __init__(self, characters: t.Sequence[tuple[str, bool]], segments: bool) -> None:
        self.masks: dict[str, int] = {}
        self.one = self.many = self.crossing = 0
        for position, (character, wild) in enumerate(characters):
            bit = 1 << position
            if wild and character == "*":
                self.many |= bit
                if not segments or characters[position + 1 : position + 2] in ([], [(":", False)], [(":", True)]):
                    self.crossing |= bit
            elif wild and character == "?":
                self.one |= bit
            else:
                self.masks[character] = self.masks.get(character, 0) | bit
        self.end = 1 << len(characters)
        self.one_for_colon = 0 if segments else self.one

    def fits(self, text: str) -> bool:
        at = self._skip(1)
        for character in text:
            one, many = (self.one_for_colon, self.crossing) if character == ":" else (self.one, self.many)
            at = self._skip(((at & (one | self.masks.get(character, 0))) << 1) | (at & many))
            if not at:
                return False
        return bool(at & self.end)

    def _skip(self, at: int) -> int:
        """The positions, and the positions after each `*` at them, because `*` may match no characters."""
        return at | (at & self.many) << 1


@functools.lru_cache(maxsize=4096)
def _pattern(template: Template, segments: bool) -> _Pattern:
    characters: list[tuple[str, bool]] = []
    for text, wild in template:
        for character in text:
            if not (wild and character == "*" and characters[-1:] == [("*", True)]):  # `**` is equal to `*`
                characters.append((character, wild))
    return _Pattern(characters, segments)
