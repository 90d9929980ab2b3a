# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a proof, and whether it can still change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import (
    ACCESS_INFO_ARGUMENTS,
    ProofOptions,
    artifact_of,
    identities,
    proof_is_final,
    proof_problems,
    proof_result,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import Expectations, verdicts_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

from tests.unit.observations import (
    ABSENT_VERDICT,
    ALLOWED,
    HIDDEN,
    RIGHT,
    SHOWN,
    judged,
    observation,
    observations,
    wrong,
)

ROLE_ARN = "arn:aws:iam::111111111111:role/allow"
CALLER, ASSUMED = ({"account": account, "arn": f"arn:{account}"} for account in ("222222222222", "111111111111"))


def is_final(verdicts: list[dict[str, Any]], access: str = "read", token_denial_kind: str = "") -> bool:
    verdict = "fail" if any(verdict["verdict"] == "fail" for verdict in verdicts) else "pass"
    return proof_is_final(
        {"verdict": verdict, "token_denial_kind": token_denial_kind, "repositories": verdicts}, access
    )


@pytest.mark.parametrize(
    ("verdicts", "final"),
    [
        ([], True),
        ([RIGHT, HIDDEN], True),
        ([RIGHT, wrong(manifest="no_identity_policy")], False),
        ([wrong(manifest="trust")], False),
        ([wrong(layer="unknown")], False),
        ([wrong(manifest="explicit_deny")], True),
        ([wrong(manifest="boundary")], True),
        ([wrong(manifest="session_policy")], True),
        ([wrong(manifest="organization_policy")], True),
        ([wrong(manifest="no_identity_policy", layer="boundary")], True),
        ([wrong(manifest="no_identity_policy"), wrong(manifest="boundary")], True),
        ([wrong(manifest="no_identity_policy"), HIDDEN], False),
        ([ABSENT_VERDICT], True),
        ([judged("denied", observations("expired", "denied", "denied"))], True),
        ([SHOWN], False),
        ([SHOWN, wrong(manifest="no_identity_policy")], False),
        ([SHOWN, ABSENT_VERDICT], True),
        ([judged("readable", observations("allowed", "allowed", "allowed"), observation("token", "denied"))], False),
        (
            [
                judged(
                    "readable",
                    observations("allowed", "allowed", "allowed"),
                    observation("token", "denied", "boundary"),
                )
            ],
            True,
        ),
    ],
)
def test_a_result_is_final_if_no_propagation_explains_it(verdicts: list[dict[str, Any]], final: bool) -> None:
    assert is_final(verdicts) is final


def test_expected_final_denial_is_not_a_final_result() -> None:
    expected = judged(
        "denied", {probe: observation(probe, "denied", "explicit_deny") for probe in ("describe", "manifest", "layer")}
    )
    assert expected["verdict"] == "pass"
    assert not is_final([expected, wrong(manifest="no_identity_policy")])


@pytest.mark.parametrize(("access", "final"), [("read", True), ("pull", False)])
def test_describe_is_not_final_with_access_pull(access: str, final: bool) -> None:
    verdicts = [wrong(describe="boundary", manifest="no_identity_policy")]
    assert is_final(verdicts, access) is final


@pytest.mark.parametrize(("kind", "final"), [("trust", False), ("unknown", False), ("boundary", True), (None, True)])
def test_a_role_that_cannot_be_assumed(kind: str | None, final: bool) -> None:
    assert proof_is_final({"failed": True, "msg": "no", "denial_kind": kind}, "read") is final


@pytest.mark.parametrize(("kind", "final"), [("no_identity_policy", False), ("boundary", True)])
def test_a_denied_registry_token(kind: str, final: bool) -> None:
    assert proof_is_final({"verdict": "fail", "token_denial_kind": kind, "repositories": []}, "read") is final


def test_the_artifact_is_the_proof_in_short() -> None:
    result = {"verdict": "fail", "problems": ["no"], "external_id_enforced": "true", "repositories": [RIGHT, HIDDEN]}
    assert artifact_of(SessionOptions("arn:role"), {"account": "222222222222", "arn": "arn:user"}, result) == {
        "verdict": "fail",
        "problems": ["no"],
        "role_arn": "arn:role",
        "caller": "arn:user",
        "external_id_enforced": "true",
        "repositories": {"app": HIDDEN["pull"]},
    }


def test_artifact_of_a_share_without_a_role_names_the_owner() -> None:
    result = {"verdict": "pass", "problems": [], "external_id_enforced": "unknown", "repositories": []}
    artifact = artifact_of(SessionOptions(None, registry_account="111111111111"), CALLER, result)
    assert ("role_arn" in artifact, "assume_role" in artifact) == (False, False)
    assert artifact["registry_account"] == "111111111111"
    denied = artifact_of(SessionOptions(ROLE_ARN), CALLER, {**result, "assume_role": {"outcome": "denied"}})
    assert (denied["assume_role"], denied["role_arn"]) == ("denied", ROLE_ARN)


def test_identities_are_those_that_send_requests() -> None:
    role, own = SessionOptions(ROLE_ARN), SessionOptions(None, registry_account="111111111111")
    assert identities(role, CALLER, ASSUMED) == ["before: arn:222222222222", "after:  arn:111111111111"]
    assert identities(role, CALLER, {}) == ["before: arn:222222222222"]
    assert identities(own, CALLER, {}) == ["identity: arn:222222222222"]


