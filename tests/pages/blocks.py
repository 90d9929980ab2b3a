# SPDX-License-Identifier: GPL-3.0-or-later
"""The blocks of a page that a reader types, writes to a file, or compares with the output.

On a page in reStructuredText or Markdown, these blocks have a meaning:

- `shell`: commands. They run as printed, in the order of the page.
- `text`: lines of the output of the commands before. A line `…` stands for omitted lines.

A comment in the line before a block changes it (`.. run: WORD` or `<!-- run: WORD -->`):

- `run: no, REASON`: the block does not run.
- `run: fails`: the commands exit with an error.
- `run: file NAME`: a reader writes the block to this file.
- `run: output`: the block is output, in another language than `text`.
- `run: page no, REASON`: no block of the page runs.
"""

from __future__ import annotations

import pathlib
import re
import textwrap
from collections.abc import Iterator
from dataclasses import dataclass

_COMMENT = re.compile(r"^\s*(?:\.\. |<!-- )run: (.*?)(?: -->)?$")
_RST = re.compile(r"^(\s*)\.\. code-block:: (\S+)$")
_MARKDOWN = re.compile(r"^(\s*)```(\w+)$")


@dataclass(frozen=True)
class Block:
    """A block of a page.

    :param language: `shell`, `text`, or that of a file
    :param line: the number of its first line on the page
    :param word: the text after `run:`, if a comment precedes the block
    """

    language: str
    line: int
    text: str
    word: str = ""

    @property
    def runs(self) -> bool:
        return self.language == "shell" and not self.word.startswith("no")

    @property
    def is_output(self) -> bool:
        return self.word == "output" or (self.language == "text" and not self.word.startswith("no"))


def page_word(path: pathlib.Path) -> str:
    """The reason why no block of a page runs; empty if the page runs."""
    found = re.search(r"(?m)^(?:\.\. |<!-- )run: page no, (.*?)(?: -->)?$", path.read_text(encoding="utf-8"))
    return found[1] if found else ""


def blocks(path: pathlib.Path) -> Iterator[Block]:
    """The blocks of a page in their order."""
    lines, word, number = path.read_text(encoding="utf-8").splitlines(), "", 0
    while number < len(lines):
        comment = _COMMENT.match(lines[number])
        begin = _RST.match(lines[number]) or _MARKDOWN.match(lines[number])
        number += 1
        if comment:
            word = comment[1]
        elif begin:
            first, end = number, _end(lines, number, begin)
            text = textwrap.dedent("\n".join(lines[first:end])).strip("\n")
            skipped = len(lines[first:end]) - len("\n".join(lines[first:end]).lstrip("\n").splitlines())
            yield Block(begin[2], first + skipped + 1, text, word)
            word, number = "", end
        elif lines[number - 1].strip():
            word = ""


def _end(lines: list[str], first: int, begin: re.Match[str]) -> int:
    """The number of the line after a block."""
    for number in range(first, len(lines)):
        line = lines[number]
        if begin.re is _MARKDOWN and line.strip() == "```":
            return number
        if begin.re is _RST and line.strip() and len(line) - len(line.lstrip()) <= len(begin[1]):
            return number
    return len(lines)
