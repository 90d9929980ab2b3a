# SPDX-License-Identifier: GPL-3.0-or-later
"""Which failed writes count as done."""

from __future__ import annotations

import datetime
from dataclasses import replace

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _convergence, _role_plan
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    RoleState,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    Attach,
    AttachTo,
    CreateVersion,
    DetachFrom,
    Step,
)

from tests.unit.roles import BOUNDARY, declare, versioned

NEW = declare(RoleState(), permissions_boundary=BOUNDARY)[0]
CREATE_ROLE, CREATE_POLICY = _role_plan.plan_role(RoleState(), NEW).steps[:2]
CREATE_VERSION = CreateVersion(NEW.permissions or {})
END = end_policy(datetime.datetime(2026, 12, 24, tzinfo=datetime.timezone.utc))
OLD_VERSIONS = versioned(5, 4, 3, 2, 1, default=5)


@pytest.mark.parametrize(
    ("step", "seen", "made"),
    [
        (CREATE_ROLE, RoleState(policy_exists=True), None),
        (CREATE_ROLE, NEW, True),
        (CREATE_ROLE, replace(NEW, role_tags={"Managed-By": "crossaccount.ecr", "seen": "by-a-scanner"}), True),
        (CREATE_ROLE, replace(NEW, role_tags={}), False),
        (CREATE_ROLE, replace(NEW, role_tags={"managed-by": "terraform"}), False),
        (CREATE_ROLE, replace(NEW, trust={"Statement": []}), False),
        (CREATE_ROLE, replace(NEW, description="Theirs"), False),
        (CREATE_ROLE, replace(NEW, max_session_duration=7200), False),
        (CREATE_ROLE, replace(NEW, permissions_boundary=None), False),
        (CREATE_POLICY, RoleState(role_exists=True), None),
        (CREATE_POLICY, NEW, True),
        (CREATE_POLICY, replace(NEW, policy_tags={}), False),
        (CREATE_POLICY, replace(NEW, permissions={"Statement": []}), False),
        (CREATE_VERSION, replace(OLD_VERSIONS, permissions=NEW.permissions), True),
        (CREATE_VERSION, replace(OLD_VERSIONS, permissions={"Statement": []}), False),
        (
            CREATE_VERSION,
            replace(OLD_VERSIONS, permissions={"Statement": []}, versions=OLD_VERSIONS.versions[1:]),
            None,
        ),
        (Attach(), NEW, False),
    ],
)
def test_existing_object_is_ours_only_as_a_whole(step: Step, seen: RoleState, made: bool | None) -> None:
    assert _convergence.already_applied(step, seen) is made


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (NEW, []),
        (replace(NEW, role_tags={"Managed-By": "crossaccount.ecr"}), []),
        (replace(NEW, versions=OLD_VERSIONS.versions), []),
        (replace(NEW, role_exists=False), ["the role"]),
        (replace(NEW, policy_exists=False), ["the policy"]),
        (replace(NEW, trust={"Statement": []}), ["the trust"]),
        (replace(NEW, permissions=None), ["the permissions"]),
        (replace(NEW, attached=False), ["the attachment"]),
        (replace(NEW, revoking=True), ["the end of the revocation"]),
        (replace(NEW, end_policy=END), ["the end of access"]),
        (replace(NEW, role_tags={}), ["the role's tags"]),
        (replace(NEW, policy_tags={**NEW.policy_tags, "team": "a"}), ["the policy's tags"]),
        (replace(NEW, description="Theirs"), ["the role's settings"]),
        (replace(NEW, max_session_duration=7200), ["the role's settings"]),
        (replace(NEW, permissions_boundary=None), ["the role's settings"]),
        (
            RoleState(),
            [
                *("the role", "the policy", "the trust", "the permissions", "the attachment", "the role's tags"),
                *("the policy's tags", "the role's settings"),
            ],
        ),
    ],
)
def test_settings_that_aws_does_not_return_yet_are_named(seen: RoleState, missing: list[str]) -> None:
    assert _convergence.unmet(_role_plan.plan_role(RoleState(), NEW), seen) == missing


@pytest.mark.parametrize(
    ("seen", "missing"),
    [
        (RoleState(), []),
        (RoleState(description="Theirs"), []),
        (RoleState(role_exists=True), ["the role"]),
        (RoleState(policy_exists=True), ["the policy"]),
    ],
)
def test_deleted_role_has_no_settings_to_wait_for(seen: RoleState, missing: list[str]) -> None:
    assert _convergence.unmet(_role_plan.plan_role_absent(NEW), seen) == missing


ONE, TWO, OTHER = (Attachment(AttachmentKind.USER, name) for name in ("one", "two", "other"))


@pytest.mark.parametrize(
    ("steps", "planned", "seen", "is_done"),
    [
        ([AttachTo(ONE), AttachTo(TWO)], [ONE, TWO], [ONE, TWO], True),
        ([AttachTo(ONE), AttachTo(TWO)], [ONE, TWO], [ONE], False),
        ([AttachTo(ONE)], [ONE, TWO], [ONE], True),  # another run attached the other
        ([AttachTo(ONE)], [ONE], [ONE, OTHER], True),
        ([DetachFrom(ONE)], [], [], True),
        ([DetachFrom(ONE)], [], [ONE], False),
        ([DetachFrom(ONE)], [], [OTHER], True),
        ([DetachFrom(ONE), AttachTo(ONE)], [ONE], [ONE], True),
        ([AttachTo(ONE), DetachFrom(ONE)], [], [], True),
    ],
)
def test_only_the_attachments_of_the_plan_are_awaited(
    steps: list[Step], planned: list[Attachment], seen: list[Attachment], is_done: bool
) -> None:
    plan = RolePlan(NEW, replace(NEW, attachments=tuple(planned)), steps)
    current = replace(NEW, attachments=tuple(seen))
    assert _convergence.unmet(plan, current) == ([] if is_done else ["the attachments"])


@pytest.mark.parametrize(
    ("reason", "expected"),
    [
        ("Throttling: Rate exceeded", True),
        ("TooManyRequestsException: Wait", True),
        ("RequestLimitExceeded: Wait", True),
        ("InternalFailure: Again", True),
        ("ServerException: Again", True),
        ("ServiceUnavailable", True),
        ("AccessDenied: denied by a Service control policy", False),
        ("NoSuchEntity: Internal", False),
    ],
)
def test_failures_that_may_end_soon(reason: str, expected: bool) -> None:
    assert _convergence.is_transient(reason) is expected
