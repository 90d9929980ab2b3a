# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The secrets that this process knows, and the filter that removes them from everything that leaves it.

A secret is found as it is, escaped (URL, JSON, Python), in hexadecimal, in base64, and in parts: a run of PART
characters of any of these forms is enough. Standard library only.
"""

from __future__ import annotations

import base64
import json
import re
import typing as t
import urllib.parse

MASK = "********"
#: Characters in a row that count as a part of a secret.
PART = 16
#: A shorter value is no secret: masking it would hide digits and words of every text.
SHORTEST = 8

Value = t.TypeVar("Value")


def _in_base64(content: bytes) -> t.Iterator[str]:
    """The characters of base64 that depend on `content` alone, for each of its three positions in a longer text."""
    for before, unsure in ((b"", 0), (b"\0", 2), (b"\0\0", 3)):
        encoded = base64.b64encode(before + content).decode()
        known = len(before + content) * 8 // 6  # the last character may hold bits of what follows
        yield encoded[unsure:known]


def _forms(secret: str) -> t.Iterator[str]:
    content = secret.encode("utf-8", "surrogatepass")
    python, as_json = repr(secret)[1:-1], json.dumps(secret)[1:-1]
    yield from (secret, python, as_json, as_json.replace("/", "\\/"))
    yield from (repr(python)[1:-1], json.dumps(as_json)[1:-1])  # in a text within a text
    yield from (
        urllib.parse.quote(content, safe=""),
        urllib.parse.quote_plus(content),
        content.hex(),
        content.hex().upper(),
    )
    for encoded in _in_base64(content):
        yield from (encoded, encoded.replace("+", "-").replace("/", "_"))


class Secrets:
    """The secrets that were added. Its text form shows none of them."""

    def __init__(self) -> None:
        self._values: set[str] = set()
        self._parts: dict[int, set[str]] = {}

    def __repr__(self) -> str:
        return f"<Secrets: {len(self._values)}>"

    def add(self, *secrets: str | None) -> None:
        """Add secrets. A registry token, base64 of `user:password`, is added with its password."""
        for secret in secrets:
            for one in (secret, secret.strip(), _password_of(secret)) if secret else ():
                if len(one) >= SHORTEST and one not in self._values:
                    self._values.add(one)
                    for form in _forms(one):
                        width = min(PART, len(form))
                        parts = self._parts.setdefault(width, set())
                        parts.update(form[at : at + width] for at in range(len(form) - width + 1))

    def mask(self, value: Value) -> Value:
        """`value` without the secrets, in every string of its lists, tuples and dictionaries."""
        masked: object = value
        if isinstance(value, str):
            masked = self._text(value)
        elif isinstance(value, dict):
            masked = {self.mask(key): self.mask(content) for key, content in value.items()}
        elif isinstance(value, (list, tuple)):
            masked = type(value)(self.mask(content) for content in value)
        return t.cast(Value, masked)

    def _text(self, text: str) -> str:
        hit = bytearray(len(text))
        for width, parts in self._parts.items():
            for at in range(len(text) - width + 1):
                if text[at : at + width] in parts:
                    hit[at : at + width] = b"\1" * width
        if not any(hit):
            return text
        return re.sub(
            "\0+", MASK, "".join("\0" if marked else one for one, marked in zip(text.replace("\0", " "), hit))
        )


def _password_of(secret: str) -> str:
    """The password in a registry token; empty for any other secret."""
    try:
        return base64.b64decode(secret, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


#: All secrets of this process. Sessions, registries and action plugins add what they get.
KNOWN = Secrets()
