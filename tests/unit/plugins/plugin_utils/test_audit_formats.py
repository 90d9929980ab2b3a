# SPDX-License-Identifier: GPL-3.0-or-later
"""The machine-readable formats of an audit report, with the texts of attackers."""

from __future__ import annotations

import json
import re
from typing import Any
from xml.etree import ElementTree

import jsonschema
import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_escape import code_block, code_span, one_line
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_junit import audit_junit
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_markdown import markdown_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_ocsf import ocsf_report
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_sarif import sarif_report

from tests.support import audit_reports
from tests.support.audit_reports import changed, finding, hostile_texts, report
from tests.support.paths import ROOT

SCHEMAS = ROOT / "tests/schemas"
SARIF = jsonschema.Draft4Validator(json.loads((SCHEMAS / "sarif-2.1.0.json").read_text()))
OCSF = jsonschema.Draft202012Validator(json.loads((SCHEMAS / "ocsf-1.8.0-compliance-finding.json").read_text()))
COMPARED = document_of(changed(report()), report())
ALL = pytest.mark.parametrize(
    "document",
    [report(), report(findings=[], access=[], not_seen=[]), COMPARED, audit_reports.hostile()],
    ids=["first", "empty", "compared", "hostile"],
)


# --- SARIF


@ALL
def test_sarif_matches_its_schema(document: dict[str, Any]) -> None:
    log = json.loads(json.dumps(sarif_report(document)))
    SARIF.validate(log)
    (run,) = log["runs"]
    rules = [rule["id"] for rule in run["tool"]["driver"]["rules"]]
    assert len(rules) == len({*rules})
    assert {result["ruleId"] for result in run["results"]} == {*rules}


def test_sarif_schema_rejects_another_key() -> None:
    log = sarif_report(report())
    log["runs"][0]["results"][0]["severity"] = "high"
    assert not SARIF.is_valid(log)


def test_sarif_has_the_state_of_each_finding() -> None:
    (run,) = sarif_report(COMPARED)["runs"]
    states = [(result["baselineState"], result["level"]) for result in run["results"]]
    assert states == [("updated", "error"), ("new", "error"), ("absent", "error")]
    assert all("baselineState" not in result for result in sarif_report(report())["runs"][0]["results"])


def test_sarif_fingerprint_is_that_of_the_key() -> None:
    def fingerprints(document: dict[str, Any]) -> list[Any]:
        return [result["partialFingerprints"] for result in sarif_report(document)["runs"][0]["results"]]

    same = report(findings=[finding(title="Other", severity="low")])
    assert fingerprints(same) == fingerprints(report())[:1]
    assert len({json.dumps(one) for one in fingerprints(report())}) == 2


def test_sarif_message_has_no_placeholder_and_no_link() -> None:
    (run,) = sarif_report(report(findings=[finding(title="{0} [x](javascript:alert(1)) \\")]))["runs"]
    assert run["results"][0]["message"]["text"] == "{{0}} \\[x\\](javascript:alert(1)) \\\\"


# --- OCSF


@ALL
def test_ocsf_matches_its_schema(document: dict[str, Any]) -> None:
    for event in json.loads(json.dumps(ocsf_report(document))):
        OCSF.validate(event)
        assert event["type_uid"] == event["class_uid"] * 100 + event["activity_id"]


def test_ocsf_schema_rejects_another_key() -> None:
    (event, *_others) = ocsf_report(report())
    assert not OCSF.is_valid({**event, "account": "1"})


def test_ocsf_closes_findings_that_are_gone() -> None:
    events = [(event["activity_name"], event["status"], event["severity"]) for event in ocsf_report(COMPARED)]
    expected = [("Update", "New", "Critical"), ("Create", "New", "High"), ("Close", "Resolved", "Critical")]
    assert events == expected


def test_ocsf_time_is_that_of_the_audit() -> None:
    assert {event["time"] for event in ocsf_report(report())} == {1_795_747_200_000}


# --- JUnit


@ALL
def test_junit_is_xml_with_the_right_counts(document: dict[str, Any]) -> None:
    (suite,) = ElementTree.fromstring(audit_junit(document))  # noqa: S314
    assert int(suite.attrib["tests"]) == len(suite)
    assert int(suite.attrib["failures"]) == len(suite.findall("testcase/failure")) == len(document["findings"])
    assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped")) == len(document["not_seen"])


def test_junit_failure_has_evidence_and_fix() -> None:
    (suite,) = ElementTree.fromstring(audit_junit(report()))  # noqa: S314
    failure = suite.findall("testcase/failure")[0]
    assert failure.attrib["type"] == "high"
    assert '"Action": "sts:AssumeRole"' in (failure.text or "")
    assert "crossaccount.ecr.iam_ecr_pull_role" in (failure.text or "")


def test_junit_info_is_not_a_failure() -> None:
    (suite,) = ElementTree.fromstring(audit_junit(report(findings=[finding(severity="info")])))  # noqa: S314
    assert suite.attrib["failures"] == "0"
    assert "sts:AssumeRole" in (suite.findall("testcase/system-out")[0].text or "")


def test_junit_without_findings_has_a_test_that_passes() -> None:
    (suite,) = ElementTree.fromstring(audit_junit(report(findings=[], not_seen=[])))  # noqa: S314
    assert [case.attrib["name"] for case in suite] == ["The audit has no findings"]


# --- Markdown


def outside_of_code(text: str) -> str:
    """The text of a Markdown page without its code blocks and code spans, by the rules of CommonMark."""
    lines, fence = [], ""
    for line in text.split("\n"):
        opened = re.fullmatch(r"(`{3,})[a-z]*", line)
        if fence:
            fence = "" if re.fullmatch(f"`{{{len(fence)},}}", line) else fence
        elif opened:
            fence = opened[1]
        else:
            lines.append(re.sub(r"(?<!`)(`+)(?!`)(.*?)(?<!`)\1(?!`)", "CODE", line))
    assert not fence
    return "\n".join(lines)


def test_markdown_shows_texts_of_others_as_code_only() -> None:
    text = markdown_report(audit_reports.hostile())
    visible = outside_of_code(text)
    assert not re.search(r"[<>\[\]{}`]|alert|http|www|script|javascript", visible)
    headings = [line for line in visible.split("\n") if line.startswith("#")]
    assert "## Heading" not in headings
    assert all(character.isprintable() or character == "\n" for character in text)


def test_markdown_names_access_findings_and_changes() -> None:
    text = markdown_report(COMPARED)
    for expected in (
        "# ECR access of account `111111111111` from outside",
        "### critical: `Role partner-1 trusts account 222222222222 without an external ID`",
        "- Finding, gone: `Repository base is open to everyone`",
        "- Access, changed: `arn:aws:iam::222222222222:user/puller` to `release` in `eu-west-1`: push denied → allowed",
        "  - describe, pull through `repository policy of the repository`, statement `AllowPull`",
        "- `service control policies`: `an account cannot read them`",
    ):
        assert expected in text


@pytest.mark.parametrize("text", hostile_texts())
def test_code_span_is_one_span(text: str) -> None:
    assert outside_of_code(f"a {code_span(text)} b") == "a CODE b"


def test_code_block_is_longer_than_its_content() -> None:
    assert code_block("a\n````\nb", "yaml") == ["`````yaml", "a", "````", "b", "`````"]


def test_long_text_is_truncated_with_its_length() -> None:
    assert len(one_line("S" * 10_240)) < 400
    assert one_line("a\nb\u202e") == "a\\nb\\u202e"
