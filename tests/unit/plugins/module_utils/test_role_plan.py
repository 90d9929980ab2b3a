# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes of a plan and their order: never wider than declared, even if the run is killed after any of them."""

from __future__ import annotations

import datetime
import itertools
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _role_plan
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import PolicyVersion, RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    CreateVersion,
    DeletePolicy,
    DeleteRole,
    DeleteVersion,
    Detach,
    PutBoundary,
    RevokeSessions,
    SetDefaultVersion,
    Step,
    UpdateTrust,
)
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.authority import Caller, assumes, reads
from tests.unit.iam_writes import applied, moments
from tests.unit.roles import BOUNDARY, CONSUMER, OTHER_UNIT, OWNER, STRANGER, THERE, UNIT, declare, versioned


def test_first_boundary_of_existing_role_is_the_first_write() -> None:
    before = replace(THERE, permissions_boundary=None)
    after, problems = declare(
        before,
        permissions_boundary=BOUNDARY,
        consumers=[{"account": "333333333333", "external_id": "id-two"}],
        access="pull",
    )
    assert problems == []
    steps = _role_plan.plan_role(before, after).steps
    assert steps[0] == PutBoundary(BOUNDARY)
    assert steps[1:] == _role_plan.plan_role(THERE, after).steps


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        (versioned(1, default=1), ["create_version"]),
        (versioned(4, 3, 2, 1, default=4), ["create_version"]),
        (versioned(5, 4, 3, 2, 1, default=5), ["delete_version v1", "create_version"]),
        (versioned(5, 4, 3, 2, 1, default=1), ["delete_version v2", "create_version"]),
        (versioned(12, 11, 10, 9, 8, default=12), ["delete_version v8", "create_version"]),
        (versioned(2, 11, 100, 9, 3, default=2), ["delete_version v3", "create_version"]),
        (versioned(5, 4, 3, 2, 1, default=5, same=1), ["set_default_version v1"]),
        (versioned(3, 2, default=3, same=2), ["set_default_version v2"]),
        (versioned(5, 4, 3, 2, 1, default=3), ["delete_version v1", "create_version"]),
    ],
)
def test_policy_versions(before: RoleState, calls: list[str]) -> None:
    after = declare(before, access="pull")[0]
    steps = _role_plan.plan_role(before, after).steps
    assert [" ".join([step.name, getattr(step, "version", "")]).strip() for step in steps] == calls
    if isinstance(steps[-1], CreateVersion):
        assert steps[-1].document == after.permissions


def test_duplicate_policy_version_is_deleted() -> None:
    """Of the two creations the second is the default; a document of the same meaning in other words stays."""
    permissions = declare(RoleState())[0].permissions
    assert permissions is not None
    other = {**permissions, "Statement": list(reversed(permissions["Statement"]))}
    versions = tuple(
        PolicyVersion(f"v{number}", number == 4, document)
        for number, document in ((4, permissions), (3, permissions), (2, other), (1, {"Statement": []}))
    )
    before = replace(THERE, versions=versions)
    assert _role_plan.plan_role(before, declare(before)[0]).steps == [DeleteVersion("v3")]
    assert _role_plan.duplicate_versions(versions) == [DeleteVersion("v3")]
    # And where an older one of two becomes the default again.
    back = replace(
        before, permissions={"Statement": []}, versions=(replace(versions[3], is_default=True), *versions[1:3])
    )
    assert _role_plan.plan_role(back, declare(back)[0]).steps == [SetDefaultVersion("v3")]
    twice = replace(back, versions=(*back.versions, PolicyVersion("v5", False, permissions)))
    assert _role_plan.plan_role(twice, declare(twice)[0]).steps == [
        SetDefaultVersion("v3"),
        DeleteVersion("v5"),
    ]


