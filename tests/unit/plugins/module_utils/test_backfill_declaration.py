# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ecr_replication_backfill."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_declaration import BackfillDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination

SOURCE, HERE = Destination("111111111111", "eu-west-1"), Destination("222222222222", "eu-west-1")
ENTRY = {"account": "222222222222", "region": "eu-west-1"}


def declaration(*entries: dict[str, Any], state: str = "complete") -> BackfillDeclaration:
    return BackfillDeclaration.of({"destinations": list(entries), "state": state, "force": False})


@pytest.mark.parametrize(
    ("entries", "expected"),
    [
        ([ENTRY, {**ENTRY, "region": "us-east-1"}], []),
        ([], ["destinations is empty."]),
        ([ENTRY, ENTRY], ["destinations: account 222222222222 in eu-west-1 is declared more than once."]),
        ([{**ENTRY, "account": 222222222222}], ["destinations: 222222222222 is a number"]),
        ([{**ENTRY, "region": "eu-west-1a"}], ["destinations: 'eu-west-1a' does not look like a region"]),
        ([{"account": "1", "region": "*"}], ["destinations: '1' is not", "destinations: '*' does not"]),
    ],
)
def test_problems_of_the_options(entries: list[dict[str, Any]], expected: list[str]) -> None:
    found = list(declaration(*entries).problems())
    assert len(found) == len(expected)
    assert all(text.startswith(start) for text, start in zip(found, expected)), found


def test_destination_needs_a_replication_rule() -> None:
    (problem,) = declaration(ENTRY).problems_in(SOURCE, [], False)
    assert problem.startswith(f"No replication rule of {SOURCE} contains {HERE}. ECR starts")
    assert list(declaration(ENTRY).problems_in(SOURCE, [HERE], False)) == []
    assert list(declaration(ENTRY).problems_in(SOURCE, [], True)) == []
    assert list(declaration(ENTRY, state="stopped").problems_in(SOURCE, [], False)) == []
    (problem,) = declaration(ENTRY).problems_in(HERE, [HERE], True)
    assert problem.endswith("is the registry of the images. Remove this entry.")
