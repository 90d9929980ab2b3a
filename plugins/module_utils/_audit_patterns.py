# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Texts that match the patterns of policies, and ARNs of principals that match them. Standard library only.

In a pattern, `*` stands for any characters, colons and slashes included, and `?` for one character.
"""

from __future__ import annotations

import functools
import itertools
import re
import typing as t

#: In place of a wildcard: a text that another pattern matches only if it matches every text there, because names in AWS
#: do not have this character.
FRESH = "~~~~~~~"
#: At most so many patterns of one key are combined in pairs.
PAIRED = 12
#: An ARN of a principal that acts: a user, a role, or a session.
_ENTITIES = ("iam::{}:user/*", "iam::{}:role/*", "sts::{}:assumed-role/*/*", "sts::{}:federated-user/*")
_OWN_ACCOUNT = re.compile(r"(?:[^:]*:){4}([0-9]{12}):.*", re.DOTALL)
_OWN_PARTITION = re.compile(r"arn:(aws[a-z-]*):")


def has_wildcards(text: str) -> bool:
    return "*" in text or "?" in text


@functools.lru_cache(maxsize=16384)
def common(first: str, second: str, fill: str = "x", longest: bool = False) -> str | None:
    """A text that both patterns match; None if no text matches both.

    :param fill: in place of wildcards of both patterns. With `*`, the result is a pattern that is within both
    :param longest: whether parts of the patterns do not overlap, if that is possible
    """
    one, best = ("?" if fill == "*" else fill[0]), (max if longest else min)
    start = _same_start(first, second)
    first, second = first[len(start) :], second[len(start) :]
    if first and second and first[0] != second[0] and not {"*", "?"} & {first[0], second[0]}:
        return None
    below: list[str | None] = []
    for i in range(len(first), -1, -1):
        row: list[str | None] = [None] * (len(second) + 1)
        for j in range(len(second), -1, -1):
            a, b = first[i : i + 1], second[j : j + 1]
            options = [below[j] if a == "*" else None, row[j + 1] if b == "*" else None]
            if not a and not b:
                options = [""]
            elif a == b == "*":
                options = [_joined(fill, option) for option in options]
            elif a == "*" and b:
                options.append(_joined(one if b == "?" else b, row[j + 1]))
            elif b == "*" and a:
                options.append(_joined(one if a == "?" else a, below[j]))
            elif a and b and (a == b or "?" in (a, b)):
                options.append(_joined(one if a == b == "?" else b if a == "?" else a, below[j + 1]))
            row[j] = best((option for option in options if option is not None), key=len, default=None)
        below = row
    return _joined(start, below[0])


def _same_start(first: str, second: str) -> str:
    """The text with which both patterns begin, without wildcards."""
    pairs = itertools.takewhile(lambda pair: pair[0] == pair[1] and not has_wildcards(pair[0]), zip(first, second))
    return "".join(one for one, _other in pairs)


def _joined(start: str, rest: str | None) -> str | None:
    return None if rest is None else start + rest


def texts_of(patterns: t.Iterable[str]) -> list[str]:
    """Texts that match one of the patterns or two of them, and no other one if possible."""
    listed = list(dict.fromkeys(patterns))
    found = [common(one, "*", fill, True) for one in listed for fill in ("x", FRESH)]
    for one, other in itertools.combinations(listed[:PAIRED], 2):
        found += [common(one, other, FRESH, longest) for longest in (False, True)]
    return list(dict.fromkeys(text for text in found if text is not None))


def account_in(pattern: str) -> str:
    """The account in a pattern of ARNs; empty if it has wildcards there, or is not an ARN."""
    match = _OWN_ACCOUNT.fullmatch(pattern)
    return match[1] if match else ""


def within_account(pattern: str, account: str, partition: str) -> list[str]:
    """The patterns of the ARNs of users, roles and sessions of an account that match a pattern of ARNs.

    :param account: an account ID, or a pattern of them
    :param partition: of the ARNs, if the pattern names none
    """
    match = _OWN_PARTITION.match(pattern)
    start = f"arn:{match[1] if match else partition}:"
    matched = (common(pattern, start + entity.format(account), "*") for entity in _ENTITIES)
    found = [text for text in matched if text is not None]
    # Names have no colons. Sessions act with the ARNs of their roles.
    found = [text for text in found if ":" not in text.split(":", 5)[5] or text == pattern]
    return [text for text in found if ":iam:" in text] or found


def root_within(pattern: str, account: str, partition: str) -> str:
    """The ARN of the root user of an account; empty if it does not match a pattern of ARNs.

    :param partition: of the ARN, if the pattern names none
    """
    match = _OWN_PARTITION.match(pattern)
    return common(pattern, f"arn:{match[1] if match else partition}:iam::{account}:root") or ""


def account_pattern(pattern: str, partition: str) -> str:
    """The pattern of account IDs in a pattern of ARNs; empty if it matches every ID or none.

    :param partition: of the ARNs, if the pattern names none
    """
    segments = pattern.split(":", 5)
    some = "?" * 12
    if len(segments) < 6:
        segments = next((text.split(":", 5) for text in within_account(pattern, some, partition)), segments)
    found = common(segments[4], some, "*") if len(segments) == 6 else None
    return found if found and found != some else ""


def named_within(pattern: str, account: str, found: t.Sequence[str]) -> str:
    """The name of the principals of an account that match a pattern of ARNs.

    :param found: their patterns, from `within_account`
    """
    segments = pattern.split(":", 5)
    if len(segments) == 6 and common(segments[4], account):
        return ":".join([*segments[:4], account, segments[5]])
    return min(found, key=lambda text: (len(text), ":role/" not in text))


def account_within(pattern: str) -> str:
    """An account ID that matches a pattern of account IDs; empty if no ID matches."""
    found = common(pattern, "?" * 12, "0")
    return found if found and re.fullmatch(r"[0-9]{12}", found) else ""
