# SPDX-License-Identifier: GPL-3.0-or-later
"""IAM's wildcards."""

from __future__ import annotations

import time

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import (
    Template,
    literal,
    matches,
    matches_any_case,
    matches_in_segments,
)
from hypothesis import given
from hypothesis import strategies as st

ARN = "arn:aws:ecr:eu-west-1:111111111111:repository/a/b/c"


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("", "", True),
        ("", "a", False),
        ("*", "", True),
        ("*", "a/b:c\n", True),
        ("**", "ab", True),
        ("?", "", False),
        ("?", "\n", True),
        ("??", "a", False),
        ("*?*", "a", True),
        ("a*c", "abc", True),
        ("a*c", "ac", True),
        ("a*c", "acb", False),
        ("*a*b", "xaxbxb", True),
        ("re*ease", "Release", False),
        ("[r]elease", "release", False),
        ("[r]elease", "[r]elease", True),
        ("a.c", "abc", False),
        ("a+", "aa", False),
        ("\\*", "\\anything", True),
        ("${a}", "${a}", True),
    ],
)
def test_only_the_asterisk_and_the_question_mark_are_special(pattern: str, text: str, fits: bool) -> None:
    assert matches(((pattern, True),), text) is fits


def test_value_of_a_variable_is_plain_text() -> None:
    template: Template = (("x", True), ("*", False), ("*", True))
    assert matches(template, "x*anything")
    assert not matches(template, "xy")
    assert literal(template) == "x**"


def test_actions_have_no_case() -> None:
    assert matches_any_case("ECR:bat?hGet*", "ecr:BatchGetImage")
    assert not matches_any_case("ecr:BatchGetImagex", "ecr:BatchGetImage")


@pytest.mark.parametrize(
    ("pattern", "fits"),
    [
        (ARN, True),
        ("arn:aws:ecr:*", True),
        ("arn:aws:ecr:*:repository/a/b/c", True),
        ("arn:aws:ecr:eu-*:111111111111:repository/a/b/c", True),
        ("arn:aws:ecr:eu-*:repository/a/b/c", True),
        ("arn:aws:ecr:*-1:111111111111:repository/a/?/c", True),
        ("arn:aws:ecr:*1:repository/a/b/c", False),
        ("arn:aws:ecr:eu-west-1?111111111111:repository/a/b/c", False),
        ("*c", False),
        ("arn:aws:ecr:eu-west-1:111111111111:*c", True),
    ],
)
def test_only_asterisk_at_segment_end_crosses_colons_in_arn(pattern: str, fits: bool) -> None:
    assert matches_in_segments(((pattern, True),), ARN) is fits
    assert matches(((pattern, True),), ARN)


def test_colon_of_an_arn_matches_only_a_colon() -> None:
    for pattern in ("ab", "?b", "*b"):
        assert not matches_in_segments(((pattern, True),), ":b")


def test_asterisk_before_variable_colon_crosses_colons() -> None:
    template: Template = (("*", True), (":b", False))
    assert matches_in_segments(template, "a:a:b")


@given(st.text("ab*?:", max_size=12), st.text("ab:", max_size=12))
def test_the_match_is_the_one_of_the_definition(pattern: str, text: str) -> None:
    def fits(pattern: str, text: str) -> bool:
        if not pattern:
            return not text
        if pattern[0] == "*":
            return fits(pattern[1:], text) or (bool(text) and fits(pattern, text[1:]))
        return bool(text) and pattern[0] in ("?", text[0]) and fits(pattern[1:], text[1:])

    assert matches(((pattern, True),), text) is fits(pattern, text)


def test_no_pattern_takes_long() -> None:
    """A pattern on which a backtracking match would not end."""
    began = time.process_time()
    assert not matches(((("*a" * 1000) + "b", True),), "a" * 10000)
    assert time.process_time() - began < 30
