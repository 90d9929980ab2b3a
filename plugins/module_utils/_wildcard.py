# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""IAM's wildcards: `*` is any run of characters, `?` is one character, and nothing else is special.

A template is a policy's text after its variables were replaced: pieces of text, each with or without wildcards. What a
variable brought in never acts as a wildcard. The match keeps the set of all positions in the pattern as one integer, so
its cost is the length of the text times the length of the pattern at most: no pattern makes it backtrack.

Source: IAM User Guide, "IAM JSON policy elements: Resource" and "IAM policy elements: Variables and tags".
"""

from __future__ import annotations

import functools
import typing as t

#: Pieces of text, and whether `*` and `?` are wildcards in each of them.
Template = tuple[tuple[str, bool], ...]


def literal(template: Template) -> str:
    """The text itself, for an operator without wildcards."""
    return "".join(text for text, _wild in template)


def matches(template: Template, text: str) -> bool:
    """Whether the whole text fits the template; upper and lower case differ."""
    return _pattern(template, False).fits(text)


def matches_in_segments(template: Template, arn: str) -> bool:
    """The same for an ARN, where only a `*` at the end of a segment reaches beyond the next colon."""
    return _pattern(template, True).fits(arn)


def matches_any_case(pattern: str, text: str) -> bool:
    """The same for an action, whose upper and lower case do not differ."""
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
        """The positions, and those behind a `*`, which may stand for nothing."""
        return at | (at & self.many) << 1


@functools.lru_cache(maxsize=4096)
def _pattern(template: Template, segments: bool) -> _Pattern:
    characters: list[tuple[str, bool]] = []
    for text, wild in template:
        for character in text:
            if not (wild and character == "*" and characters[-1:] == [("*", True)]):  # two are the same as one
                characters.append((character, wild))
    return _Pattern(characters, segments)
