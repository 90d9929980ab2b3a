# SPDX-License-Identifier: GPL-3.0-or-later
"""A proof of access as a JUnit report."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.filter.access_junit import filter_access_junit


def test_a_problem_is_a_failed_test_case() -> None:
    text = filter_access_junit({"repositories": [], "problems": ["Something is wrong."]}, "mine")
    assert 'name="mine"' in text
    assert text.count("<failure") == text.count("Something is wrong.") == 1
