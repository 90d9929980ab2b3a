# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The principals that a trust policy allows to assume its role. Standard library only.

Each principal of each Allow statement is one admission. If `Principal` names an account, and a condition on
`aws:PrincipalArn` lists users and roles of that account, these users and roles are the admitted principals, as if
`Principal` named them. Negated operators such as `ArnNotEquals` remain conditions. If `Principal` is `*`, and a
condition on `aws:PrincipalOrgID` names one organization, this organization is the admitted principal.
"""

from __future__ import annotations

import datetime
import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _condition_text, _principal, _trust_subset
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, Names, Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Request,
    Scope,
    Statement,
    applies,
    covers_action,
    read_statements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import Ternary, some

_POSITIVE = ("arnequals", "arnlike", "stringequals", "stringlike")
_IAM_ARN = re.compile(r"arn:aws[a-z-]*:(?:iam|sts)::([0-9]{12}):(.+)")
_KINDS = {"Service": "service", "Federated": "identity provider", "CanonicalUser": "canonical user"}


@dataclass(frozen=True)
class Admission:
    """One principal that a trust policy admits.

    :param principal: its description for the user
    :param terms: the descriptions of the conditions that it must meet
    :param statement: the Allow statement, reduced to this principal and to the actions of `_trust_subset.SESSION`
    :param doubt: the reason why the admission is uncertain, so that it counts as admitted; empty if it is certain
    """

    principal: str
    terms: tuple[str, ...]
    statement: Statement
    doubt: str = ""

    @property
    def label(self) -> str:
        """The principal and its terms."""
        return printable(f"{self.principal} ({', '.join(self.terms)})" if self.terms else self.principal)


def admissions(trust: Document, now: datetime.datetime | None = None) -> list[Admission]:
    """The principals that a trust policy admits at a point in time.

    :param now: None to ignore time limits
    """
    try:
        statements = read_statements(trust, "the trust policy", True)
    except MalformedPolicyError as error:
        return [_unreadable(str(error))]
    denying = [statement for statement in statements if statement.effect == "Deny"]
    found = []
    for statement in statements:
        actions = [action for action in _trust_subset.SESSION if covers_action(statement, action).holds]
        if statement.effect != "Allow":
            continue
        for part in split_by_principal(replace(statement, actions=Scope(tuple(actions)))):
            answers = [_admits(part, denying, action, now) for action in actions if action in _trust_subset.ADMITTING]
            answer = some(answers)
            if answer.holds is not False:
                organization = _organization_check(part)
                rest = tuple(check for check in part.condition if check is not organization)
                terms = _condition_text.requirement_texts(rest)
                name = f"organization {organization.values[0]}" if organization else _principals_text(part)
                found.append(Admission(name, terms, part, "" if answer.holds else answer.reason))
    return found


def lost_admissions(before: Document, after: Document) -> list[Admission]:
    """The admissions of the old trust policy that are not known to be in the new trust policy."""
    return [
        admission
        for admission in admissions(before)
        if not _trust_subset.is_still_admitted(admission.statement, after, before)
    ]


def _unreadable(reason: str) -> Admission:
    nobody = Statement("the trust policy", "Allow", Scope(("*",)), None, Names(((AWS, "*"),)), (), False)
    return Admission("unknown principals", (), nobody, reason)


def split_by_principal(statement: Statement) -> list[Statement]:
    """The statement once for each principal that it names."""
    if statement.names is None or statement.names.excluded:
        return [statement]
    named = [(kind, _principal.whole_account(value) or value) for kind, value in statement.names.listed]
    arns = next((check for check in statement.condition if _names_principals(check)), None)
    is_exact = arns is not None and not any({"*", "?", "$"} & set(value) for value in arns.values)
    if (
        arns is not None
        and is_exact
        and all(any(_trust_subset.name_within(AWS, value, *wider) for wider in named) for value in arns.values)
    ):
        rest = tuple(check for check in statement.condition if check is not arns)
        return [
            replace(statement, names=Names(((AWS, value),)), condition=rest) for value in dict.fromkeys(arns.values)
        ]
    return [replace(statement, names=Names((principal,))) for principal in dict.fromkeys(named)]


def _names_principals(check: Check) -> bool:
    return (
        check.key.lower() == "aws:principalarn"
        and check.base in _POSITIVE
        and not check.quantifier
        and not check.if_exists
    )


def _organization_check(statement: Statement) -> Check | None:
    """The check that limits a statement for everyone to one organization."""
    if statement.names is None or statement.names.excluded or statement.names.listed != ((AWS, "*"),):
        return None
    checks = (check for check in statement.condition if check.key.lower() == "aws:principalorgid")
    return next((one for one in checks if one.operator.lower() == "stringequals" and len(one.values) == 1), None)


def _admits(
    statement: Statement, denying: t.Iterable[Statement], action: str, now: datetime.datetime | None
) -> Ternary:
    """Whether a statement admits its principal. It does not if it never applies, or if a Deny statement applies."""
    principal = _some_principal(statement)
    context = _trust_subset.known_context(principal)
    if now is not None:
        time = {"aws:currenttime": (now.strftime("%Y-%m-%dT%H:%M:%SZ"),), "aws:epochtime": (str(int(now.timestamp())),)}
        context = Context({**context.values, **time}, context.closed)
    request = Request(action, "", "", principal, context)
    if applies(statement, request).holds is False:
        return Ternary(False)
    denied = some(applies(deny, request) for deny in denying)
    return Ternary(None if denied.holds is None else not denied.holds, denied.reason)


def _some_principal(statement: Statement) -> Principal:
    if statement.names is None or statement.names.excluded:
        return Principal()
    (name,) = statement.names.listed  # `split_by_principal` leaves one
    return _principal.some_principal(*name)


def _principals_text(statement: Statement) -> str:
    """The principals of a statement as a text."""
    names = statement.names
    if names is None or names.excluded:
        listed = ", ".join(_name(kind, value) for kind, value in (names.listed if names else ()))
        return f"everyone except {listed}"
    return ", ".join(_name(kind, value) for kind, value in names.listed)


def _name(kind: str, value: str) -> str:
    if kind != AWS:
        return f"{_KINDS[kind]} {value}"
    if value == "*":
        return "everyone"
    match = _IAM_ARN.fullmatch(value)
    account = _principal.whole_account(value)
    return account or (f"{match[1]} {match[2]}" if match else value)
