# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The context of a request: the values of its condition keys, and the policy variables that refer to them.

A key may be present, absent or unknown. A comparison with an unknown key has an unknown result. Keys are compared
without regard to case.

Source: IAM User Guide, "IAM policy elements: Variables and tags" and "The request context".
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import Ternary, unknown
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import Template

#: The prefix of every key: all keys of the context are known.
COMPLETE = ("",)

#: The values of a key that is unknown, although `closed` has it. No request has this text.
OPEN = ("\0",)

#: A policy variable in a text of a policy.
VARIABLE = re.compile(r"\$\{([^{}]*)\}")
_NAME = re.compile(r"([\w.:/=+@ -]+?)(?:, '([^']*)')?")
_SPECIAL = ("*", "?", "$")


@dataclass(frozen=True)
class Context:
    """The context keys of a request.

    :param values: the values of each key, by the key in lower case
    :param closed: prefixes of keys that are absent unless `values` has them; other keys are unknown
    """

    values: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    closed: tuple[str, ...] = COMPLETE
    #: Keys that were given several times, in different case and with different values.
    ambiguous: frozenset[str] = frozenset()

    @classmethod
    def of(cls, given: t.Mapping[str, t.Sequence[str]], closed: tuple[str, ...] = COMPLETE) -> Context:
        """A context from keys in the spelling of AWS."""
        values: dict[str, tuple[str, ...]] = {}
        ambiguous = set()
        for key, several in given.items():
            if values.setdefault(key.lower(), tuple(several)) != tuple(several):
                ambiguous.add(key.lower())
        return cls(values, tuple(prefix.lower() for prefix in closed), frozenset(ambiguous))

    def get(self, key: str) -> tuple[str, ...] | Ternary:
        """The values of a key, empty if the key is absent, or an unknown result with the reason."""
        name = key.lower()
        if name in self.ambiguous:
            return unknown(f"the request carries {key} in several spellings")
        if name in self.values:
            values = self.values[name]
            return values if values != OPEN else unknown(f"it depends on {key}")
        if name.startswith(self.closed):
            return ()
        return unknown(f"it depends on {key}")


def expand(text: str, context: Context, with_variables: bool) -> Template | Ternary | None:
    """The text of a policy with its variables replaced; None if a variable has no value; unknown if a value is unknown.

    :param with_variables: False in a document of version 2008-10-17, where `${...}` is plain text
    """
    if not with_variables or "${" not in text:
        return ((text, True),)
    if "${" in VARIABLE.sub("", text):
        return unknown(f"{text!r} has a policy variable that is not complete")
    pieces: list[tuple[str, bool]] = []
    end = 0
    for match in VARIABLE.finditer(text):
        pieces.append((text[end : match.start()], True))
        end = match.end()
        value = _value(match[1], context)
        if not isinstance(value, str):
            return value
        pieces.append((value, False))
    pieces.append((text[end:], True))
    return tuple(piece for piece in pieces if piece[0])


def _value(variable: str, context: Context) -> str | Ternary | None:
    if variable in _SPECIAL:
        return variable
    name = _NAME.fullmatch(variable)
    if name is None:
        return unknown(f"${{{variable}}} is not a policy variable")
    values = context.get(name[1])
    if isinstance(values, Ternary):
        return values
    if len(values) > 1:
        return unknown(f"${{{variable}}} has several values")
    return values[0] if values else name[2]
