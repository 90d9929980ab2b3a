# SPDX-License-Identifier: GPL-3.0-or-later
"""The sentences that people read: on pages, in comments, documentation, names of tasks and messages."""

from __future__ import annotations

import ast
import io
import pathlib
import re
import tokenize
from collections.abc import Iterator

import yaml

#: Directives whose indented text is prose.
PROSE = ("note", "warning", "tip", "important", "seealso", "list-table", "glossary", "figure")
DOCUMENTATION = ("DOCUMENTATION", "EXAMPLES", "RETURN")

Text = tuple[int, str]  # the number of its first line, and the text


def sentences(text: str) -> Iterator[str]:
    """The sentences of a text, without markup for code, whose words are not English."""
    text = re.sub(r"``.*?``|`[^`]*`_*|\b[A-Z]\([^()]*\)|\{\{.*?\}\}|\]\([^)]*\)", "X", " ".join(text.split()))
    parts = re.split(r"(?<=[.!?:;])\s+", text.replace("*", ""))
    return (part.strip(" -|\"'()[]") for part in parts if part.strip())


def of_markup(source: str) -> Iterator[Text]:
    """The paragraphs of a page in Markdown or reStructuredText, without its blocks of code."""
    fenced, literal, paragraph, first = False, -1, "", 1
    for number, line in enumerate([*source.splitlines(), ""], 1):
        indent = len(line) - len(line.lstrip())
        fence = line.lstrip().startswith("```")
        if literal >= 0 and line.strip() and indent <= literal:
            literal = -1
        inside = fenced or fence or literal >= 0
        directive = re.match(r"\s*\.\. ([\w-]+)::", line)
        begins = not line.strip() or bool(directive) or bool(re.match(r"\s*([-*#|]|\d+\.) ", line))
        if (begins or inside) and paragraph:
            yield first, paragraph
            paragraph = ""
        fenced ^= fence
        if not inside and not line.lstrip().startswith(".. "):
            first, paragraph = (first if paragraph else number), f"{paragraph} {line}".strip()
        if not inside and ((directive and directive[1] not in PROSE) or line.rstrip().endswith("::")):
            literal = indent


def of_comments(source: str) -> Iterator[Text]:
    """Comments of YAML, shell scripts and Makefiles, together if they follow each other."""
    block, first = "", 0
    for number, line in enumerate([*source.splitlines(), ""], 1):
        comment = re.match(r"\s*# ?(?!!)(.*)", line)
        if comment:
            first, block = (first if block else number), f"{block} {comment[1]}"
        elif block:
            yield first, block
            block = ""


def of_yaml(source: str) -> Iterator[Text]:
    """The comments, the names of tasks and plays, and the descriptions of options."""
    yield from of_comments(source)
    for event in yaml.parse(source):
        if not isinstance(event, yaml.ScalarEvent) or re.match(r"\s*\{\{.*\}\}\s*$", event.value, re.DOTALL):
            continue
        if len(re.findall(r"[A-Za-z]{2,}", event.value)) >= 3:
            yield (event.start_mark.line if event.start_mark else 0) + 1, event.value


def of_python(source: str, messages: bool) -> Iterator[Text]:
    """The comments and docstrings.

    :param messages: also every other string of three words and more, such as a message or a documentation block
    """
    comments = [""] * len(source.splitlines())
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type == tokenize.COMMENT:
            comments[token.start[0] - 1] = "# " + token.string.lstrip("#: ")
    yield from of_comments("\n".join(comments))
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)):
            docstring = ast.get_docstring(node)
            if docstring is not None:
                yield from ((node.body[0].lineno + number - 1, text) for number, text in of_markup(docstring))
        if messages and isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) in DOCUMENTATION:
            documentation = of_yaml(str(ast.literal_eval(node.value)))
            yield from ((node.lineno + number - 1, text) for number, text in documentation)
        if messages and isinstance(node, (ast.JoinedStr, ast.Constant)):
            text = _message(node)
            if len(re.findall(r"[A-Za-z]{2,}", text)) >= 3 and "\n" not in text:
                yield node.lineno, text


def _message(node: ast.JoinedStr | ast.Constant) -> str:
    if isinstance(node, ast.Constant):
        return node.value if isinstance(node.value, str) else ""
    return "".join(str(part.value) if isinstance(part, ast.Constant) else "X" for part in node.values)


def of_file(path: pathlib.Path, messages: bool) -> Iterator[Text]:
    """The texts of a file, by its kind."""
    source = path.read_text(encoding="utf-8")
    if path.suffix == ".py":
        return of_python(source, messages)
    if path.suffix in (".md", ".rst"):
        return of_markup(source)
    if path.suffix in (".yml", ".yaml"):
        return of_yaml(source)
    return of_comments(source)
