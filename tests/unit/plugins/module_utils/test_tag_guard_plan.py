# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a tag guard in their order, and the lines for the user."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._convergence import unmet
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    PolicyVersion,
    RoleState,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import PolicyType, deny_tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import TagGuardDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_plan import (
    TagGuardPlan,
    guard_lines,
    guard_ownership_problems,
    plan_tag_guard,
)

from tests.unit.iam_writes import moments

CALLER = arn_of("arn:aws:iam::111111111111:user/owner")
OURS = {"managed-by": "crossaccount.ecr"}
TAGS = {"environment": ["release", "hotfix"], "team": "red"}
ARN = "arn:aws:iam::111111111111:policy/guard"
A, B = (Attachment(AttachmentKind.USER, name) for name in "ab")
GROUP = Attachment(AttachmentKind.GROUP, "team")
DENY = deny_tagging(CALLER.identity, {"environment": ["hotfix", "release"], "team": ["red"]})
OTHER = deny_tagging(CALLER.identity, {"environment": ["release"]})
ALLOW = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": "*", "Resource": "*"}]}
FILES = ["guard-scp.json", "guard-rcp.json"]


def _old(number: int) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [{"Effect": "Deny", "Action": f"a:{number}", "Resource": "*"}]}


def existing(*attachments: Attachment, document: Any = None, tags: Any = None, versions: int = 1) -> RoleState:
    """The state of a guard."""
    older = tuple(PolicyVersion(f"v{number}", False, _old(number)) for number in range(1, versions))
    return RoleState(
        policy_exists=True,
        permissions=document or DENY,
        policy_tags=OURS if tags is None else tags,
        versions=(PolicyVersion(f"v{versions}", True, document or DENY), *older),
        attachments=attachments,
    )


def plan(
    before: RoleState, guard: str = "deny", principals: tuple[str, ...] = ("user/a",), **more: Any
) -> TagGuardPlan:
    return plan_tag_guard(before, TagGuardDeclaration("guard", guard, TAGS, principals, **more), CALLER)


def steps(planned: TagGuardPlan) -> list[str]:
    return [step.name for step in planned.writes.steps]


@pytest.mark.parametrize(
    ("before", "expected"),
    [
        (RoleState(), ["create_policy", "attach_to"]),
        (existing(A), []),
        (existing(), ["attach_to"]),
        (existing(B), ["attach_to", "detach_from"]),
        (existing(A, GROUP), ["detach_from"]),
        (existing(A, document=OTHER), ["create_version"]),
        (existing(A, document=OTHER, versions=5), ["delete_version", "create_version"]),
        (existing(A, tags={}), ["tag_policy"]),
    ],
)
def test_writes_of_a_guard(before: RoleState, expected: list[str]) -> None:
    planned = plan(before)
    assert steps(planned) == expected
    *_states, last = moments(planned.writes)
    assert {*last.attachments} == {A}
    assert unmet(planned.writes, last) == []
    assert steps(plan(last)) == []


def test_policy_is_complete_before_it_is_attached() -> None:
    for before in (RoleState(), existing(B, document=OTHER)):
        for state in moments(plan(before).writes):
            assert A not in state.attachments or state.permissions == plan(before).writes.after.permissions


@pytest.mark.parametrize("guard", ["absent", "report"])
def test_guard_is_detached_before_it_is_deleted(guard: str) -> None:
    planned = plan(existing(A, GROUP, versions=3), guard)
    assert steps(planned) == ["detach_from", "detach_from", "delete_version", "delete_version", "delete_policy"]
    *_states, last = moments(planned.writes)
    assert (last, unmet(planned.writes, last)) == (RoleState(), [])
    assert steps(plan(RoleState(), guard)) == []


@pytest.mark.parametrize("before", [existing(A, tags={}), existing(A, document=ALLOW)])
def test_report_leaves_policies_of_others_alone(before: RoleState) -> None:
    planned = plan(before, "report")
    assert (steps(planned), [*guard_ownership_problems(planned)]) == ([], [])


