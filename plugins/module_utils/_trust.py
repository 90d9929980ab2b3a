# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Compares two trust policies: which principals lose access and which gain access. Standard library only.

Each Allow statement is split into entries, one for each principal. An entry is *within* another entry if both mean the
same, or if it has the same meaning and more conditions: all conditions of a statement must hold, so one more condition
can only narrow an Allow. Nothing else is proven here. Every old entry that is not within a new entry is lost, whatever
its principal is: `*`, a service, a federated identity, `NotPrincipal`. Every new entry that is not within an old entry
is gained.

A statement that trusts an account under `ArnEquals aws:PrincipalArn` trusts the users and roles that it names, as a
statement with these users and roles as its principals does.
"""

from __future__ import annotations

import json
import re
import typing as t
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable

_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?([0-9]{12})(?::root)?")
_ENTITY = re.compile(r"arn:aws[a-z-]*:iam::([0-9]{12}):(?:user|role)/[\w+=,.@/-]+", re.ASCII)
_KNOWN_CONDITIONS = {
    ("StringEquals", "sts:externalid"): "external id",
    ("StringEquals", "aws:principalorgid"): "organization {}",
    ("Bool", "aws:multifactorauthpresent"): "MFA",
}


@dataclass(frozen=True)
class Entry:
    """What one Allow statement means for one principal."""

    #: Everything but the conditions.
    terms: t.Any
    conditions: frozenset[t.Any]
    #: The principal and its conditions, for people.
    label: str = field(compare=False)
    #: The conditions as people read them, each with its meaning.
    readable: tuple[tuple[t.Any, str], ...] = field(compare=False)

    def within(self, other: Entry) -> bool:
        return self.terms == other.terms and self.conditions >= other.conditions


def entries(trust: _policy.Document | None) -> list[Entry]:
    """The entries of a trust policy, without its Deny statements."""
    allowing = [one for one in _policy.statements(trust or {}) if one.get("Effect") != "Deny"]
    return [_entry(part) for statement in allowing for part in _split(statement)]


def lost(before: _policy.Document | None, after: _policy.Document | None) -> list[Entry]:
    """The entries of the old trust policy that are not proven to be within the new one."""
    new = entries(after)
    return [entry for entry in entries(before) if not any(entry.within(other) for other in new)]


def gained(before: _policy.Document | None, after: _policy.Document | None) -> list[Entry]:
    """The entries of the new trust policy that are not proven to be within the old one.

    The label of an entry names the restriction that the old trust policy had and the new one does not have.
    """
    old, kept = entries(before), _policy.meaning(after or {})
    denials = [one for one in _policy.statements(before or {}) if one.get("Effect") == "Deny"]
    lifted_denial = any(_policy.statement_meaning(one) not in kept for one in denials)
    found = []
    for entry in entries(after):
        same = [other for other in old if other.terms == entry.terms]
        if lifted_denial and same:
            found.append(_without(entry, ["a Deny statement"]))
        elif not any(entry.within(other) for other in same):
            lifted = [
                f"the condition {text}"
                for other in same[:1]
                if other.within(entry)
                for condition, text in other.readable
                if condition not in entry.conditions
            ]
            found.append(_without(entry, lifted))
    return found


def _without(entry: Entry, lifted: list[str]) -> Entry:
    if not lifted:
        return entry
    what = f"now without {' and '.join(lifted)}"
    label = f"{entry.label[:-1]}, {what})" if entry.label.endswith(")") else f"{entry.label} ({what})"
    return replace(entry, label=printable(label))


def _split(statement: _policy.Document) -> list[_policy.Document]:
    """The statement once for each of its principals."""
    principals = statement.get("Principal")
    if not isinstance(principals, dict):
        return [statement]
    return [
        part
        for kind, values in principals.items()
        for value in _policy.as_list(values)
        for part in _by_condition({**statement, "Principal": {kind: value}})
    ]


def _by_condition(statement: _policy.Document) -> list[_policy.Document]:
    """A statement for an account, once for each user and role that its condition names; otherwise the statement."""
    account = _ACCOUNT.fullmatch(str(statement["Principal"].get("AWS")))
    condition = statement.get("Condition", {})
    block = condition.get("ArnEquals", {})
    names = [key for key in block if key.lower() == "aws:principalarn"]
    arns = [str(arn) for key in names for arn in _policy.as_list(block[key])]
    entities = [_ENTITY.fullmatch(arn) for arn in arns]
    if not account or len(names) != 1 or not all(one and one[1] == account[1] for one in entities):
        return [statement]
    rest = {**condition, "ArnEquals": {key: value for key, value in block.items() if key not in names}}
    return [{**statement, "Principal": {"AWS": arn}, "Condition": rest} for arn in arns]


def _entry(statement: _policy.Document) -> Entry:
    parts = dict(_policy.statement_meaning(statement))
    conditions = parts.pop("Condition", frozenset())
    readable = _readable(statement.get("Condition", {}))
    texts = [text for _meaning, text in readable]
    actions = _policy.as_list(statement.get("Action", []))
    if [str(one).lower() for one in actions] != ["sts:assumerole"]:
        elements = {name: statement[name] for name in ("Action", "NotAction") if name in statement}
        texts.append(json.dumps(elements))
    label = _name(statement) + (f" ({', '.join(texts)})" if texts else "")
    return Entry(frozenset(parts.items()), conditions, printable(label), readable)


def _readable(condition: _policy.Document) -> tuple[tuple[t.Any, str], ...]:
    """Each condition as its meaning and as people read it; the declared kinds first."""
    known, other = [], []
    for operator, block in condition.items():
        for key, values in block.items():
            (meaning,) = dict(_policy.statement_meaning({"Condition": {operator: {key: values}}}))["Condition"]
            text = _KNOWN_CONDITIONS.get((operator, key.lower()))
            if text and (operator != "Bool" or meaning[2] == {"true"}):
                known.append((meaning, text.format(", ".join(sorted(meaning[2])))))
            else:
                other.append((meaning, f"{operator} {key}"))
    return (*known, *other)


def _name(statement: _policy.Document) -> str:
    principal = statement.get("Principal")
    arn = str(principal["AWS"]) if isinstance(principal, dict) and "AWS" in principal else "*"
    if "*" not in arn:
        return re.sub(r"^arn:aws[a-z-]*:iam::([0-9]{12}):(?:root$)?", r"\1 ", arn).strip()
    element = {name: statement[name] for name in ("Principal", "NotPrincipal") if name in statement}
    return f"anyone that the trust policy allowed by {json.dumps(element)}"
