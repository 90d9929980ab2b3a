# SPDX-License-Identifier: GPL-3.0-or-later
"""revoke.yml ends the active sessions of all consumers of a share, or of some of them, and changes nothing else."""

from __future__ import annotations

import json
import pathlib
import re
import time
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import ROLE, ROLE_ARN, Control
from tests.support.earlier_session import EarlierSession

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
STRANGER = {"account": accounts.STRANGER, "external_id": "other"}
BOTH: dict[str, Any] = {"ecr_share_consumers": [CONSUMER, STRANGER]}
REVOKE = "iam:PutRolePolicy"
ALLOWED = {"allowed"}
DENIED = {"AccessDeniedException", "DENIED"}
ONE_ROLE = (
    f"The sessions of consumer {accounts.CONSUMER} cannot be revoked alone, because all consumers of share {ROLE} use"
    " one role."
)
ISSUED_BEFORE = re.compile(r"issued before (\S+) (?:are|would be) denied")


@pytest.fixture
def shared(control: Control) -> Iterator[Control]:
    """`release` is shared with two consumers."""
    assert control.share(**BOTH).code == 0
    yield control
    assert control.playbook("unshare", "owner", *SCENARIO).code == 0


def revoke(control: Control, *arguments: str, **variables: Any) -> Any:
    return control.playbook("revoke", "owner", *SCENARIO, *arguments, **variables)


def state(control: Control) -> tuple[Any, Any]:
    """The trust policy and the inline policies of the role."""
    iam = control.lab.client("owner", "iam")
    names = iam.list_role_policies(RoleName=ROLE)["PolicyNames"]
    inline = {name: iam.get_role_policy(RoleName=ROLE, PolicyName=name)["PolicyDocument"] for name in names}
    return iam.get_role(RoleName=ROLE)["Role"]["AssumeRolePolicyDocument"], inline


def new_session(control: Control) -> EarlierSession:
    """A session that AWS issued after the revocation. Issue times have a resolution of one second."""
    deadline = time.monotonic() + 60
    while True:
        try:
            return EarlierSession(control.lab, ROLE)
        except Exception:
            if time.monotonic() > deadline:
                raise


def test_sessions_and_tokens_of_all_consumers_are_denied(shared: Control) -> None:
    sessions = [EarlierSession(shared.lab, ROLE), EarlierSession(shared.lab, ROLE, "stranger", "other")]
    assert [{*session.outcomes().values()} for session in sessions] == [ALLOWED, ALLOWED]
    trust, _inline = state(shared)
    mark = len(shared.lab.calls())
    run = revoke(shared)
    assert (run.code, run.changed) == (0, 1), run
    assert shared.lab.writes_since(mark) == [REVOKE]
    for session in sessions:
        outcomes = session.outcomes()
        assert {*outcomes.values()} <= DENIED, outcomes
    kept, inline = state(shared)
    assert (kept, [*inline]) == (trust, ["AWSRevokeOlderSessions"])
    (statement,) = inline["AWSRevokeOlderSessions"]["Statement"]
    assert statement["Condition"] == {"DateLessThan": {"aws:TokenIssueTime": ISSUED_BEFORE.findall(run.output)[0]}}


def test_the_next_run_revokes_a_new_session(shared: Control) -> None:
    assert revoke(shared).code == 0
    session = new_session(shared)
    assert {*session.outcomes().values()} == ALLOWED
    run = revoke(shared)
    assert (run.code, run.changed) == (0, 1), run
    assert {*session.outcomes().values()} <= DENIED
    again = shared.share(**BOTH)
    assert (again.code, again.changed) == (0, 0), again


def test_the_output_states_what_remains_and_the_next_step(shared: Control) -> None:
    run = revoke(shared)
    for line in (
        f"{ROLE}: all sessions of all consumers that were issued before ",
        f"  {accounts.CONSUMER} (external ID) is still declared, and can start a new session",
        f"  {accounts.STRANGER} (external ID) is still declared, and can start a new session",
        "To end the access of a consumer, remove it from ecr_share_consumers and run crossaccount.ecr.share.",
        "Not revocable: a presigned URL of a layer, until it expires. AWS's example expires after 3,600 seconds.",
    ):
        assert line in run.output, run


def test_check_mode_has_the_same_result_and_writes_nothing(shared: Control) -> None:
    session, mark = EarlierSession(shared.lab, ROLE), len(shared.lab.calls())
    predicted = shared.module("iam_ecr_session_revocation", "owner", "--check", role_name=ROLE)
    playbook = revoke(shared, "--check")
    assert (playbook.code, playbook.changed, shared.lab.writes_since(mark)) == (0, 1, []), playbook
    assert " would be denied" in playbook.output
    assert {*session.outcomes().values()} == ALLOWED
    done = shared.module("iam_ecr_session_revocation", "owner", role_name=ROLE)
    assert predicted.keys() == done.keys()
    assert (predicted["changed"], done["changed"]) == (True, True)
    (role,), (planned,) = done["roles"], predicted["roles"]
    assert role["role_arn"] == planned["role_arn"] == ROLE_ARN
    assert role["admitted"] == planned["admitted"]
    assert role["issued_before"] >= planned["issued_before"]


