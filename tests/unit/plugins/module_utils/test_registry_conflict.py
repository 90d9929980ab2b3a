# SPDX-License-Identifier: GPL-3.0-or-later
"""A document that another program overwrites at the same time."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_conflict import (
    Elements,
    conflict,
    document_differences,
)

ONE: Elements = {1: "rule 1"}
TWO: Elements = {2: "rule 2"}
THREE: Elements = {3: "rule 3"}


@pytest.mark.parametrize(
    ("before", "after", "found", "differences"),
    [
        (ONE, TWO, TWO, []),
        (ONE, {**ONE, **TWO}, {**TWO, **ONE}, []),
        (ONE, {**ONE, **TWO}, ONE, ["lacks rule 2"]),
        (ONE, TWO, {**ONE, **TWO}, ["still has rule 1"]),
        (ONE, TWO, ONE, ["lacks rule 2", "still has rule 1"]),
        (ONE, TWO, {**TWO, **THREE}, []),  # another program added a part
    ],
)
def test_lost_and_remaining_parts_are_named(
    before: Elements, after: Elements, found: Elements, differences: list[str]
) -> None:
    assert document_differences(before, after, found) == differences


def test_message_has_both_documents() -> None:
    message = conflict("registry policy", ["lacks rule 2", "still has rule 1"], {"a": 1}, None)
    assert message.splitlines()[:3] == [
        "Another program changed the registry policy at the same time: it lacks rule 2, and it still has rule 1.",
        'This run wrote: {"a": 1}',
        "AWS returns now: null",
    ]
