# SPDX-License-Identifier: GPL-3.0-or-later
"""The reports: a proof as JUnit, and the result on each host and account as a table."""

from __future__ import annotations

import xml.etree.ElementTree
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.filter.access_junit import filter_access_junit
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import (
    accounts_table,
    failure_reason,
    hosts_table,
    junit,
)

from tests.unit.observations import ABSENT, ABSENT_VERDICT, HIDDEN, RIGHT, SENTENCE, SHOWN, judged, observation

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
    problem = "Role r can be assumed without the external ID."
    suite = suite_of(junit(proof(RIGHT, HIDDEN, SHOWN, ABSENT_VERDICT, problems=(problem,)), "the suite"))
    assert suite.attrib == {"name": "the suite", "tests": "5", "failures": "3"}
    right, hidden, shown, absent, role = suite
    assert (right.attrib, list(right)) == ({"classname": "app", "name": "is readable"}, [])
    (output,) = hidden
    assert hidden.attrib == {"classname": "app", "name": "is denied"}
    assert (output.tag, output.text) == ("system-out", f"manifest: {SENTENCE}")
    (failure,) = shown
    assert (failure.tag, failure.text or "", failure.attrib) == ("failure", "", {"message": SHOWN["advice"]})
    (failure,) = absent
    assert failure.attrib == {"message": f"Repository app cannot be pulled. {ABSENT}"}
    assert failure.text == f"manifest: {SENTENCE}"
    (failure,) = role
    assert role.attrib == {"classname": "role", "name": "otherwise"}
    assert (failure.attrib, failure.text or "") == ({"message": problem}, "")


def test_a_proof_without_a_problem_has_no_failure() -> None:
    suite = suite_of(junit(proof(RIGHT, HIDDEN), "s"))
    assert (suite.get("tests"), suite.get("failures")) == ("2", "0")
    assert suite_of(junit(proof(), "s")).get("tests") == "0"


def test_xml_special_characters_survive() -> None:
    observed = {probe: observation(probe, "denied", "unknown", AWKWARD) for probe in ("describe", "manifest", "layer")}
    verdict = {**judged("readable", observed), "advice": f"advice {AWKWARD}"}
    denied = {probe: observation(probe, "denied", "no_identity_policy", AWKWARD) for probe in observed}
    hidden = judged("denied", denied)
    text = junit(proof(verdict, hidden, problems=(f"problem {AWKWARD}\nsecond line",)), f"suite {AWKWARD}")
    assert "<not>" not in text
    suite = suite_of(text)
    assert suite.get("name") == f"suite {AWKWARD}"
    messages = [failure.get("message") for failure in suite.iter("failure")]
    assert messages == [f"advice {AWKWARD}", f"problem {AWKWARD}\nsecond line"]
    assert [failure.text for failure in suite.iter("failure")] == [f"manifest: {AWKWARD}", None]
    assert [output.text for output in suite.iter("system-out")] == [f"manifest: {AWKWARD}"]


def test_the_report_is_the_same_twice_and_ends_with_a_line() -> None:
    text = junit(proof(RIGHT, SHOWN), "s")
    assert text == junit(proof(RIGHT, SHOWN), "s")
    assert text.endswith("</testsuites>\n")


def test_the_filter_makes_the_report() -> None:
    given = proof(RIGHT, SHOWN)
    assert suite_of(filter_access_junit(given)).get("name") == "crossaccount.ecr"
    assert filter_access_junit(given, "arn") == junit(given, "arn")


# --- several hosts

PULLED = {"engine": "docker", "images": [{"image": "a:1", "changed": True}, {"image": "b:1", "changed": False}]}


@pytest.mark.parametrize(
    ("succeeded", "proof", "pulled", "line"),
    [
        (True, {"verdict": "pass"}, PULLED, "web  pass    a:1 pulled (docker), b:1 already present (docker)"),
        (True, {"verdict": "pass"}, {}, "web  pass    nothing to pull"),
        (True, {"verdict": "pass"}, {"skipped": True}, "web  pass    nothing to pull"),
        (False, {"verdict": "fail", "problems": ["It is readable.\nmore"]}, {}, "web  failed  It is readable."),
        (False, {"msg": "Not assumed."}, {}, "web  failed  Not assumed."),
        (False, {"verdict": "pass", "problems": []}, {"msg": "No image."}, "web  failed  No image."),
        (False, {"verdict": "pass", "problems": []}, {}, "web  failed  no result; see above"),
        (False, {}, {}, "web  failed  no result; see above"),
    ],
)
def test_the_table_of_hosts(succeeded: bool, proof: dict[str, Any], pulled: dict[str, Any], line: str) -> None:
    assert hosts_table([("web", succeeded, proof, pulled)]) == [line]


def test_the_table_of_hosts_in_check_mode_and_aligned() -> None:
    proof = {"verdict": "pass"}
    assert hosts_table([("web", True, proof, {**PULLED, "predicted": True}), ("longer", True, proof, {})]) == [
        "web     pass    a:1 would be pulled (docker), b:1 already present (docker)",
        "longer  pass    nothing to pull",
    ]
    assert hosts_table([]) == []


WHY = "2 problems:\n- one\n- two"


@pytest.mark.parametrize(
    ("rows", "lines"),
    [
        ([("a", "", [1, 2], [3])], []),
        ([("a", WHY, [1], [])], []),
        ([("a", "", None, [])], []),
        (
            [("a", "", [1, 2], [3]), ("long", "", [], []), ("b", "Why.", None, []), ("c", WHY, [], [])],
            [
                "a     ok      2 gained, 1 lost",
                "long  ok      no access gained or lost",
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
    assert accounts_table(rows) == lines


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"msg": "Why.\nAnd more."}, "Why.\nAnd more."),
        (
            {"msg": "One or more items failed", "results": [{}, *[{"failed": True, "msg": item} for item in "aba"]]},
            "a\nb",
        ),
        ({}, "no reason was given; see above"),
    ],
)
def test_the_reason_of_a_failure(failure: dict[str, Any], reason: str) -> None:
    assert failure_reason(failure) == reason
