# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An audit report as SARIF 2.1.0. Pure."""

from __future__ import annotations

import hashlib

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

_LEVELS = {"critical": "error", "high": "error", "medium": "warning", "low": "note", "info": "note"}
#: GitHub sorts results by this number of their rule.
_SCORES = {"critical": "9.5", "high": "8.0", "medium": "5.5", "low": "2.0", "info": "0.0"}


def sarif_report(document: Json) -> Json:
    """A result for each finding, and one with the state `absent` for each finding that is gone."""
    rules: dict[str, Json] = {}
    gone = document["changes"]["findings"]["gone"] if "changes" in document else []
    for finding in [*document["findings"], *gone]:
        rules.setdefault(finding["id"], _rule(finding))
    states = _states(document)
    run = {
        "tool": {
            "driver": {
                "name": "crossaccount.ecr",
                "informationUri": "https://github.com/crossaccount/ecr",
                "rules": list(rules.values()),
            }
        },
        "automationDetails": {"id": f"crossaccount.ecr/audit/{document['account']}/"},
        "invocations": [{"executionSuccessful": True, "endTimeUtc": document["generated_at"]}],
        "columnKind": "unicodeCodePoints",
        "results": [
            *(_result(finding, states.get(finding["key"])) for finding in document["findings"]),
            *(_result(finding, "absent") for finding in gone),
        ],
    }
    return {"$schema": "https://json.schemastore.org/sarif-2.1.0.json", "version": "2.1.0", "runs": [run]}


def _rule(finding: Json) -> Json:
    return {
        "id": finding["id"],
        "shortDescription": {"text": _message(finding["id"].replace("-", " "))},
        "defaultConfiguration": {"level": _LEVELS[finding["severity"]]},
        "properties": {"security-severity": _SCORES[finding["severity"]], "tags": ["security"]},
    }


def _states(document: Json) -> dict[str, str]:
    """The `baselineState` of each finding, by its key; empty if no previous report exists."""
    if "changes" not in document:
        return {}
    changed = document["changes"]["findings"]
    return {
        **{finding["key"]: "unchanged" for finding in document["findings"]},
        **{finding["key"]: "updated" for finding in changed["changed"]},
        **{finding["key"]: "new" for finding in changed["new"]},
    }


def _result(finding: Json, state: str | None) -> Json:
    # Viewers show results only if they have a place in a file.
    place: Json = {"physicalLocation": {"artifactLocation": {"uri": "audit.json"}, "region": {"startLine": 1}}}
    if finding.get("resource"):
        place["logicalLocations"] = [{"fullyQualifiedName": finding["resource"], "kind": "resource"}]
    details = {key: finding[key] for key in ("severity", "region", "evidence", "fix") if key in finding}
    return {
        "ruleId": finding["id"],
        "level": _LEVELS[finding["severity"]],
        "message": {"text": _message(finding["title"])},
        "locations": [place],
        "partialFingerprints": {"finding/v1": hashlib.sha256(_bytes(finding["key"])).hexdigest()},
        "properties": details,
        **({"baselineState": state} if state else {}),
    }


def _message(text: str) -> str:
    """The text as a plain text message, in which braces and brackets have a meaning."""
    doubled = text.replace("{", "{{").replace("}", "}}")
    return "".join(f"\\{character}" if character in "\\[]" else character for character in doubled) or "-"


def _bytes(text: str) -> bytes:
    return text.encode("utf-8", "surrogatepass")
