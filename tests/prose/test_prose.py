# SPDX-License-Identifier: GPL-3.0-or-later
"""The linter of English finds what its rules describe, in each kind of file."""

from __future__ import annotations

import pathlib

import pytest

from tests.prose.__main__ import Rule, problems, rules

RULES = rules()


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.name)
def test_rule_finds_wrong_sentences_only(rule: Rule) -> None:
    assert [text for text in rule.wrong if not rule.finds(text)] == []
    assert [text for text in rule.right if rule.finds(text)] == []


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", "A page.\n\n- It can not pull.\n"),
        ("page.rst", "A page.\n\nIt can not\npull.\n"),
        ("tasks.yml", "---\n- name: Say what can not be pulled\n"),
        ("tasks.yml", "---\n# It can not pull.\nkey: value\n"),
        ("module.py", 'DOCUMENTATION = r"""\noptions:\n  name:\n    description: It can not pull.\n"""\n'),
        ("module.py", 'raise ValueError(f"{name} can not be pulled now.")\n'),
        ("module.py", '"""It can not pull."""\n'),
        ("module.py", "value = 1  # it can not pull\n"),
        ("script", "#!/bin/sh\n# It can not\n# pull.\n"),
    ],
)
def test_every_kind_of_text_is_read(tmp_path: pathlib.Path, name: str, text: str) -> None:
    file = tmp_path / name
    file.write_text(text)
    assert "spelling: " in "".join(problems(file, RULES))
    file.write_text(text.replace("can not", "cannot"))
    assert list(problems(file, RULES)) == []


@pytest.mark.parametrize(
    "text", ["A page. Run::\n\n   echo can not\n", "``can not``\n", ".. code-block:: text\n\n   can not\n\nNext.\n"]
)
def test_code_on_a_page_is_not_read(tmp_path: pathlib.Path, text: str) -> None:
    file = tmp_path / "page.rst"
    file.write_text(text)
    assert list(problems(file, RULES)) == []


def test_names_of_tests_are_short(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "test_a.py"
    file.write_text(f"def test_{'a' * 56}() -> None: ...\n")
    assert "61 characters" in "".join(problems(file, RULES))
