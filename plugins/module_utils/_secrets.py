# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Masks the known secrets of this process in its output. Standard library only.

A secret is found in plain text, escaped (URL, JSON, Python, HTML), in hexadecimal and in base64, even if white space
splits it, as in a wrapped line. PART consecutive characters of any of these forms are sufficient.
"""

from __future__ import annotations

import base64
import html
import json
import os
import re
import typing as t
import urllib.parse

MASK = "********"
#: The number of consecutive characters that count as a part of a secret.
PART = 12
#: The minimum length of a secret. Masking shorter values would mask digits and words of any text.
SHORTEST = 8
#: The environment variables and the module options, with their aliases, that contain a secret. An external ID is not a
#: secret.
_NAMES = (
    *("AWS_SECRET_ACCESS_KEY", "AWS_SECRET_KEY", "AWS_SESSION_TOKEN", "AWS_SECURITY_TOKEN"),
    *("AWS_CONTAINER_AUTHORIZATION_TOKEN", "AWS_BEARER_TOKEN"),
    *("secret_key", "aws_secret_access_key", "aws_secret_key", "session_token", "aws_session_token", "registry_token"),
)

#: A character in plain text, or escaped in a URL, in JSON, in Python or in HTML.
_CHARACTER = re.compile(
    r"%[0-9a-f]{2}|\\u[0-9a-f]{4}|\\x[0-9a-f]{2}|\\.|&(?:#\d{1,7}|#x[0-9a-f]{1,6}|amp|lt|gt|quot|apos);|.", re.I | re.S
)
_CONTROL = {"n": "\n", "r": "\r", "t": "\t"}

Value = t.TypeVar("Value")


def _unescaped(character: str) -> str:
    if character[0] == "&":
        return html.unescape(character) or character
    if len(character) < 3:
        last = character[-1]
        return _CONTROL.get(last, last) if len(character) == 2 else last
    return chr(int(character.lstrip("%\\uUxX"), 16))


def _in_base64(content: bytes) -> t.Iterator[str]:
    """The base64 characters that depend only on `content`, for its three possible offsets in a longer text."""
    for before, unsure in ((b"", 0), (b"\0", 2), (b"\0\0", 3)):
        encoded = base64.b64encode(before + content).decode()
        known = len(before + content) * 8 // 6  # the last character may include bits of the following text
        yield encoded[unsure:known]


def _forms(secret: str) -> t.Iterator[str]:
    content = secret.encode("utf-8", "surrogatepass")
    yield "".join(secret.split())
    python, as_json = repr(secret)[1:-1], json.dumps(secret)[1:-1]
    yield from (secret, python, as_json, as_json.replace("/", "\\/"))
    yield from (repr(python)[1:-1], json.dumps(as_json)[1:-1])  # as a quoted text inside another text
    yield from (
        urllib.parse.quote(content, safe=""),
        urllib.parse.quote_plus(content),
        content.hex(),
        content.hex().upper(),
    )
    for encoded in _in_base64(content):
        yield from (encoded, encoded.replace("+", "-").replace("/", "_"))


class Secrets:
    """A set of known secrets. Its `repr` does not show them.

    :param environment: environment variables whose secrets are masked as well. They are read for each text, because a
        process may change them
    """

    def __init__(self, environment: t.Mapping[str, str] | None = None) -> None:
        self._environment = {} if environment is None else environment
        self._values: set[str] = set()
        self._parts: dict[int, set[str]] = {}

    def __repr__(self) -> str:
        return f"<Secrets: {len(self._values)}>"

    def add(self, *secrets: str | None) -> None:
        """Add secrets. For a registry token, which is base64 of `user:password`, the password is also added."""
        for secret in secrets:
            for value in (secret, secret.strip(), _password_of(secret)) if secret else ():
                if len(value) >= SHORTEST and value not in self._values:
                    self._values.add(value)
                    for form in set(_forms(value)):
                        width = min(PART, len(form))
                        parts = self._parts.setdefault(width, set())
                        parts.update(form[at : at + width] for at in range(len(form) - width + 1))

    def add_from(self, values: t.Mapping[str, object]) -> None:
        """Add the secrets in environment variables or in the options of a module."""
        for name in _NAMES:
            value = values.get(name)
            self.add(value if isinstance(value, str) else None)

    def mask(self, value: Value) -> Value:
        """The value with secrets masked in every string of its lists, tuples and dictionaries."""
        self.add_from(self._environment)
        return self._masked(value) if self._parts else value

    def _masked(self, value: Value) -> Value:
        masked: object = value
        if isinstance(value, str):
            masked = self._text(value)
        elif isinstance(value, dict):
            masked = {self._masked(key): self._masked(content) for key, content in value.items()}
        elif isinstance(value, list):
            masked = [self._masked(content) for content in value]
        elif isinstance(value, tuple):
            masked = tuple(self._masked(content) for content in value)
        return t.cast(Value, masked)

    def _parts_in(self, content: str) -> list[tuple[int, int]]:
        """The start and the end of each part of a secret."""
        return [
            (at, at + width)
            for width, parts in self._parts.items()
            for at in range(len(content))
            if content[at : at + width] in parts
        ]

    def _text(self, text: str) -> str:
        hit = bytearray(len(text))
        for start, end in self._parts_in(text):
            hit[start:end] = b"\1" * (end - start)
        is_escaped = "\\" in text or "%" in text or "&" in text
        plain = _CHARACTER.sub(lambda match: _unescaped(match[0]), text) if is_escaped else text
        joined = "".join(plain.split())
        for content, has_spaces in ((plain, True), (joined, False)):
            found = self._parts_in(content) if content != text else []
            if found:
                characters = [(_unescaped(match[0]), match.span()) for match in _CHARACTER.finditer(text)]
                spans = [span for character, span in characters if has_spaces or not character.isspace()]
                for first, end in found:
                    hit[spans[first][0] : spans[end - 1][1]] = b"\1" * (spans[end - 1][1] - spans[first][0])
        if not any(hit):
            return text
        return re.sub(
            "\0+",
            MASK,
            "".join("\0" if marked else character for character, marked in zip(text.replace("\0", " "), hit)),
        )


def _password_of(secret: str) -> str:
    """The password in a registry token; empty for any other secret."""
    try:
        return base64.b64decode(secret, validate=True).decode().partition(":")[2]
    except ValueError:
        return ""


#: The secrets of this process. Sessions, registries and action plugins add the secrets that they receive.
KNOWN = Secrets(os.environ)
