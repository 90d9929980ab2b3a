# SPDX-License-Identifier: GPL-3.0-or-later
"""Expected access against observed access: every combination, the advice, and the table."""

from __future__ import annotations

import itertools
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ROLE, Denial, kinds
from ansible_collections.crossaccount.ecr.plugins.module_utils._verdict import (
    Expectations,
    existence_warnings,
    table,
    verdicts_of,
)

from tests.unit.observations import ABSENT, ALLOWED, KINDS, SENTENCE, judged, observation, observations

OUTCOMES = ("allowed", "denied", "expired", "not_found")
TOKENS = ("allowed", "denied", "expired")
NO_TAG = "The role's policy does not allow it: the repository lacks the tag, or the policy lacks the action."
EXPIRED = "The session expired before the proof was complete. Run again, or set a longer duration_seconds."


# --- the verdict


@pytest.mark.parametrize("access", ["read", "pull"])
@pytest.mark.parametrize("outcomes", list(itertools.product(OUTCOMES, repeat=3)), ids="-".join)
def test_verdict_of_every_combination(outcomes: tuple[str, str, str], access: str) -> None:
    describe, manifest, layer = outcomes
    for token in TOKENS:
        of_readable = judged("readable", observations(*outcomes), observation("token", token), access)
        of_denied = judged("denied", observations(*outcomes), observation("token", token), access)
        pullable = token == manifest == layer == "allowed"
        readable = pullable and (access == "pull" or describe == "allowed")
        hidden = describe == manifest == layer == "denied"
        assert (of_readable["verdict"], bool(of_readable["advice"])) == (
            ("pass", False) if readable else ("fail", True)
        )
        assert (of_denied["verdict"], bool(of_denied["advice"])) == (("pass", False) if hidden else ("fail", True))
        for verdict in (of_readable, of_denied):
            assert (verdict["pull"] == "allowed") is pullable
            assert [verdict[probe] for probe in ("describe", "manifest", "layer", "token")] == [*outcomes, token]
            unreached = {
                probe: outcome
                for probe, outcome in zip(("token", "describe", "manifest", "layer"), (token, *outcomes))
                if outcome != "allowed"
            }
            assert verdict["denial_kinds"] == {probe: KINDS[outcome] for probe, outcome in unreached.items()}
            assert verdict["denials"] == {probe: f"{probe}: {SENTENCE}" for probe in unreached}


@pytest.mark.parametrize(
    ("manifest", "layer", "token", "pull"),
    [
        ("allowed", "allowed", "allowed", "allowed"),
        ("denied", "allowed", "allowed", "denied"),
        ("allowed", "allowed", "denied", "denied"),
        ("expired", "denied", "allowed", "expired"),
        ("allowed", "denied", "expired", "expired"),
        ("expired", "not_found", "denied", "not_found"),
    ],
)
def test_result_of_a_pull_is_its_worst_step(manifest: str, layer: str, token: str, pull: str) -> None:
    assert judged("readable", observations("allowed", manifest, layer), observation("token", token))["pull"] == pull


@pytest.mark.parametrize(
    ("expected", "outcomes", "advice"),
    [
        ("readable", ("allowed", "denied", "denied"), f"Repository app cannot be pulled. {NO_TAG}"),
        ("readable", ("denied", "allowed", "allowed"), f"Repository app can be pulled but not described. {NO_TAG}"),
        ("readable", ("not_found", "not_found", "not_found"), f"Repository app cannot be pulled. {ABSENT}"),
        ("readable", ("allowed", "allowed", "expired"), f"Repository app cannot be pulled. {EXPIRED}"),
        ("readable", ("expired", "allowed", "allowed"), f"Repository app can be pulled but not described. {EXPIRED}"),
        ("denied", ("not_found", "denied", "denied"), f"Repository app could not be proven to be denied. {ABSENT}"),
        (
            "denied",
            ("not_found", "not_found", "not_found"),
            f"Repository app could not be proven to be denied. {ABSENT}",
        ),
        ("denied", ("denied", "denied", "expired"), f"Repository app could not be proven to be denied. {EXPIRED}"),
        ("denied", ("expired", "expired", "expired"), f"Repository app could not be proven to be denied. {EXPIRED}"),
        ("readable", ("allowed", "allowed", "allowed"), ""),
        ("denied", ("denied", "denied", "denied"), ""),
    ],
)
def test_advice(expected: str, outcomes: tuple[str, str, str], advice: str) -> None:
    assert judged(expected, observations(*outcomes))["advice"] == advice


