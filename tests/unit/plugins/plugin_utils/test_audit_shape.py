# SPDX-License-Identifier: GPL-3.0-or-later
"""The form of an audit report: the code accepts what the published schema accepts."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_shape import first_fault

from tests.support import audit_reports
from tests.support.paths import ROOT

SCHEMA = json.loads((ROOT / "docs/schemas/audit.schema.json").read_text())
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def compared() -> dict[str, Any]:
    """A report with changes."""
    before = audit_reports.report()
    return document_of(audit_reports.changed(before), before)


def mutations(value: Any) -> Iterator[tuple[str, Any]]:
    """Copies of a value with one difference each."""
    for other in (None, 1, True, "", "other", [], {}, [1], {"other": 1}):
        yield f"{other!r}", other
    if isinstance(value, dict):
        yield "one more key", {**value, "more": "text"}
        for key in value:
            yield f"without {key}", {name: item for name, item in value.items() if name != key}
            yield from ((f"{key}: {what}", {**value, key: item}) for what, item in mutations(value[key]))
    if isinstance(value, list) and value:
        yield from ((f"0: {what}", [item, *value[1:]]) for what, item in mutations(value[0]))


@pytest.mark.parametrize("report", [audit_reports.report(), compared(), audit_reports.hostile()])
def test_reports_are_valid(report: dict[str, Any]) -> None:
    VALIDATOR.validate(report)
    assert first_fault(report) == ""


def test_code_and_schema_reject_the_same_reports() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    tried = [(what, report, VALIDATOR.is_valid(report)) for what, report in mutations(compared())]
    assert len(tried) > 1000
    assert {valid for _what, _report, valid in tried} == {True, False}
    differences = [what for what, report, valid in tried if valid != (first_fault(report) == "")]
    assert differences == []


@pytest.mark.parametrize(
    ("path", "value", "place"),
    [
        (("access", 3, "actions", "pull"), "maybe", "access[3].actions.pull"),
        (("access", 1, "paths", 1, "until"), 7, "access[1].paths[1].until"),
        (("findings", 0, "owner"), "me", "findings[0].owner"),
        (("repositories", 0, "tags"), {"a": 1}, "repositories[0].tags.a"),
        (("generated_at",), "2026-02-30T00:00:00Z", "generated_at"),
    ],
)
def test_fault_is_named_by_its_place(path: tuple[Any, ...], value: Any, place: str) -> None:
    report = copy.deepcopy(audit_reports.report())
    target: Any = report
    for step in path[:-1]:
        target = target[step]
    target[path[-1]] = value
    assert first_fault(report) == place


@pytest.mark.parametrize("value", [None, [], "text", 1])
def test_other_values_are_not_reports(value: object) -> None:
    assert first_fault(value) == "the document"


def test_missing_key_is_named() -> None:
    assert first_fault({}) == "schema"
