# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The report of an audit as lines for the terminal, and the findings for which a run fails."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_drift import DRIFT
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_text import pull_lines
from ansible_collections.crossaccount.ecr.plugins.module_utils._finding_kinds import SEVERITIES
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of

#: The values of `ecr_audit_fail_on`.
FAIL_ON = ("none", DRIFT, *SEVERITIES[:-1])
#: The maximum number of findings that the short summary lists.
LISTED = 10


def audit_lines(audit: Json, written: Json, every_line: bool = False) -> list[str]:
    """The access to pull, the findings by severity, the facts that are not visible, and the reports.

    :param written: the result of `ecr_audit_report`; empty if no report was written
    :param every_line: whether to list all repositories and findings
    """
    several = len(audit["regions"]) > 1
    pairs = [(row, path) for row in audit["access"] for path in row["paths"] if "pull" in path["actions"]]
    now = date_of(str(audit["generated_at"]))
    pulls = pull_lines(pairs, "can pull", "may pull", every_line, several, now)
    return [
        f"Account {audit['account']}, repositories in {', '.join(audit['regions'])}: {len(audit['repositories']):,}",
        *(pulls or ["No principal outside the account can pull."]),
        *_finding_lines(audit["findings"], every_line),
        *(f"not visible: {unseen['what']}: {unseen['why']}" for unseen in audit["not_seen"]),
        *_report_lines(written),
    ]


def _finding_lines(findings: t.Sequence[Json], every_line: bool) -> t.Iterator[str]:
    ordered = _by_severity(findings)
    counts = {name: sum(finding["severity"] == name for finding in findings) for name in SEVERITIES}
    yield "findings: " + (", ".join(f"{count} {name}" for name, count in counts.items() if count) or "none")
    shown = ordered if every_line else ordered[:LISTED]
    for finding in shown:
        yield f"{finding['severity']}: {finding['title']}"
        if every_line or _is_drift(finding):
            yield from (f"  {line}" for line in finding["fix"].splitlines())
    if len(ordered) > len(shown):
        yield f"and {len(ordered) - len(shown):,} more findings"


def _report_lines(written: Json) -> t.Iterator[str]:
    for kind in ("findings", "access") if written.get("changes") else ():
        changes = written["changes"][kind]
        counts = ", ".join(f"{len(changes[what]):,} {what}" for what in ("new", "changed", "gone"))
        yield f"{kind} since {written['changes']['since']}: {counts}"
    yield from (f"report: {file}" for file in written.get("files", ()) if file.endswith(".html"))


def failures(audit: Json, fail_on: str) -> list[str]:
    """The findings for which a run fails, most severe first; empty if no finding is selected.

    :param fail_on: a value of `FAIL_ON`
    """
    failing = [finding for finding in _by_severity(audit["findings"]) if _fails(finding, fail_on)]
    if not failing:
        return []
    what = "Differences from the declaration" if fail_on == DRIFT else f"Findings of severity {fail_on} or higher"
    return [
        f"{what}: {len(failing):,}. Fix them, or set ecr_audit_fail_on to another value.",
        *(f"{finding['severity']}: {finding['title']}{_command(finding)}" for finding in failing),
    ]


def _command(finding: Json) -> str:
    """The command that ends a difference from the declaration. The fixes of other findings are in the report."""
    return f". Run: {finding['fix']}" if _is_drift(finding) else ""


def _fails(finding: Json, fail_on: str) -> bool:
    if fail_on in SEVERITIES:
        return SEVERITIES.index(finding["severity"]) <= SEVERITIES.index(fail_on)
    return fail_on == DRIFT and _is_drift(finding)


def _is_drift(finding: Json) -> bool:
    return str(finding["id"]).startswith(f"{DRIFT}-")


def _by_severity(findings: t.Sequence[Json]) -> list[Json]:
    return sorted(findings, key=lambda finding: (SEVERITIES.index(finding["severity"]), finding["key"]))
