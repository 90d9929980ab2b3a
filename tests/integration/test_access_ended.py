# SPDX-License-Identifier: GPL-3.0-or-later
"""The consumer proves that no access remains: after unshare, after its removal, and after a revocation."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any
from xml.etree import ElementTree

import pytest

from tests.lab import accounts
from tests.support.consumer_side import Clock, options_of, prove
from tests.support.control import ROLE, ROLE_ARN, Control
from tests.support.earlier_session import EarlierSession
from tests.support.owner_resources import Owner
from tests.support.policies import ASSUME, READ, deny, document

SCENARIO = ("-e", "@playbooks/vars/scenario.yml")
CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
STRANGER = {"account": accounts.STRANGER, "external_id": "other"}
CALLER_ARN = f"arn:aws:iam::{accounts.CONSUMER}:user/puller"
STILL = f"Role {ROLE_ARN} can still be assumed by {CALLER_ARN}."
DENIED = {"AccessDeniedException", "DENIED"}


@pytest.fixture
def shared(control: Control) -> Iterator[Control]:
    assert control.share(ecr_share_consumers=[CONSUMER, STRANGER]).code == 0
    yield control
    assert control.playbook("unshare", "owner", *SCENARIO).code == 0


def text(run: Any) -> str:
    return " ".join(run.output.split())


def by_earlier(control: Control, session: EarlierSession, **options: Any) -> dict[str, Any]:
    """The proof with the credentials of a session that started earlier."""
    options = {"readable": ["release"], **options_of(control, session.keys), **options}
    return prove(control, ROLE_ARN, expect="denied", **options)


def test_proof_passes_after_unshare(shared: Control, tmp_path: pathlib.Path) -> None:
    assert shared.share(ecr_share_consumers=[CONSUMER]).code == 0
    before = shared.pull(ecr_pull_expect="denied")
    assert before.code == 2, before
    assert STILL in text(before), before
    session = EarlierSession(shared.lab, ROLE)
    assert shared.playbook("unshare", "owner", *SCENARIO).code == 0
    junit = tmp_path / "junit.xml"
    run = shared.pull(ecr_pull_expect="denied", ecr_pull_junit_path=str(junit))
    assert run.code == 0, run
    assert f"AssumeRole as {CALLER_ARN}: denied" in run.output
    assert "pulled by" not in run.output
    suite = ElementTree.parse(junit).getroot()[0]  # noqa: S314 - this run wrote it
    assert (suite.get("failures"), [case.get("name") for case in suite]) == ("0", ["is not assumed"])
    assert f"sts:AssumeRole on resource: {ROLE_ARN}" in (suite[0][0].text or "")
    outcomes = {*session.outcomes().values()}
    assert "allowed" not in outcomes, outcomes


def test_removed_consumer_and_its_earlier_session_are_denied(shared: Control) -> None:
    session = EarlierSession(shared.lab, ROLE)
    assert shared.share(ecr_share_consumers=[STRANGER], ecr_share_handoff_path="").code == 0
    result = prove(shared, ROLE_ARN, expect="denied", readable=["release"])
    assert (result["verdict"], result["problems"]) == ("pass", []), result
    assert result["assume_role"]["outcome"] == "denied"
    assert (result["repositories"], result["token"], result["assumed"]) == ([], "not_requested", {})
    assert result["artifact"]["assume_role"] == "denied"
    earlier = by_earlier(shared, session)
    assert (earlier["verdict"], earlier["problems"]) == ("pass", []), earlier
    assert earlier["assume_role"]["outcome"] == "not_requested"
    (seen,) = earlier["repositories"]
    assert [seen[probe] for probe in ("describe", "manifest", "layer", "token")] == ["denied"] * 4
    assert {*session.outcomes().values()} <= DENIED


def test_revoked_session_is_denied_while_the_role_is_assumable(shared: Control) -> None:
    session = EarlierSession(shared.lab, ROLE)
    active = by_earlier(shared, session)
    assert active["verdict"] == "fail"
    assert any("is allowed" in problem or "are allowed" in problem for problem in active["problems"])
    assert any("still gets a registry token" in problem for problem in active["problems"])
    assert shared.playbook("revoke", "owner", *SCENARIO).code == 0
    assert by_earlier(shared, session)["verdict"] == "pass"
    assumable = prove(shared, ROLE_ARN, expect="denied", readable=["release"])
    assert (assumable["verdict"], assumable["assume_role"]["outcome"]) == ("fail", "allowed")
    assert assumable["problems"][0].startswith(STILL)


def test_a_session_without_a_repository_is_not_a_proof(shared: Control) -> None:
    session = EarlierSession(shared.lab, ROLE)
    assert shared.playbook("revoke", "owner", *SCENARIO).code == 0
    result = by_earlier(shared, session, readable=[])
    assert (result["verdict"], result["problems"]) == (
        "fail",
        ["No repository was requested with this session. Set readable."],
    )


def test_assumable_role_without_permissions_is_a_failure(control: Control, owner: Owner) -> None:
    role = owner.role(deny("s3:GetObject"))
    result = prove(control, role, expect="denied", readable=["release"], denied=["develop"])
    assert result["verdict"] == "fail"
    assert result["problems"] == [
        f"Role {role} can still be assumed by {CALLER_ARN}. Ask the owner account to remove this consumer from the"
        " share, or to end the share. If the owner account ended the access within the last minute, run again."
    ]
    assert [seen["name"] for seen in result["repositories"]] == ["release", "develop"]


def test_a_role_that_requires_no_external_id_is_a_failure(control: Control, owner: Owner) -> None:
    """The owner account declared another external ID, and left a statement without one."""
    role = owner.role(*READ, Condition={"Null": {"sts:ExternalId": "true"}})
    result = prove(control, role, expect="denied", readable=["release"])
    assert result["verdict"] == "fail"
    assert (
        f"can still be assumed by {CALLER_ARN} without the external ID, or with another one." in result["problems"][0]
    )


def test_a_deny_statement_of_the_caller_is_not_a_proof(shared: Control) -> None:
    """The role still trusts the consumer. An administrator of the consumer account denies the request."""
    iam = shared.lab.client("consumer-administrator", "iam")
    iam.put_user_policy(UserName="puller", PolicyName="deny", PolicyDocument=document(deny(ASSUME)))
    try:
        result = prove(shared, ROLE_ARN, expect="denied", readable=["release"])
    finally:
        iam.delete_user_policy(UserName="puller", PolicyName="deny")
    assert (result["verdict"], result["assume_role"]["denial_kind"]) == ("fail", "explicit_deny"), result
    assert "does not prove that the owner account ended the access" in result["problems"][0]


def test_other_errors_are_not_a_proof(control: Control) -> None:
    for options in (
        {"endpoint_url": "http://127.0.0.1:9", "access_key": "AKIA" + "A" * 16, "secret_key": "s" * 40},
        {"access_key": "AKIA" + "A" * 16, "secret_key": "s" * 40, "endpoint_url": control.lab.endpoint},
    ):
        result = prove(control, ROLE_ARN, expect="denied", readable=["release"], region=accounts.REGION, **options)
        assert result.get("failed"), json.dumps(result)
        assert "verdict" not in result


def test_no_secret_of_the_session_is_in_a_result(shared: Control) -> None:
    session = EarlierSession(shared.lab, ROLE)
    shown = json.dumps(by_earlier(shared, session), default=str)
    assert not [name for name in ("SecretAccessKey", "SessionToken") if session.keys[name] in shown]


def test_the_module_proves_on_a_host_and_by_the_control_node(shared: Control) -> None:
    options = {"expect": "denied", "readable": ["release"], "external_id": "test", "role_arn": ROLE_ARN}
    assert shared.share(ecr_share_consumers=[STRANGER], ecr_share_handoff_path="").code == 0
    results = [
        shared.module("ecr_access_info", "consumer", credentials=credentials, **options)
        for credentials in ("host", "control_node")
    ]
    assert [result["verdict"] for result in results] == ["pass", "pass"], results


def test_a_role_that_is_assumed_is_tried_again(shared: Control, clock: Clock) -> None:
    """A removal may not have propagated."""
    result = prove(shared, ROLE_ARN, expect="denied", readable=["release"], wait_timeout=60, wait_interval=30)
    assert (result["verdict"], clock.now) == ("fail", 60.0)