def test_absent_in_order() -> None:
    before = versioned(3, 2, 1, default=2)
    plan = _role_plan.plan_role_absent(before)
    assert plan.steps == [
        Detach(),
        DeleteRole(),
        DeleteVersion("v3"),
        DeleteVersion("v1"),
        DeletePolicy(),
    ]
    assert plan.after == RoleState()
    assert plan.diff["after"] == {"role": {}, "policy": {}, "attached": False}


@pytest.mark.parametrize(
    ("before", "calls"),
    [
        (RoleState(), []),
        (RoleState(role_exists=True), ["delete_role"]),
        (RoleState(policy_exists=True), ["delete_policy"]),
    ],
)
def test_absent_after_a_killed_run(before: RoleState, calls: list[str]) -> None:
    assert [step.name for step in _role_plan.plan_role_absent(before).steps] == calls


#: The account of the consumer belongs to a unit of an organization. The other account does not belong to one.
CALLERS = [
    Caller(f"arn:aws:iam::{account}:{name}", external_id, unit and unit[:12], mfa, unit and f"{unit}/")
    for account, name, unit in [
        (CONSUMER, "user/puller", UNIT),
        (CONSUMER, "user/other", UNIT),
        (STRANGER, "role/ci", None),
    ]
    for external_id in (None, "id-one", "id-two", "id-three")
    for mfa in (False, True)
]
TAG_SETS: list[dict[str, str]] = [
    {},
    {"environment": "release"},
    {"environment": "develop"},
    {"environment": "release", "team": "a"},
    {"environment": "develop", "team": "a"},
]
#: The permissions of a boundary, by its ARN: places in TAG_SETS.
BOUNDARIES: dict[str | None, set[int]] = {
    None: {0, 1, 2, 3, 4},
    f"arn:aws:iam::{OWNER}:policy/release": {1, 3},
    f"arn:aws:iam::{OWNER}:policy/develop": {2, 4},
}
Pairs = set[tuple[int, str, int]]


def pairs(state: RoleState) -> Pairs:
    """The access in this state: place in CALLERS, action, place in TAG_SETS."""
    return access_of(state, let_in(state))


def let_in(state: RoleState) -> set[int]:
    """The callers that can assume the role."""
    trust = state.trust if state.role_exists else None
    return {number for number, caller in enumerate(CALLERS) if trust and assumes(trust, caller)}


def access_of(state: RoleState, callers: set[int]) -> Pairs:
    """The access of the sessions of these callers."""
    if not (state.role_exists and state.attached and state.permissions):
        return set()
    readable = {
        (action, number)
        for number in BOUNDARIES[state.permissions_boundary]
        for action in ("ecr:BatchGetImage", "ecr:DescribeImages")
        if reads(state.permissions, action, f"arn:aws:ecr:eu-west-1:{OWNER}:repository/app", TAG_SETS[number])
    }
    return {(number, *what) for number in callers for what in readable}


CONSUMERS: list[dict[str, Any]] = [
    {"account": CONSUMER, "principals": ["user/puller"], "external_id": "id-one"},
    {"account": CONSUMER, "external_id": "id-two"},
    {"account": STRANGER, "principals": ["role/ci"], "external_id": "id-three", "principal_match": "condition"},
    {"account": CONSUMER, "principals": ["user/puller"], "external_id": "id-one", "require_mfa": True},
    {"account": STRANGER, "allow_no_external_id": True},
    {"organization_id": UNIT[:12], "external_id": "id-one", "session_tags": True},
    {"organization_id": UNIT[:12], "organization_units": [UNIT], "external_id": "id-three"},
    {"organization_id": UNIT[:12], "organization_units": [OTHER_UNIT], "external_id": "id-two"},
]
declared = st.fixed_dictionaries(
    {
        "consumers": st.lists(st.sampled_from(CONSUMERS), min_size=1, max_size=2, unique_by=id).filter(
            lambda consumers: declare(RoleState(), consumers=consumers)[1] == []
        ),
        "repository_tags": st.sampled_from(
            [
                {"environment": "release"},
                {"environment": "develop"},
                {"environment": ["release", "develop"]},
                {"environment": ["release", "develop"], "team": "a"},
            ]
        ),
        "access": st.sampled_from(["pull", "read"]),
        "permissions_boundary": st.sampled_from(list(BOUNDARIES)),
        "description": st.none() | st.just("Said"),
        "tags": st.none() | st.just({"team": "a"}),
    }
)
DENY = {
    "Effect": "Deny",
    "Principal": {"AWS": "*"},
    "Action": "sts:AssumeRole",
    "Condition": {"Bool": {"aws:MultiFactorAuthPresent": "false"}},
}


