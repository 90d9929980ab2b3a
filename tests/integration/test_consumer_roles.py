# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares with a role for each consumer, and shares with an end, as playbooks against an enforcing IAM."""

from __future__ import annotations

import datetime
import json
from collections.abc import Iterator
from typing import Any

import pytest
import yaml

from tests.lab import accounts
from tests.support.consumer_side import prove
from tests.support.control import ROLE, Control, Run
from tests.support.earlier_session import EarlierSession
from tests.support.lab import LabClock
from tests.support.owner_side import denied

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
STRANGER = {"account": accounts.STRANGER, "external_id": "other"}
OF_CONSUMER, OF_STRANGER = f"{ROLE}-{accounts.CONSUMER}", f"{ROLE}-{accounts.STRANGER}"
BOTH = [CONSUMER, STRANGER]
NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@pytest.fixture
def clock(control: Control) -> Iterator[LabClock]:
    with control.lab.clock() as lab_clock:
        yield lab_clock


def unshare(control: Control, **variables: Any) -> Run:
    variables = {"ecr_share_roles": "per_consumer", "ecr_share_consumers": BOTH, **variables}
    return control.playbook("unshare", "owner", *SCENARIO, **variables)


@pytest.fixture(autouse=True)
def _nothing_shared_afterwards(control: Control) -> Iterator[None]:
    yield
    run = unshare(control)
    assert run.code == 0, run
    assert roles(control) == []


def per_consumer(control: Control, *arguments: str, **variables: Any) -> Run:
    return control.share(*arguments, **{"ecr_share_roles": "per_consumer", "ecr_share_consumers": BOTH, **variables})


def roles(control: Control) -> list[str]:
    listed = control.lab.client("owner", "iam").list_roles()["Roles"]
    return sorted(role["RoleName"] for role in listed if role["RoleName"].startswith(ROLE))


def role_arn(name: str) -> str:
    return f"arn:aws:iam::{accounts.OWNER}:role/{name}"


def is_allowed(session: EarlierSession) -> bool:
    outcomes = {*session.outcomes().values()}
    assert len({outcome == "allowed" for outcome in outcomes}) == 1, outcomes
    return outcomes == {"allowed"}


def text(run: Run) -> str:
    return " ".join(run.output.split())


def test_each_consumer_pulls_through_its_own_role(control: Control) -> None:
    first = per_consumer(control)
    assert first.code == 0, first
    assert roles(control) == [OF_CONSUMER, OF_STRANGER]
    policies = control.lab.client("owner", "iam").list_policies(Scope="Local")["Policies"]
    assert [(policy["PolicyName"], policy["AttachmentCount"]) for policy in policies] == [(ROLE, 2)]
    again = per_consumer(control)
    assert (again.code, again.changed) == (0, 0), again
    handoff = control.handoff.with_name(f"handoff-1-{accounts.CONSUMER}.yml")
    assert yaml.safe_load(handoff.read_text())["ecr_pull_role_arn"] == role_arn(OF_CONSUMER)
    assert prove(control, role_arn(OF_CONSUMER), readable=["release"], denied=["develop"])["verdict"] == "pass"
    # The external ID of another consumer does not open the role.
    other = prove(control, role_arn(OF_STRANGER), expect="denied", readable=["release"])
    assert other["assume_role"]["outcome"] == "denied"


def test_removal_of_a_consumer_leaves_the_sessions_of_the_others(control: Control) -> None:
    assert per_consumer(control).code == 0
    staying = EarlierSession(control.lab, OF_CONSUMER)
    leaving = EarlierSession(control.lab, OF_STRANGER, "stranger", "other")
    assert is_allowed(staying)
    assert is_allowed(leaving)
    planned = per_consumer(control, "--check", "--diff", ecr_share_consumers=[CONSUMER])
    run = per_consumer(control, ecr_share_consumers=[CONSUMER])
    assert run.code == planned.code == 0, run
    assert run.changed == planned.changed
    assert f"- {accounts.STRANGER} (external ID) loses release" in text(run)
    assert roles(control) == [OF_CONSUMER]
    assert is_allowed(staying)
    assert not is_allowed(leaving)
    assert (per_consumer(control, ecr_share_consumers=[CONSUMER])).changed == 0


