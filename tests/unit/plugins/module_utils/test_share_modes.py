# SPDX-License-Identifier: GPL-3.0-or-later
"""The options that the mode of a share cannot express."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_modes import MODES, mode_problems

UNUSED: dict[str, Any] = {
    "policy_name": None,
    "condition_key": "ecr",
    "path": "/",
    "description": None,
    "max_session_duration": None,
    "permissions_boundary": None,
    "roles": "shared",
    "expires": None,
    "handoff_forms": [],
}
USED = {
    "policy_name": "policy",
    "condition_key": "aws",
    "path": "/team/",
    "description": "text",
    "max_session_duration": 3600,
    "permissions_boundary": "arn",
    "roles": "per_consumer",
    "expires": "30d",
}


def problems(mode: str, **changes: Any) -> list[str]:
    return list(mode_problems({**UNUSED, "mode": mode, **changes}))


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(
    "changes", [{}, {"path": None, "roles": None, "condition_key": None}, {"handoff_forms": ["ecs_lambda"]}]
)
def test_mode_without_options_of_a_role(mode: str, changes: dict[str, Any]) -> None:
    assert problems(mode, **changes) == []


@pytest.mark.parametrize("mode", MODES[1:])
@pytest.mark.parametrize("name", USED)
def test_policy_has_no_options_of_a_role(mode: str, name: str) -> None:
    assert problems(mode, **{name: USED[name]}) == [
        f"mode {mode} has no role, so it cannot express {name}. Remove it, or set mode to role."
    ]


def test_options_that_a_policy_lacks_are_one_problem() -> None:
    (problem,) = problems(MODES[1], path="/team/", expires="30d")
    assert problem.endswith("it cannot express path, expires. Remove them, or set mode to role.")


def test_role_has_every_option() -> None:
    assert problems(MODES[0], handoff_forms=["profile"], **USED) == []


def test_policy_has_only_forms_without_a_role() -> None:
    assert problems(MODES[1], handoff_forms=["profile", "ecs_lambda", "terraform"]) == [
        f"mode {MODES[1]} has no role, so handoff_forms cannot contain profile, terraform. Valid is ecs_lambda."
    ]
