# SPDX-License-Identifier: GPL-3.0-or-later
"""Objects of other owners on a role and its policy."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _role_plan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ownership import (
    attachment_text,
    ownership_problems,
    removal_problems,
    role_warnings,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import Attachment, AttachmentKind, RoleState

from tests.unit.roles import OURS, STRANGER, THERE, declaration, declare

ADOPT = "and differs from the declaration. To change it, set adopt: true. To keep it, choose another name."


@pytest.mark.parametrize(
    ("role_tags", "policy_tags", "options", "found"),
    [
        (OURS, OURS, {}, []),
        (OURS, OURS, {"access": "pull", "consumers": [{"account": STRANGER, "external_id": "id"}]}, []),
        ({}, {}, {}, []),
        ({"managed-by": "terraform"}, OURS, {"access": "pull"}, []),
        ({"Managed-By": OURS["managed-by"]}, OURS, {"consumers": [{"account": STRANGER, "external_id": "id"}]}, []),
        ({}, {}, {"access": "pull"}, [f"Policy rules exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}"]),
        (
            {"managed-by": "terraform"},
            OURS,
            {"consumers": [{"account": STRANGER, "external_id": "id"}]},
            [f"Role allow exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}"],
        ),
        (
            {},
            {},
            {"access": "pull", "consumers": [{"account": STRANGER, "external_id": "id"}]},
            [
                f"Role allow exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}",
                f"Policy rules exists, is not tagged managed-by=crossaccount.ecr, {ADOPT}",
            ],
        ),
    ],
)
def test_ownership(
    role_tags: dict[str, str], policy_tags: dict[str, str], options: dict[str, Any], found: list[str]
) -> None:
    before = replace(THERE, role_tags=role_tags, policy_tags=policy_tags)
    after = declare(before, **options)[0]
    declared = declaration(policy_name="rules", **options)
    assert list(ownership_problems(before, after, declared)) == found
    assert list(ownership_problems(before, after, replace(declared, adopt=True))) == []


def test_missing_role_has_no_ownership_problem() -> None:
    assert list(ownership_problems(RoleState(), declare(RoleState())[0], declaration())) == []


MANAGED, INLINE = Attachment(AttachmentKind.MANAGED_POLICY, "x"), Attachment(AttachmentKind.INLINE_POLICY, "y")
PROFILE, USER = Attachment(AttachmentKind.INSTANCE_PROFILE, "x"), Attachment(AttachmentKind.USER, "has")


def test_absent_is_rejected_if_others_are_attached() -> None:
    before = replace(THERE, attachments=(MANAGED, PROFILE))
    assert list(removal_problems(before, declaration())) == [
        "Role allow has policy x attached. Remove it first. Nothing was changed.",
        "Role allow is in instance profile x. Remove it first. Nothing was changed.",
    ]


def test_kept_policy_may_have_other_users() -> None:
    role, inline = Attachment(AttachmentKind.ROLE, "theirs"), Attachment(AttachmentKind.INLINE_POLICY, "added")
    before = replace(THERE, policy_tags={}, attachments=(role, inline))
    assert list(removal_problems(before, declaration(keep_policy=True))) == [
        "Role allow has the inline policy added. Remove it first. Nothing was changed."
    ]


@pytest.mark.parametrize(
    ("role_tags", "policy_tags", "adopt", "found"),
    [
        (OURS, OURS, False, []),
        ({}, {}, True, []),
        ({}, OURS, False, ["Role allow"]),
        (OURS, {"managed-by": "terraform"}, False, ["Policy rules"]),
        ({}, {}, False, ["Role allow", "Policy rules"]),
    ],
)
def test_resources_of_others_are_not_deleted(
    role_tags: dict[str, str], policy_tags: dict[str, str], adopt: bool, found: list[str]
) -> None:
    before = replace(THERE, role_tags=role_tags, policy_tags=policy_tags, attachments=())
    assert list(removal_problems(before, declaration(policy_name="rules", adopt=adopt))) == [
        f"{what} is not tagged managed-by=crossaccount.ecr, so this collection did not create it. To delete it, set"
        " adopt: true."
        for what in found
    ]


@pytest.mark.parametrize(
    ("attachments", "options"),
    [
        ((), []),
        ((PROFILE,), []),
        (
            (MANAGED, INLINE),
            [
                "Role allow has policy x attached; Role allow has the inline policy y."
                " Others added it, so the role allows more than the declaration."
            ],
        ),
        (
            (USER,),
            ["Policy allow is attached to user has. Others attached it, so their access changes with the policy."],
        ),
    ],
)
def test_changes_of_others_that_remain_are_warnings(attachments: tuple[Attachment, ...], options: list[str]) -> None:
    before = replace(THERE, attachments=attachments)
    plan = _role_plan.plan_role(before, replace(before, description="Another"))
    assert plan.steps
    assert list(role_warnings(plan, declaration())) == options
    assert list(role_warnings(RolePlan(before, RoleState(), plan.steps), declaration())) == []


@pytest.mark.parametrize("kind", AttachmentKind)
def test_text_of_an_attachment_names_both_sides(kind: AttachmentKind) -> None:
    attachment = Attachment(kind, "theirs")
    text = attachment_text(attachment, declaration(policy_name="rules"))
    assert text.startswith("Policy rules " if attachment.uses_policy else "Role allow ")
    assert "theirs" in text
    assert not (attachment.uses_policy and attachment.adds_permissions)


def test_deleted_principals_are_a_warning_where_the_role_stays() -> None:
    deleted = ["AIDAAAAAAAAAAAAAAAAAA", "AROAAAAAAAAAAAAAAAAAA"]
    trust = {"Statement": {"Effect": "Allow", "Principal": {"AWS": deleted}, "Action": "sts:AssumeRole"}}
    before = replace(THERE, trust=trust, attachments=())
    (warning,) = role_warnings(_role_plan.plan_role(before, replace(THERE, attachments=())), declaration())
    assert warning == (
        f"The trust policy of allow names deleted users or roles: {', '.join(deleted)}. They are replaced."
    )
    assert list(role_warnings(RolePlan(before, before, []), declaration())) == []
    assert list(role_warnings(_role_plan.plan_role_absent(before), declaration())) == []
