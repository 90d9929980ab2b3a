# SPDX-License-Identifier: GPL-3.0-or-later
"""Searches for secrets in all encodings."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterable, Iterator


class Secrets:
    """Finds any 31 consecutive characters of a secret or of its encoded forms."""

    GRAM, STRIDE = 12, 20

    def __init__(self, values: Iterable[str]) -> None:
        self.values = list(dict.fromkeys(values))
        assert min(map(len, self.values)) >= 40
        self._grams: dict[bytes, str] = {}
        for number, value in enumerate(self.values):
            # All session tokens begin with the same characters, which are not secret.
            for form, content in forms(value.removeprefix("IQoJb3JpZ2luX2Vj")):
                name = f"secret {number}, {form}"
                for start in range(len(content) - self.GRAM + 1):
                    self._grams.setdefault(content[start : start + self.GRAM], name)

    def within(self, content: bytes) -> set[str]:
        """The secrets in a content, each with its form."""
        # Any 31 consecutive characters contain one of these pieces.
        pieces = {content[at : at + self.GRAM] for at in range(0, len(content) - self.GRAM + 1, self.STRIDE)}
        return {self._grams[piece] for piece in pieces & self._grams.keys()}


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """The value in plain text, and encoded for URLs, JSON, base64 (alone and after other text) and hexadecimal."""
    content = value.encode()
    yield "plain", content
    yield "quoted", urllib.parse.quote(value, safe="").encode()
    yield "JSON", value.replace("/", "\\/").encode()
    yield "hexadecimal", content.hex().encode()
    for before in range(3):
        # The first and the last four characters also depend on the adjacent bytes.
        encoded = base64.b64encode(bytes(before) + content)[4:-4]
        yield f"base64 behind {before}", encoded
        yield f"urlsafe base64 behind {before}", encoded.replace(b"+", b"-").replace(b"/", b"_")
