# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a role plan."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import DONE, Step

STEPS = Step.__subclasses__()


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_only_removals_are_complete_if_the_object_does_not_exist(step: type[Step]) -> None:
    assert step.is_removal is step.name.startswith(("delete_", "detach", "end_"))


@pytest.mark.parametrize("step", STEPS, ids=lambda step: step.name)
def test_only_creations_can_find_an_existing_object(step: type[Step]) -> None:
    assert (step.code_if_present is not None) is step.name.startswith("create_")


def test_each_completed_step_has_a_message() -> None:
    assert {step.name for step in STEPS} == set(DONE)
    assert len(STEPS) == len(DONE)
