# SPDX-License-Identifier: GPL-3.0-or-later
"""The meaning of an existing role."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    CACHE_OWNERSHIP_TAG,
    Attachment,
    AttachmentKind,
    RoleSettings,
    RoleState,
    is_ours,
    reaches_beyond_tags,
)

from tests.unit.owner_account import time_of
from tests.unit.roles import BOUNDARY, THERE, declare


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
def test_policy_of_others_may_allow_more_than_the_tag(statements: list[dict[str, Any]], beyond: bool) -> None:
    assert reaches_beyond_tags({"Statement": statements}) is beyond
    ours = declare(RoleState())[0].permissions
    assert ours is not None
    assert reaches_beyond_tags({"Statement": [*ours["Statement"], *statements]}) is beyond
    assert not reaches_beyond_tags(None)


def test_diff_has_only_what_exists() -> None:
    role = {
        "path": "/",
        "description": "Said before",
        "max_session_duration": 7200,
        "permissions_boundary": BOUNDARY,
        "trust": THERE.trust,
        "tags": THERE.role_tags,
    }
    policy = {"permissions": THERE.permissions, "tags": THERE.policy_tags}
    assert THERE.shown() == {"role": role, "policy": policy, "attached": True}
    assert replace(THERE, role_exists=False).shown() == {"role": {}, "policy": policy, "attached": True}
    assert replace(THERE, policy_exists=False).shown() == {"role": role, "policy": {}, "attached": True}
    assert RoleState().shown() == {"role": {}, "policy": {}, "attached": False}
    end = end_policy(time_of("2027-01-01T00:00:00Z"))
    assert replace(THERE, end_policy=end).shown()["role"] == {**role, "end": end}


def test_settings_are_those_of_the_role() -> None:
    assert THERE.settings == RoleSettings("Said before", 7200, BOUNDARY)


def test_new_role_has_the_defaults_of_iam() -> None:
    assert RoleState().settings == RoleSettings("", 3600, None)
    assert RoleSettings() == RoleSettings("", 3600, None)
    assert (RoleState().attached, RoleState().revoked, RoleState().revoking) == (False, False, False)


@pytest.mark.parametrize(
    ("tags", "is_ours_of_share", "is_ours_of_cache"),
    [
        ({}, False, False),
        ({"managed-by": "crossaccount.ecr"}, True, False),
        ({"Managed-By": "crossaccount.ecr"}, True, False),
        ({"managed-by": "crossaccount.ecr-cache"}, False, True),
        ({"managed-by": "Crossaccount.ecr"}, False, False),
        ({"other": "crossaccount.ecr"}, False, False),
    ],
)
def test_ownership_is_a_tag(tags: dict[str, str], is_ours_of_share: bool, is_ours_of_cache: bool) -> None:
    assert (is_ours(tags), is_ours(tags, CACHE_OWNERSHIP_TAG)) == (is_ours_of_share, is_ours_of_cache)


@pytest.mark.parametrize(
    ("kind", "adds_permissions", "uses_policy"),
    [
        (AttachmentKind.MANAGED_POLICY, True, False),
        (AttachmentKind.INLINE_POLICY, True, False),
        (AttachmentKind.INSTANCE_PROFILE, False, False),
        (AttachmentKind.ROLE, False, True),
        (AttachmentKind.USER, False, True),
        (AttachmentKind.GROUP, False, True),
    ],
)
def test_attachment_gives_or_takes_permissions(kind: AttachmentKind, adds_permissions: bool, uses_policy: bool) -> None:
    attachment = Attachment(kind, "x")
    assert (attachment.adds_permissions, attachment.uses_policy) == (adds_permissions, uses_policy)
