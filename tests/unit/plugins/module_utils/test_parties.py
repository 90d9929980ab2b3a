# SPDX-License-Identifier: GPL-3.0-or-later
"""The consumers of a share as a whole."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _parties
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
ORGANIZATION = "o-aaaaaaaaaa"


def shared_id(*accounts: str) -> str:
    return (
        f"External ID 'a' is declared for the consumers {' and '.join(accounts)}. Declare a different external ID for"
        " each of them."
    )


BOTH = (
    f"Consumer {ONE} is declared both with and without an external_id, so the external ID protects nothing. Declare an"
    " external_id in each statement of this account."
)
SELF = (
    f"Consumer {OWNER} is the owner account. Remove this consumer, or use credentials of the account that owns the"
    " repositories."
)


@pytest.mark.parametrize(
    ("consumers", "expected"),
    [
        ([], []),
        ([Consumer(ONE, (), "a"), Consumer(TWO, (), "b")], []),
        ([Consumer(ONE, ("user/x",), "a"), Consumer(ONE, ("user/y",), "a")], []),
        ([Consumer(ONE, (), "a"), Consumer(ONE, (), "b")], []),
        ([Consumer(ONE), Consumer(TWO)], []),
        ([Consumer(ONE, (), "a"), Consumer(TWO, (), "A")], []),  # IAM compares external IDs with their case
        ([Consumer(ONE, (), "a"), Consumer(TWO, (), "a")], [shared_id(ONE, TWO)]),
        ([Consumer(ONE, ("user/x",), "a"), Consumer(TWO, (), "a", "condition")], [shared_id(ONE, TWO)]),
        ([Consumer(ONE, (), "a"), Consumer(ONE)], [BOTH]),
        ([Consumer(ONE, ("user/x",), "a"), Consumer(ONE, ("user/y",))], [BOTH]),
        ([Consumer(OWNER, (), "a")], [SELF]),
        (
            [Consumer(OWNER, ("role/x",), "a"), Consumer(ONE, (), "a"), Consumer(ONE)],
            [SELF, shared_id(OWNER, ONE), BOTH],
        ),
        (
            [Consumer(None, (), "a", organization_id=ORGANIZATION), Consumer(ONE, (), "a")],
            [shared_id(ORGANIZATION, ONE)],
        ),
        ([Consumer(None, (), "a", organization_id=ORGANIZATION)] * 2, []),
        ([Consumer(None, (), "a", organization_id="x"), Consumer(None, (), "a"), Consumer(ONE, (), "a")], []),
        ([Consumer("1", (), "a"), Consumer(ONE, (), "a")], []),  # an invalid account is a problem of its own
        ([Consumer(["x"], (), "a"), Consumer(ONE, (), "a")], []),  # type: ignore[arg-type]
    ],
)
def test_consumers_as_a_whole(consumers: list[Consumer], expected: list[str]) -> None:
    assert list(_parties.consumer_problems(consumers, OWNER)) == expected