def options_of(**chosen: Any) -> ProofOptions:
    defaults = {name: spec.get("default") for name, spec in ACCESS_INFO_ARGUMENTS.items()}
    params = {"role_arn": ROLE_ARN, "validate_certs": True, "aws_ca_bundle": None}
    return ProofOptions.of({**defaults, **params, **chosen})


@pytest.mark.parametrize(
    ("expect", "readable", "denied", "existing"),
    [("allowed", ("a", "b"), ("b", "c"), ("d",)), ("denied", (), ("a", "b", "c"), ("d", "a", "b"))],
)
def test_without_access_all_repositories_are_denied(expect: str, readable: Any, denied: Any, existing: Any) -> None:
    options = options_of(expect=expect, readable=["a", "b"], denied=["b", "c"], existing=["d"])
    expected = options.expectations
    assert (expected.readable, expected.denied, expected.existing) == (readable, denied, existing)
    assert options.expects_denial is (expect == "denied")


def test_options_of_a_task() -> None:
    tags = {"environment": "release"}
    options = options_of(
        access="pull",
        repository_tags=tags,
        accepted_denials=["unknown"],
        registry_host="host",
        validate_certs=False,
        aws_ca_bundle="/ca.pem",
        wait=False,
    )
    assert options == ProofOptions(
        SessionOptions(ROLE_ARN, duration=900),
        Expectations((), (), "pull", tags, ("unknown",)),
        WaitOptions(False, options.wait.timeout, options.wait.interval),
        registry_host="host",
        validate_certs=False,
        ca_path="/ca.pem",
    )
    assert options_of().expectations.repository_tags == {}


@pytest.mark.parametrize(
    ("chosen", "starts"),
    [
        ({"readable": ["app"], "denied": ["other"]}, []),
        ({"role_arn": "x"}, ["role_arn"]),
        ({"wait_interval": -1.0}, ["wait_interval"]),
        ({"readable": ["App"], "denied": ["Other"]}, ["'App' is not", "'Other' is not"]),
        (
            {"readable": ["web", "app"], "denied": ["app", "web"]},
            ["Repository app is expected to be", "Repository web is expected"],
        ),
        ({"readable": ["app"], "denied": ["app"], "expect": "denied"}, []),
    ],
)
def test_options_of_a_proof_are_checked(chosen: dict[str, Any], starts: list[str]) -> None:
    problems = list(proof_problems(options_of(**chosen)))
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts)


NOT_ENFORCED = (
    f"Role {ROLE_ARN} can be assumed without the external ID, or with another one: ask the owner account to require it."
)


@pytest.mark.parametrize(
    ("external_id", "enforced", "reason", "problems"),
    [
        ("id", "true", "", []),
        ("id", "false", "", [NOT_ENFORCED]),
        (None, "false", "", []),
        ("id", "unknown", "x", [f"Whether role {ROLE_ARN} requires the external ID is unknown: x"]),
    ],
)
def test_external_id_must_be_required(external_id: str | None, enforced: str, reason: str, problems: list[str]) -> None:
    options = SessionOptions(ROLE_ARN, external_id)
    result = proof_result(options, ASSUMED, (enforced, reason), ALLOWED, [])
    assert (result["problems"], result["verdict"]) == (problems, "fail" if problems else "pass")
    assert (result["external_id_enforced"], result["assumed"]) == (enforced, ASSUMED)


def test_denied_token_is_a_problem_of_the_proof() -> None:
    token = observation("token", "denied")
    result = proof_result(SessionOptions(ROLE_ARN), ASSUMED, ("true", ""), token, [])
    (problem,) = result["problems"]
    assert problem == f"The role cannot get a registry token: {token.sentence.rstrip('.')}. {token.advice}"
    assert (result["token"], result["token_denial_kind"]) == ("denied", token.kind)
    own = SessionOptions(None, registry_account="111111111111")
    (problem,) = proof_result(own, {}, ("unknown", ""), token, [])["problems"]
    assert problem.startswith(f"The {own.called} cannot get a registry token: ")


def test_result_has_the_verdict_on_each_repository() -> None:
    expectations = Expectations(("app",), ("other",))
    observed = {"app": observations("denied", "denied", "denied"), "other": observations("denied", "denied", "denied")}
    verdicts = verdicts_of(expectations, observed, ALLOWED, {})
    result = proof_result(SessionOptions(ROLE_ARN), ASSUMED, ("true", ""), ALLOWED, verdicts)
    assert [repository["name"] for repository in result["repositories"]] == ["app", "other"]
    assert result["problems"] == [verdict.advice for verdict in verdicts if verdict.verdict == "fail"]
    assert (len(result["problems"]), len(result["summary"])) == (1, 3)


@pytest.mark.parametrize(("outcome", "final"), [("denied", True), ("allowed", False)])
def test_remaining_access_is_not_final(outcome: str, final: bool) -> None:
    result = {"verdict": "fail", "assume_role": {"outcome": outcome}, "token": "denied", "token_denial_kind": "trust"}
    assert proof_is_final(result, "read") is final
