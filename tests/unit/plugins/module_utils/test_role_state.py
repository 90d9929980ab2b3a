# SPDX-License-Identifier: GPL-3.0-or-later
"""The meaning of an existing role."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState, reaches_beyond_tags

from tests.unit.roles import declare


def by_hand(*actions: str, **terms: Any) -> dict[str, Any]:
    return {"Effect": "Allow", "Action": [*actions], "Resource": "*", **terms}


@pytest.mark.parametrize(
    ("statements", "beyond"),
    [
        ([], False),
        ([by_hand("ecr:GetAuthorizationToken")], False),
        ([by_hand("ecr:GetAuthorizationToken", "ecr:BatchGetImage")], True),
        ([by_hand("ecr:BatchGetImage")], True),
        ([by_hand("ecr:BatchGetImage", Effect="Deny")], False),
        ([by_hand("ecr:BatchGetImage", Condition={"StringEquals": {"aws:ResourceTag/share": "yes"}})], False),
        ([by_hand("ecr:BatchGetImage", Condition={"StringLike": {"aws:ResourceTag/share": "*"}})], True),
        ([{"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}], True),
    ],
)
def test_whether_a_policy_of_others_reaches_beyond_tags(statements: list[dict[str, Any]], beyond: bool) -> None:
    assert reaches_beyond_tags({"Statement": statements}) is beyond
    ours = declare(RoleState())[0].permissions
    assert ours is not None
    assert reaches_beyond_tags({"Statement": [*ours["Statement"], *statements]}) is beyond
    assert not reaches_beyond_tags(None)
