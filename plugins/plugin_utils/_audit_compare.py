# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares an audit report with the previous one: new, changed and gone findings and access. Pure."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The use of a role is not access.
_NOT_ACCESS = ("role_last_used",)


def document_of(report: Json, previous: Json | None) -> Json:
    """The content of audit.json: the report with the changes since the previous one.

    If the result of the audit is the same, the previous document is kept, with its time and its changes. So a repeated
    audit changes no file.

    :param previous: the content of the existing audit.json; None if the file does not exist
    """
    if previous is None:
        return report
    return previous if _result(previous) == _result(report) else {**report, "changes": _changes(previous, report)}


def _result(document: Json) -> Json:
    return {key: value for key, value in document.items() if key not in ("generated_at", "changes")}


def _changes(before: Json, after: Json) -> Json:
    """The differences between two reports."""
    old, new = ({finding["key"]: finding for finding in report["findings"]} for report in (before, after))
    had, has = ({_pair(row): row for row in report["access"]} for report in (before, after))
    return {
        "since": before["generated_at"],
        "findings": {
            "new": [_named(finding) for key, finding in new.items() if key not in old],
            "changed": [_named(finding) for key, finding in new.items() if key in old and finding != old[key]],
            "gone": [_named(finding) for key, finding in old.items() if key not in new],
        },
        "access": {
            "new": [_verdicts(pair, None, row) for pair, row in has.items() if pair not in had],
            "changed": [
                _verdicts(pair, had[pair], row)
                for pair, row in has.items()
                if pair in had and _access(row) != _access(had[pair])
            ],
            "gone": [_verdicts(pair, row, None) for pair, row in had.items() if pair not in has],
        },
    }


def _pair(row: Json) -> tuple[str, str, str]:
    return row["principal"], row["repository"], row["region"]


def _named(finding: Json) -> Json:
    return {key: finding[key] for key in ("id", "key", "severity", "title")}


def _access(row: Json) -> tuple[object, ...]:
    """The access that a row states."""
    paths = [{key: value for key, value in path.items() if key not in _NOT_ACCESS} for path in row["paths"]]
    return row["actions"], row["reasons"], paths


def _verdicts(pair: t.Sequence[str], before: Json | None, after: Json | None) -> Json:
    return {
        **dict(zip(("principal", "repository", "region"), pair)),
        "before": before and before["actions"],
        "after": after and after["actions"],
    }
