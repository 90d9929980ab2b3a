# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The findings of an audit report as events of OCSF 1.8.0, class Compliance Finding (2003), profile cloud. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import time_of

VERSION = "1.8.0"
_CLASS = 2003
_CREATE, _UPDATE, _CLOSE = (1, "Create"), (2, "Update"), (3, "Close")
_SEVERITIES = {
    "critical": (5, "Critical"),
    "high": (4, "High"),
    "medium": (3, "Medium"),
    "low": (2, "Low"),
    "info": (1, "Informational"),
}


def ocsf_report(document: Json) -> list[Json]:
    """An event for each finding, and one with the activity `Close` for each finding that is gone."""
    changes = document["changes"]["findings"] if "changes" in document else {"new": [], "gone": []}
    new = {finding["key"] for finding in changes["new"]}
    created = "changes" not in document
    return [
        *(
            _event(document, finding, _CREATE if created or finding["key"] in new else _UPDATE)
            for finding in document["findings"]
        ),
        *(_event(document, finding, _CLOSE) for finding in changes["gone"]),
    ]


def _event(document: Json, finding: Json, activity: tuple[int, str]) -> Json:
    milliseconds = int(time_of(document["generated_at"]) or 0) * 1000
    severity_id, severity = _SEVERITIES[finding["severity"]]
    closed = activity == _CLOSE
    return {
        "activity_id": activity[0],
        "activity_name": activity[1],
        "category_uid": 2,
        "category_name": "Findings",
        "class_uid": _CLASS,
        "class_name": "Compliance Finding",
        "type_uid": _CLASS * 100 + activity[0],
        "type_name": f"Compliance Finding: {activity[1]}",
        "time": milliseconds,
        "severity_id": severity_id,
        "severity": severity,
        "status_id": 4 if closed else 1,
        "status": "Resolved" if closed else "New",
        "message": finding["title"],
        "metadata": {
            "version": VERSION,
            "profiles": ["cloud"],
            "product": {"name": "crossaccount.ecr", "vendor_name": "crossaccount"},
        },
        "cloud": _cloud(document, finding),
        "compliance": {
            "control": finding["id"],
            "status_id": 1 if closed else 3,
            "status": "Pass" if closed else "Fail",
        },
        "finding_info": {"uid": finding["key"], "title": finding["title"], "types": [finding["id"]]},
        **_details(finding),
    }


def _cloud(document: Json, finding: Json) -> Json:
    region: Json = {"region": finding["region"]} if finding.get("region") else {}
    account = {"uid": document["account"], "type_id": 10, "type": "AWS Account"}
    return {"provider": "AWS", "account": account, **region}


def _details(finding: Json) -> t.Mapping[str, object]:
    """The resource, the evidence and the fix of a finding. The report has none of them for a finding that is gone."""
    if "evidence" not in finding:
        return {}
    resource = {"uid": finding["resource"], **({"region": finding["region"]} if finding["region"] else {})}
    return {
        "resources": [resource] if finding["resource"] else [],
        "evidences": [{"data": finding["evidence"]}],
        "remediation": {"desc": finding["fix"]},
    }
