# SPDX-License-Identifier: GPL-3.0-or-later
"""The writes that reduce the access through a role before its permissions change."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _role_narrowing
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy, with_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_narrowing import DENY_ALL_TRUST
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    BeginRevocation,
    EndRevocation,
    PutBoundary,
    PutEnd,
    RevokeSessions,
    UpdateTrust,
)

DELETED = "AIDAAAAAAAAAAAAAAAAAA"
READ, WRITE = (
    {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Action": action, "Resource": "*"}]}
    for action in ("ecr:BatchGetImage", "ecr:PutImage")
)
EARLY, LATE = (datetime.datetime(year, 1, 1, tzinfo=datetime.timezone.utc) for year in (2027, 2028))


def statement(name: str, effect: str = "Allow") -> dict[str, Any]:
    principal = DELETED if name == DELETED else f"arn:aws:iam::222222222222:user/{name}"
    return {"Effect": effect, "Principal": {"AWS": principal}, "Action": "sts:AssumeRole"}


def trust(*names: str) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": [statement(name) for name in names]}


def state(document: dict[str, Any] | None, permissions: dict[str, Any] | None = READ, **changes: Any) -> RoleState:
    return RoleState(True, True, trust=document, permissions=permissions, **{"attached": True, **changes})


def revoking(document: dict[str, Any] | None = None) -> list[Any]:
    """The writes that remove a principal, with the new trust policy if it changes first."""
    changes = [UpdateTrust(document)] if document else []
    return [BeginRevocation(), *changes, RevokeSessions(), EndRevocation()]


A, B, AB, BC = trust("a"), trust("b"), trust("a", "b"), trust("b", "c")
ENDING_EARLY, ENDING_LATE = with_end(A, EARLY), with_end(A, LATE)


@pytest.mark.parametrize(
    ("old", "new", "written"),
    [
        (A, A, None),
        (A, AB, None),  # A new principal is admitted last, after the permissions.
        (DENY_ALL_TRUST, A, None),
        (AB, A, A),
        (AB, BC, B),
        (A, B, DENY_ALL_TRUST),
        (ENDING_EARLY, ENDING_LATE, None),
        (trust(DELETED, "a"), A, A),
    ],
)
@pytest.mark.parametrize(
    ("permissions", "changes", "boundary_differs"),
    [
        (WRITE, {}, False),
        (None, {}, False),
        (READ, {"end_policy": end_policy(EARLY)}, False),
        (READ, {}, True),
        (with_end(READ, EARLY), {}, False),
    ],
)
def test_only_common_principals_until_the_limits_change(
    old: Any, new: Any, written: Any, permissions: Any, changes: dict[str, Any], boundary_differs: bool
) -> None:
    after = state(new, permissions, **changes)
    narrowed, steps, planned = _role_narrowing.narrow_trust(state(old), after, boundary_differs)
    assert narrowed == (written or old)
    assert steps == (revoking(written) if written else [])
    assert planned == (replace(after, revoked=True) if written else after)


@pytest.mark.parametrize(("old", "new", "written"), [(A, A, None), (A, AB, None), (AB, BC, BC), (A, B, B)])
def test_new_trust_at_once_if_the_limits_stay(old: Any, new: Any, written: Any) -> None:
    narrowed, steps, _after = _role_narrowing.narrow_trust(state(old), state(new), False)
    assert (narrowed, steps) == ((written, revoking(written)) if written else (old, []))


def test_common_statements_have_their_old_end() -> None:
    old = with_end(AB, EARLY)
    narrowed, _steps, _after = _role_narrowing.narrow_trust(state(old), state(with_end(A, LATE), WRITE), False)
    assert narrowed == ENDING_EARLY


@pytest.mark.parametrize(
    ("old", "new", "steps"),
    [(A, A, revoking(DENY_ALL_TRUST)), (A, AB, revoking(DENY_ALL_TRUST)), (DENY_ALL_TRUST, A, [])],
)
@pytest.mark.parametrize(
    ("permissions", "changes"), [(WRITE, {}), (READ, {"end_policy": end_policy(EARLY)}), (with_end(READ, EARLY), {})]
)
def test_nobody_while_boundary_and_permissions_change(
    old: Any, new: Any, steps: list[Any], permissions: Any, changes: dict[str, Any]
) -> None:
    """The old permissions with the new boundary may allow what neither declaration allows."""
    after = state(new, permissions, **changes)
    assert _role_narrowing.narrow_trust(state(old), after, True) == (
        DENY_ALL_TRUST,
        steps,
        replace(after, revoked=True) if steps else after,
    )


@pytest.mark.parametrize("boundary_differs", [False, True])
def test_a_denial_of_the_new_trust_takes_access(boundary_differs: bool) -> None:
    """A principal that is new in the same policy waits for the boundary."""
    new = {"Version": "2012-10-17", "Statement": [*AB["Statement"], statement("a", "Deny")]}
    narrowed, steps, _after = _role_narrowing.narrow_trust(state(A), state(new), boundary_differs)
    assert (narrowed, steps) == ((A, revoking()) if boundary_differs else (new, revoking(new)))


def test_deleted_principal_loses_its_session() -> None:
    both = trust(DELETED, "a")
    assert _role_narrowing.narrow_trust(state(both), state(both), False)[:2] == (both, revoking())


@pytest.mark.parametrize("new", [A, B])
def test_unfinished_revocation_is_completed(new: Any) -> None:
    after = state(new)
    _trust, steps, planned = _role_narrowing.narrow_trust(state(A, revoking=True), replace(after, revoking=True), False)
    assert steps == [*([UpdateTrust(B)] if new == B else []), RevokeSessions(), EndRevocation()]
    assert planned == replace(after, revoked=True, revoking=False)


@pytest.mark.parametrize(
    ("old", "changes", "is_revoked"),
    [
        (DENY_ALL_TRUST, {"attached": False}, True),
        (DENY_ALL_TRUST, {"attached": False, "revoked": True}, False),
        (DENY_ALL_TRUST, {"attached": True}, False),
        (A, {"attached": False}, False),
    ],
)
def test_role_of_an_interrupted_unshare_is_revoked(old: Any, changes: dict[str, Any], is_revoked: bool) -> None:
    narrowed, steps, after = _role_narrowing.narrow_trust(state(old, **changes), state(A), False)
    assert (narrowed, steps, after.revoked) == (old, [RevokeSessions()] if is_revoked else [], is_revoked)


@pytest.mark.parametrize(("old", "new"), [(None, A), (A, None), (None, None)])
def test_role_without_a_trust_policy_is_not_narrowed(old: Any, new: Any) -> None:
    after = state(new)
    assert _role_narrowing.narrow_trust(state(old), after, True) == (old, [], after)


@pytest.mark.parametrize(
    ("exists", "old", "new", "earlier", "later"),
    [
        (True, None, "x", [PutBoundary("x")], []),
        (True, "y", "x", [], [PutBoundary("x")]),
        (True, "x", "x", [], []),
        (True, "x", None, [], []),
        (False, None, "x", [], []),
    ],
)
def test_first_boundary_is_written_first(
    exists: bool, old: str | None, new: str | None, earlier: list[Any], later: list[Any]
) -> None:
    before, after = RoleState(exists, permissions_boundary=old), RoleState(True, permissions_boundary=new)
    assert _role_narrowing.boundary_steps(before, after) == (earlier, later)


FIRST, SECOND = end_policy(EARLY), end_policy(LATE)
FOREIGN: dict[str, Any] = {"Statement": []}


@pytest.mark.parametrize(
    ("old", "new", "precedes", "follows"),
    [
        (None, None, False, False),
        (FIRST, None, False, False),
        (FIRST, FIRST, False, False),
        (None, FIRST, True, False),
        (SECOND, FIRST, True, False),
        (FIRST, SECOND, False, True),
        (FOREIGN, FIRST, True, False),
        (FIRST, FOREIGN, True, False),
        ({"Statement": FIRST["Statement"]}, FIRST, True, False),  # the same end in other words
    ],
)
def test_later_end_follows_the_permissions(old: Any, new: Any, precedes: bool, follows: bool) -> None:
    step = [PutEnd(new)]
    steps = _role_narrowing.new_end_steps(RoleState(True, end_policy=old), RoleState(True, end_policy=new))
    assert steps == (step if precedes else [], step if follows else [])
