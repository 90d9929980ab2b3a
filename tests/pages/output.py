# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the output that a page prints with the output of its commands."""

from __future__ import annotations

import difflib
import re

#: The parts that differ between two runs: the port of the registry, digests, times, and the folder.
_VARIABLE = (
    (re.compile(r"127\.0\.0\.1:\d+"), "127.0.0.1:PORT"),
    (re.compile(r"sha256:[0-9a-f]{64}"), "sha256:DIGEST"),
    (re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ"), "TIME"),
    (re.compile(r"(?<=[:\s\"'=])/\S+?/(?=\.lab/|docs/)"), "FOLDER/"),
    (re.compile(r"\*{3,}"), "***"),
    (re.compile(r"\s+"), " "),
)


def normal(line: str) -> str:
    """A line without the parts that differ between two runs."""
    for pattern, replacement in _VARIABLE:
        line = pattern.sub(replacement, line)
    return line.strip()


def stale_lines(printed: str, output: str) -> dict[str, str]:
    """The lines of a page that are not in the output in this order, each with the most similar line of the output.

    :param printed: a line `…` stands for omitted lines, and one that ends with `…` for any line that begins like it
    """
    there, position, stale = output.splitlines(), 0, {}
    for line in printed.splitlines():
        expected = normal(line)
        if expected in ("", "…"):
            continue
        fits = (number for number in range(position, len(there)) if _fits(expected, normal(there[number])))
        match = next(fits, None)
        if match is None:
            similar = difflib.get_close_matches(line, there[position:], 1, 0.5)
            stale[line] = similar[0].rstrip() if similar else ""
        else:
            position = match + 1
    return stale


def _fits(expected: str, line: str) -> bool:
    return line.startswith(expected[:-1].rstrip()) if expected.endswith("…") else line == expected
