# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares the pages with the code: the messages in troubleshooting.rst, and the names of tests on every page; and with
their list, extra-docs.yml.

A message is a line of troubleshooting.rst that is one literal, with `<name>` where the code fills something in. Each
must be (a part of) a text of the code, and each error of the code must be there.
"""

from __future__ import annotations

import ast
import pathlib
import re
import sys
from collections.abc import Iterator

import audit_findings
import aws_errors

ROOT = pathlib.Path(__file__).parents[1]
PAGES = ROOT / "docs/docsite/rst"


def option_of(node: ast.AST) -> str:
    """The option in `{option('NAME')}`, or <> for anything else that is filled in."""
    call = node.value if isinstance(node, ast.FormattedValue) else None
    if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "option":
        name = call.args[0]
        return str(name.value) if isinstance(name, ast.Constant) else "<>"
    return "<>"


def text_of(node: ast.AST) -> str | None:
    """A string of the code, with <> where something is filled in."""
    if isinstance(node, ast.JoinedStr):
        return "".join(str(one.value) if isinstance(one, ast.Constant) else option_of(one) for one in node.values)
    return node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else None


def texts(node: ast.AST) -> Iterator[str]:
    """Every string in a piece of code; a string in two parts is one text."""
    text = text_of(node)
    if text is not None:
        yield re.sub(r"\bO\((\w+)\)", r"\1", " ".join(text.split()))
    for child in ast.iter_child_nodes(node) if text is None else ():
        yield from texts(child)


def errors(tree: ast.AST, within: str = "") -> Iterator[str]:
    """The strings of the code that become an error, without those that only hold others together."""
    for node in ast.iter_child_nodes(tree):
        name = node.name if isinstance(node, ast.FunctionDef) else within
        found: list[ast.AST] = []
        if isinstance(node, ast.Call):
            called = node.func.attr if isinstance(node.func, ast.Attribute) else getattr(node.func, "id", "")
            found = list(node.args[:1]) if called in ("EcrError", "add", "append", "warn") else []
        if isinstance(node, (ast.Return, ast.Yield)) and re.search("problem|explain", within) and node.value:
            found = [node.value]
        for one in (text for part in found for text in texts(part)):
            if len(re.findall(r"[A-Za-z]{2,}", one)) >= 4:
                yield one
        yield from errors(node, name)


def problems() -> Iterator[str]:
    """The differences between the pages and the code."""
    trees = [ast.parse(path.read_text(encoding="utf-8")) for path in sorted(ROOT.glob("plugins/**/*.py"))]
    known = {text for tree in trees for text in texts(tree)}
    for path in ROOT.glob("roles/*/tasks/*.yml"):
        known.add(" ".join(re.sub(r"'\s*~\s*'", "", re.sub(r"' ~ \w+ ~ '", "<>", path.read_text("utf-8"))).split()))
    page = (PAGES / "troubleshooting.rst").read_text(encoding="utf-8")
    documented = {re.sub(r"<\w+>", "<>", text) for text in re.findall(r"(?m)^(?:- )?``(.+)``$", page)}
    for text in sorted(documented):
        if not any(text in one for one in known):
            yield f"troubleshooting.rst has a message that the code does not have: {text}"
    for one in sorted({text for tree in trees for text in errors(tree)}):
        if not any(text in one for text in documented):
            yield f"troubleshooting.rst lacks a message of the code: {one}"
    if aws_errors.PAGE.read_text(encoding="utf-8") != aws_errors.page():
        yield "aws_errors.rst differs from the tables of errors. Run: python docs/aws_errors.py"
    if audit_findings.PAGE.read_text(encoding="utf-8") != audit_findings.page():
        yield "audit_findings.rst differs from the kinds of findings. Run: python docs/audit_findings.py"
    listed = re.findall(r"(?m)^ +- (\w+)$", (PAGES.parent / "extra-docs.yml").read_text(encoding="utf-8"))
    for name in sorted(set(listed) ^ {path.stem for path in PAGES.glob("*.rst")}):
        yield f"{name} must be a page and be listed in extra-docs.yml"
    tests = "".join(path.read_text(encoding="utf-8") for path in ROOT.glob("tests/**/*.py"))
    for path in sorted(PAGES.glob("*.rst")):
        for name in re.findall(r"\btest_\w+\b(?!\.py)", path.read_text(encoding="utf-8")):
            if f"def {name}(" not in tests:
                yield f"{path.name} names a test that does not exist: {name}"


if __name__ == "__main__":
    sys.exit("\n".join(problems()) or None)
