# SPDX-License-Identifier: GPL-3.0-or-later
"""The state that a declaration means, and what is wrong with a declaration."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy, _policy_document, _role_plan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import role_declaration_of, with_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    PutBoundary,
    TagPolicy,
    TagRole,
    UpdateRole,
)

from tests.unit.roles import BOUNDARY, CONSUMER, IDENTITY, OURS, OWNER, STRANGER, THERE, declaration, declare, options


def test_a_new_role() -> None:
    after, problems = declare(RoleState(), tags={"team": "a"})
    assert problems == []
    assert (after.description, after.max_session_duration, after.permissions_boundary) == ("", 3600, None)
    assert (after.role_exists, after.policy_exists, after.attached) == (True, True, True)
    assert after.role_tags == after.policy_tags == {**OURS, "team": "a"}


def test_unmentioned_settings_stay() -> None:
    after, problems = declare(THERE)
    assert problems == []
    assert after == THERE
    assert _role_plan.plan_role(THERE, after).steps == []


def test_mentioned_settings_change() -> None:
    other = BOUNDARY + "2"
    after, problems = declare(
        THERE, description="", max_session_duration=3600, permissions_boundary=other, tags={"team": "c"}
    )
    assert problems == []
    assert after == replace(
        THERE,
        description="",
        max_session_duration=3600,
        permissions_boundary=other,
        role_tags={**OURS, "team": "c"},
        policy_tags={**OURS, "cost": "b", "team": "c"},
    )
    assert _role_plan.plan_role(THERE, after).steps == [
        TagPolicy({"team": "c"}),
        PutBoundary(other),
        UpdateRole("", 3600),
        TagRole({"team": "c"}),
    ]


def test_a_document_of_the_same_meaning_stays_as_it_is() -> None:
    assert THERE.trust is not None
    (statement,) = THERE.trust["Statement"]
    respelled = {"Version": "2012-10-17", "Statement": {**statement, "Sid": "Old", "Principal": {"AWS": [CONSUMER]}}}
    before = replace(THERE, trust=respelled)
    after, problems = declare(before)
    assert problems == []
    assert after.trust is respelled
    assert _role_plan.plan_role(before, after).steps == []


LATIN = "IAM accepts only Latin-1 characters in the description of a role."
MANY = {f"k{number}": "1" for number in range(49)}


@pytest.mark.parametrize(
    ("before", "chosen", "expected"),
    [
        (RoleState(), {"description": "é ÿ ¡ ~\t\n\r" + "x" * 990}, []),
        (RoleState(), {"description": "x" * 1001}, ["The description has 1001 characters; IAM accepts at most 1,000."]),
        (RoleState(), {"description": "a — b"}, [f"The description has '—'; {LATIN}"]),
        (RoleState(), {"description": "リリース"}, [f"The description has 'リ'; {LATIN}"]),
        (RoleState(), {"description": "a\x7f"}, [f"The description has '\\x7f'; {LATIN}"]),
        (RoleState(), {"description": "a\xa0b"}, [f"The description has '\\xa0'; {LATIN}"]),
        (RoleState(), {"max_session_duration": 3600}, []),
        (RoleState(), {"max_session_duration": 43200}, []),
        (
            RoleState(),
            {"max_session_duration": 3599},
            ["max_session_duration is 3599 seconds; IAM accepts 3,600 to 43,200."],
        ),
        (
            RoleState(),
            {"max_session_duration": 43201},
            ["max_session_duration is 43201 seconds; IAM accepts 3,600 to 43,200."],
        ),
        (RoleState(), {"path": "/shares/"}, []),
        (
            THERE,
            {"path": "/shares/"},
            [
                "Role allow has the path /; IAM cannot move it to /shares/. Declare its current path, or delete the"
                " role first (state: absent)."
            ],
        ),
        (RoleState(), {"permissions_boundary": "arn:aws:iam::aws:policy/ReadOnlyAccess"}, []),
        (
            RoleState(),
            {"permissions_boundary": ""},
            ["permissions_boundary '' is not a policy's ARN, such as arn:aws:iam::111111111111:policy/NAME."],
        ),
        (
            RoleState(),
            {"permissions_boundary": "boundary"},
            ["permissions_boundary 'boundary' is not a policy's ARN, such as arn:aws:iam::111111111111:policy/NAME."],
        ),
        *[
            (
                RoleState(),
                {"permissions_boundary": f"arn:aws:iam::{OWNER}:policy{path}", "policy_name": policy_name},
                [
                    f"permissions_boundary arn:aws:iam::{OWNER}:policy{path} is the policy of role allow itself, so it"
                    " limits nothing. Name another policy."
                ],
            )
            for path, policy_name in [("/allow", None), ("/other/Allow", None), ("/shared", "shared")]
        ],
        (RoleState(), {"permissions_boundary": f"arn:aws:iam::{OWNER}:policy/allow", "policy_name": "shared"}, []),
        (RoleState(), {"permissions_boundary": "arn:aws:iam::aws:policy/allow"}, []),
        (
            RoleState(),
            {"consumers": [{"account": OWNER, "external_id": "id-one"}]},
            [
                f"Consumer {OWNER} is the owner account. Remove this consumer, or use credentials of the account that"
                " owns the repositories."
            ],
        ),
        (RoleState(), {"regions": ["eu-west-1"]}, []),
        (
            RoleState(),
            {"regions": []},
            ["regions is an empty list. Name the regions, or omit the option to include all regions."],
        ),
        (RoleState(), {"regions": ["*"]}, ["regions: '*' does not look like a region, such as ap-northeast-1."]),
        (
            RoleState(),
            {"tags": {"aws:x": "1"}},
            ["tags: tag key 'aws:x' starts with aws:, which AWS reserves. Choose another key."],
        ),
        (RoleState(), {"tags": {"cost": 5}}, ["tags: the value of cost must be a string; 5 is not. Quote it."]),
        (
            RoleState(),
            {"tags": {"a": "1", "A": "2"}},
            [
                "tags: a is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling.",
                "tags: A is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling.",
            ],
        ),
        (RoleState(), {"tags": {"managed-by": "crossaccount.ecr"}}, []),
        (
            RoleState(),
            {"tags": {"managed-by": "me"}},
            ["tags: managed-by identifies the roles and policies of this collection. Choose another key."],
        ),
        (RoleState(), {"tags": MANY}, []),
        (
            RoleState(),
            {"tags": {**MANY, "one": "1"}},
            [
                "Role allow would have more than 50 tags. Declare fewer, or remove some first.",
                "Its policy would have more than 50 tags. Declare fewer, or remove some first.",
            ],
        ),
        (
            replace(THERE, policy_tags=MANY),
            {"tags": {"K0": "1", "new": "1"}},
            ["Its policy would have more than 50 tags. Declare fewer, or remove some first."],
        ),
        (
            replace(THERE, role_tags=MANY),
            {"tags": {"new": "1"}},
            ["Role allow would have more than 50 tags. Declare fewer, or remove some first."],
        ),
    ],
)
def test_role_problems(before: RoleState, chosen: dict[str, Any], expected: list[str]) -> None:
    chosen.setdefault("path", before.path)
    assert declare(before, **chosen)[1] == expected


def test_all_problems_come_together() -> None:
    after, problems = declare(
        RoleState(), consumers=None, repository_tags=None, description="—", max_session_duration=1, regions=["x"]
    )
    assert after.role_exists
    assert len(problems) == 5


@pytest.mark.parametrize("extra", [0, 1])
def test_size_of_the_trust_policy(extra: int) -> None:
    consumers = [{"account": CONSUMER, "external_id": "x" * 1224}, {"account": STRANGER, "external_id": "y"}]
    room = 2048 - _policy_document.size(declaration(consumers=consumers).trust(IDENTITY))
    consumers[1]["external_id"] = "y" * (1 + room + extra)
    message = "The trust policy of allow would have 2049 characters; AWS accepts up to 2048. Declare two roles."
    assert declare(RoleState(), consumers=consumers)[1] == ([message] if extra else [])


@pytest.mark.parametrize("extra", [0, 1])
def test_size_of_the_permissions_policy(extra: int) -> None:
    values = [f"{number:02}" + "v" * 254 for number in range(21)] + ["last"]
    size = _policy_document.size(_policy.permissions_document(IDENTITY, {"share": tuple(values)}))
    values[-1] += "v" * (6144 - size + extra)
    message = "The permissions policy of allow would have 6145 characters; AWS accepts up to 6144. Declare two roles."
    assert declare(RoleState(), repository_tags={"share": values})[1] == ([message] if extra else [])


@pytest.mark.parametrize(
    ("before", "declared", "after"),
    [
        ({"Managed-By": "crossaccount.ecr"}, {"managed-by": "crossaccount.ecr"}, {"Managed-By": "crossaccount.ecr"}),
        ({"Team": "a", "cost": "1"}, {"team": "b"}, {"cost": "1", "team": "b"}),
        ({}, {"team": "b"}, {"team": "b"}),
    ],
)
def test_iam_does_not_tell_tag_keys_apart_by_case(
    before: dict[str, str], declared: dict[str, str], after: dict[str, str]
) -> None:
    assert with_tags(before, declared) == after


@pytest.mark.parametrize(
    "chosen",
    [
        {},
        {
            "policy_name": "rules",
            "regions": ["eu-west-1"],
            "description": "",
            "max_session_duration": 7200,
            "permissions_boundary": BOUNDARY,
            "tags": {"team": "a"},
            "adopt": True,
            "state": "absent",
            "policy_roles": ["other"],
            "keep_policy": True,
        },
        {"state": "narrowed", "share": "whole", "expires": "14d 2026-01-15T00:00:00Z", "role_expires": "1h"},
    ],
)
def test_options_of_a_declaration_declare_the_same(chosen: dict[str, Any]) -> None:
    declared = declaration(**chosen)
    assert role_declaration_of(declared.options) == declared
    assert declared.options.keys() == options().keys()
