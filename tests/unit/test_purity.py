# SPDX-License-Identifier: GPL-3.0-or-later
"""The pure files import the standard library and each other, and nothing else."""

from __future__ import annotations

import ast
import pathlib
import re
import sys

import pytest

from tests.support.pure import PURE

UTILS = pathlib.Path(__file__).parents[2] / "plugins/module_utils"
PACKAGE = "ansible_collections.crossaccount.ecr.plugins.module_utils"


def foreign_imports(source: str) -> list[str]:
    """Every module that `source` imports and that is neither of the standard library nor pure."""
    names: list[str] = []
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.Import):
            names += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            module = "." * node.level + (node.module or "")
            names += [f"{module}.{alias.name}" for alias in node.names] if module == PACKAGE else [module]
    pure = {f"{PACKAGE}.{name}" for name in PURE}
    return [name for name in names if name not in pure and name.partition(".")[0] not in sys.stdlib_module_names]


@pytest.mark.parametrize("name", PURE)
def test_pure_files_import_nothing_else(name: str) -> None:
    assert foreign_imports((UTILS / f"{name}.py").read_text()) == []


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("import json, typing as t", []),
        ("import urllib.parse", []),
        (f"from {PACKAGE} import _policy", []),
        (f"from {PACKAGE}._errors import Problems", []),
        (f"from {PACKAGE}._signals import interruptible", []),
        (f"from {PACKAGE} import _wait, _registry", [f"{PACKAGE}._registry"]),
        (f"from {PACKAGE} import _policy, _iam", [f"{PACKAGE}._iam"]),
        (f"from {PACKAGE}._iam import PullRole", [f"{PACKAGE}._iam"]),
        ("def f():\n    import boto3.session", ["boto3.session"]),
        ("try:\n    from botocore import exceptions\nexcept ImportError:\n    pass", ["botocore"]),
        ("from ansible.module_utils.urls import open_url", ["ansible.module_utils.urls"]),
        ("from . import _iam", ["."]),
    ],
)
def test_the_check_sees_what_is_foreign(source: str, expected: list[str]) -> None:
    assert foreign_imports(source) == expected


def map_of_contributing(text: str, headers: str) -> list[list[str]]:
    """The names of private files in each column of the table of CONTRIBUTING.md with these headers."""
    table = text.partition(headers)[2].partition("\n\n")[0].splitlines()[2:]
    columns = zip(*(line.strip("|").split("|") for line in table), strict=True)
    return [re.findall(r"`(_\w+)`", " ".join(column)) for column in columns]


def test_contributing_map_has_every_private_file() -> None:
    text = (UTILS.parents[1] / "CONTRIBUTING.md").read_text(encoding="utf-8")
    _subjects, pure, other = map_of_contributing(text, "| subject | pure files of `module_utils` |")
    assert sorted(pure) == sorted(PURE)
    assert sorted(pure + other) == sorted(path.stem for path in UTILS.glob("_[a-z]*.py"))
    _subjects, on_controller = map_of_contributing(text, "| subject | files of `plugin_utils` |")
    assert sorted(on_controller) == sorted(path.stem for path in (UTILS.parent / "plugin_utils").glob("_[a-z]*.py"))


def test_map_of_contributing_has_a_list_for_each_column() -> None:
    text = "| a | b |\n|---|---|\n| one | `_x` `_y` |\n| two | `_z` |\n\n| `_other` |"
    assert map_of_contributing(text, "| a | b |") == [[], ["_x", "_y", "_z"]]
