# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Decides whether one statement of a trust policy admits no more than another statement. Standard library only.

A narrow statement is a *subset* of a wide statement if the wide statement includes all principals and actions of the
narrow statement, and if the conditions of the narrow statement imply each condition of the wide statement. The
decision uses only documented rules of IAM. If they do not decide, the statement counts as not a subset, so the change
is reported and sessions are revoked.

A narrow condition implies a wide condition on the same key if

- the operators are equal, or the narrow operator accepts less: `StringEquals` accepts less than `StringLike` and
  `StringEqualsIgnoreCase`, and an operator accepts less than the same operator with `...IfExists`;
- and the wide condition accepts the narrow values: equal values, a text that matches a pattern, an address in a range,
  an earlier time for `DateLessThan`. For negated operators, this rule is reversed.

The principals of the narrow statement imply a condition on the principal if the condition is true for each of them.
"""

from __future__ import annotations

import ipaddress
import typing as t
from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition, _principal, _wildcard
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import OPERATORS
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, Names
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Request,
    Scope,
    Statement,
    applies,
    read_statements,
)

#: The actions that return a session of a role.
ADMITTING = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")

#: These actions, and the actions that allow session tags and a source identity.
SESSION = (*ADMITTING, "sts:TagSession", "sts:SetSourceIdentity")

_FAMILIES = ({"stringequals", "stringlike"}, {"arnequals", "arnlike"})
_ANY_CASE = "stringequalsignorecase"


def is_still_admitted(old: Statement, new: Document, before: Document | None = None) -> bool:
    """Whether the new trust policy is known to admit all principals that an old Allow statement admits.

    :param before: the old trust policy. Deny statements that it already has do not reduce access
    """
    try:
        statements = read_statements(new, "the trust policy", True)
        denied = (
            []
            if before is None
            else [_content(statement) for statement in read_statements(before, "the trust policy", True)]
        )
    except MalformedPolicyError:
        return False
    denying = [
        statement for statement in statements if statement.effect == "Deny" and _content(statement) not in denied
    ]
    if any(_may_apply(statement, old) for statement in denying):
        return False
    return any(statement.effect == "Allow" and is_subset(old, statement) for statement in statements)


def _content(statement: Statement) -> Statement:
    return replace(statement, place="")


def _may_apply(deny: Statement, old: Statement) -> bool:
    if old.names is None or old.names.excluded:
        return True
    for kind, value in old.names.listed:
        principal = _principal.some_principal(kind, value)
        for action in ADMITTING:
            if applies(deny, Request(action, "", "", principal, known_context(principal))).holds is not False:
                return True
    return False


def known_context(principal: _principal.Principal) -> Context:
    """The context keys of a request that the principal alone determines."""
    if principal.kind != AWS or principal.is_root:
        return Context(closed=())
    values = {"aws:PrincipalAccount": [principal.account]}
    if not principal.role:  # the ARN of a session lacks the path of its role, but aws:PrincipalArn has it
        values["aws:PrincipalArn"] = [principal.name]
    return Context.of({key: value for key, value in values.items() if value[0]}, closed=())


def is_subset(narrow: Statement, wide: Statement) -> bool:
    """Whether the Allow statement `narrow` is known to be a subset of the Allow statement `wide`."""
    return (
        narrow.names is not None
        and wide.names is not None
        and _names_within(narrow.names, wide.names)
        and _scope_within(narrow.actions, wide.actions, str.lower)
        and _scope_within(narrow.resources or _EVERYTHING, wide.resources or _EVERYTHING, str)
        and all(_follows(check, narrow, wide.variables) for check in wide.condition)
    )


_EVERYTHING = Scope(("*",))


def _names_within(narrow: Names, wide: Names) -> bool:
    if narrow.excluded or wide.excluded:
        return narrow.excluded and wide.excluded and set(narrow.listed) >= set(wide.listed)
    return all(any(name_within(*name, *wider) for wider in wide.listed) for name in narrow.listed)


def name_within(kind: str, value: str, wider_kind: str, wider: str) -> bool:
    if kind != wider_kind:
        return False
    if kind != AWS or value == wider or wider == "*":
        return value == wider or (kind == AWS and wider == "*")
    account = _principal.whole_account(wider)
    return bool(account) and account == _principal.some_principal(kind, value).account


def _scope_within(scope: Scope, other: Scope, fold: t.Callable[[str], str]) -> bool:
    """Whether `other` is known to cover everything that `scope` covers.

    :param fold: normalizes the case of a pattern
    """
    narrow, wide = [fold(text) for text in scope.patterns], [fold(text) for text in other.patterns]
    if scope.excluded and other.excluded:
        return all(any(_pattern_within(text, wider) for wider in narrow) for text in wide)
    if other.excluded:
        plain = not any(_is_pattern(text) for text in narrow)
        return plain and not any(_wildcard.matches(((wider, True),), text) for text in narrow for wider in wide)
    return "*" in wide or (
        not scope.excluded and all(any(_pattern_within(text, wider) for wider in wide) for text in narrow)
    )


def _is_pattern(text: str) -> bool:
    return "*" in text or "?" in text


def _pattern_within(text: str, wider: str) -> bool:
    """Whether `wider` is known to match every text that `text`, a pattern, matches. `*` against `?` is undecided."""
    return text == wider or (not ("?" in wider and "*" in text) and _wildcard.matches(((wider, True),), text))


def _follows(wanted: Check, statement: Statement, variables: bool) -> bool:
    """Whether a statement implies a condition. Only an equal condition implies a condition with a policy variable.

    :param variables: whether the document of the condition supports policy variables
    """
    if any(_is_same(check, wanted) for check in statement.condition):
        return variables == statement.variables or not _has_variable(wanted)
    if _has_variable(wanted):
        return False
    if any(_implies(check, wanted) for check in statement.condition if not _has_variable(check)):
        return True
    if statement.names is None or statement.names.excluded:
        return False
    principals = [_principal.some_principal(kind, value) for kind, value in statement.names.listed]
    return all(_condition.holds((wanted,), known_context(principal), False).holds is True for principal in principals)


def _has_variable(check: Check) -> bool:
    return any("${" in value for value in check.values)


def _is_same(check: Check, other: Check) -> bool:
    names = check.operator.lower(), check.key.lower()
    return names == (other.operator.lower(), other.key.lower()) and set(check.values) == set(other.values)


def _implies(check: Check, wanted: Check) -> bool:
    if check.key.lower() != wanted.key.lower() or check.quantifier != wanted.quantifier:
        return False
    if check.if_exists and not wanted.if_exists:
        return False
    if check.base not in OPERATORS or wanted.base not in OPERATORS:  # Null, and unknown operators
        return False
    if OPERATORS[check.base].negated != OPERATORS[wanted.base].negated:
        return False
    if OPERATORS[check.base].negated:
        check, wanted = wanted, check
    base, wider_base = (item.base.replace("not", "") for item in (check, wanted))
    return all(any(_value_within(base, value, wider_base, wider) for wider in wanted.values) for value in check.values)


def _value_within(base: str, value: str, wider_base: str, wider: str) -> bool:
    """Whether the wider operator with its value accepts everything that the other operator with its value accepts."""
    operator, template = OPERATORS[wider_base], ((wider, True),)
    if wider_base == _ANY_CASE and base in ("stringequals", _ANY_CASE):
        return value.lower() == wider.lower()
    if any({base, wider_base} <= family for family in _FAMILIES):
        is_exact = base == "stringequals" or not _is_pattern(value)
        if is_exact:
            return operator.compare(value, template).holds is True
        if base == wider_base == "stringlike":
            return _pattern_within(value, wider)
        return value == wider and (base == wider_base or wider_base != "stringequals")
    if base != wider_base:
        return False
    if base == "ipaddress":
        return _network_within(value, wider)
    for order in ("lessthan", "greaterthan"):
        if order in base:
            kind = base[: base.index(order)]
            operator = OPERATORS[f"{kind}{order}equals"]
    return value == wider or operator.compare(value, template).holds is True


def _network_within(value: str, wider: str) -> bool:
    try:
        network, wider_network = (ipaddress.ip_network(text, strict=False) for text in (value, wider))
    except ValueError:
        return False
    return network.version == wider_network.version and network.subnet_of(wider_network)  # type: ignore[arg-type]
