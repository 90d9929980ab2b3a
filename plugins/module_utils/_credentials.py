# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Validates AWS keys and a region before they are used. Standard library only.

No message contains a key.
"""

from __future__ import annotations

import re
import typing as t

_LINE_BREAK = re.compile(r"[\r\n]")
_ZONE = re.compile(r"([a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2})[a-z]")
#: The characters of an HTTP header value that SigV4 can sign: printable ASCII. Source: RFC 9110, section 5.5.
_HEADER = re.compile(r"[\x21-\x7e]*")


def key_problems(access_key: str | None, secret_key: str | None, session_token: str | None) -> t.Iterator[str]:
    """Problems with keys."""
    for name, value in (
        ("access key ID", access_key),
        ("secret access key", secret_key),
        ("session token", session_token),
    ):
        if value:
            yield from header_problems(name, value)
    if bool(access_key) != bool(secret_key):
        missing, present = (
            ("secret access key", "access key ID") if access_key else ("access key ID", "secret access key")
        )
        yield f"There is {_article(present)} {present} but no {missing}. Set both, or none of them."


def header_problems(name: str, value: str) -> t.Iterator[str]:
    """Reasons why an HTTP header cannot contain a value."""
    if _LINE_BREAK.search(value):
        yield f"The {name} contains a line break. Remove it where the value is stored, and run again."
    elif value != value.strip():
        yield f"The {name} begins or ends with white space. Remove it where the value is stored, and run again."
    elif not _HEADER.fullmatch(value):
        yield (
            f"The {name} contains a character that is not printable ASCII. Copy the value again where it is"
            " stored, and run again."
        )


def _article(name: str) -> str:
    return "an" if name[0] in "aeiou" else "a"


def zone_problem(region: str) -> t.Iterator[str]:
    """The problem with a region that is the name of an Availability Zone."""
    match = _ZONE.fullmatch(region)
    if match:
        yield f"region {region!r} is an Availability Zone. Set the region {match[1]}, also in the profile."
