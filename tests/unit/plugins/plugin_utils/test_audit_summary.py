# SPDX-License-Identifier: GPL-3.0-or-later
"""The lines for the terminal, and the findings for which a run fails."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_summary import FAIL_ON, audit_lines, failures

from tests.unit.audits import CONSUMER, OWNER, audit, finding, path, row


def test_who_can_pull_what() -> None:
    found = audit(
        row(path(), path("repository_policy", "X")),
        row(path(), repository="tools"),
        row(path(), repository="develop", pull="unknown"),
        row(path(actions=["describe"]), repository="other"),
        findings=[finding("low"), finding("critical")],
        not_seen=[{"what": "service control policies", "why": "an account cannot read them"}],
    )
    assert audit_lines(found, {"files": ["reports/audit.html", "reports/audit.json"]}) == [
        f"Account {OWNER}, repositories in eu-west-1: 1",
        f"{CONSUMER} can pull release, tools through role allow_ecr_release, statement ReadImages",
        f"{CONSUMER} can pull release through the repository policy, statement X",
        f"{CONSUMER} may pull develop through role allow_ecr_release, statement ReadImages"
        " (unknown: the role cannot be read)",
        "findings: 1 critical, 1 low",
        "critical: A critical finding",
        "low: A low finding",
        "not visible: service control policies: an account cannot read them",
        "report: reports/audit.html",
    ]


@pytest.mark.parametrize(
    ("until", "end"),
    [
        ("2026-12-03T02:40:00Z", "; access ends on 2026-12-03T02:40:00Z (in 6 days)"),
        ("2026-11-27T02:40:01Z", "; access ends on 2026-11-27T02:40:01Z (in 1 second)"),
        (None, ""),
        ("soon", ""),
    ],
)
def test_line_states_when_access_ends(until: str | None, end: str) -> None:
    line = audit_lines(audit(row(path(until=until))), {})[1]
    assert line == f"{CONSUMER} can pull release through role allow_ecr_release, statement ReadImages{end}"


def test_different_ends_are_different_lines() -> None:
    ends = [row(path(until=f"2026-12-0{day}T00:00:00Z"), repository=f"r{day}") for day in (3, 4)]
    assert [line.split()[3] for line in audit_lines(audit(*ends), {})[1:3]] == ["r3", "r4"]


def test_the_changes_since_the_last_report_are_counted() -> None:
    changes = {
        "since": "2026-11-26T02:40:00Z",
        "findings": {"new": [{}], "changed": [], "gone": [{}, {}]},
        "access": {"new": [], "changed": [{}], "gone": []},
    }
    assert audit_lines(audit(), {"changes": changes, "files": []})[-2:] == [
        "findings since 2026-11-26T02:40:00Z: 1 new, 0 changed, 2 gone",
        "access since 2026-11-26T02:40:00Z: 0 new, 1 changed, 0 gone",
    ]
    assert audit_lines(audit(), {"changes": None})[-1] == "findings: none"


def test_nothing_found() -> None:
    assert audit_lines(audit(), {})[1:] == ["No principal outside the account can pull.", "findings: none"]


def test_a_difference_from_the_declaration_has_its_command() -> None:
    found = audit(findings=[finding("high", "drift-conditions", fix="ansible-playbook crossaccount.ecr.share")])
    assert audit_lines(found, {})[-2:] == ["high: A high finding", "  ansible-playbook crossaccount.ecr.share"]


def test_long_lists_are_shortened() -> None:
    names = [f"r{number:02}" for number in range(12)]
    found = audit(*(row(path(), repository=name) for name in names), findings=[finding("low")] * 12)
    short, full = audit_lines(found, {}), audit_lines(found, {}, True)
    assert "12 repositories: r00, " in short[1]
    assert "r11" not in short[1]
    assert "r11" in full[1]
    assert (len(short), short[-1]) == (14, "and 2 more findings")
    assert (full.count("low: A low finding"), full.count("  aws ecr delete-repository-policy")) == (12, 12)


@pytest.mark.parametrize(
    ("fail_on", "expected"),
    [
        ("none", []),
        ("drift", ["drift"]),
        ("critical", ["critical"]),
        ("high", ["critical", "high"]),
        ("medium", ["critical", "high", "drift"]),
        ("low", ["critical", "high", "drift", "low"]),
    ],
)
def test_the_findings_for_which_a_run_fails(fail_on: str, expected: list[str]) -> None:
    severities = ("info", "low", "high", "critical")
    drift = finding("medium", "drift-missing-access", title="drift")
    found = audit(findings=[drift, *(finding(one, title=one) for one in severities)])
    head, *lines = failures(found, fail_on) or [""]
    assert [line.partition(": ")[2].partition(". Run: ")[0] for line in lines] == expected
    assert bool(head) == bool(expected)


def test_the_values_are_those_of_the_documentation() -> None:
    assert FAIL_ON == ("none", "drift", "critical", "high", "medium", "low")
