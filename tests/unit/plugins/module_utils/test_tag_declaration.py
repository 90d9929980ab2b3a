# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ecr_repository_tag."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_declaration import (
    TagDeclaration,
    tag_declaration,
    tag_declaration_problems,
)

OPTIONS = {"names": ["release"], "tags": {"share": "yes"}, "state": "present", "all_except": None}
ALL_EXCEPT = "all_except needs state: absent and excludes names. Remove names, or remove all_except."


def problems(**options: Any) -> list[str]:
    return list(tag_declaration_problems(tag_declaration({**OPTIONS, **options})))


def test_a_declaration() -> None:
    assert tag_declaration(OPTIONS) == TagDeclaration(("release",), {"share": "yes"})
    assert tag_declaration({**OPTIONS, "names": [], "state": "absent", "all_except": []}) == TagDeclaration(
        (), {"share": "yes"}, False, ()
    )


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, []),
        ({"names": ["tools/*", "release"]}, []),
        ({"names": [], "all_except": [], "state": "absent"}, []),
        ({"names": []}, ["names is empty: list at least one repository."]),
        ({"names": [], "all_except": ["release"]}, [ALL_EXCEPT]),
        ({"all_except": ["release"], "state": "absent"}, [ALL_EXCEPT]),
        ({"tags": {}}, ["tags is empty: set at least one tag."]),
        ({"tags": {"a": 7}}, ["the value of a must be a string; 7 is not. Quote it."]),
        ({"tags": {"a": ["b"]}}, ["the value of a must be a string; ['b'] is not. Quote it."]),
        ({"tags": {1: "b"}}, []),
    ],
)
def test_the_problems_of_a_declaration(options: dict[str, Any], expected: list[str]) -> None:
    assert problems(**options) == expected


def test_all_problems_are_found_together() -> None:
    messages = problems(names=["Release", "a\nb*"], tags={"aws:x": "1", "y": None})
    assert [text.partition(" ")[0] for text in messages] == ["'Release'", "Pattern", "tag", "the"]
