# SPDX-License-Identifier: GPL-3.0-or-later
"""The report of an audit."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_report import ALWAYS_HIDDEN, report_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Unseen

from tests.unit.audited_estates import BOTH, OWNER, REGION, SHARE, estate

DENIED = "AWS denies it"


def test_report_has_every_fact_of_an_audit() -> None:
    unseen = (Unseen("the registry policy", DENIED, "registry_policy", REGION), Unseen("the groups", DENIED))
    account = estate(SHARE, repositories=BOTH, unseen=unseen)
    rows = audit_access(account).rows
    assert report_of(account, {"environment": ("release", "hotfix")}, rows, [], []) == {
        "schema": "crossaccount.ecr/audit/1",
        "account": OWNER,
        "regions": [REGION],
        "generated_at": "2026-11-27T00:00:00Z",
        "repository_tags": {"environment": ["release", "hotfix"]},
        "repositories": [
            {"name": name, "region": REGION, "tags": {"environment": name}} for name in ("release", "develop")
        ],
        "access": [row.as_json() for row in rows],
        "tag_setters": [],
        "findings": [],
        "not_seen": [
            {"what": f"the registry policy in {REGION}", "why": DENIED},
            {"what": "the groups", "why": DENIED},
            *({"what": one.what, "why": one.why} for one in ALWAYS_HIDDEN),
        ],
    }
    assert rows