@pytest.mark.parametrize("kind", sorted({kind for kind, called, _advice in kinds() if called == ROLE}))
def test_the_advice_is_that_of_the_kind_of_denial(kind: str) -> None:
    observed = {**observations("allowed", "allowed", "allowed"), "layer": observation("layer", "denied", kind)}
    verdict = judged("readable", observed)
    assert verdict["denial_kind"] == kind
    assert verdict["advice"] == f"Repository app cannot be pulled. {observation('layer', 'denied', kind).advice}"


def test_a_verdict_shows_what_was_seen() -> None:
    assert judged("readable", observations("denied", "allowed", "denied")) == {
        "name": "app",
        "expected": "readable",
        "describe": "denied",
        "manifest": "allowed",
        "layer": "denied",
        "token": "allowed",
        "pull": "denied",
        "verdict": "fail",
        "denial": f"layer: {SENTENCE}",
        "denial_kind": "no_identity_policy",
        "denials": {"describe": f"describe: {SENTENCE}", "layer": f"layer: {SENTENCE}"},
        "denial_kinds": {"describe": "no_identity_policy", "layer": "no_identity_policy"},
        "advice": f"Repository app cannot be pulled. {NO_TAG}",
        "registry": "",
    }


@pytest.mark.parametrize("expected", ["readable", "denied"])
@pytest.mark.parametrize("api", ["allowed", "denied"])
@pytest.mark.parametrize("registry", OUTCOMES)
def test_chosen_host_of_the_registry_must_agree(expected: str, api: str, registry: str) -> None:
    observed = {**observations(api, api, api), "registry": observation("registry", registry)}
    verdict = judged(expected, observed)
    wanted = "allowed" if expected == "readable" else "denied"
    assert (verdict["verdict"], verdict["registry"]) == ("pass" if api == registry == wanted else "fail", registry)
    assert (verdict["pull"] == "allowed") is (api == registry == "allowed")
    assert verdict["denials"].get("registry") == (None if registry == "allowed" else f"registry: {SENTENCE}")


def test_table_has_a_column_for_a_chosen_host() -> None:
    observed = {"app": {**observations("denied", "denied", "denied"), "registry": observation("registry", "denied")}}
    head, row = table(verdicts_of(Expectations((), ("app",)), observed, ALLOWED, {}))
    assert head.split() == ["REPOSITORY", "EXPECTED", "DESCRIBE", "MANIFEST", "LAYER", "TOKEN", "REGISTRY", "VERDICT"]
    assert row.split()[-3:] == ["allowed", "denied", "pass"]


def test_without_the_registry_token_nothing_can_be_pulled() -> None:
    token = observation("token", "denied", "boundary")
    verdict = judged("readable", observations("allowed", "allowed", "allowed"), token)
    assert (verdict["verdict"], verdict["pull"], verdict["token"]) == ("fail", "denied", "denied")
    assert (verdict["denial"], verdict["denial_kind"]) == (f"token: {SENTENCE}", "boundary")
    assert verdict["denials"] == {"token": f"token: {SENTENCE}"}
    assert verdict["advice"] == f"Repository app cannot be pulled. {Denial('boundary').advice(ROLE)}"
    # A denial counts with and without a token; but its absence alone proves nothing of a repository.
    assert judged("denied", observations("denied", "denied", "denied"), token)["verdict"] == "pass"
    assert judged("denied", observations("allowed", "allowed", "allowed"), token)["verdict"] == "fail"


def test_the_order_is_that_of_the_request() -> None:
    allowed, denied = observations("allowed", "allowed", "allowed"), observations("denied", "denied", "denied")
    observed = {"a": allowed, "release": allowed, "z": denied}
    verdicts = verdicts_of(Expectations(("release",), ("z", "a")), observed, ALLOWED, {})
    assert [(verdict.name, verdict.expected, verdict.verdict) for verdict in verdicts] == [
        ("release", "readable", "pass"),
        ("z", "denied", "pass"),
        ("a", "denied", "fail"),
    ]


# --- readable against expectation

UNKNOWN_TAGS = "Its tags cannot be read with this role; ask the owner account for them, and for the role's policies."
GRANTED = "which grants access through the role: the owner account has to remove that tag."
OTHERWISE = (
    "which does not explain the access: another policy of the role, or the policy of the repository, allows reading it."
)
COMPARE = "the owner account has to compare that with the role's policies."


