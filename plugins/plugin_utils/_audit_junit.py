# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An audit report as JUnit, for CI servers. Pure."""

from __future__ import annotations

from xml.etree import ElementTree

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_escape import one_line

#: A finding of this severity is not a failure.
_INFO = "info"


def audit_junit(document: Json) -> str:
    """A failed test case for each finding, and a skipped one for each fact that the audit could not read."""
    findings, hidden = document["findings"], document["not_seen"]
    failed = sum(finding["severity"] != _INFO for finding in findings)
    root = ElementTree.Element("testsuites")
    counts = {"tests": len(findings) + len(hidden) + (not findings), "failures": failed, "errors": 0}
    suite = ElementTree.SubElement(
        root,
        "testsuite",
        {
            "name": f"crossaccount.ecr audit of account {one_line(document['account'])}",
            **{name: str(count) for name, count in counts.items()},
            "skipped": str(len(hidden)),
            "timestamp": document["generated_at"].rstrip("Z"),
        },
    )
    for finding in findings:
        case = _case(suite, finding["id"], finding["title"])
        details = _details(finding)
        if finding["severity"] == _INFO:
            ElementTree.SubElement(case, "system-out").text = details
        else:
            message = {"type": finding["severity"], "message": one_line(finding["title"])}
            ElementTree.SubElement(case, "failure", message).text = details
    if not findings:
        _case(suite, "audit", "The audit has no findings")
    for fact in hidden:
        case = _case(suite, "not-seen", fact["what"])
        ElementTree.SubElement(case, "skipped", {"message": one_line(fact["why"])})
    return ElementTree.tostring(root, encoding="unicode", xml_declaration=False) + "\n"


def _case(suite: ElementTree.Element, kind: str, name: str) -> ElementTree.Element:
    return ElementTree.SubElement(suite, "testcase", {"classname": one_line(kind), "name": one_line(name)})


def _details(finding: Json) -> str:
    evidence = finding["evidence"]
    facts = [finding["resource"], finding["region"], evidence["document"], evidence["statement"], evidence["text"]]
    return printable("\n".join([*(fact for fact in facts if fact), "", "Fix:", finding["fix"]]))