@st.composite
def accounts(draw: st.DrawFn) -> RoleState:
    """The possible states before: no role, a role of this collection, or one that others changed."""
    if draw(st.integers(0, 5)) == 0:
        return RoleState()
    state = declare(RoleState(), **draw(declared))[0]
    assert state.trust is not None
    if draw(st.booleans()):
        state = replace(state, trust={**state.trust, "Statement": [*state.trust["Statement"], DENY]})
    versions = [PolicyVersion("v9", True, state.permissions)]
    for number in range(draw(st.integers(0, 4))):
        versions.append(PolicyVersion(f"v{8 - number}", False, declare(RoleState(), **draw(declared))[0].permissions))
    state = replace(state, versions=tuple(versions), attached=draw(st.booleans()))
    if draw(st.integers(0, 5)) == 0:
        state = applied(replace(state, attached=False), DeleteRole())
    elif draw(st.integers(0, 5)) == 0:
        state = replace(state, policy_exists=False, permissions=None, policy_tags={}, versions=(), attached=False)
    return state


def planned(before: RoleState, chosen: dict[str, Any]) -> RolePlan:
    after, problems = declare(before, **chosen)
    assert problems == []
    return _role_plan.plan_role(before, after)


@settings(max_examples=400)
@given(accounts(), declared)
def test_never_wider_than_declared_also_when_killed(before: RoleState, chosen: dict[str, Any]) -> None:
    plan = planned(before, chosen)
    wide = pairs(before) | pairs(plan.after)
    for killed in moments(plan):
        assert pairs(killed) <= wide
        # Another run takes it from there.
        second = planned(killed, chosen)
        states = list(moments(second))
        for state in states:
            assert pairs(state) <= wide
        assert pairs(states[-1]) == pairs(plan.after)
        assert planned(states[-1], chosen).steps == []


@settings(max_examples=400)
@given(accounts(), declared)
def test_existing_session_never_exceeds_both_declarations(before: RoleState, chosen: dict[str, Any]) -> None:
    """Every principal that can assume the role at some moment does so, and keeps the session; also from a run that is
    killed."""
    plan = planned(before, chosen)
    wide = pairs(before) | pairs(plan.after)
    for killed, killed_out in sessions(plan, set(), wide):
        second = planned(killed, chosen)
        *_others, (end, left) = sessions(second, set(killed_out), wide)
        # No undeclared principal remains.
        if any(isinstance(step, (RevokeSessions, UpdateTrust)) for step in second.steps):
            assert access_of(end, left) <= wide


def sessions(plan: RolePlan, out: set[int], wide: Pairs) -> Iterator[tuple[RoleState, set[int]]]:
    """Each moment of a plan, and the callers with open sessions."""
    steps: list[Step | None] = [None, *plan.steps]
    for step, state in zip(steps, moments(plan)):
        if isinstance(step, RevokeSessions):
            out.clear()
        out |= let_in(state)
        assert access_of(state, out) <= wide
        yield state, out