def test_run_ends_at_the_first_role_that_fails(control: Control) -> None:
    """The roles have one policy, so a role must not change before the roles that precede it."""
    assert per_consumer(control).code == 0
    iam = control.lab.client("owner", "iam")
    with denied(control, "iam:UpdateRole", role_arn(OF_CONSUMER)):
        run = per_consumer(control, ecr_share_max_session_duration=7200)
    assert run.code == 2, run
    assert iam.get_role(RoleName=OF_STRANGER)["Role"]["MaxSessionDuration"] == 3600
    assert per_consumer(control, ecr_share_max_session_duration=7200).code == 0
    assert iam.get_role(RoleName=OF_STRANGER)["Role"]["MaxSessionDuration"] == 7200


def test_a_share_moves_to_roles_of_consumers_and_back(control: Control) -> None:
    generate = {"account": accounts.STRANGER, "external_id": "generate"}
    consumers = [CONSUMER, generate]
    assert control.share(ecr_share_consumers=consumers).code == 0
    shared = EarlierSession(control.lab, ROLE)
    generated = external_ids(control, ROLE)
    run = per_consumer(control, ecr_share_consumers=consumers)
    assert run.code == 0, run
    assert roles(control) == [OF_CONSUMER, OF_STRANGER]
    assert external_ids(control, OF_CONSUMER) | external_ids(control, OF_STRANGER) == generated
    assert not is_allowed(shared)
    assert is_allowed(EarlierSession(control.lab, OF_CONSUMER))
    assert per_consumer(control, ecr_share_consumers=consumers).changed == 0
    assert control.share(ecr_share_consumers=consumers).code == 0
    assert roles(control) == [ROLE]
    assert external_ids(control, ROLE) == generated
    assert control.share(ecr_share_consumers=consumers).changed == 0


def external_ids(control: Control, role: str) -> set[str]:
    document = control.lab.client("owner", "iam").get_role(RoleName=role)["Role"]["AssumeRolePolicyDocument"]
    return {statement["Condition"]["StringEquals"]["sts:ExternalId"] for statement in document["Statement"]}


def test_interrupted_removal_is_completed_by_the_next_run(control: Control) -> None:
    """A role without its policy is found by its tag."""
    assert per_consumer(control).code == 0
    arn = f"arn:aws:iam::{accounts.OWNER}:policy/{ROLE}"
    control.lab.client("owner", "iam").detach_role_policy(RoleName=OF_STRANGER, PolicyArn=arn)
    assert per_consumer(control, ecr_share_consumers=[CONSUMER]).code == 0
    assert roles(control) == [OF_CONSUMER]


def test_role_of_others_with_the_policy_is_not_deleted(control: Control) -> None:
    assert per_consumer(control, ecr_share_consumers=[CONSUMER]).code == 0
    iam, arn = control.lab.client("owner", "iam"), f"arn:aws:iam::{accounts.OWNER}:policy/{ROLE}"
    iam.create_role(
        RoleName="of-others", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": []})
    )
    iam.attach_role_policy(RoleName="of-others", PolicyArn=arn)
    try:
        assert per_consumer(control, ecr_share_consumers=[CONSUMER]).changed == 0
        refused = control.playbook(
            "unshare", "owner", *SCENARIO, ecr_share_roles="per_consumer", ecr_share_consumers=[CONSUMER]
        )
        assert refused.code == 2
        assert f"Policy {ROLE} is attached to role of-others. Remove it first." in text(refused)
        assert roles(control) == [OF_CONSUMER]
    finally:
        iam.detach_role_policy(RoleName="of-others", PolicyArn=arn)
        iam.delete_role(RoleName="of-others")


# --- the sessions of one consumer


