# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The form of an audit report, as docs/schemas/audit.schema.json states it.

The control node may have no validator of JSON Schema. A test compares the two forms.
"""

from __future__ import annotations

from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_report import SCHEMA
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._timestamp import time_of

ACTIONS = ("describe", "pull", "push", "delete", "tag")
SEVERITIES = ("critical", "high", "medium", "low", "info")


@dataclass(frozen=True)
class _Or:
    """Null, or the other form."""

    form: object


def _is_time(text: str) -> bool:
    return time_of(text) is not None


_VERDICTS = dict.fromkeys(ACTIONS, ("allowed", "denied", "unknown"))
_PATH = {
    "path": ("role", "repository_policy", "registry_policy", "replication", "pull_through_cache", "creation_template"),
    "actions": [ACTIONS],
    "document": str,
    "statement": str,
    "conditions": [str],
    "role": str,
    **dict.fromkeys(("role_created", "role_last_used", "until"), _Or(str)),
}
_ACCESS = {
    "principal": str,
    "principal_kind": ("principal", "account", "organization", "service", "federated", "everyone"),
    "principal_account": str,
    "repository": str,
    "region": str,
    "actions": _VERDICTS,
    "reasons": {str: str},
    "paths": [_PATH],
}
_CHANGED_FINDING = {"id": str, "key": str, "severity": SEVERITIES, "title": str}
_CHANGED_ACCESS = {
    **dict.fromkeys(("principal", "repository", "region"), str),
    **dict.fromkeys(("before", "after"), _Or(_VERDICTS)),
}
_CHANGES = {
    "since": _is_time,
    "findings": {kind: [_CHANGED_FINDING] for kind in ("new", "changed", "gone")},
    "access": {kind: [_CHANGED_ACCESS] for kind in ("new", "changed", "gone")},
}
_SETTER = dict.fromkeys(("principal", "reason", "document", "statement"), str)
#: `str` is any text, a function is a text for which it is true, a tuple has the choices, a list has the form of each
#: element, a dictionary has the form of each key, and `{str: form}` has the form of all values.
_REPORT = {
    "schema": (SCHEMA,),
    "account": str,
    "regions": [str],
    "generated_at": _is_time,
    "repository_tags": {str: [str]},
    "repositories": [{"name": str, "region": str, "tags": _Or({str: str})}],
    "access": [_ACCESS],
    "tag_setters": [{**_SETTER, "actions": [str], "verdict": ("allowed", "unknown")}],
    "findings": [
        {
            **_CHANGED_FINDING,
            **dict.fromkeys(("resource", "region", "fix"), str),
            "evidence": dict.fromkeys(("document", "statement", "text"), str),
        }
    ],
    "not_seen": [{"what": str, "why": str}],
}


def first_fault(report: object) -> str:
    """The first place where a value is not an audit report, such as `access[3].actions`; empty for a report."""
    form: Json = {**_REPORT, "changes": _CHANGES} if isinstance(report, dict) and "changes" in report else _REPORT
    fault = _fault(report, form)
    return "" if fault is None else fault.lstrip(".") or "the document"


def _fault(value: object, form: object) -> str | None:
    """The place in the value that does not have the form; None if all of it has the form."""
    if isinstance(form, _Or):
        return None if value is None else _fault(value, form.form)
    if isinstance(form, list) and isinstance(value, list):
        found = ((f"[{number}]", _fault(element, form[0])) for number, element in enumerate(value))
    elif isinstance(form, dict) and isinstance(value, dict):
        forms: Json = dict.fromkeys(value, form[str]) if str in form else form
        wrong = [str(key) for key in (*forms, *value) if key not in value or key not in forms]
        wrong += [str(key) for key in value if not isinstance(key, str)]
        if wrong:
            return f".{wrong[0]}"
        found = ((f".{key}", _fault(value[key], forms[key])) for key in value)
    else:
        return None if isinstance(value, str) and _is_text(value, form) else ""
    return next((f"{place}{fault}" for place, fault in found if fault is not None), None)


def _is_text(value: str, form: object) -> bool:
    return value in form if isinstance(form, tuple) else callable(form) and (form is str or bool(form(value)))
