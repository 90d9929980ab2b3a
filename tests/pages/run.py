# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the blocks of one page."""

from __future__ import annotations

import pathlib
from collections.abc import Iterator

from . import session
from .blocks import Block, blocks, page_word
from .output import stale_lines

PAGES = [session.ROOT / "README.md", *sorted((session.ROOT / "docs/docsite/rst").glob("*.rst"))]


def run_page(path: pathlib.Path, reader: session.Terminal, stale: dict[str, str]) -> Iterator[str]:
    """The problems of a page.

    :param stale: gets the lines of the page that are not in the output, each with the most similar line of the output
    """
    listed = list(blocks(path))
    output = ""
    first = next((block for block in listed if block.runs), None)
    if first and "make lab-up" not in first.text:
        status, output = reader.run(session.START)
        assert status == 0, output
    for block in listed:
        where = f"{path.name}:{block.line}"
        if block.runs:
            status, output = reader.run(block.text)
            if (status != 0) != (block.word == "fails"):
                yield f"{where}: exit status {status} of: {block.text}\n{output}"
        elif block.word.startswith("file "):
            (reader.folder / block.word.removeprefix("file ")).write_text(block.text + "\n", encoding="utf-8")
        elif block.is_output:
            missing = stale_lines(block.text, output)
            stale.update(missing)
            if missing:
                yield f"{where}: not in the output: {[*missing]}\n{output}"


def commands(path: pathlib.Path) -> list[Block]:
    """The blocks of a page that run."""
    return [block for block in blocks(path) if block.runs]


def pages_that_run() -> list[pathlib.Path]:
    return [path for path in PAGES if commands(path) and not page_word(path)]


def not_run() -> Iterator[str]:
    """The pages and the blocks of commands that do not run, each with its reason."""
    for path in PAGES:
        if page_word(path):
            yield f"{path.name}: {page_word(path)}"
        for block in blocks(path):
            if block.language == "shell" and block.word.startswith("no, "):
                yield f"{path.name}:{block.line}: {block.word.removeprefix('no, ')}"
