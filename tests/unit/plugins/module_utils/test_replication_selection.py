# SPDX-License-Identifier: GPL-3.0-or-later
"""The selection of repositories by the first parts of their names."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection


def selected(*prefixes: str, every: bool = False) -> list[str]:
    return list(Selection(prefixes, every).problems())


@pytest.mark.parametrize("prefix", ["re", "release", "team/", "a" * 256, "a-b.c_d/e", "0a"])
def test_first_part_of_a_name_is_valid(prefix: str) -> None:
    assert selected(prefix) == []


@pytest.mark.parametrize("prefix", ["", "r", "a" * 257, "Release", "release*", "/ab", "a b", "ab\n"])
def test_invalid_first_character_of_a_name_is_a_problem(prefix: str) -> None:
    assert selected(prefix, "release") == [
        f"prefixes: {prefix!r} is not a valid prefix of repository names, such as release or team/. It needs 2 to 256"
        " lowercase letters, digits and ._-/ without *."
    ]


def test_a_selection_has_prefixes_or_all_repositories() -> None:
    assert selected(every=True) == []
    (problem,) = selected()
    assert problem.startswith("prefixes is empty. Set at least one prefix of repository names, or set all_repositories")
    (problem,) = selected("release", every=True)
    assert problem == "prefixes and all_repositories exclude each other. Remove one of them."


def test_a_rule_has_up_to_100_prefixes() -> None:
    prefixes = [f"team{number}/" for number in range(101)]
    assert selected(*prefixes[:100]) == []
    assert selected(*prefixes) == ["prefixes has 101 prefixes; ECR accepts up to 100 in a rule."]


@pytest.mark.parametrize(
    ("params", "selection"),
    [
        ({"prefixes": ["b1", "a1", "b1"], "all_repositories": False}, Selection(("a1", "b1"))),
        ({"prefixes": None, "all_repositories": True}, Selection((), True)),
        ({"prefixes": [], "all_repositories": False}, Selection(())),
    ],
)
def test_order_and_repetition_have_no_meaning(params: dict[str, object], selection: Selection) -> None:
    assert Selection.of(params) == selection
