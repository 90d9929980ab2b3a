# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof that access has ended: the responses to AssumeRole, and the verdict on the access that remains."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    SessionOptions,
    is_session_of,
    other_external_ids,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial_proof import (
    Assumption,
    allowed_assumption,
    denial_result,
    denied_assumption,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import DENIED, Observation
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import artifact_of, proof_is_final
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import Expectations, verdicts_of

from tests.unit.observations import observation, observations

CALLER = "arn:aws:iam::222222222222:user/puller"
ROLE = "arn:aws:iam::111111111111:role/teams/pull"
SESSION = "arn:aws:sts::111111111111:assumed-role/pull/laptop"
PLAIN = f"User: {CALLER} is not authorized to perform: sts:AssumeRole on resource: {ROLE}"
DENIED_ONCE = denied_assumption(ROLE, PLAIN)


def result(assumption: Assumption, outcomes: tuple[str, str, str] | None = None, token_outcome: str = DENIED) -> Any:
    """The result for one repository; None if no session was probed."""
    if outcomes is None:
        return denial_result(CALLER, assumption, {}, None, [])
    observed = observation("token", token_outcome)
    verdicts = verdicts_of(Expectations((), ("app",)), {"app": observations(*outcomes)}, observed, {})
    return denial_result(SESSION, assumption, {"arn": SESSION}, observed, verdicts)


@pytest.mark.parametrize(
    ("sentence", "proves"),
    [
        (PLAIN, True),
        (f"{PLAIN} because no resource-based policy allows the sts:AssumeRole action", True),
        (f"{PLAIN} because no role trust policy allows the sts:AssumeRole action", True),
        (f"{PLAIN} with an explicit deny in the role trust policy", True),
        (f"{PLAIN} with an explicit deny in a resource-based policy", True),
        (f"{PLAIN} with an explicit deny in an identity-based policy", False),
        (f"{PLAIN} with an explicit deny", False),
        (f"{PLAIN} because no identity-based policy allows the sts:AssumeRole action", False),
        (f"{PLAIN} because no permissions boundary allows the sts:AssumeRole action", False),
        (f"{PLAIN} with an explicit deny in a service control policy", False),
        (f"{PLAIN} with an explicit deny in a resource control policy", False),
        (f"{PLAIN} because no session policy allows the sts:AssumeRole action", False),
        (f"{PLAIN} because no VPC endpoint policy allows the sts:AssumeRole action", False),
        (PLAIN.replace("sts:AssumeRole", "sts:TagSession"), False),
        (PLAIN.replace("sts:AssumeRole", "sts:SetSourceIdentity"), False),
        (PLAIN.replace(ROLE, "arn:aws:iam::222222222222:role/jump"), False),
        (PLAIN.replace(ROLE, ROLE + "2"), False),
        ("Roles may not be assumed by root accounts.", False),
        ("AWS states no reason", False),
        ("Access denied", False),
        ("", False),
    ],
)
def test_only_the_trust_policy_proves_that_access_ended(sentence: str, proves: bool) -> None:
    assumption = denied_assumption(ROLE, sentence)
    assert (assumption.outcome, assumption.advice == "") == ("denied", proves), assumption
    assert result(assumption)["verdict"] == ("pass" if proves else "fail")


@pytest.mark.parametrize(
    ("outcomes", "token", "verdict"),
    [
        (("denied", "denied", "denied"), "denied", "pass"),
        (("denied", "denied", "denied"), "allowed", "fail"),
        (("denied", "denied", "denied"), "expired", "fail"),
        (("allowed", "denied", "denied"), "denied", "fail"),
        (("denied", "allowed", "denied"), "denied", "fail"),
        (("denied", "denied", "allowed"), "denied", "fail"),
        (("denied", "not_found", "denied"), "denied", "fail"),
        (("expired", "expired", "expired"), "expired", "fail"),
    ],
)
def test_an_earlier_session_must_be_denied_everything(outcomes: tuple[str, str, str], token: str, verdict: str) -> None:
    assert result(Assumption("not_requested"), outcomes, token)["verdict"] == verdict


def test_an_earlier_session_without_a_repository_proves_nothing() -> None:
    probed = denial_result(SESSION, Assumption("not_requested"), {"arn": SESSION}, observation("token", "denied"), [])
    assert probed["problems"] == ["No repository was requested with this session. Set readable."]


@pytest.mark.parametrize(("kind", "accepted", "passes"), [("boundary", (), False), ("boundary", ("boundary",), True)])
def test_a_token_denied_by_others_must_be_accepted(kind: str, accepted: tuple[str, ...], passes: bool) -> None:
    token = observation("token", "denied", kind)
    verdicts = verdicts_of(Expectations((), ("app",)), {"app": observations("denied", "denied", "denied")}, token, {})
    probed = denial_result(SESSION, Assumption("not_requested"), {"arn": SESSION}, token, verdicts, accepted)
    assert (probed["verdict"] == "pass") is passes


def test_a_token_that_failed_is_not_denied() -> None:
    token = Observation("error", "Throttled", "throttled", "Run again.")
    verdicts = verdicts_of(Expectations((), ("app",)), {"app": observations("denied", "denied", "denied")}, token, {})
    probed = denial_result(SESSION, Assumption("not_requested"), {"arn": SESSION}, token, verdicts)
    assert probed["problems"] == ["The session of the role is not proven to be denied a registry token. Run again."]


@pytest.mark.parametrize("without", [False, True])
def test_a_role_that_can_be_assumed_fails_although_all_is_denied(without: bool) -> None:
    probed = result(allowed_assumption(ROLE, CALLER, without), ("denied", "denied", "denied"))
    (problem,) = probed["problems"]
    assert f"Role {ROLE} can still be assumed by {CALLER}" in problem
    assert ("without the external ID, or with another one" in problem) is without


@pytest.mark.parametrize(
    ("probed", "final"),
    [
        (result(DENIED_ONCE), True),
        (result(denied_assumption(ROLE, "Access denied")), True),
        (result(allowed_assumption(ROLE, CALLER, False), ("denied", "denied", "denied")), False),
        (result(Assumption("not_requested"), ("allowed", "denied", "denied"), "allowed"), False),
        (result(Assumption("not_requested"), ("expired", "expired", "expired"), "expired"), True),
    ],
)
def test_access_that_remains_is_tried_again(probed: dict[str, Any], final: bool) -> None:
    assert proof_is_final(probed, "read") is final


def test_the_artifact_has_the_response_to_the_assumption() -> None:
    artifact = artifact_of(SessionOptions(ROLE), {"arn": CALLER}, result(DENIED_ONCE))
    assert (artifact["assume_role"], artifact["verdict"], artifact["repositories"]) == ("denied", "pass", {})


def test_the_summary_has_the_message_of_aws() -> None:
    assert result(DENIED_ONCE)["summary"] == [f"AssumeRole as {CALLER}: denied", f"  {PLAIN}"]
    probed = result(Assumption("not_requested"), ("denied", "denied", "denied"))
    assert probed["summary"][0] == f"session that existed before the run: {SESSION}"
    assert probed["summary"][2].startswith("app ")


@pytest.mark.parametrize(
    ("caller", "is_session"),
    [
        (SESSION, True),
        (SESSION.replace("assumed-role/pull/", "assumed-role/pull2/"), False),
        (SESSION.replace("111111111111", "222222222222"), False),
        ("arn:aws:iam::111111111111:role/teams/pull", False),
        ("arn:aws:iam::111111111111:user/assumed-role/pull/laptop", False),
        (CALLER, False),
    ],
)
def test_session_of_the_role(caller: str, is_session: bool) -> None:
    assert is_session_of(caller, ROLE) is is_session


def test_other_external_ids_differ_and_are_valid() -> None:
    assert other_external_ids(SessionOptions(ROLE)) == ()
    none, wrong = other_external_ids(SessionOptions(ROLE, "x" * 1224))
    assert (none, len(str(wrong)), wrong != "x" * 1224) == (None, 1224, True)
