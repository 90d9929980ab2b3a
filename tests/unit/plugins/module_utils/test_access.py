"""What was expected against what was seen: every combination, every sentence of AWS, the table, the report."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.filter.access_junit import filter_access_junit
from ansible_collections.crossaccount.ecr.plugins.module_utils import _access
from ansible_collections.crossaccount.ecr.plugins.module_utils._access import Observation

OUTCOMES = (_access.ALLOWED, _access.DENIED, _access.EXPIRED, _access.NOT_FOUND)
TOKENS = (_access.ALLOWED, _access.DENIED, _access.EXPIRED)
#: The kind that the module gives to each outcome, for a denial by the role's policy.
KINDS = {"allowed": "", "denied": "no_identity_policy", "expired": "expired", "not_found": "unknown_repository"}
SENTENCE = "User: x is not authorized because no identity-based policy allows the ecr:BatchGetImage action"
ALLOWED = Observation(_access.ALLOWED)

NO_TAG = "The role's policy does not reach it: the repository lacks the tag, or the action is not in the policy."
EXPIRED = "The session expired before everything was asked: run again, or with a longer duration_seconds."
ABSENT = "It does not exist in the owner account and region: check its name."


def one(probe: str, outcome: str, kind: str = "", sentence: str = SENTENCE) -> Observation:
    return Observation(
        outcome, "" if outcome == _access.ALLOWED else f"{probe}: {sentence}", kind if kind else KINDS[outcome]
    )


def seen(describe: str, manifest: str, layer: str) -> dict[str, Observation]:
    return {
        "describe": one("describe", describe),
        "manifest": one("manifest", manifest),
        "layer": one("layer", layer),
    }


def judged(
    expected: str,
    observed: dict[str, Observation],
    token: Observation = ALLOWED,
    access: str = "read",
    repository_tags: dict[str, Any] | None = None,
    tags: dict[str, dict[str, str] | None] | None = None,
) -> dict[str, Any]:
    readable, denied = (["app"], []) if expected == "readable" else ([], ["app"])
    (verdict,) = _access.judge(readable, denied, {"app": observed}, token, access, repository_tags, tags)
    return verdict


# --- the verdict


@pytest.mark.parametrize("access", ["read", "pull"])
@pytest.mark.parametrize("outcomes", list(itertools.product(OUTCOMES, repeat=3)), ids="-".join)
def test_verdict_of_every_combination(outcomes: tuple[str, str, str], access: str) -> None:
    describe, manifest, layer = outcomes
    for token in TOKENS:
        wanted = judged("readable", seen(*outcomes), one("token", token), access)
        unwanted = judged("denied", seen(*outcomes), one("token", token), access)
        pullable = token == manifest == layer == "allowed"
        readable = pullable and (access == "pull" or describe == "allowed")
        hidden = describe == manifest == layer == "denied"
        assert (wanted["verdict"], bool(wanted["advice"])) == (("pass", False) if readable else ("fail", True))
        assert (unwanted["verdict"], bool(unwanted["advice"])) == (("pass", False) if hidden else ("fail", True))
        for verdict in (wanted, unwanted):
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
def test_a_pull_is_what_is_worst_of_its_steps(manifest: str, layer: str, token: str, pull: str) -> None:
    assert judged("readable", seen("allowed", manifest, layer), one("token", token))["pull"] == pull


@pytest.mark.parametrize(
    ("expected", "outcomes", "advice"),
    [
        ("readable", ("allowed", "denied", "denied"), f"Repository app can not be pulled. {NO_TAG}"),
        ("readable", ("denied", "allowed", "allowed"), f"Repository app can be pulled but not described. {NO_TAG}"),
        ("readable", ("not_found", "not_found", "not_found"), f"Repository app can not be pulled. {ABSENT}"),
        ("readable", ("allowed", "allowed", "expired"), f"Repository app can not be pulled. {EXPIRED}"),
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
    assert judged(expected, seen(*outcomes))["advice"] == advice


@pytest.mark.parametrize("kind", sorted(_access.ADVICE))
def test_the_advice_is_that_of_the_kind_of_denial(kind: str) -> None:
    observed = {**seen("allowed", "allowed", "allowed"), "layer": one("layer", "denied", kind)}
    verdict = judged("readable", observed)
    assert verdict["denial_kind"] == kind
    assert verdict["advice"] == f"Repository app can not be pulled. {_access.ADVICE[kind]}"


def test_a_verdict_shows_what_was_seen() -> None:
    assert judged("readable", seen("denied", "allowed", "denied")) == {
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
        "advice": f"Repository app can not be pulled. {NO_TAG}",
    }


def test_without_the_registry_token_nothing_can_be_pulled() -> None:
    token = one("token", "denied", "boundary")
    verdict = judged("readable", seen("allowed", "allowed", "allowed"), token)
    assert (verdict["verdict"], verdict["pull"], verdict["token"]) == ("fail", "denied", "denied")
    assert (verdict["denial"], verdict["denial_kind"]) == (f"token: {SENTENCE}", "boundary")
    assert verdict["denials"] == {"token": f"token: {SENTENCE}"}
    assert verdict["advice"] == f"Repository app can not be pulled. {_access.ADVICE['boundary']}"
    # What is denied is denied, token or not; but its absence alone proves nothing of a repository.
    assert judged("denied", seen("denied", "denied", "denied"), token)["verdict"] == "pass"
    assert judged("denied", seen("allowed", "allowed", "allowed"), token)["verdict"] == "fail"


def test_the_order_is_that_of_the_request() -> None:
    allowed, denied = seen("allowed", "allowed", "allowed"), seen("denied", "denied", "denied")
    observed = {"a": allowed, "release": allowed, "z": denied}
    verdicts = _access.judge(["release"], ["z", "a"], observed, ALLOWED, "read")
    assert [(verdict["name"], verdict["expected"], verdict["verdict"]) for verdict in verdicts] == [
        ("release", "readable", "pass"),
        ("z", "denied", "pass"),
        ("a", "denied", "fail"),
    ]


# --- readable against expectation

UNKNOWN_TAGS = "Its tags can not be read with this role; ask the owner account for them, and for the role's policies."
GRANTED = "which the role's policy grants: the owner account has to take that tag off."
OTHERWISE = "which is not what grants access: another policy of the role, or one of the repository, lets it be read."
COMPARE = "the owner account has to compare that with the role's policies."


@pytest.mark.parametrize(
    ("repository_tags", "tags", "why"),
    [
        (
            {"environment": "release"},
            {"owner": "me", "environment": "release"},
            f"It carries environment=release, {GRANTED}",
        ),
        ({"environment": "release"}, {"environment": "develop"}, f"It carries environment=develop, {OTHERWISE}"),
        ({"environment": "release"}, {"Environment": "release"}, f"It carries Environment=release, {OTHERWISE}"),
        ({"environment": "release"}, {"z": "1", "a": "2"}, f"It carries a=2, z=1, {OTHERWISE}"),
        ({"environment": "release"}, {}, f"It carries no tag, {OTHERWISE}"),
        ({"environment": ["release", "beta"]}, {"environment": "beta"}, f"It carries environment=beta, {GRANTED}"),
        ({"environment": ["release", "beta"]}, {"environment": "alpha"}, f"It carries environment=alpha, {OTHERWISE}"),
        (
            {"environment": ["release"], "team": "a"},
            {"team": "a", "environment": "release"},
            f"It carries environment=release, team=a, {GRANTED}",
        ),
        (
            {"environment": "release", "team": "a"},
            {"environment": "release"},
            f"It carries environment=release, {OTHERWISE}",
        ),
        ({"environment": "release"}, None, UNKNOWN_TAGS),
        (None, None, UNKNOWN_TAGS),
        (None, {"environment": "release"}, f"It carries environment=release: {COMPARE}"),
        ({}, {"environment": "release"}, f"It carries environment=release: {COMPARE}"),
        (None, {}, f"It carries no tag: {COMPARE}"),
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
def test_why_a_repository_is_readable_against_expectation(
    repository_tags: dict[str, Any] | None,
    tags: dict[str, str] | None,
    why: str,
    outcomes: tuple[str, str, str],
    able: str,
) -> None:
    verdict = judged("denied", seen(*outcomes), repository_tags=repository_tags, tags={"app": tags})
    assert verdict["verdict"] == "fail"
    assert verdict["advice"] == f"Repository app was expected to be denied, but {able} allowed. {why}"


@pytest.mark.parametrize("tags", [None, {}, {"other": {"environment": "release"}}])
def test_tags_that_nobody_read_are_not_taken_for_none(tags: dict[str, dict[str, str] | None] | None) -> None:
    observed = seen("allowed", "allowed", "allowed")
    advice = judged("denied", observed, repository_tags={"environment": "release"}, tags=tags)["advice"]
    assert advice.endswith(f" are allowed. {UNKNOWN_TAGS}")


# --- AWS's sentences

IMPLICIT = (
    "User: arn:aws:sts::111111111111:assumed-role/a/b is not authorized to perform: ecr:BatchGetImage on resource: r"
)


@pytest.mark.parametrize(
    ("reason", "kind"),
    [
        ("because no identity-based policy allows the ecr:BatchGetImage action", "no_identity_policy"),
        ("with an explicit deny in an identity-based policy", "explicit_deny"),
        ("with an explicit deny in an identity-based policy: arn:aws:iam::1:policy/deny", "explicit_deny"),
        ("because no permissions boundary allows the ecr:BatchGetImage action", "boundary"),
        ("with an explicit deny in a permissions boundary", "boundary"),
        ("because no session policy allows the ecr:BatchGetImage action", "session_policy"),
        ("with an explicit deny in a session policy", "session_policy"),
        ("because no service control policy allows the ecr:BatchGetImage action", "organization_policy"),
        ("with an explicit deny in a service control policy", "organization_policy"),
        ("with an explicit deny in a resource control policy", "organization_policy"),
        ("because no VPC endpoint policy allows the ecr:BatchGetImage action", "endpoint_policy"),
        ("with an explicit deny in a VPC endpoint policy", "endpoint_policy"),
        ("with an explicit deny in a resource-based policy", "explicit_deny"),
        ("with an explicit deny in the role trust policy", "explicit_deny"),
        ("", "unknown"),
    ],
)
def test_every_sentence_of_aws_has_its_kind(reason: str, kind: str) -> None:
    sentence = f"{IMPLICIT} {reason}".strip()
    assert _access.classify(sentence) == kind
    assert kind in _access.ADVICE


@pytest.mark.parametrize(
    ("sentence", "kind"),
    [
        ("User: u is not authorized to perform: sts:AssumeRole on resource: r", "trust"),
        ("User: u is not authorized to perform: sts:AssumeRole because no role trust policy allows it", "trust"),
        ("because no identity-based policy allows the sts:AssumeRole action", "no_identity_policy"),
        ("with an explicit deny in an identity-based policy", "explicit_deny"),
        ("with an explicit deny in a service control policy", "organization_policy"),
    ],
)
def test_what_a_role_that_is_refused_is_taken_for(sentence: str, kind: str) -> None:
    """Where the sentence names no policy, the default says which one decides."""
    assert _access.classify(sentence, "trust") == kind


def test_what_may_be_gone_in_a_moment_is_a_kind() -> None:
    assert set(_access.PROPAGATING) < set(_access.ADVICE)
    assert not {"boundary", "explicit_deny", "organization_policy", "expired"} & set(_access.PROPAGATING)


# --- whether to wait


def wrong(**kinds: str) -> dict[str, Any]:
    """A repository that should be readable, with these kinds of denial."""
    observed = {probe: one(probe, "denied", kinds[probe]) if probe in kinds else ALLOWED for probe in _access.PROBES}
    return judged("readable", observed)


RIGHT = judged("readable", seen("allowed", "allowed", "allowed"))
HIDDEN = judged("denied", seen("denied", "denied", "denied"))
SHOWN = judged("denied", seen("allowed", "allowed", "allowed"))
ABSENT_VERDICT = judged("readable", seen("not_found", "not_found", "not_found"))


@pytest.mark.parametrize(
    ("verdicts", "settled"),
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
        ([judged("denied", seen("expired", "denied", "denied"))], True),
        ([SHOWN], False),
        ([SHOWN, wrong(manifest="no_identity_policy")], False),
        ([SHOWN, ABSENT_VERDICT], True),
        ([judged("readable", seen("allowed", "allowed", "allowed"), one("token", "denied"))], False),
        ([judged("readable", seen("allowed", "allowed", "allowed"), one("token", "denied", "boundary"))], True),
    ],
)
def test_settled(verdicts: list[dict[str, Any]], settled: bool) -> None:
    assert _access.settled(verdicts, "read") is settled


def test_a_lasting_denial_that_is_expected_settles_nothing() -> None:
    expected = judged("denied", {probe: one(probe, "denied", "boundary") for probe in _access.PROBES})
    assert expected["verdict"] == "pass"
    assert not _access.settled([expected, wrong(manifest="no_identity_policy")], "read")


# --- the table


def test_the_table_has_a_line_for_each_repository() -> None:
    observed = {
        "release": seen("allowed", "allowed", "allowed"),
        "team/long-name": seen("denied", "denied", "denied"),
        "a": seen("not_found", "allowed", "expired"),
    }
    verdicts = _access.judge(["release"], ["team/long-name", "a"], observed, ALLOWED, "read")
    assert _access.table(verdicts) == [
        "REPOSITORY      EXPECTED  DESCRIBE   MANIFEST  LAYER    TOKEN    VERDICT",
        "release         readable  allowed    allowed   allowed  allowed  pass",
        "team/long-name  denied    denied     denied    denied   allowed  pass",
        "a               denied    not_found  allowed   expired  allowed  fail",
    ]


def test_a_pull_only_role_is_not_asked_to_describe_what_it_reads() -> None:
    verdicts = _access.judge(
        ["release"], [], {"release": seen("denied", "allowed", "allowed")}, one("token", "allowed"), "pull"
    )
    assert _access.table(verdicts) == [
        "REPOSITORY  EXPECTED  DESCRIBE  MANIFEST  LAYER    TOKEN    VERDICT",
        "release     readable  denied    allowed   allowed  allowed  pass",
    ]


def test_the_table_of_nothing_is_its_head() -> None:
    assert _access.table([]) == ["REPOSITORY  EXPECTED  DESCRIBE  MANIFEST  LAYER  TOKEN  VERDICT"]


# --- the report

AWKWARD = """User: "x" is <not> authorized & 'denied'"""


def proof(*verdicts: dict[str, Any], problems: tuple[str, ...] = ()) -> dict[str, Any]:
    advised = [verdict["advice"] for verdict in verdicts if verdict["advice"]]
    return {"repositories": list(verdicts), "problems": [*advised, *problems], "external_id_enforced": "true"}


def suite_of(text: str) -> xml.etree.ElementTree.Element:
    """The one suite of a report, whose counts are those of its cases."""
    root = xml.etree.ElementTree.fromstring(text)  # noqa: S314 (our own report)
    assert root.tag == "testsuites"
    (suite,) = root
    assert suite.tag == "testsuite"
    assert {case.tag for case in suite} <= {"testcase"}
    assert suite.get("tests") == str(len(suite))
    assert suite.get("failures") == str(len(suite.findall("testcase/failure")))
    return suite


def test_the_report_of_a_proof() -> None:
    problem = "Role r can be assumed without the external id."
    suite = suite_of(_access.junit(proof(RIGHT, HIDDEN, SHOWN, ABSENT_VERDICT, problems=(problem,)), "the suite"))
    assert suite.attrib == {"name": "the suite", "tests": "5", "failures": "3"}
    right, hidden, shown, absent, role = suite
    assert (right.attrib, list(right)) == ({"classname": "app", "name": "is readable"}, [])
    (output,) = hidden
    assert hidden.attrib == {"classname": "app", "name": "is denied"}
    assert (output.tag, output.text) == ("system-out", f"manifest: {SENTENCE}")
    (failure,) = shown
    assert (failure.tag, failure.text or "", failure.attrib) == ("failure", "", {"message": SHOWN["advice"]})
    (failure,) = absent
    assert failure.attrib == {"message": f"Repository app can not be pulled. {ABSENT}"}
    assert failure.text == f"manifest: {SENTENCE}"
    (failure,) = role
    assert role.attrib == {"classname": "role", "name": "otherwise"}
    assert (failure.attrib, failure.text or "") == ({"message": problem}, "")


def test_a_proof_without_a_problem_has_no_failure() -> None:
    suite = suite_of(_access.junit(proof(RIGHT, HIDDEN), "s"))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
    assert suite_of(_access.junit(proof(), "s")).get("tests") == "0"


def test_what_xml_has_for_itself_comes_back_as_it_was() -> None:
    observed = {probe: one(probe, "denied", "unknown", AWKWARD) for probe in _access.PROBES}
    verdict = {**judged("readable", observed), "advice": f"advice {AWKWARD}"}
    hidden = judged("denied", observed)
    text = _access.junit(proof(verdict, hidden, problems=(f"problem {AWKWARD}\nsecond line",)), f"suite {AWKWARD}")
    assert "<not>" not in text
    suite = suite_of(text)
    assert suite.get("name") == f"suite {AWKWARD}"
    messages = [failure.get("message") for failure in suite.iter("failure")]
    assert messages == [f"advice {AWKWARD}", f"problem {AWKWARD}\nsecond line"]
    assert [failure.text for failure in suite.iter("failure")] == [f"manifest: {AWKWARD}", None]
    assert [output.text for output in suite.iter("system-out")] == [f"manifest: {AWKWARD}"]


def test_the_report_is_the_same_twice_and_ends_with_a_line() -> None:
    text = _access.junit(proof(RIGHT, SHOWN), "s")
    assert text == _access.junit(proof(RIGHT, SHOWN), "s")
    assert text.endswith("</testsuites>\n")


def test_the_filter_makes_the_report() -> None:
    given = proof(RIGHT, SHOWN)
    assert suite_of(filter_access_junit(given)).get("name") == "crossaccount.ecr"
    assert filter_access_junit(given, "arn") == _access.junit(given, "arn")


@pytest.mark.parametrize(("access", "settled"), [("read", True), ("pull", False)])
def test_describing_settles_nothing_where_only_pulling_is_asked_for(access: str, settled: bool) -> None:
    verdicts = [wrong(describe="boundary", manifest="no_identity_policy")]
    assert _access.settled(verdicts, access) is settled


# --- several hosts

PULLED = {"engine": "docker", "images": [{"image": "a:1", "changed": True}, {"image": "b:1", "changed": False}]}


@pytest.mark.parametrize(
    ("went_through", "proof", "pulled", "line"),
    [
        (True, {"verdict": "pass"}, PULLED, "web  pass    a:1 pulled (docker), b:1 was there (docker)"),
        (True, {"verdict": "pass"}, {}, "web  pass    nothing to pull"),
        (True, {"verdict": "pass"}, {"skipped": True}, "web  pass    nothing to pull"),
        (False, {"verdict": "fail", "problems": ["It is readable.\nmore"]}, {}, "web  failed  It is readable."),
        (False, {"msg": "Not assumed."}, {}, "web  failed  Not assumed."),
        (False, {"verdict": "pass", "problems": []}, {"msg": "No image."}, "web  failed  No image."),
        (False, {"verdict": "pass", "problems": []}, {}, "web  failed  no answer; see above"),
        (False, {}, {}, "web  failed  no answer; see above"),
    ],
)
def test_the_table_of_hosts(went_through: bool, proof: dict[str, Any], pulled: dict[str, Any], line: str) -> None:
    assert _access.hosts_table([("web", went_through, proof, pulled)], check_mode=False) == [line]


def test_the_table_of_hosts_in_check_mode_and_aligned() -> None:
    proof = {"verdict": "pass"}
    assert _access.hosts_table([("web", True, proof, PULLED), ("longer", True, proof, {})], check_mode=True) == [
        "web     pass    a:1 would be pulled (docker), b:1 was there (docker)",
        "longer  pass    nothing to pull",
    ]
    assert _access.hosts_table([], check_mode=False) == []


WHY = "2 problems:\n- one\n- two"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([("a", "", [1, 2], [3])], []),
        ([("a", WHY, [1], [])], ["2 problems:", "- one", "- two"]),
        ([("a", "", None, [])], ["no result; see above"]),
        (
            [("a", "", [1, 2], [3]), ("long", "", [], []), ("b", "Why.", None, []), ("c", WHY, [], [])],
            [
                "a     ok      2 gained, 1 lost",
                "long  ok      nobody gains or loses access",
                "b     failed  Why.",
                "c     failed  2 problems:",
                "c: 2 problems:",
                "c: - one",
                "c: - two",
            ],
        ),
    ],
)
def test_the_table_of_accounts(rows: Any, lines: list[str]) -> None:
    assert _access.accounts_table(rows) == lines


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"msg": "Why.\nAnd more."}, "Why.\nAnd more."),
        (
            {"msg": "One or more items failed", "results": [{}, *[{"failed": True, "msg": one} for one in "aba"]]},
            "a\nb",
        ),
        ({}, "no reason was given; see above"),
    ],
)
def test_the_reason_of_a_failure(failure: dict[str, Any], reason: str) -> None:
    assert _access.failure_reason(failure) == reason
