# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares with a role for each consumer whose roles and policy others changed, and two runs on one share at once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import ROLE, Control, Run
from tests.support.owner_side import policy_arn, versions

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
CONSUMER = {"account": accounts.CONSUMER, "external_id": "test", "expires": "2090-01-01T00:00:00Z"}
STRANGER = {"account": accounts.STRANGER, "external_id": "other"}
FOURTH = {"account": accounts.FOURTH, "external_id": "fourth"}
FIFTH = {"account": accounts.FIFTH, "external_id": "fifth"}
OF_CONSUMER, OF_STRANGER = f"{ROLE}-{accounts.CONSUMER}", f"{ROLE}-{accounts.STRANGER}"
END = "crossaccount.ecr-end"
OPEN = {"Effect": "Allow", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}


@pytest.fixture(autouse=True)
def _nothing_shared_afterwards(control: Control) -> Iterator[None]:
    yield
    run = share(control, playbook="unshare")
    assert run.code == 0, run
    assert roles(control) == []


def share(control: Control, *consumers: dict[str, Any], playbook: str = "share", **variables: Any) -> Run:
    variables = {"ecr_share_consumers": [*consumers] or [CONSUMER, STRANGER], **variables}
    variables = {"ecr_share_handoff_path": "", "ecr_share_wait_interval": 0.5, **variables}
    return control.playbook(playbook, "owner", *SCENARIO, ecr_share_roles="per_consumer", **variables)


def iam_of(control: Control) -> Any:
    return control.lab.client("owner", "iam")


def roles(control: Control) -> list[str]:
    listed = iam_of(control).list_roles()["Roles"]
    return sorted(role["RoleName"] for role in listed if role["RoleName"].startswith(ROLE))


def state_of(control: Control) -> dict[str, Any]:
    """All that this collection declares of the two roles."""
    iam, found = iam_of(control), {}
    for name in (OF_CONSUMER, OF_STRANGER):
        role = iam.get_role(RoleName=name)["Role"]
        found[name] = (
            role["AssumeRolePolicyDocument"],
            sorted((tag["Key"], tag["Value"]) for tag in role["Tags"]),
            [policy["PolicyName"] for policy in iam.list_attached_role_policies(RoleName=name)["AttachedPolicies"]],
        )
    found[END] = iam.get_role_policy(RoleName=OF_CONSUMER, PolicyName=END)["PolicyDocument"]
    return found


def text(run: Run) -> str:
    return " ".join(run.output.split())


def test_edits_in_the_console_are_undone(control: Control) -> None:
    assert share(control).code == 0
    iam, declared = iam_of(control), state_of(control)
    later = json.dumps(declared[END]).replace("2090", "2099")
    iam.put_role_policy(RoleName=OF_CONSUMER, PolicyName=END, PolicyDocument=later)
    iam.untag_role(RoleName=OF_CONSUMER, TagKeys=["managed-by", "crossaccount.ecr-share"])
    iam.detach_role_policy(RoleName=OF_STRANGER, PolicyArn=policy_arn(ROLE))
    opened = json.dumps({"Version": "2012-10-17", "Statement": [OPEN]})
    iam.update_assume_role_policy(RoleName=OF_STRANGER, PolicyDocument=opened)
    assert share(control).code == 0
    revoked = iam.list_role_policies(RoleName=OF_STRANGER)["PolicyNames"]
    assert (state_of(control), revoked) == (declared, ["AWSRevokeOlderSessions"])
    assert share(control).changed == 0
    iam.delete_role_policy(RoleName=OF_CONSUMER, PolicyName=END)
    assert share(control).code == 0
    assert state_of(control) == declared


def test_deleted_policy_is_created_for_all_roles(control: Control) -> None:
    assert share(control).code == 0
    iam, declared = iam_of(control), state_of(control)
    for name in (OF_CONSUMER, OF_STRANGER):
        iam.detach_role_policy(RoleName=name, PolicyArn=policy_arn(ROLE))
    iam.delete_policy(PolicyArn=policy_arn(ROLE))
    assert share(control).code == 0
    assert state_of(control) == declared
    assert share(control).changed == 0


def test_sixth_version_of_the_common_policy(control: Control) -> None:
    assert share(control).code == 0
    for number in range(4):
        document = {
            "Version": "2012-10-17",
            "Statement": [{"Effect": "Deny", "Action": f"s3:{number}", "Resource": "*"}],
        }
        iam_of(control).create_policy_version(PolicyArn=policy_arn(ROLE), PolicyDocument=json.dumps(document))
    assert len(versions(control, ROLE)) == 5
    run = share(control, CONSUMER, {**STRANGER, "external_id": "new"}, ecr_share_access="pull")
    assert run.code == 0, run
    assert len(versions(control, ROLE)) == 5
    assert share(control, CONSUMER, {**STRANGER, "external_id": "new"}, ecr_share_access="pull").changed == 0


def test_role_of_others_with_the_name_of_a_consumer(control: Control) -> None:
    iam = iam_of(control)
    trust = json.dumps({"Version": "2012-10-17", "Statement": [{**OPEN, "Principal": {"AWS": accounts.FIFTH}}]})
    iam.create_role(RoleName=OF_STRANGER, AssumeRolePolicyDocument=trust)
    try:
        refused = share(control)
        assert refused.code == 2
        assert f"Role {OF_STRANGER} exists, is not tagged managed-by=crossaccount.ecr" in text(refused)
        assert roles(control) == [OF_STRANGER]
        # It is not a role of a consumer that is no longer declared, either.
        assert share(control, CONSUMER).code == 0
        assert roles(control) == [OF_CONSUMER, OF_STRANGER]
    finally:
        iam.delete_role(RoleName=OF_STRANGER)


def test_two_runs_at_once_change_different_consumers(control: Control) -> None:
    assert share(control, CONSUMER, STRANGER).code == 0
    declarations = ([CONSUMER, STRANGER, FOURTH], [CONSUMER, FIFTH])
    with ThreadPoolExecutor(2) as pool:
        runs = list(pool.map(lambda consumers: share(control, *consumers, ecr_share_wait_timeout=5), declarations))
    for run in runs:
        assert run.code == 0 or (run.code == 2 and "Run again: completed" in text(run)), run.output
        assert "Traceback" not in run.output
    last = share(control, *declarations[1])
    assert last.code == 0, last
    assert roles(control) == [OF_CONSUMER, f"{ROLE}-{accounts.FIFTH}"]
    assert share(control, *declarations[1]).changed == 0