@pytest.mark.parametrize(("revoked", "revoking"), [(True, False), (True, True), (False, True)])
def test_share_after_killed_unshare_revokes_removed_consumers(revoked: bool, revoking: bool) -> None:
    chosen: dict[str, Any] = {"repository_tags": {"environment": "release"}, "consumers": CONSUMERS[:1]}
    both = {**chosen, "consumers": CONSUMERS[:2]}
    *_others, before = moments(planned(RoleState(), both))
    *_others, before = moments(planned(before, chosen))
    assert before.revoked
    before = replace(before, revoked=revoked, revoking=revoking)
    removal = _role_plan.plan_role_absent(before)
    assert removal.steps
    for killed in moments(removal):
        second = list(moments(planned(killed, chosen)))
        # The role that stayed is the one that the session is of.
        kept_out = [state.revoked or state.revoking for state in second if killed.role_exists and state.attached]
        assert all(kept_out), killed
        assert planned(second[-1], chosen).steps == []


RELEASE, DEVELOP = [boundary for boundary in BOUNDARIES if boundary]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"permissions_boundary": RELEASE}, {"permissions_boundary": DEVELOP, "consumers": CONSUMERS[1:2]}),
        ({"permissions_boundary": RELEASE}, {"permissions_boundary": DEVELOP, "consumers": CONSUMERS[:2]}),
        ({"repository_tags": {"environment": "develop"}}, {"permissions_boundary": RELEASE}),
        (
            {"permissions_boundary": RELEASE, "repository_tags": {"environment": ["release", "develop"]}},
            {"permissions_boundary": DEVELOP, "repository_tags": {"environment": "release"}},
        ),
        (
            {"permissions_boundary": RELEASE, "repository_tags": {"environment": "develop"}},
            {"permissions_boundary": DEVELOP, "repository_tags": {"environment": "release"}},
        ),
    ],
)
def test_never_wider_while_the_boundary_changes(old: dict[str, Any], new: dict[str, Any]) -> None:
    base = {"consumers": CONSUMERS[:1], "repository_tags": {"environment": ["release", "develop"]}}
    before = declare(RoleState(), **{**base, **old})[0]
    before = replace(before, versions=(PolicyVersion("v1", True, before.permissions),))
    plan = planned(before, {**base, **new})
    wide = pairs(before) | pairs(plan.after)
    for state, _out in sessions(plan, set(), wide):  # also for the sessions of consumers that stay
        assert pairs(state) <= wide
    assert pairs(state) == pairs(plan.after)


@given(accounts(), declared)
def test_the_plan_of_the_plan_is_empty(before: RoleState, chosen: dict[str, Any]) -> None:
    plan = planned(before, chosen)
    *_others, last = moments(plan)
    assert replace(last, versions=()) == replace(plan.after, versions=())
    assert _role_plan.plan_role(plan.after, replace(plan.after, versions=())).steps == _role_plan.duplicate_versions(
        plan.after.versions
    )
    assert declare(plan.after, **chosen)[0] == plan.after
    assert planned(last, chosen).steps == []
    assert plan.diff == {"before": before.shown(), "after": plan.after.shown()}


@given(accounts())
def test_removal_only_takes_away(before: RoleState) -> None:
    states = list(moments(_role_plan.plan_role_absent(before)))
    for earlier, later in itertools.pairwise(states):
        assert pairs(later) <= pairs(earlier)
    assert states[-1] == RoleState()
    assert _role_plan.plan_role_absent(states[-1]).steps == []


NARROW = ["begin_revocation", "update_trust", "revoke_sessions", "end_revocation"]


