# SPDX-License-Identifier: GPL-3.0-or-later
"""The filters of the roles ecr_audit and ecr_share on reports of audits."""

from __future__ import annotations

import pytest
from ansible.errors import AnsibleFilterError
from ansible_collections.crossaccount.ecr.plugins.filter import (
    access_kept,
    audit_drift,
    audit_failures,
    audit_summary,
)

from tests.unit.audits import CONSUMER, audit, finding, path, plan, row

KEPT = row(path("repository_policy", "X"))


def test_skipped_tasks_add_nothing() -> None:
    assert access_kept.filter_access_kept(plan(), {"skipped": True}) == []
    assert audit_drift.filter_audit_drift(audit(), {"skipped": True}, "") == audit()


def test_access_kept_has_the_access_and_what_was_not_checked() -> None:
    unseen = [{"what": "registry policy", "why": "AccessDenied"}]
    assert access_kept.filter_access_kept(plan(), {"audit": audit(KEPT, not_seen=unseen)}) == [
        f"{CONSUMER} still pulls release through the repository policy, statement X",
        "not checked: registry policy: AccessDenied",
    ]
    (line,) = access_kept.filter_access_kept(plan(), {"msg": "Denied."})
    assert line.startswith("not checked: ")


def test_drift_is_added_to_the_findings() -> None:
    found = audit_drift.filter_audit_drift(audit(findings=[finding()]), {"msg": "Denied."}, "shares.yml")
    assert [one["id"] for one in found["findings"]] == ["open-to-everyone", "drift-not-compared"]


def test_the_summary_and_the_failures() -> None:
    found = audit(KEPT, findings=[finding("critical")])
    lines = audit_summary.filter_audit_summary(found)
    assert f"{CONSUMER} can pull release through the repository policy, statement X" in lines
    assert audit_summary.filter_audit_summary(found, {"files": ["audit.html"]}, True)[-1] == "report: audit.html"
    assert audit_failures.filter_audit_failures(found, "high")[1:] == ["critical: A critical finding"]


@pytest.mark.parametrize("name", ["access_kept", "audit_drift", "audit_failures", "audit_summary"])
def test_input_of_another_form_is_one_message(name: str) -> None:
    modules = {"access_kept": access_kept, "audit_drift": audit_drift}
    modules.update({"audit_failures": audit_failures, "audit_summary": audit_summary})
    filters = modules[name].FilterModule().filters()
    with pytest.raises(AnsibleFilterError, match=f"The input of the filter {name} does not have the documented form"):
        filters[name]({"no": "report"}, {"audit": 1}, "x")