def test_the_roles_of_all_declared_shares_are_revoked(shared: Control) -> None:
    shares = [{"role_name": ROLE}, {"role_name": "ended", "state": "absent"}, {}]
    mark = len(shared.lab.calls())
    run = revoke(shared, ecr_share_shares=shares, ecr_share_role_name=ROLE)
    assert (run.code, shared.lab.writes_since(mark)) == (0, [REVOKE]), run


def test_shares_without_a_role_do_not_block_a_revocation(shared: Control) -> None:
    """The common mode is a policy mode, and one share has a role."""
    shares = [{"role_name": ROLE, "mode": "role"}, {"role_name": "own-identities"}, {}]
    mark = len(shared.lab.calls())
    run = revoke(shared, ecr_share_mode="repository_policy", ecr_share_shares=shares)
    assert (run.code, run.changed, shared.lab.writes_since(mark)) == (0, 1, [REVOKE]), run
    assert "own-identities" not in run.output


def test_documented_share_without_a_role_has_no_sessions(shared: Control) -> None:
    mark = len(shared.lab.calls())
    run = shared.playbook("revoke", "owner", "-e", "@docs/examples/share-repository-policy.yml")
    assert (run.code, shared.lab.calls()[mark:]) == (2, []), run
    text = " ".join(run.output.split())
    assert "No declared share has a role, so there are no sessions to revoke. Without a role: own-identities." in text
    assert "does not exist" not in text


def test_all_problems_are_reported_before_the_first_write(shared: Control) -> None:
    iam = shared.lab.client("owner", "iam")
    iam.create_role(RoleName="of-others", AssumeRolePolicyDocument=json.dumps(state(shared)[0]))
    mark = len(shared.lab.calls())
    shares = [{"role_name": name} for name in (ROLE, "allow_ecr_relaese", "of-others")]
    run = revoke(shared, ecr_share_shares=shares)
    written = shared.lab.writes_since(mark)
    iam.delete_role(RoleName="of-others")
    assert (run.code, written) == (2, []), run
    text = " ".join(run.output.split())
    assert f"Role allow_ecr_relaese does not exist in account {accounts.OWNER}, so it has no sessions" in text
    assert f"Did you mean {ROLE}? Check ecr_share_role_name and ecr_share_roles." in text
    assert "Role of-others is not tagged managed-by=crossaccount.ecr, so this collection did not create it." in text


@pytest.mark.parametrize(
    ("variables", "problem"),
    [
        ({"ecr_share_shares": []}, "ecr_share_shares has no share to revoke."),
        ({"ecr_share_shares": [{"role_name": "ended", "state": "absent"}]}, "ecr_share_shares has no share to revoke."),
        ({"ecr_share_role_name": "a role"}, "Role name 'a role' must have 1 to 64 of"),
        ({"ecr_share_account": accounts.CONSUMER}, f"belong to account {accounts.OWNER}"),
        ({"ecr_share_revoke_consumer": accounts.CONSUMER}, "valid name is ecr_share_revoke_consumers."),
        ({"ecr_share_revoke_consumers": [accounts.CONSUMER]}, ONE_ROLE),
        ({"ecr_share_revoke_consumers": []}, "ecr_share_revoke_consumers is empty. Name an account"),
        ({"ecr_share_mode": "policy"}, "value of ecr_share_mode must be one of: "),
        ({"ecr_share_roles": "each"}, "value of ecr_share_roles must be one of: shared, per_consumer"),
        ({"ecr_share_shares": [{"role": "x"}]}, "An entry of ecr_share_shares has an unknown option role."),
    ],
    ids=[
        "empty",
        "absent",
        "name",
        "account",
        "misspelled",
        "one-role",
        "no-consumer",
        "mode",
        "form",
        "unknown-option",
    ],
)
def test_bad_input_is_reported_before_the_first_write(shared: Control, variables: dict[str, Any], problem: str) -> None:
    mark = len(shared.lab.calls())
    run = revoke(shared, **variables)
    assert (run.code, shared.lab.writes_since(mark)) == (2, []), run
    assert problem in " ".join(run.output.split()), run


def test_a_role_must_be_named(control: Control) -> None:
    run = control.playbook("revoke", "owner")
    assert run.code == 2, run
    assert "The role to revoke is not named. Set ecr_share_role_name, or role_name in ecr_share_shares." in " ".join(
        run.output.split()
    )


def test_a_failed_write_names_the_roles_that_are_done(shared: Control, tmp_path: pathlib.Path) -> None:
    """A policy of the caller denies the write to the second role."""
    second: dict[str, Any] = {"ecr_share_role_name": "second", "ecr_share_repository_tags": {"second": "yes"}}
    assert shared.share(**second, ecr_share_handoff_path=str(tmp_path / "handoff.yml")).code == 0
    iam = shared.lab.client("owner", "iam")
    statement = {"Effect": "Deny", "Action": REVOKE, "Resource": f"arn:aws:iam::{accounts.OWNER}:role/second"}
    user = shared.lab.client("owner", "sts").get_caller_identity()["Arn"].rpartition("/")[2]
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="deny", PolicyDocument=document)
    try:
        run = revoke(shared, ecr_share_shares=[{"role_name": ROLE}, {"role_name": "second"}])
    finally:
        iam.delete_user_policy(UserName=user, PolicyName="deny")
        assert shared.playbook("unshare", "owner", *SCENARIO, **second).code == 0
    assert run.code == 2, run
    assert f"Roles whose sessions were revoked before that: {ROLE}. Run again." in " ".join(run.output.split())