def revoke(control: Control, *arguments: str, **variables: Any) -> Run:
    variables = {"ecr_share_roles": "per_consumer", "ecr_share_consumers": BOTH, **variables}
    return control.playbook("revoke", "owner", *SCENARIO, *arguments, **variables)


def test_sessions_of_one_consumer_are_revoked_alone(control: Control) -> None:
    assert per_consumer(control).code == 0
    kept = EarlierSession(control.lab, OF_CONSUMER)
    revoked = EarlierSession(control.lab, OF_STRANGER, "stranger", "other")
    chosen = {"ecr_share_revoke_consumers": [accounts.STRANGER]}
    mark = len(control.lab.calls())
    planned = revoke(control, "--check", **chosen)
    assert (planned.code, planned.changed, control.lab.writes_since(mark)) == (0, 1, []), planned
    assert is_allowed(revoked)
    run = revoke(control, **chosen)
    assert (run.code, run.changed, control.lab.writes_since(mark)) == (0, 1, ["iam:PutRolePolicy"]), run
    assert f"{OF_STRANGER}: all sessions of consumer {accounts.STRANGER} that were issued before " in run.output
    assert f"  {accounts.STRANGER} (external ID) is still declared, and can start a new session" in run.output
    assert "The sessions of all other consumers remain valid." in run.output
    assert f"{accounts.CONSUMER} (external ID)" not in run.output
    assert is_allowed(kept)
    assert not is_allowed(revoked)
    assert per_consumer(control).changed == 0
    every = revoke(control)
    assert (every.code, control.lab.writes_since(mark)) == (0, ["iam:PutRolePolicy"] * 3), every
    assert not is_allowed(kept)


def test_role_with_a_name_of_its_own_is_revoked(control: Control) -> None:
    consumers = [CONSUMER, {**STRANGER, "role_name": f"{ROLE}-of-stranger"}]
    share = {"role_name": ROLE, "roles": "per_consumer", "consumers": consumers}
    assert per_consumer(control, ecr_share_consumers=consumers).code == 0
    mark = len(control.lab.calls())
    run = revoke(control, ecr_share_shares=[share], ecr_share_revoke_consumers=["3333-3333-3333"])
    assert (run.code, control.lab.writes_since(mark)) == (0, ["iam:PutRolePolicy"]), run
    assert f"{ROLE}-of-stranger: all sessions of consumer {accounts.STRANGER}" in run.output


def test_every_problem_with_consumers_to_revoke_is_reported(control: Control) -> None:
    assert per_consumer(control).code == 0
    mark = len(control.lab.calls())
    unknown = revoke(control, ecr_share_revoke_consumers=[accounts.CONSUMER, "333333333332", "all"])
    assert (unknown.code, control.lab.writes_since(mark)) == (2, []), unknown
    assert "2 problems, nothing was written" in text(unknown), unknown
    assert f"Consumer 333333333332 to revoke is not declared. Did you mean {accounts.STRANGER}?" in text(unknown)
    assert "ecr_share_revoke_consumers: 'all' is not an AWS account ID of 12 digits." in text(unknown)
    # The declaration has another form than the roles of the account.
    other = revoke(control, ecr_share_roles="shared")
    assert (other.code, control.lab.writes_since(mark)) == (2, []), other
    assert f"Role {ROLE} does not exist in account {accounts.OWNER}" in text(other)
    assert f"Did you mean {ROLE}-" in text(other), other
    assert "Check ecr_share_role_name and ecr_share_roles." in text(other)


def test_ended_consumer_is_revoked_and_cannot_start_a_session(control: Control, clock: LabClock) -> None:
    consumers = [{**CONSUMER, "expires": in_hours(3)}, STRANGER]
    assert per_consumer(control, ecr_share_consumers=consumers).code == 0
    clock.advance(datetime.timedelta(hours=4))
    run = revoke(control, ecr_share_consumers=consumers)
    assert run.code == 0, run
    assert f"  the access ended on {consumers[0]['expires']}" in run.output
    assert f"{accounts.CONSUMER} (external ID) is still declared" not in run.output
    assert f"{accounts.STRANGER} (external ID) is still declared, and can start a new session" in run.output


