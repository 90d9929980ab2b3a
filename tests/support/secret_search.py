# SPDX-License-Identifier: GPL-3.0-or-later
"""A search for secrets in any form."""

from __future__ import annotations

import base64
import urllib.parse
from collections.abc import Iterable, Iterator


class Secrets:
    """Finds 31 characters in a row of a secret, or of any form that it may take on its way."""

    GRAM, STRIDE = 12, 20

    def __init__(self, values: Iterable[str]) -> None:
        self.values = list(dict.fromkeys(values))
        assert min(map(len, self.values)) >= 40
        self._grams: dict[bytes, str] = {}
        for number, value in enumerate(self.values):
            # The beginning of all session tokens is not a secret, and the tokens of other tests have it as well.
            for form, content in forms(value.removeprefix("IQoJb3JpZ2luX2Vj")):
                for start in range(len(content) - self.GRAM + 1):
                    self._grams.setdefault(content[start : start + self.GRAM], f"secret {number}, {form}")

    def within(self, content: bytes) -> set[str]:
        """Which secrets the content holds, in which form."""
        # Any 31 characters hold one of these pieces as a whole.
        pieces = {content[at : at + self.GRAM] for at in range(0, len(content) - self.GRAM + 1, self.STRIDE)}
        return {self._grams[piece] for piece in pieces & self._grams.keys()}


def forms(value: str) -> Iterator[tuple[str, bytes]]:
    """The value itself, and as it looks in URLs, JSON, base64 (alone and behind other text) and hexadecimal."""
    content = value.encode()
    yield "plain", content
    yield "quoted", urllib.parse.quote(value, safe="").encode()
    yield "JSON", value.replace("/", "\\/").encode()
    yield "hexadecimal", content.hex().encode()
    for before in range(3):
        # The first and the last four characters depend on the neighbours as well.
        encoded = base64.b64encode(bytes(before) + content)[4:-4]
        yield f"base64 behind {before}", encoded
        yield f"urlsafe base64 behind {before}", encoded.replace(b"+", b"-").replace(b"/", b"_")
