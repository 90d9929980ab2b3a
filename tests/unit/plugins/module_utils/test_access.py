from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _access
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import Observation

OUTCOMES = (_access.ALLOWED, _access.DENIED, _access.NOT_FOUND)
SENTENCE = "User: x is not authorized because no identity-based policy allows the ecr:BatchGetImage action"
NO_TAG = "The role's policy does not reach it: the repository lacks the tag, or the action is not in the policy."


def seen(describe: str, manifest: str, layer: str, sentence: str = SENTENCE) -> dict[str, Observation]:
    outcomes = {"describe": describe, "manifest": manifest, "layer": layer}
    return {
        probe: Observation(outcome, "" if outcome == _access.ALLOWED else f"{probe}: {sentence}")
        for probe, outcome in outcomes.items()
    }


def judged(expected: str, observed: dict[str, Observation], access: str = "read") -> dict[str, Any]:
    readable, denied = (["app"], []) if expected == "readable" else ([], ["app"])
    (verdict,) = _access.judge(readable, denied, {"app": observed}, access)
    return verdict


@pytest.mark.parametrize("access", ["read", "pull"])
@pytest.mark.parametrize("outcomes", list(itertools.product(OUTCOMES, repeat=3)), ids="-".join)
def test_verdict_of_every_combination(outcomes: tuple[str, str, str], access: str) -> None:
    describe, manifest, layer = outcomes
    observed = seen(*outcomes)
    pullable = manifest == layer == "allowed"
    readable = pullable and (access == "pull" or describe == "allowed")
    assert judged("readable", observed, access)["verdict"] == ("pass" if readable else "fail")
    hidden = describe == manifest == layer == "denied"
    assert judged("denied", observed, access)["verdict"] == ("pass" if hidden else "fail")
    assert (judged("readable", observed, access)["pull"] == "allowed") is pullable
    assert bool(judged("readable", observed, access)["advice"]) is not readable
    assert bool(judged("denied", observed, access)["advice"]) is not hidden


@pytest.mark.parametrize(
    ("expected", "outcomes", "advice"),
    [
        ("readable", ("allowed", "denied", "denied"), f"Repository app can not be pulled. {NO_TAG}"),
        ("readable", ("denied", "allowed", "allowed"), f"Repository app can be pulled but not described. {NO_TAG}"),
        (
            "readable",
            ("not_found", "not_found", "not_found"),
            "Repository app does not exist in the owner account and region: check its name.",
        ),
        (
            "denied",
            ("not_found", "denied", "denied"),
            "Repository app does not exist in the owner account and region: check its name.",
        ),
        (
            "denied",
            ("allowed", "denied", "allowed"),
            "Repository app was expected to be denied, but describe, layer is allowed: ask the owner account which of"
            " the granting tags it carries, and which policies the role has.",
        ),
        ("readable", ("allowed", "allowed", "allowed"), ""),
        ("denied", ("denied", "denied", "denied"), ""),
    ],
)
def test_advice(expected: str, outcomes: tuple[str, str, str], advice: str) -> None:
    assert judged(expected, seen(*outcomes))["advice"] == advice


def test_a_verdict_shows_what_was_seen() -> None:
    assert judged("readable", seen("denied", "allowed", "denied")) == {
        "name": "app",
        "expected": "readable",
        "describe": "denied",
        "manifest": "allowed",
        "layer": "denied",
        "pull": "denied",
        "verdict": "fail",
        "denial": f"layer: {SENTENCE}",
        "denials": {"describe": f"describe: {SENTENCE}", "layer": f"layer: {SENTENCE}"},
        "denial_kind": "no_identity_policy",
        "advice": f"Repository app can not be pulled. {NO_TAG}",
    }


@pytest.mark.parametrize(
    ("reason", "kind", "advice"),
    [
        ("with an explicit deny in a permissions boundary", "boundary", "The role's permissions boundary denies it."),
        (
            "because no permissions boundary allows the x action",
            "boundary",
            "The role's permissions boundary does not allow it.",
        ),
        (
            "because no session policy allows the x action",
            "session_policy",
            "The policy given to the session does not allow it.",
        ),
        (
            "with an explicit deny in an identity-based policy",
            "explicit_deny",
            "A Deny statement applies: look for it in the policies that AWS names.",
        ),
        (
            "with an explicit deny in a service control policy",
            "explicit_deny",
            "A Deny statement applies: look for it in the policies that AWS names.",
        ),
        ("because no identity-based policy allows the x action", "no_identity_policy", NO_TAG),
        ("", "unknown", "AWS did not say which policy decided."),
    ],
)
def test_classify(reason: str, kind: str, advice: str) -> None:
    assert _access.classify(f"User: x is not authorized to perform: x {reason}") == (kind, advice)


def test_order_and_table() -> None:
    allowed, denied = seen("allowed", "allowed", "allowed"), seen("denied", "denied", "denied")
    verdicts = _access.judge(["release"], ["z", "a"], {"release": allowed, "z": denied, "a": allowed}, "read")
    assert [one["name"] for one in verdicts] == ["release", "z", "a"]
    assert _access.table(verdicts, "read") == [
        "REPOSITORY  ACTION    EXPECTED  OBSERVED",
        "release     describe  allowed   allowed",
        "release     pull      allowed   allowed",
        "z           describe  denied    denied",
        "z           pull      denied    denied",
        "a           describe  denied    allowed   <- not as expected",
        "a           pull      denied    allowed   <- not as expected",
    ]


def test_a_pull_only_role_is_not_asked_to_describe_what_it_reads() -> None:
    pullable, denied = seen("denied", "allowed", "allowed"), seen("denied", "denied", "denied")
    verdicts = _access.judge(["release"], ["develop"], {"release": pullable, "develop": denied}, "pull")
    assert _access.table(verdicts, "pull") == [
        "REPOSITORY  ACTION    EXPECTED  OBSERVED",
        "release     pull      allowed   allowed",
        "develop     describe  denied    denied",
        "develop     pull      denied    denied",
    ]
