# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A YAML loader for untrusted text, which accepts only strings, lists and dictionaries.

It processes the events of the parser: it resolves no tags, expands no aliases, and stops at the first violation.
"""

from __future__ import annotations

import typing as t

import yaml
import yaml.resolver
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: The maximum depth of nested collections: the document, an IAM policy, its statements, a statement, its actions.
MAXIMUM_DEPTH = 5
#: The maximum number of strings: three lists of 10,000 names, and the other values. Without libyaml, PyYAML reads this
#: many strings within a few seconds.
MAXIMUM_STRINGS = 40_000
_STRING = "tag:yaml.org,2002:str"
#: An object of PyYAML. Its type stubs lack the attributes of events and the types of the resolver.
Event = t.Any
_RESOLVER: Event = yaml.resolver.Resolver()
Value = t.Union[str, list["Value"], dict[str, "Value"]]


def load(text: str, source: str) -> dict[str, Value]:
    """Load a text with exactly one document, which must be a dictionary.

    :param source: the name of the text in messages, such as the path of the file
    :raises EcrError: if the text is not valid; the message names the line
    """
    try:
        document = _Builder(yaml.parse(text, Loader=yaml.SafeLoader)).document()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = f", line {mark.line + 1}" if mark else ""
        raise EcrError(f"{source}{line}: {error.problem or error.context}. {_NEXT_STEP}") from None
    except yaml.YAMLError as error:  # a character that YAML does not allow
        raise EcrError(f"{source}: {str(error).splitlines()[0]}. {_NEXT_STEP}") from None
    if not isinstance(document, dict):
        raise EcrError(
            f'{source}: the text is not a hand-off, which has lines such as ecr_pull_role_arn: "…". {_NEXT_STEP}'
        )
    return document


_NEXT_STEP = "Use the hand-off exactly as the owner account wrote it."


class _Builder:
    """Builds the document from events.

    :raises yaml.MarkedYAMLError: for every element of YAML that a hand-off does not need
    """

    def __init__(self, events: t.Iterator[Event]) -> None:
        self._events = events
        self._strings = 0

    def document(self) -> Value | None:
        next(self._events)  # the start of the stream
        event = next(self._events)
        if isinstance(event, yaml.StreamEndEvent):
            return None
        if event.tags:
            self._refuse(event, "tags are not allowed")
        value = self._value(next(self._events), MAXIMUM_DEPTH)
        next(self._events)  # the end of the document
        event = next(self._events)
        if not isinstance(event, yaml.StreamEndEvent):
            self._refuse(event, "a second document is not allowed")
        return value

    def _refuse(self, event: Event, problem: str) -> t.NoReturn:
        raise yaml.MarkedYAMLError(problem=problem, problem_mark=event.start_mark)

    def _value(self, event: Event, depth: int) -> Value:
        if isinstance(event, yaml.AliasEvent) or event.anchor is not None:
            self._refuse(event, "anchors and aliases are not allowed")
        if event.tag is not None:
            self._refuse(event, f"tag {event.tag} is not allowed")
        if isinstance(event, yaml.ScalarEvent):
            return self._string(event)
        if not depth:
            self._refuse(event, f"more than {MAXIMUM_DEPTH} levels of lists and dictionaries are not allowed")
        return self._list(depth) if isinstance(event, yaml.SequenceStartEvent) else self._dictionary(depth)

    def _string(self, event: Event) -> str:
        self._strings += 1
        if self._strings > MAXIMUM_STRINGS:
            self._refuse(event, f"more than {MAXIMUM_STRINGS} strings are not allowed")
        resolved = _RESOLVER.resolve(yaml.ScalarNode, event.value, event.implicit)
        if resolved != _STRING:
            shown = repr(event.value[:40]) if event.value else "an empty value"
            self._refuse(event, f"{shown} is not a string; quote it")
        try:
            # JSON escapes a character beyond U+FFFF as two surrogates, which YAML reads as two characters.
            return str(event.value.encode("utf-16", "surrogatepass").decode("utf-16"))
        except UnicodeDecodeError:
            self._refuse(event, "a string is not Unicode text")

    def _list(self, depth: int) -> list[Value]:
        values: list[Value] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            values.append(self._value(event, depth - 1))
        return values

    def _dictionary(self, depth: int) -> dict[str, Value]:
        values: dict[str, Value] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = str(self._value(event, 0))
            if key in values:
                self._refuse(event, f"key {key} occurs twice")
            values[key] = self._value(next(self._events), depth - 1)
        return values