def test_policies_of_others_are_not_changed() -> None:
    foreign = (
        "Policy guard exists and is not tagged managed-by=crossaccount.ecr, so this collection did not create it. To"
        " change it, set adopt: true. To keep it, choose another guard_name."
    )
    allows = "Policy guard allows actions, so it is not a tag guard. Choose another guard_name."
    for guard in ("deny", "absent"):
        assert [*guard_ownership_problems(plan(existing(tags={}), guard))] == [foreign]
        assert [*guard_ownership_problems(plan(existing(tags={}), guard, adopt=True))] == []
        assert [*guard_ownership_problems(plan(existing(document=ALLOW), guard, adopt=True))] == [allows]
        assert [*guard_ownership_problems(plan(existing(), guard))] == []
        assert [*guard_ownership_problems(plan(RoleState(), guard))] == []


def test_unfinished_attachments_are_awaited() -> None:
    planned = plan(existing(B))
    assert unmet(planned.writes, existing(A)) == []
    for attached in ((B,), (A, B), ()):
        assert unmet(planned.writes, existing(*attached)) == ["the attachments"]
    assert unmet(planned.writes, existing(A, GROUP)) == []  # others attached it during the run


def test_policies_of_the_organization() -> None:
    for guard in ("deny", "report"):
        assert [*plan(RoleState(), guard).documents] == [PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL]
    assert plan(RoleState(), "absent").documents == {}


def test_lines_of_a_new_guard() -> None:
    organization = [
        "For the administrator of the organization, to attach to account 111111111111: guard-scp.json and"
        " guard-rcp.json",
        "These policies deny environment=release or hotfix, team=red to all principals except"
        " arn:aws:iam::111111111111:user/owner",
        "To remove the guard, set guard: absent.",
    ]
    denied = "environment=release or hotfix, team=red to user a, role b"
    planned = plan(RoleState(), principals=("user/a", "role/x/b"))
    assert [*guard_lines(planned, FILES, False)] == [f"Tag guard: policy {ARN} denies {denied}", *organization]
    assert next(guard_lines(planned, FILES, True)) == f"Tag guard: policy {ARN} would deny {denied}"
    assert next(guard_lines(plan(existing(A)), FILES, True)).startswith(f"Tag guard: policy {ARN} denies ")
    assert [*guard_lines(plan(RoleState(), "report"), FILES, False)] == organization


def test_lines_of_a_guard_that_ends() -> None:
    last = "The guard of the account is absent. The administrator of the organization can detach the policies there."
    left = "No longer under the guard: user a, group team"
    ended = plan(existing(A, GROUP), "absent")
    assert [*guard_lines(ended, [], False)] == [f"Tag guard: policy {ARN} is deleted", left, last]
    assert [*guard_lines(ended, [], True)] == [f"Tag guard: policy {ARN} would be deleted", left, last]
    assert [*guard_lines(plan(RoleState(), "absent"), [], False)] == [last]
    replaced = [*guard_lines(plan(existing(A, GROUP), principals=("user/b",)), FILES, False)]
    assert left in replaced
    kept = [*guard_lines(plan(existing(A, B), principals=("user/b",)), FILES, False)]
    assert "No longer under the guard: user a" in kept


def test_lines_name_every_principal() -> None:
    names = [f"p{number:02}" for number in range(12)]
    planned = plan(RoleState(), principals=tuple(f"user/{name}" for name in names))
    assert next(guard_lines(planned, FILES, False)).endswith(", ".join(f"user {name}" for name in names))


def test_diff_has_the_policy_and_its_principals() -> None:
    diff = plan(replace(existing(A, GROUP), policy_tags={}), principals=("user/b",)).diff
    assert diff["before"] == {"policy": {"permissions": DENY, "tags": {}}, "attached_to": ["group team", "user a"]}
    assert diff["after"] == {"policy": {"permissions": DENY, "tags": OURS}, "attached_to": ["user b"]}
    assert plan(existing(), "absent").diff["after"] == {"policy": {}, "attached_to": []}


def test_plan_of_a_declaration_with_problems_is_empty() -> None:
    empty = TagGuardPlan.empty(TagGuardDeclaration("a b", "deny", {}), CALLER)
    assert (empty.writes.steps, empty.writes.after) == ([], RoleState())
