# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Describes the conditions of a statement and their changes for the user. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check, Condition

_EXTERNAL_ID, _ORGANIZATION, _MFA = "sts:externalid", "aws:principalorgid", "aws:multifactorauthpresent"
_UNITS, _TIME = "aws:principalorgpaths", "aws:currenttime"

#: For each key with its usual operator: the text if the condition is added, removed, or changed.
_PHRASES = {
    _EXTERNAL_ID: ("must now present an external ID", "no longer needs an external ID", "external ID changes"),
    _ORGANIZATION: (
        "must now belong to organization {}",
        "may now belong to any organization",
        "must now belong to organization {}",
    ),
    _UNITS: ("must now belong to unit {}", "may now belong to any unit", "must now belong to unit {}"),
    _MFA: ("now needs MFA", "no longer needs MFA", "the condition on MFA changes"),
    "aws:sourceip": (
        "may now come only from {}",
        "may now come from any address",
        "may now come from other addresses: {}",
    ),
    _TIME: ("is now limited in time", "is no longer limited in time", "is now limited to another time"),
}
_OF_OTHER_KEYS = ("must now meet {}", "no longer has to meet {}", "must now meet {}")
_RESOURCE_TAG = ("ecr:resourcetag", "aws:resourcetag")
_OPERATORS = {_EXTERNAL_ID: "stringequals", _ORGANIZATION: "stringequals", _MFA: "bool", "aws:sourceip": "ipaddress"}
#: A pattern that matches a path, and the paths of the accounts and units below it.
_UNIT = re.compile(r"[^*?$]+/\*")


def requirement_texts(condition: Condition, tag: str = "tag") -> tuple[str, ...]:
    """The description of each check of a condition. It never contains the external ID.

    :param tag: the term for a tag of the resource
    """
    return tuple(_demand(check, tag) for check in condition)


def _demand(check: Check, term: str) -> str:
    key = check.key.lower()
    if _is_common(check) and key == _EXTERNAL_ID:
        return "external ID"
    if _is_common(check) and key == _ORGANIZATION:
        return f"organization {_values_text(check)}"
    if _is_common(check) and key == _UNITS:
        return f"unit {_values_text(check)}"
    if _is_common(check) and key == _MFA:
        return "MFA"
    if _is_end(check):
        return f"until {_values_text(check)}"
    prefix, _slash, tag = check.key.partition("/")
    if prefix.lower() in _RESOURCE_TAG and check.operator.lower() == "stringequals":
        return f"{term} {tag}={_values_text(check)}"
    return _as_in_policy(check)


def condition_changes(before: Condition, after: Condition) -> tuple[str, ...]:
    """The description of each key that changes in the conditions of a principal."""
    keys = dict.fromkeys(check.key.lower() for check in (*before, *after))
    found = []
    for key in keys:
        old, new = ([check for check in checks if check.key.lower() == key] for checks in (before, after))
        if _canonical(old) != _canonical(new):
            found.append(_change(key, old, new))
    return tuple(found)


def action_changes(before: t.Sequence[str], after: t.Sequence[str]) -> tuple[str, ...]:
    """The description of each action that a principal gains or loses."""
    return (
        *(f"may now use {action}" for action in after if action not in before),
        *(f"may no longer use {action}" for action in before if action not in after),
    )


def _change(key: str, old: t.Sequence[Check], new: t.Sequence[Check]) -> str:
    if all(map(_is_end, (*old, *new))):
        return _end_change(old, new)
    common = all(map(_is_common, (*old, *new)))
    added, removed, changed = _PHRASES[key] if common else _OF_OTHER_KEYS
    shown = ", ".join(map(_values_text if common else _as_in_policy, new or old))
    return (changed if old and new else added if new else removed).format(shown)


def _is_end(check: Check) -> bool:
    """Whether a check is the end of access that this collection writes."""
    return (check.operator.lower(), check.key.lower()) == ("datelessthan", _TIME)


def _end_change(old: t.Sequence[Check], new: t.Sequence[Check]) -> str:
    before, after = (" and ".join(map(_values_text, checks)) for checks in (old, new))
    if not new:
        return f"access no longer ends on {before}"
    return f"access now ends on {after}" + (f", not on {before}" if old else "")


def _is_common(check: Check) -> bool:
    """Whether a check uses the usual operator of its key, without a prefix or a suffix, so that `_PHRASES` applies."""
    key = check.key.lower()
    if key == _UNITS:
        return check.operator.lower() == "foranyvalue:stringlike" and all(map(_UNIT.fullmatch, check.values))
    if check.quantifier or check.if_exists or (key == _MFA and set(_lower(check)) != {"true"}):
        return False
    return check.base.startswith("date") if key == _TIME else check.base == _OPERATORS.get(key)


def _canonical(checks: t.Iterable[Check]) -> frozenset[tuple[str, t.Collection[str]]]:
    return frozenset(
        (check.operator.lower(), frozenset(_lower(check) if check.base == "bool" else check.values)) for check in checks
    )


def _lower(check: Check) -> t.Iterator[str]:
    return (value.lower() for value in check.values)


def _values_text(check: Check) -> str:
    is_units = check.key.lower() == _UNITS and _is_common(check)
    return " or ".join(value.removesuffix("/*") if is_units else value for value in check.values)


def _as_in_policy(check: Check) -> str:
    """A check as in the policy, without the external ID."""
    values = "an external ID" if check.key.lower() == _EXTERNAL_ID and check.base != "null" else _values_text(check)
    return f"{check.operator} {check.key} {values}"