# --- ends


def in_hours(hours: int) -> str:
    return f"{datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(hours=hours):%Y-%m-%dT%H:00:00Z}"


def test_access_ends_for_sessions_and_tokens(control: Control, clock: LabClock) -> None:
    end = in_hours(30)
    consumers = [{**CONSUMER, "expires": in_hours(10)}, STRANGER]
    run = per_consumer(control, ecr_share_consumers=consumers, ecr_share_expires=end)
    assert run.code == 0, run
    assert f"the access ends on {consumers[0]['expires']} (in " in text(run)
    assert f"the access ends on {end} (in " in text(run)
    handoff = control.handoff.with_name(f"handoff-1-{accounts.CONSUMER}.yml")
    assert yaml.safe_load(handoff.read_text())["ecr_pull_expires"] == consumers[0]["expires"]
    assert per_consumer(control, ecr_share_consumers=consumers, ecr_share_expires=end).changed == 0
    ends_at = datetime.datetime.fromisoformat(consumers[0]["expires"].replace("Z", "+00:00"))
    clock.stop_at(ends_at - datetime.timedelta(seconds=1))
    first = EarlierSession(control.lab, OF_CONSUMER)
    second = EarlierSession(control.lab, OF_STRANGER, "stranger", "other")
    assert is_allowed(first)
    clock.stop_at(ends_at)
    assert not is_allowed(first)
    assert is_allowed(second)
    assert prove(control, role_arn(OF_CONSUMER), expect="denied", readable=["release"])["verdict"] == "pass"
    ended = per_consumer(control, ecr_share_consumers=consumers, ecr_share_expires=end)
    assert (ended.code, ended.changed) == (0, 0), ended
    assert f"the access ended on {consumers[0]['expires']}; remove it with unshare.yml" in text(ended)
    only = unshare(control, ecr_share_consumers=consumers, ecr_share_expires=end, ecr_share_expired_only=True)
    assert only.code == 0, only
    assert roles(control) == [OF_STRANGER]
    assert is_allowed(second)


def test_a_duration_is_fixed_and_a_shared_role_ends(control: Control, clock: LabClock) -> None:
    first = control.share(ecr_share_expires="2h")
    assert first.code == 0, first
    tags = control.lab.client("owner", "iam").list_role_tags(RoleName=ROLE)["Tags"]
    (fixed,) = [tag["Value"] for tag in tags if tag["Key"] == "crossaccount.ecr-expires"]
    clock.advance(datetime.timedelta(hours=1))
    session = EarlierSession(control.lab, ROLE)
    assert control.share(ecr_share_expires="2h").changed == 0
    longer = control.share(ecr_share_expires="5h")
    assert longer.code == 0, longer
    assert f"{accounts.CONSUMER}: access now ends on" in text(longer)
    assert f"not on {fixed.partition(' ')[2]}" in text(longer)
    assert is_allowed(session)
    clock.advance(datetime.timedelta(hours=7))
    past = control.share(ecr_share_expires=in_hours(1))
    assert past.code == 2
    assert "is in the past. Declare a later end, or end the share with state: absent." in text(past)
    assert control.share(ecr_share_expires="5h").changed == 0


def test_every_invalid_end_is_reported_before_the_first_write(control: Control) -> None:
    consumers = [{**CONSUMER, "expires": "2020-01-01T00:00:00Z"}, {**STRANGER, "expires": "2030-01-01T00:00:00"}]
    for form, count in (("per_consumer", 3), ("shared", 4)):
        run = per_consumer(control, ecr_share_roles=form, ecr_share_consumers=consumers, ecr_share_expires="soon")
        assert run.code == 2
        assert f"{count} problems, nothing was written" in text(run), run
    assert roles(control) == []
