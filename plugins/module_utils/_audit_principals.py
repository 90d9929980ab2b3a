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
from dataclasses import dataclass, field, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_named import accounts_in, not_of_accounts
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_patterns import (
    FRESH,
    account_in,
    account_pattern,
    account_within,
    has_wildcards,
    named_within,
    root_within,
    within_account,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import ALL
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import VARIABLE
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
#: Stands for the organizational units that no policy names.
_NO_UNIT = "another unit"
_NOT_NAMED: dict[str, tuple[str, ...]] = {"aws:PrincipalOrgID": (_ANOTHER,), "aws:PrincipalOrgPaths": (f"{_ANOTHER}/",)}
_ARN = re.compile(r"arn:(aws[a-z-]*):(iam|sts)::([0-9]{12}):(.+)")
#: The operators that compare names, without `Not`.
_COMPARING = ("stringequals", "stringlike", "arnequals", "arnlike", "stringequalsignorecase")
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
        return "" if self.is_of_any_account else self.principal.account

    @property
    def is_of_any_account(self) -> bool:
        """Whether its representative is in an account that no policy names."""
        return self.principal.account == _ANY_ACCOUNT


def outsiders(documents: t.Iterable[t.Sequence[Statement]], estate: Estate) -> list[Outsider]:
    """The principals outside the account that resource policies and trust policies name.

    :param documents: the statements of the policies, with those that AWS evaluates together in one list
    """
    found: dict[str, Outsider] = {}
    seen: set[t.Hashable] = set()
    listed = list(documents)
    known = _known_organizations([statement for document in listed for statement in document], estate)
    for document in listed:
        accounts = accounts_in(document)
        for statement in document:
            key = (statement.effect, statement.names, statement.condition, statement.actions, tuple(accounts))
            if key in seen:  # policies of many repositories are equal
                continue
            seen.add(key)
            for outsider in _of_statement(statement, estate, known, accounts):
                if outsider.principal.account != estate.account:
                    found.setdefault(outsider.name, outsider)
    return sorted(found.values(), key=lambda outsider: (outsider.kind == EVERYONE, outsider.kind, outsider.name))


def everyone(estate: Estate) -> Outsider:
    """Any principal of an account and of an organization that no policy names."""
    arn = f"arn:{estate.identity.partition}:iam::{_ANY_ACCOUNT}:user/{_OTHER}"
    return Outsider("*", EVERYONE, Principal.of(arn), _NOT_NAMED)


def account_outsider(account: str, estate: Estate, known: bool = False) -> Outsider:
    """The principals of an account that no policy names.

    :param known: whether the policies name no other organization than that of the audited account
    """
    arn = f"arn:{estate.identity.partition}:iam::{account}:user/{_OTHER}"
    name = f"arn:{estate.identity.partition}:iam::{account}:root"
    return Outsider(name, ACCOUNT, Principal.of(arn), _membership(account, estate, known))


def _of_statement(statement: Statement, estate: Estate, known: bool, accounts: list[str]) -> t.Iterator[Outsider]:
    if statement.names is None:
        return
    listed, excluded = statement.names.listed, statement.names.excluded
    wide = [value for kind, value in listed if kind == AWS and (value == "*" or whole_account(value))]
    if wide or excluded:
        yield from _compared(statement, estate, known, accounts)
    if statement.effect == "Allow" and ("*" in wide or excluded):
        yield everyone(estate)
        for kind, name in not_of_accounts(statement):
            yield Outsider(name, SERVICE if kind == "Service" else FEDERATED, Principal(kind, name))
    for kind, value in listed:
        account = whole_account(value) if kind == AWS else ""
        if account:
            yield account_outsider(account, estate, known)
        elif kind != AWS:
            yield Outsider(value, SERVICE if kind == "Service" else FEDERATED, Principal(kind, value))
        elif _ARN.fullmatch(value):
            yield _named(value, value, estate, known)


def _compared(statement: Statement, estate: Estate, known: bool, accounts: list[str]) -> t.Iterator[Outsider]:
    """The principals that the conditions of a statement name, to include them or to exclude them.

    :param accounts: the accounts that the statements of the same document name, or patterns of them
    """
    for check in statement.condition:
        if check.base.replace("not", "") not in _COMPARING:
            continue
        key = check.key.lower()
        if key == "aws:principalarn":
            for value in check.values:
                yield from _like(VARIABLE.sub("*", value), estate, known, accounts)
        for value in (value for value in check.values if "${" not in value):
            if key == "aws:principalorgid":
                organization = _instance(value)
                elsewhere = {"aws:PrincipalOrgPaths": (f"{organization}/{_NO_UNIT}/",)}
                yield _of_organization(value, {"aws:PrincipalOrgID": (organization,), **elsewhere}, estate)
            elif key == "aws:principalorgpaths":
                match = _ORGANIZATION_ID.match(value)
                path = {"aws:PrincipalOrgPaths": (_instance(value),)}
                own = {"aws:PrincipalOrgID": (match[0],)} if match else {}
                yield _of_organization(value, {**path, **own}, estate)
            elif key == "aws:principalaccount" and whole_account(value):
                yield account_outsider(whole_account(value), estate, known)
            elif key == "aws:principalaccount" and value.strip("*") and account_within(value):
                yield _some_account(Outsider(value, ACCOUNT, everyone(estate).principal), value)


def _like(pattern: str, estate: Estate, known: bool, accounts: list[str]) -> t.Iterator[Outsider]:
    """The principals of each account whose ARN matches a pattern."""
    if not pattern.strip("*"):
        return
    own, partition = account_in(pattern), estate.identity.partition
    if whole_account(pattern):
        yield account_outsider(whole_account(pattern), estate, known)
        return
    is_found = False
    for account in [own] if own else accounts:
        number = _ANY_ACCOUNT if account == "*" else account_within(account)
        within = within_account(pattern, number, partition)
        shortest = min(within, key=len, default="")
        if _ARN.fullmatch(shortest):
            is_found = True
            is_whole = account in (own, "*") or (has_wildcards(account) and len(accounts) == 1)
            name = pattern if is_whole else named_within(pattern, account, within)
            name = name if is_whole else name.replace(f":{number}:", f":{account}:")
            moved = shortest.replace(f":{number}:", f":{_number(account)}:")
            outsider = _named(name, _instance(moved), estate, known)
            # A statement may name the first text that matches the pattern as its Principal.
            unnamed = _named(name, _instance(moved, FRESH), estate, known).principal
            outsider = replace(outsider, principal=unnamed)
            yield outsider if number == _number(account) else _some_account(outsider, account)
        elif has_wildcards(account) and account != "*" and root_within(pattern, number, partition):
            is_found = True
            root = root_within(pattern, number, partition).replace(f":{number}:", f":{_ANY_ACCOUNT}:")
            yield _some_account(Outsider(pattern, PRINCIPAL, Principal.of(root)), account)
    part = account_pattern(pattern, partition)
    if not is_found and part and [part] != accounts:
        yield from _like(pattern, estate, known, [part])


def _number(account: str) -> str:
    """The account of the representative of principals of an account, or of accounts that match a pattern."""
    return _ANY_ACCOUNT if has_wildcards(account) else account


def _some_account(outsider: Outsider, pattern: str) -> Outsider:
    """The outsider in an account that matches a pattern, in place of any account."""
    number = account_within(pattern)
    (arn,) = outsider.context.get("aws:PrincipalArn", (outsider.principal.name,))
    moved = {"aws:PrincipalArn": (arn.replace(f":{_ANY_ACCOUNT}:", f":{number}:"),), "aws:PrincipalAccount": (number,)}
    return replace(outsider, context={**outsider.context, **moved})


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
    if estate.member_accounts is None or account == _ANY_ACCOUNT:
        return {}
    if account in estate.member_accounts:
        return {"aws:PrincipalOrgID": (estate.organization,)}
    return _NOT_NAMED if known else {}


def _known_organizations(statements: t.Iterable[Statement], estate: Estate) -> bool:
    """Whether it is sufficient to know that an account is not in the organization of the audited account.

    It is not if the policies name another organization, or grant access to accounts without an organization.
    """
    keys = ("aws:principalorgid", "aws:principalorgpaths")
    checks = [one for statement in statements for one in statement.condition if one.key.lower() in keys]
    named = {value.partition("/")[0] for check in checks for value in check.values}
    return named <= {estate.organization} and not any(check.if_exists or check.quantifier == ALL for check in checks)


def _instance(pattern: str, fill: str = "x") -> str:
    """A text that matches a pattern."""
    return pattern.replace("*", fill).replace("?", fill[0])
