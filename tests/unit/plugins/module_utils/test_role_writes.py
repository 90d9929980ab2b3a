# SPDX-License-Identifier: GPL-3.0-or-later
"""Each step of a plan has its write, and a failed write is reported with the writes before it."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _role_steps, _role_writes
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, plan_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    RoleSettings,
    RoleState,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import Step
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions
from botocore.exceptions import ClientError

from tests.unit import iam_writes
from tests.unit.roles import IDENTITY, declare

STEPS = [
    value
    for value in vars(_role_steps).values()
    if isinstance(value, type) and issubclass(value, Step) and value is not Step
]
WAIT = WaitOptions(True, 0, 0.0)
VALUES: dict[str, Any] = {
    "trust": {"Statement": []},
    "document": {"Statement": []},
    "tags": {"team": "a"},
    "settings": RoleSettings("text", 7200, "arn:aws:iam::111111111111:policy/boundary"),
    "description": "text",
    "max_session_duration": 7200,
    "boundary": "arn:aws:iam::111111111111:policy/boundary",
    "version": "v1",
    "attachment": Attachment(AttachmentKind.USER, "developer"),
    "keys": ("team",),
}


class Client:
    """A client of IAM that notes the calls, and rejects some of them with a code."""

    def __init__(self, codes: dict[str, str]) -> None:
        self.codes = codes
        self.calls: list[str] = []

    def __getattr__(self, operation: str) -> Any:
        def call(**_arguments: Any) -> dict[str, Any]:
            self.calls.append(operation)
            if operation in self.codes:
                raise ClientError({"Error": {"Code": self.codes[operation], "Message": "text"}}, operation)
            return {"ResponseMetadata": {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}}

        return call


class Role(PullRole):
    """A pull role of that client, in a state that is given."""

    def __init__(self, state: RoleState | None = None, **codes: str) -> None:
        super().__init__(Client(codes), IDENTITY, "allow", "rules", "/")
        self.state = state or RoleState()

    def read(self) -> RoleState:
        return self.state


def carry_out(role: Role, *steps: Step) -> list[str]:
    state = role.state
    return _role_writes.carry_out(role, RolePlan(state, state, list(steps)), WAIT, lambda _text: None)


@pytest.mark.parametrize("kind", STEPS)
def test_each_step_has_a_write_that_fits_it(kind: type[Step]) -> None:
    role = Role()
    step = kind(**{field.name: VALUES[field.name] for field in dataclasses.fields(kind)})
    assert carry_out(role, step) == [step.name]
    assert [call for call in role.client.calls if not call.startswith("get_")]


def test_there_is_a_write_and_a_name_for_each_step() -> None:
    assert set(_role_writes.WRITES) == set(STEPS) == set(iam_writes.WRITES)
    assert len({step.name for step in STEPS}) == len(STEPS)


def test_object_that_is_already_deleted_counts_as_deleted() -> None:
    role = Role(delete_role="NoSuchEntity", attach_role_policy="NoSuchEntity")
    assert carry_out(role, _role_steps.DeleteRole()) == ["delete_role"]
    with pytest.raises(
        EcrError, match=r"Completed before that: the role was deleted. Run again: completed changes are not repeated"
    ):
        carry_out(role, _role_steps.DeleteRole(), _role_steps.Attach())


NEW = declare(RoleState())[0]
CREATE = plan_role(RoleState(), NEW).steps[0]


@pytest.mark.parametrize(
    ("seen", "message"),
    [
        (NEW, None),
        (
            dataclasses.replace(NEW, description="Theirs"),
            "Role allow did not exist when this run began. Now it exists, but not as declared: someone else created"
            " it.",
        ),
        (RoleState(), "create_role: EntityAlreadyExists: text."),
    ],
)
def test_existing_role_is_ours_only_as_a_whole(seen: RoleState, message: str | None) -> None:
    role = Role(seen, create_role="EntityAlreadyExists")
    if message is None:
        assert carry_out(role, CREATE) == ["create_role"]
        return
    with pytest.raises(EcrError) as raised:
        carry_out(role, CREATE)
    assert (
        str(raised.value) == f"{message} Completed before that: nothing. Run again: completed changes are not repeated."
    )
    assert raised.value.facts == {"changed": False, "steps": []}
