# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The principals outside an account that its resource policies and trust policies name. Standard library only.

Each of them has one representative principal, for which the audit evaluates requests: a user or a role by its ARN; any
other principal of an account; a principal of an organization; an AWS service; an identity provider; or everyone.
Conditions on `aws:PrincipalArn`, `aws:PrincipalAccount`, `aws:PrincipalOrgID` and `aws:PrincipalOrgPaths` name
principals as `Principal` does.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, Principal, whole_account
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement

PRINCIPAL, ACCOUNT, ORGANIZATION = "principal", "account", "organization"
SERVICE, FEDERATED, EVERYONE = "service", "federated", "everyone"
#: The name of a user that stands for the principals of an account that no policy names.
_OTHER = "any-other-principal"
#: An account that stands for the accounts that no policy names.
_ANY_ACCOUNT = "000000000000"
#: Stands for the organizations that no policy names.
_ANOTHER = "another organization"
_ARN = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::([0-9]{12}):(.+)")
_POSITIVE = ("stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase")
_ORGANIZATION_ID = re.compile(r"o-[a-z0-9]+")


@dataclass(frozen=True)
class Outsider:
    """A principal outside the account.

    :param name: its name in reports
    :param principal: its representative
    :param context: the values of the context keys that follow from it, by key
    """

    name: str
    kind: str
    principal: Principal
    context: t.Mapping[str, tuple[str, ...]] = field(default_factory=dict, compare=False)

    @property
    def account(self) -> str:
        """Its account; empty if it has none or any."""
        return "" if self.kind in (EVERYONE, ORGANIZATION) else self.principal.account


def outsiders(statements: t.Iterable[Statement], estate: Estate) -> list[Outsider]:
    """The principals outside the account that these statements of resource policies and trust policies name."""
    found: dict[str, Outsider] = {}
    listed = list(statements)
    known = _known_organizations(listed, estate)
    for statement in listed:
        for outsider in _of_statement(statement, estate, known):
            if outsider.principal.account != estate.account:
                found.setdefault(outsider.name, outsider)
    return sorted(found.values(), key=lambda outsider: (outsider.kind == EVERYONE, outsider.kind, outsider.name))


def everyone(estate: Estate) -> Outsider:
    """Any principal of an account and of an organization that no policy names."""
    arn = f"arn:{estate.identity.partition}:iam::{_ANY_ACCOUNT}:user/{_OTHER}"
    organization = {"aws:PrincipalOrgID": (_ANOTHER,), "aws:PrincipalOrgPaths": (f"{_ANOTHER}/",)}
    return Outsider("*", EVERYONE, Principal.of(arn), organization)


def account_outsider(account: str, estate: Estate, known: bool = False) -> Outsider:
    """The principals of an account that no policy names.

    :param known: whether the policies name no other organization than that of the audited account
    """
    arn = f"arn:{estate.identity.partition}:iam::{account}:user/{_OTHER}"
    name = f"arn:{estate.identity.partition}:iam::{account}:root"
    return Outsider(name, ACCOUNT, Principal.of(arn), _membership(account, estate, known))


def _of_statement(statement: Statement, estate: Estate, known: bool) -> t.Iterator[Outsider]:
    if statement.names is None:
        return
    listed = () if statement.names.excluded else statement.names.listed
    wide = [value for kind, value in listed if kind == AWS and (value == "*" or whole_account(value))]
    narrowed = list(_narrowed(statement.condition, estate, known)) if wide or statement.names.excluded else []
    yield from narrowed
    if statement.effect == "Allow" and not narrowed and ("*" in wide or statement.names.excluded):
        yield everyone(estate)
    for kind, value in listed:
        account = whole_account(value) if kind == AWS else ""
        if account:
            yield account_outsider(account, estate, known)
        elif kind != AWS:
            yield Outsider(value, SERVICE if kind == "Service" else FEDERATED, Principal(kind, value))
        elif _ARN.fullmatch(value):
            yield _named(value, value, estate, known)


def _narrowed(condition: t.Iterable[Check], estate: Estate, known: bool) -> t.Iterator[Outsider]:
    """The principals to which the conditions of a statement limit it."""
    for check in condition:
        if check.base not in _POSITIVE or check.if_exists or any("${" in value for value in check.values):
            continue
        key = check.key.lower()
        for value in check.values:
            if key == "aws:principalorgid":
                yield _of_organization(value, {"aws:PrincipalOrgID": (_instance(value),)}, estate)
            elif key == "aws:principalorgpaths":
                organization = _ORGANIZATION_ID.match(value)
                path = {"aws:PrincipalOrgPaths": (_instance(value),)}
                own = {"aws:PrincipalOrgID": (organization[0],)} if organization else {}
                yield _of_organization(value, {**path, **own}, estate)
            elif key == "aws:principalaccount" and whole_account(value):
                yield account_outsider(whole_account(value), estate, known)
            elif key == "aws:principalarn" and _ARN.fullmatch(_instance(value)):
                yield _named(value, _instance(value), estate, known)


def _of_organization(name: str, context: dict[str, tuple[str, ...]], estate: Estate) -> Outsider:
    return Outsider(name, ORGANIZATION, everyone(estate).principal, context)


def _named(name: str, arn: str, estate: Estate, known: bool) -> Outsider:
    """The outsider for the ARN of a user, a role or a session. A role acts through a session."""
    if whole_account(arn):
        return account_outsider(whole_account(arn), estate, known)
    partition, _service, account, entity = _ARN.fullmatch(arn).groups()  # type: ignore[union-attr]
    kind, _slash, rest = entity.partition("/")
    role = arn
    if kind == "role":
        session = f"arn:{partition}:sts::{account}:assumed-role/{rest.rpartition('/')[2]}/{_OTHER}"
        principal = Principal.of(session, arn)
    else:
        principal = Principal.of(arn)
        role = principal.role or arn  # aws:PrincipalArn of a session is the ARN of its role
    user = {"aws:username": (rest.rpartition("/")[2],)} if kind == "user" else {}
    return Outsider(
        name, PRINCIPAL, principal, {"aws:PrincipalArn": (role,), **user, **_membership(account, estate, known)}
    )


def _membership(account: str, estate: Estate, known: bool) -> dict[str, tuple[str, ...]]:
    """The organization of an account, as far as the audit knows it."""
    if estate.member_accounts is None:
        return {}
    if account in estate.member_accounts:
        return {"aws:PrincipalOrgID": (estate.organization,)}
    return {"aws:PrincipalOrgID": (_ANOTHER,)} if known else {}


def _known_organizations(statements: t.Iterable[Statement], estate: Estate) -> bool:
    """Whether the policies name no other organization than that of the audited account."""
    keys = ("aws:principalorgid", "aws:principalorgpaths")
    named = {
        value.partition("/")[0]
        for statement in statements
        for check in statement.condition
        if check.key.lower() in keys
        for value in check.values
    }
    return named <= {estate.organization}


def _instance(pattern: str) -> str:
    """A text that matches a pattern."""
    return pattern.replace("*", "x").replace("?", "x")
