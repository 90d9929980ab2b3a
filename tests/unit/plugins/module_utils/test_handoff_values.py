# SPDX-License-Identifier: GPL-3.0-or-later
"""The problems with the values of a hand-off."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import (
    MAXIMUM_ENTRIES,
    value_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import use_names_of

VALUES = {
    "role_arn": "role/x",
    "external_id": "",
    "shared_at": "yesterday",
    "region": "eu-west-1a b",
    "registry": "https://x/",
    "access": "write",
    "repositories": ["App"],
    "denied": ["x y"],
    "images": ["app"],
    "consumer_account": "1",
}


@pytest.mark.parametrize("role", ["crossaccount.ecr.ecr_pull", "crossaccount.ecr.ecr_credential_helper", ""])
@pytest.mark.parametrize("name", VALUES)
def test_a_message_names_its_variable_once(name: str, role: str) -> None:
    use_names_of(role)
    try:
        (problem,) = value_problems({name: VALUES[name]})
    finally:
        use_names_of("")
    assert problem.startswith(f"ecr_pull_{name}")
    assert problem.count(f"ecr_pull_{name}") == 1


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ([], []),
        (["release", "develop"], []),
        (["release"] * MAXIMUM_ENTRIES, []),
        (["release"] * (MAXIMUM_ENTRIES + 1), ["ecr_pull_denied: it has 10001 entries; the limit is 10000."]),
        ("release", ["ecr_pull_denied: 'release' is not a list of strings."]),
        (["release", 3], ["ecr_pull_denied: 3 is not a string."]),
        (["x y"], ["ecr_pull_denied: 'x y' is not a repository name"]),
    ],
    ids=lambda value: str(value)[:40],
)
def test_entries_of_a_list(value: object, expected: list[str]) -> None:
    found = list(value_problems({"denied": value}))
    assert [text[: len(start)] for text, start in zip(found, expected)] == expected
    assert len(found) == len(expected)
