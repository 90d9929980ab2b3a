# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""What a request is about: the keys of its context, and the policy variables that stand for them.

A key that the request may carry, but that is not known here, has no value that anything could be decided by: it is
neither present nor absent. Keys are compared without regard to case.

Source: IAM User Guide, "IAM policy elements: Variables and tags" and "The request context".
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import Answer, unknown
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import Template

#: Every key begins with this: a context that is known completely.
COMPLETE = ("",)

_VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"([\w.:/=+@ -]+?)(?:, '([^']*)')?")
_SPECIAL = ("*", "?", "$")


@dataclass(frozen=True)
class Context:
    """The keys of a request.

    :param values: by the key in lower case; each has one value, or several
    :param closed: the beginnings of keys that the request does not carry unless `values` has them
    """

    values: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: tuple[str, ...] = COMPLETE
    #: Keys that came in several spellings with different values.
    ambiguous: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: t.Mapping[str, t.Sequence[str]], closed: tuple[str, ...] = COMPLETE) -> Context:
        """A context from its keys as AWS spells them."""
        values: dict[str, tuple[str, ...]] = {}
        ambiguous = set()
        for key, several in given.items():
            if values.setdefault(key.lower(), tuple(several)) != tuple(several):
                ambiguous.add(key.lower())
        return cls(values, tuple(prefix.lower() for prefix in closed), frozenset(ambiguous))

    def get(self, key: str) -> tuple[str, ...] | Answer:
        """The values of a key, none if it is absent, or why that is unknown."""
        name = key.lower()
        if name in self.ambiguous:
            return unknown(f"the request carries {key} in several spellings")
        if name in self.values:
            return self.values[name]
        if name.startswith(self.closed):
            return ()
        return unknown(f"it depends on {key}")


def expand(text: str, context: Context, with_variables: bool) -> Template | Answer | None:
    """A policy's text with its variables replaced, None if one of them has no value, or why that is unknown.

    :param with_variables: False in a document of version 2008-10-17, where `${...}` is plain text
    """
    if not with_variables or "${" not in text:
        return ((text, True),)
    if "${" in _VARIABLE.sub("", text):
        return unknown(f"{text!r} has a policy variable that is not complete")
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in _VARIABLE.finditer(text):
        pieces.append((text[end : match.start()], True))
        end = match.end()
        value = _value(match[1], context)
        if not isinstance(value, str):
            return value
        pieces.append((value, False))
    pieces.append((text[end:], True))
    return tuple(piece for piece in pieces if piece[0])


def _value(variable: str, context: Context) -> str | Answer | None:
    if variable in _SPECIAL:
        return variable
    name = _NAME.fullmatch(variable)
    if name is None:
        return unknown(f"${{{variable}}} is not a policy variable")
    values = context.get(name[1])
    if isinstance(values, Answer):
        return values
    if len(values) > 1:
        return unknown(f"${{{variable}}} has several values")
    return values[0] if values else name[2]
