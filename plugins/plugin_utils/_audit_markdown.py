# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""An audit report as Markdown. Pure.

Every text that others wrote is in a code span or a code block, in which Markdown interprets nothing.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_escape import code_block, code_span
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_matrix import (
    MARK,
    Cell,
    Way,
    matrix_of,
    places_of,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_shape import SEVERITIES


def markdown_report(document: Json) -> str:
    """The text of audit.md."""
    lines = [
        f"# ECR access of account {code_span(document['account'])} from outside",
        "",
        f"{document['generated_at']}, regions: {_spans(document['regions'])}",
        "",
        *_findings(document),
        *(_changes(document["changes"]) if "changes" in document else []),
        *_access(document),
        *_setters(document),
        *_not_seen(document),
    ]
    return "".join(f"{line}\n" for line in lines)


def _findings(document: Json) -> t.Iterator[str]:
    yield from ("## Findings", "")
    if not document["findings"]:
        yield from ("None.", "")
    for severity in SEVERITIES:
        for finding in document["findings"]:
            if finding["severity"] == severity:
                yield from _finding(finding)


def _finding(finding: Json) -> t.Iterator[str]:
    evidence = finding["evidence"]
    yield from (f"### {finding['severity']}: {code_span(finding['title'])}", "")
    facts = {
        "ID": finding["id"],
        "Resource": finding["resource"],
        "Region": finding["region"],
        "Document": evidence["document"],
        "Statement": evidence["statement"],
    }
    yield from (f"- {name}: {code_span(value)}" for name, value in facts.items() if value)
    yield from ("", *code_block(evidence["text"]), "", "Fix:", "", *code_block(finding["fix"]), "")


def _changes(changes: Json) -> t.Iterator[str]:
    yield from (f"## Changes since {changes['since']}", "")
    found = [
        *(
            f"- Finding, {kind}: {code_span(finding['title'])}"
            for kind, findings in changes["findings"].items()
            for finding in findings
        ),
        *(
            f"- Access, {kind}: {code_span(row['principal'])} to {code_span(row['repository'])} in"
            f" {code_span(row['region'])}: {changed_access_text(row)}"
            for kind, rows in changes["access"].items()
            for row in rows
        ),
    ]
    yield from (*(found or ["None."]), "")


def changed_access_text(row: Json) -> str:
    """The verdicts of changed access that differ, such as `pull denied → allowed`."""
    before, after = row["before"] or {}, row["after"] or {}
    verdicts = {action: (before.get(action, "denied"), after.get(action, "denied")) for action in {**before, **after}}
    changed = [f"{action} {old} → {new}" for action, (old, new) in verdicts.items() if old != new]
    return ", ".join(changed) or "other access path or reason"


def _access(document: Json) -> t.Iterator[str]:
    matrix = matrix_of(document)
    yield from ("## Access", "")
    if not matrix.consumers:
        yield from ("No principal outside the account has access.", "")
    for column, consumer in enumerate(matrix.consumers):
        yield from (f"### {code_span(consumer.principal)}", "")
        for cell, repositories in places_of(matrix, column):
            names = ", ".join(f"{code_span(name)} in {code_span(region)}" for name, region in repositories)
            yield f"- {_verdicts(cell)}: {names}"
            yield from (f"  - {_way(way)}" for way in cell.ways)
        yield ""


def _verdicts(cell: Cell) -> str:
    reasons = dict(cell.reasons)
    unknown = [f"{action} ({_span(reasons.get(action, ''))})" for action in cell.of("unknown")]
    found = {"allowed": cell.of("allowed"), "unknown": unknown}
    return "; ".join(f"{verdict}: {', '.join(actions)}" for verdict, actions in found.items() if actions)


def _way(way: Way) -> str:
    facts = {
        "statement": way.statement,
        "role": way.role,
        "created": way.role_created,
        "last used": way.role_last_used or ("never" if way.role else ""),
        "until": way.until,
    }
    parts = [f"{', '.join(way.actions)} through {_span(way.document)}"]
    parts += [f"{name} {_span(value)}" for name, value in facts.items() if value]
    parts += [f"only with {_spans(way.conditions)}"] if way.conditions else []
    return ", ".join(parts)


def _setters(document: Json) -> t.Iterator[str]:
    yield from ("## Principals of the account that may set the sharing tag", "")
    for setter in document["tag_setters"]:
        reason = f" ({code_span(setter['reason'])})" if setter["reason"] else ""
        place = f"{code_span(setter['document'])} {code_span(setter['statement'])}"
        yield f"- {code_span(setter['principal'])}: {setter['verdict']}{reason}, {_spans(setter['actions'])}, {place}"
    yield from (*([] if document["tag_setters"] else ["None."]), "")


def _not_seen(document: Json) -> t.Iterator[str]:
    yield from ("## Not visible to the audit", "")
    yield from (f"- {code_span(fact['what'])}: {code_span(fact['why'])}" for fact in document["not_seen"])


def _span(text: str) -> str:
    return code_span(text.replace(MARK, "the repository"))


def _spans(texts: t.Iterable[str]) -> str:
    return ", ".join(_span(text) for text in texts)
