# SPDX-License-Identifier: GPL-3.0-or-later
"""The comparison of an audit report with the previous one."""

from __future__ import annotations

import copy

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of

from tests.support.audit_reports import VERDICTS, changed, report

LATER = "2026-11-28T02:40:00Z"


def test_first_report_has_no_changes() -> None:
    assert document_of(report(), None) == report()


def test_same_result_keeps_the_previous_document() -> None:
    previous = {**report(), "changes": {"since": "2026-11-20T00:00:00Z"}}
    assert document_of(report(generated_at=LATER), previous) is previous


def test_changes_are_named() -> None:
    before = report()
    document = document_of(changed(before), before)
    assert document["generated_at"] == LATER
    changes = document["changes"]
    assert changes["since"] == before["generated_at"]
    findings = {kind: [finding["title"] for finding in found] for kind, found in changes["findings"].items()}
    assert findings == {
        "new": ["Role partner-9 trusts account 222222222222 without an external ID"],
        "changed": ["Role partner-1 trusts account 222222222222 without an external ID"],
        "gone": ["Repository base is open to everyone"],
    }
    (new,), (other,), (gone,) = (changes["access"][kind] for kind in ("new", "changed", "gone"))
    assert (new["principal"], new["before"], new["after"]) == ("arn:aws:iam::222222222222:user/new", None, VERDICTS)
    assert other["before"] == VERDICTS
    assert other["after"] == {**VERDICTS, "push": "allowed"}
    assert (gone["principal"], gone["after"]) == ("arn:aws:iam::222222222222:user/auditor", None)


def test_use_of_a_role_is_not_changed_access() -> None:
    before, after = report(), copy.deepcopy(report(generated_at=LATER))
    after["access"][0]["paths"][0]["role_last_used"] = LATER
    changes = document_of(after, before)["changes"]
    assert changes["access"] == {"new": [], "changed": [], "gone": []}


def test_other_access_path_is_changed_access() -> None:
    before, after = report(), copy.deepcopy(report(generated_at=LATER))
    after["access"][0]["paths"][0]["statement"] = "Other"
    (row,) = document_of(after, before)["changes"]["access"]["changed"]
    assert row["before"] == row["after"] == VERDICTS


def test_equal_names_in_two_regions_are_two_repositories() -> None:
    before, after = report(), copy.deepcopy(report(generated_at=LATER))
    after["access"].append({**after["access"][0], "region": "us-east-1"})
    changes = document_of(after, before)["changes"]["access"]
    assert [row["region"] for row in changes["new"]] == ["us-east-1"]
    assert not changes["changed"]
    assert not changes["gone"]
