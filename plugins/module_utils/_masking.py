# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Removes a registry token from foreign text and data. Standard library only."""

from __future__ import annotations

import base64
import re

MASK = "********"


def _spelled(character: str) -> str:
    """A character as it is, in a URL, or in JSON."""
    if character.isalnum():
        return character
    return rf"(?:\\?{re.escape(character)}|(?i:%{ord(character):02x}|\\u{ord(character):04x}))"


def _forms(secret: str) -> list[str]:
    content = secret.encode("utf-8", "surrogatepass")
    encoded = base64.b64encode(content).decode().rstrip("=")
    return ["".join(map(_spelled, secret)), f"(?i:{content.hex()})", "".join(map(_spelled, encoded))]


def token_pattern(token: str) -> re.Pattern[str]:
    """Matches a registry token, which is base64 of `user:password`, and its password.

    Both are found as they are, in a URL, in JSON, in hexadecimal and in base64.
    """
    secrets = [token]
    try:
        secrets.append(base64.b64decode(token, validate=True).decode().partition(":")[2])
    except ValueError:
        pass  # another form of token: there is nothing else to look for
    return re.compile("|".join(form for secret in filter(None, secrets) for form in _forms(secret)) or r"(?!)")


def mask(value: object, pattern: re.Pattern[str]) -> object:
    """`value` without what `pattern` matches, in every string of its lists and dictionaries."""
    if isinstance(value, str):
        return pattern.sub(MASK, value)
    if isinstance(value, dict):
        return {mask(key, pattern): mask(content, pattern) for key, content in value.items()}
    return [mask(content, pattern) for content in value] if isinstance(value, list) else value
