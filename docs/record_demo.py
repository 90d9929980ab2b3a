# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the demo in a pseudo-terminal and draws what it printed: `make pictures` writes demo.svg."""

from __future__ import annotations

import html
import os
import pathlib
import pty
import re

import pictures

ROOT = pathlib.Path(__file__).parents[1]
COLUMNS, CHARACTER, LINE = 100, 8.43, 19
#: The colors of the demo, as classes.
CLASSES = {"1": "bold", "31": "no", "32": "yes"}
STYLE = """
  text { fill: currentColor; font: 14px ui-monospace, Menlo, Consolas, 'DejaVu Sans Mono', monospace; white-space: pre }
  .bold { font-weight: 700 } .yes { fill: var(--yes) } .no { fill: var(--no) }
  rect { fill: var(--card); stroke: var(--line) }
  circle { fill: var(--line) }
"""


def record(*command: str) -> tuple[int, list[str]]:
    """The exit status of a command, and the lines that it printed."""
    printed = bytearray()

    def read(descriptor: int) -> bytes:
        data = os.read(descriptor, 4096)
        printed.extend(data)
        return data

    status = os.waitstatus_to_exitcode(pty.spawn(command, read, lambda _descriptor: b""))
    return status, printed.decode().splitlines()


def spans(line: str) -> str:
    """A line with its colors, as elements of SVG."""
    parts, kind = [], ""
    for text, code in re.findall(r"([^\x1b]*)(?:\x1b\[(\d+)m)?", line):
        if text:
            escaped = html.escape(text, quote=False)
            parts.append(f'<tspan class="{kind}">{escaped}</tspan>' if kind else escaped)
        kind = CLASSES.get(code, "") if code else kind
    return "".join(parts)


def draw(lines: list[str]) -> str:
    """The terminal with all of its lines."""
    width, height = round(COLUMNS * CHARACTER + 40), LINE * (len(lines) + 1) + 62
    body = [f'<rect x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>']
    body += [f'<circle cx="{22 + 20 * number}" cy="20" r="6"/>' for number in range(3)]
    body.append('<text x="20" y="56">$ <tspan class="bold">make demo</tspan></text>')
    for number, line in enumerate(lines, 1):
        body.append(f'<text x="20" y="{56 + LINE * number}">{spans(line)}</text>')
    plain = " ".join(re.sub(r"\x1b\[\d+m", "", line).strip() for line in lines)
    return pictures.svg("make demo, recorded", plain, width, height, "\n".join(body) + "\n", STYLE, width)


if __name__ == "__main__":
    os.environ.pop("NO_COLOR", None)
    status, lines = record(str(ROOT / "tests/demo"))
    if status:
        raise SystemExit(f"The demo failed with exit status {status}.")
    (pictures.FOLDER / "demo.svg").write_text(draw(lines), encoding="utf-8")
