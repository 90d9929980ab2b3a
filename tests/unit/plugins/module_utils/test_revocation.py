# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles of a revocation, their problems, and the lines for the user."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation import (
    Revocation,
    RevocationOptions,
    admitted_by,
    incomplete,
    revocation_lines,
    revocation_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG, RoleState

OURS = RoleState(role_exists=True, role_tags=dict([OWNERSHIP_TAG]))
NOT_NAMED = "The role to revoke is not named. Set role_name, or role_name in shares."


def options(role_name: str | None = None, shares: list[Any] | None = None) -> RevocationOptions:
    return RevocationOptions.of({"role_name": role_name, "shares": shares})


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        (options("a"), ("a",)),
        (options("a", [{"role_name": "b"}, {}, {"role_name": "b"}]), ("b", "a")),
        (options("a", [{"role_name": "b", "state": "absent"}, {"role_name": "c", "state": "present"}]), ("c",)),
        (options(shares=[{"role_name": 7}]), ("7",)),
    ],
)
def test_each_present_share_has_a_role(declared: RevocationOptions, names: tuple[str, ...]) -> None:
    assert (declared.role_names, list(declared.problems())) == (names, [])


@pytest.mark.parametrize(
    ("declared", "problem"),
    [
        (options(), NOT_NAMED),
        (options(""), NOT_NAMED),
        (options(shares=[{"role_name": "a"}, {}]), NOT_NAMED),
        (options("a", []), "shares has no share to revoke. Declare a share with state: present."),
        (options("a", [{"state": "absent"}]), "shares has no share to revoke. Declare a share with state: present."),
        (options("role/a"), "Role name 'role/a' must have 1 to 64 of letters, digits and _+=,.@-."),
    ],
)
def test_problems_of_the_options(declared: RevocationOptions, problem: str) -> None:
    assert list(declared.problems()) == [problem]


def test_problems_of_all_roles_are_reported_together() -> None:
    roles = {"allow_relaese": RoleState(), "other": RoleState(role_exists=True), "allow_release": OURS}
    missing, foreign = revocation_problems(roles, "111111111111", lambda: ["allow_release"])
    assert missing == (
        "Role allow_relaese does not exist in account 111111111111, so it has no sessions to revoke. Did you mean"
        " allow_release? Check role_name."
    )
    assert foreign.startswith("Role other is not tagged managed-by=crossaccount.ecr, so this collection did not create")


def test_other_roles_are_read_only_for_a_suggestion() -> None:
    def others() -> list[str]:
        raise AssertionError

    assert list(revocation_problems({"a": OURS}, "111111111111", others)) == []


def test_principals_of_the_trust_policy_are_admitted() -> None:
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": "arn:aws:iam::222222222222:user/puller"},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"sts:ExternalId": "secret-id"}},
    }
    trust = {"Version": "2012-10-17", "Statement": [statement, statement]}
    assert admitted_by(RoleState(trust=trust)) == ("222222222222 user/puller (external ID)",)
    assert admitted_by(RoleState()) == ()


@pytest.mark.parametrize(("check_mode", "verb"), [(False, "are"), (True, "would be")])
def test_lines_name_all_consumers_and_the_next_step(check_mode: bool, verb: str) -> None:
    revoked = Revocation("pull", "arn", "2026-11-27T03:30:00Z", ("222222222222",))
    assert (revoked.result["name"], revoked.result["admitted"]) == ("pull", ["222222222222"])
    lines = revocation_lines([revoked], check_mode)
    assert lines[:2] == [
        f"pull: all sessions of all consumers that were issued before 2026-11-27T03:30:00Z {verb} denied",
        "  222222222222 is still declared, and can start a new session",
    ]
    assert "remove it from consumers and run crossaccount.ecr.share" in lines[2]
    assert "presigned URL" in lines[-1]
    assert "3,600 seconds" in lines[-1]


def test_an_error_names_the_roles_that_are_done() -> None:
    assert incomplete("Denied.", ["a", "b"]) == (
        "Denied. Roles whose sessions were revoked before that: a, b. Run again."
    )
    assert incomplete("Denied", []).endswith("before that: none. Run again.")