@pytest.mark.parametrize(
    ("repository_tags", "tags", "why"),
    [
        (
            {"environment": "release"},
            {"owner": "me", "environment": "release"},
            f"It has environment=release, {GRANTED}",
        ),
        ({"environment": "release"}, {"environment": "develop"}, f"It has environment=develop, {OTHERWISE}"),
        ({"environment": "release"}, {"Environment": "release"}, f"It has Environment=release, {OTHERWISE}"),
        ({"environment": "release"}, {"z": "1", "a": "2"}, f"It has a=2, z=1, {OTHERWISE}"),
        ({"environment": "release"}, {}, f"It has no tag, {OTHERWISE}"),
        ({"environment": ["release", "beta"]}, {"environment": "beta"}, f"It has environment=beta, {GRANTED}"),
        ({"environment": ["release", "beta"]}, {"environment": "alpha"}, f"It has environment=alpha, {OTHERWISE}"),
        (
            {"environment": ["release"], "team": "a"},
            {"team": "a", "environment": "release"},
            f"It has environment=release, team=a, {GRANTED}",
        ),
        (
            {"environment": "release", "team": "a"},
            {"environment": "release"},
            f"It has environment=release, {OTHERWISE}",
        ),
        ({"environment": "release"}, None, UNKNOWN_TAGS),
        (None, None, UNKNOWN_TAGS),
        (None, {"environment": "release"}, f"It has environment=release: {COMPARE}"),
        ({}, {"environment": "release"}, f"It has environment=release: {COMPARE}"),
        (None, {}, f"It has no tag: {COMPARE}"),
    ],
)
@pytest.mark.parametrize(
    ("outcomes", "able"),
    [
        (("allowed", "allowed", "allowed"), "describe, manifest, layer are"),
        (("denied", "allowed", "denied"), "manifest is"),
        (("not_found", "expired", "allowed"), "layer is"),
    ],
)
def test_reasons_for_an_unexpectedly_readable_repository(
    repository_tags: dict[str, Any] | None,
    tags: dict[str, str] | None,
    why: str,
    outcomes: tuple[str, str, str],
    able: str,
) -> None:
    verdict = judged("denied", observations(*outcomes), repository_tags=repository_tags, tags={"app": tags})
    assert verdict["verdict"] == "fail"
    assert verdict["advice"] == f"Repository app was expected to be denied, but {able} allowed. {why}"


@pytest.mark.parametrize("tags", [None, {}, {"other": {"environment": "release"}}])
def test_unread_tags_are_not_treated_as_absent(tags: dict[str, dict[str, str] | None] | None) -> None:
    observed = observations("allowed", "allowed", "allowed")
    advice = judged("denied", observed, repository_tags={"environment": "release"}, tags=tags)["advice"]
    assert advice.endswith(f" are allowed. {UNKNOWN_TAGS}")


# --- the table


def test_the_table_has_a_line_for_each_repository() -> None:
    observed = {
        "release": observations("allowed", "allowed", "allowed"),
        "team/long-name": observations("denied", "denied", "denied"),
        "a": observations("not_found", "allowed", "expired"),
    }
    verdicts = verdicts_of(Expectations(("release",), ("team/long-name", "a")), observed, ALLOWED, {})
    assert table(verdicts) == [
        "REPOSITORY      EXPECTED  DESCRIBE   MANIFEST  LAYER    TOKEN    VERDICT",
        "release         readable  allowed    allowed   allowed  allowed  pass",
        "team/long-name  denied    denied     denied    denied   allowed  pass",
        "a               denied    not_found  allowed   expired  allowed  fail",
    ]


def test_a_pull_only_role_is_not_asked_to_describe_what_it_reads() -> None:
    verdicts = verdicts_of(
        Expectations(("release",), (), "pull"), {"release": observations("denied", "allowed", "allowed")}, ALLOWED, {}
    )
    assert table(verdicts) == [
        "REPOSITORY  EXPECTED  DESCRIBE  MANIFEST  LAYER    TOKEN    VERDICT",
        "release     readable  denied    allowed   allowed  allowed  pass",
    ]


def test_empty_table_is_its_header() -> None:
    assert table([]) == ["REPOSITORY  EXPECTED  DESCRIBE  MANIFEST  LAYER  TOKEN  VERDICT"]


def test_only_unconfirmed_repositories_are_named() -> None:
    named = list(existence_warnings(Expectations(("release",), ("develop", "typo"), existing=("release", "develop"))))
    assert len(named) == 1
    assert named[0].startswith("A denial of typo does not prove that the repository exists")
    assert list(existence_warnings(Expectations(("release",), ("develop",), existing=("develop",)))) == []
    assert list(existence_warnings(Expectations(("release",), ()))) == []
