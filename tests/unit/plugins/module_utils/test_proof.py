# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a proof, and whether it can still change."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import artifact_of, proof_is_final

from tests.unit.observations import ABSENT_VERDICT, HIDDEN, RIGHT, SHOWN, judged, observation, observations, wrong


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