@pytest.mark.parametrize(
    ("old", "new", "calls"),
    [
        ({}, {}, []),
        ({}, {"access": "pull"}, ["create_version"]),
        ({}, {"consumers": CONSUMERS[1:2]}, NARROW),
        ({}, {"consumers": CONSUMERS[1:2], "access": "pull"}, [*NARROW, "create_version", "update_trust"]),
        # One consumer more: the common part is the current state, so only the last write is needed.
        ({}, {"consumers": CONSUMERS[:2], "access": "pull"}, ["create_version", "update_trust"]),
        # One consumer less: the common part is the declaration, so only the first write is needed.
        ({"consumers": CONSUMERS[:2]}, {"access": "pull"}, [*NARROW, "create_version"]),
    ],
)
def test_writes_in_their_order(old: dict[str, Any], new: dict[str, Any], calls: list[str]) -> None:
    base = {"consumers": CONSUMERS[:1]}
    before = declare(RoleState(), **{**base, **old})[0]
    before = replace(before, versions=(PolicyVersion("v1", True, before.permissions),))
    assert [step.name for step in planned(before, {**base, **new}).steps] == calls


def test_a_new_role_is_attached_last() -> None:
    assert [step.name for step in planned(RoleState(), {}).steps] == ["create_role", "create_policy", "attach"]


def test_a_boundary_is_never_removed() -> None:
    assert _role_plan.plan_role(THERE, replace(THERE, permissions_boundary=None)).steps == []


EARLY_END, LATE_END = (end_policy(datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc)) for year in (2027, 2028))


@pytest.mark.parametrize(
    ("old", "new", "calls", "is_narrowed"),
    [
        (None, None, [], False),
        (EARLY_END, EARLY_END, [], False),
        (None, EARLY_END, ["put_end"], True),
        (LATE_END, EARLY_END, ["put_end"], True),
        (EARLY_END, LATE_END, ["put_end"], False),
        (EARLY_END, None, ["delete_end"], False),
    ],
)
def test_own_end_of_a_role(old: Any, new: Any, calls: list[str], is_narrowed: bool) -> None:
    """An earlier end reduces the access, so it is written before the policy of several roles changes."""
    before, after = replace(THERE, end_policy=old), replace(THERE, end_policy=new)
    assert [step.name for step in _role_plan.plan_role(before, after).steps] == calls
    narrowed = _role_plan.plan_role_narrowed(before, after)
    assert [step.name for step in narrowed.steps] == (calls if is_narrowed else [])
    assert narrowed.after.end_policy == (new if is_narrowed else old)


@pytest.mark.parametrize(("old", "calls"), [(None, ["put_boundary"]), (f"{BOUNDARY}-old", [])])
def test_only_a_first_boundary_narrows_a_role(old: str | None, calls: list[str]) -> None:
    narrowed = _role_plan.plan_role_narrowed(replace(THERE, permissions_boundary=old), THERE)
    assert [step.name for step in narrowed.steps] == calls
    assert narrowed.after.permissions_boundary == (BOUNDARY if calls else old)


END_TAG = {"crossaccount.ecr-expires": "14d 2026-12-24T12:00:00Z"}


@pytest.mark.parametrize(
    ("settings", "tags", "calls"),
    [
        ({"description": "New"}, THERE.role_tags, ["update_role"]),
        ({"max_session_duration": 3600}, THERE.role_tags, ["update_role"]),
        ({}, {**THERE.role_tags, "team": "b"}, ["tag_role"]),
        ({}, {**THERE.role_tags, **END_TAG}, ["tag_role"]),
        ({}, {**THERE.role_tags, **END_TAG, "team": "b"}, ["tag_role", "tag_role"]),
        ({}, {key: value for key, value in THERE.role_tags.items() if key != "team"}, ["untag_role"]),
        (
            {"description": "New"},
            {"managed-by": "crossaccount.ecr", "cost": "1"},
            ["update_role", "tag_role", "untag_role"],
        ),
    ],
)
def test_settings_and_tags_of_a_role(settings: dict[str, Any], tags: dict[str, str], calls: list[str]) -> None:
    after = replace(THERE, role_tags=tags, **settings)
    *_states, last = moments(_role_plan.plan_role(THERE, after))
    assert [step.name for step in _role_plan.plan_role(THERE, after).steps] == calls
    assert (last.role_tags, last.description, last.max_session_duration) == (
        tags,
        after.description,
        after.max_session_duration,
    )
