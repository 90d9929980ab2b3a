# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses the statements of a policy document, and evaluates whether a statement applies. Standard library only.

Source: IAM User Guide, "Grammar of the IAM JSON policy language".
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition, _principal, _wildcard
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context, expand
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Names, Principal, Reach
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, YES, Ternary, every, some, whether

#: The version of the policy language that supports policy variables.
_WITH_VARIABLES = "2012-10-17"
_VERSIONS = (_WITH_VARIABLES, "2008-10-17", None)
_SCOPES = ("Action", "NotAction", "Resource", "NotResource", "Principal", "NotPrincipal")
_ELEMENTS = {"Sid", "Effect", "Condition", *_SCOPES}


class MalformedPolicyError(ValueError):
    """A document that IAM rejects, with the reason."""


@dataclass(frozen=True)
class Request:
    """A request to authorize.

    :param account: the account that owns the resource
    """

    action: str
    resource: str
    account: str
    principal: Principal
    context: Context


@dataclass(frozen=True)
class Scope:
    """An Action, NotAction, Resource or NotResource element.

    :param excluded: whether the element is NotAction or NotResource
    """

    patterns: tuple[str, ...]
    excluded: bool = False


@dataclass(frozen=True)
class Statement:
    """One statement.

    :param place: the position of the statement, for messages
    :param resources: None in a resource policy without a Resource element
    :param names: None in an identity policy
    :param variables: whether the version of the document supports policy variables
    """

    place: str
    effect: str
    actions: Scope
    resources: Scope | None
    names: Names | None
    condition: Condition
    variables: bool


def read_statements(document: object, name: str, of_a_resource: bool) -> list[Statement]:
    """Parse the statements of a document.

    :param name: the name of the document in messages
    :param of_a_resource: whether the document is a trust policy or a repository policy, which have principals
    :raises MalformedPolicyError: if IAM would reject the document
    """
    if not isinstance(document, dict):
        raise MalformedPolicyError(f"{name} is not an object")
    version, listed = document.get("Version"), document.get("Statement")
    if version not in _VERSIONS:
        raise MalformedPolicyError(f"{name} has Version {version!r}")
    statements = []
    for number, statement in enumerate(listed if isinstance(listed, list) else [listed], 1):
        sid = f" ({statement['Sid']})" if isinstance(statement, dict) and statement.get("Sid") else ""
        place = f"statement {number}{sid} of {name}"
        try:
            statements.append(_read_statement(statement, place, of_a_resource, version == _WITH_VARIABLES))
        except ValueError as error:
            raise MalformedPolicyError(f"{place} cannot be read: {error}") from None
    return statements


def _read_statement(statement: object, place: str, of_a_resource: bool, variables: bool) -> Statement:
    if not isinstance(statement, dict) or not set(statement) <= _ELEMENTS:
        raise ValueError("it is not an object with the elements of a statement")
    if statement.get("Effect") not in ("Allow", "Deny"):
        raise ValueError("its Effect is neither Allow nor Deny")
    actions, resources = _scope(statement, "Action"), _scope(statement, "Resource")
    if actions is None or (resources is None and not of_a_resource):
        raise ValueError("it lacks an Action or a Resource")
    excluded = "NotPrincipal" in statement
    if (excluded and "Principal" in statement) or (excluded or "Principal" in statement) != of_a_resource:
        raise ValueError("it must have one Principal" if of_a_resource else "an identity policy has no Principal")
    names = (
        _principal.read_names(statement["NotPrincipal" if excluded else "Principal"], excluded)
        if of_a_resource
        else None
    )
    condition = _condition.read_condition(statement.get("Condition", {}))
    return Statement(place, statement["Effect"], actions, resources, names, condition, variables)


def _scope(statement: dict[str, object], element: str) -> Scope | None:
    excluded = f"Not{element}" in statement
    if excluded and element in statement:
        raise ValueError(f"it has both {element} and Not{element}")
    name = f"Not{element}" if excluded else element
    if name not in statement:
        return None
    value = statement[name]
    listed = value if isinstance(value, list) else [value]
    patterns = tuple(pattern for pattern in listed if isinstance(pattern, str))
    if len(patterns) < len(listed):
        raise ValueError(f"its {name} is not text")
    return Scope(patterns, excluded)


def applies(statement: Statement, request: Request, reaches: frozenset[Reach] = _principal.ANYWAY) -> Ternary:
    """Whether a statement applies to a request. If it applies, the reason is the position of the statement.

    :param reaches: the ways of matching the principal that count
    """
    answer = every(_parts(statement, request, reaches))
    if answer.holds is None:
        return replace(answer, reason=f"{statement.place}: {answer.reason}")
    return Ternary(True, statement.place) if answer.holds else NO


def _parts(statement: Statement, request: Request, reaches: frozenset[Reach]) -> t.Iterator[Ternary]:
    if statement.names is not None:
        yield _principal.includes(statement.names, request.principal, reaches)
    yield covers_action(statement, request.action)
    yield _covers_resource(statement, request.resource, request.context)
    yield _condition.holds(statement.condition, request.context, statement.variables)


def covers_action(statement: Statement, action: str) -> Ternary:
    """Whether a statement covers an action."""
    covered = any(_wildcard.matches_any_case(pattern, action) for pattern in statement.actions.patterns)
    return whether(covered != statement.actions.excluded)


def _covers_resource(statement: Statement, resource: str, context: Context) -> Ternary:
    if statement.resources is None:
        return YES
    covered = some(
        _names_resource(pattern, resource, context, statement.variables) for pattern in statement.resources.patterns
    )
    if covered.holds is None or not statement.resources.excluded:
        return covered
    return whether(not covered.holds)


def _names_resource(pattern: str, resource: str, context: Context, variables: bool) -> Ternary:
    template = expand(pattern, context, variables)
    if template is None:  # a variable without a value matches no resource
        return NO
    if isinstance(template, Ternary):
        return template
    if not _wildcard.matches(template, resource):
        return NO
    if _wildcard.matches_in_segments(template, resource):
        return YES
    return Ternary(None, f"AWS does not document whether a wildcard of {pattern!r} reaches beyond a colon")
