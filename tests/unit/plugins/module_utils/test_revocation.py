# SPDX-License-Identifier: GPL-3.0-or-later
"""The roles of a revocation, their problems, and the lines for the user."""

from __future__ import annotations

import datetime

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_policy, with_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation import (
    Revocation,
    admitted_by,
    incomplete,
    revocation_lines,
    revocation_of,
    revocation_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation_choice import ChosenRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import OWNERSHIP_TAG, RoleState

OURS = RoleState(role_exists=True, role_tags=dict([OWNERSHIP_TAG]))
NOW = datetime.datetime(2026, 11, 27, tzinfo=datetime.timezone.utc)
STATEMENT = {
    "Effect": "Allow",
    "Principal": {"AWS": "arn:aws:iam::222222222222:user/puller"},
    "Action": "sts:AssumeRole",
    "Condition": {"StringEquals": {"sts:ExternalId": "secret-id"}},
}
TRUST = {"Version": "2012-10-17", "Statement": [STATEMENT, STATEMENT]}


def test_problems_of_all_roles_are_reported_together() -> None:
    roles = {"allow_relaese": RoleState(), "other": RoleState(role_exists=True), "allow_release": OURS}
    missing, foreign = revocation_problems(roles, "111111111111", lambda: ["allow_release"])
    assert missing == (
        "Role allow_relaese does not exist in account 111111111111, so it has no sessions to revoke. Did you mean"
        " allow_release? Check role_name and roles."
    )
    assert foreign.startswith("Role other is not tagged managed-by=crossaccount.ecr, so this collection did not create")


def test_other_roles_are_read_only_for_a_suggestion() -> None:
    def others() -> list[str]:
        raise AssertionError

    assert list(revocation_problems({"a": OURS}, "111111111111", others)) == []


def test_principals_of_the_trust_policy_are_admitted() -> None:
    assert admitted_by(RoleState(trust=TRUST), NOW) == ("222222222222 user/puller (external ID)",)
    assert admitted_by(RoleState(), NOW) == ()


@pytest.mark.parametrize("seconds", [-1, 0, 1])
@pytest.mark.parametrize("of_role", [False, True])
def test_no_principal_is_admitted_after_the_end(seconds: int, of_role: bool) -> None:
    end = NOW + datetime.timedelta(seconds=seconds)
    state = RoleState(trust=TRUST, end_policy=end_policy(end)) if of_role else RoleState(trust=with_end(TRUST, end))
    revoked = revocation_of(ChosenRole("pull", "222222222222"), "arn", "now", state, NOW)
    assert bool(revoked.admitted) == (end > NOW)
    lines = revocation_lines([revoked], True, False)
    assert lines[0].startswith("pull: all sessions of consumer 222222222222 that were issued before now are denied")
    assert lines[-5].startswith("  the access ends on 2026" if end > NOW else "  the access ended on 2026")
    assert lines[-4] == "The sessions of all other consumers remain valid."


@pytest.mark.parametrize(("check_mode", "verb"), [(False, "are"), (True, "would be")])
def test_lines_name_all_consumers_and_the_next_step(check_mode: bool, verb: str) -> None:
    revoked = Revocation("pull", "arn", "2026-11-27T03:30:00Z", ("222222222222",))
    assert revoked.result == {
        "name": "pull",
        "role_arn": "arn",
        "issued_before": "2026-11-27T03:30:00Z",
        "admitted": ["222222222222"],
        "consumer": "",
    }
    lines = revocation_lines([revoked], False, check_mode)
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
