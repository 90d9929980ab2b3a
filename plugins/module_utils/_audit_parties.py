# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The principals outside an account that a statement of a resource policy reaches. Standard library only.

A statement reaches each principal that its Principal element names. Conditions on the organization, the account or the
ARN of the caller limit `*`, if their operator is exact and each value names an organization or an account. A Deny
statement of the same document that excludes every other account has the same effect.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import split_by_principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import ALL, ANY, Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Estate
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import UNIQUE_ID
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import AWS, Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request, Statement, applies
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

EVERYONE, ACCOUNT, PRINCIPAL, ORGANIZATION = "everyone", "account", "principal", "organization"
FEDERATED, SERVICE, DANGLING = "federated", "service", "dangling"

_ACCOUNT = re.compile(r"([0-9]{12})")
_ORGANIZATION = re.compile(r"(o-[a-z0-9]{10,32})")
_ORGANIZATION_PATH = re.compile(r"(o-[a-z0-9]{10,32})/.*")
#: The identity provider of IAM Identity Center, whose users belong to the organization.
_IDENTITY_CENTER = re.compile(r"arn:aws[a-z-]*:iam::[0-9]{12}:saml-provider/AWSSSO_.*")
_ARN = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9-]*:([0-9]{12}):.+")
#: Operators for ARNs compare each component separately, so a wildcard in the region does not match the account.
_ARN_LIKE = re.compile(r"arn:aws[a-z-]*:[a-z0-9-]+:[a-z0-9*?-]*:([0-9]{12}):.+")
#: For each key that limits the callers, the values that name one account or organization.
_LIMITS = {
    "aws:principalaccount": _ACCOUNT,
    "aws:sourceaccount": _ACCOUNT,
    "aws:principalarn": _ARN,
    "aws:sourcearn": _ARN,
    "aws:principalorgid": _ORGANIZATION,
    "aws:sourceorgid": _ORGANIZATION,
    "aws:principalorgpaths": _ORGANIZATION_PATH,
}
#: The kind and the ID of an account or an organization.
Limit = tuple[str, str]
_POSITIVE = ("stringequals", "stringlike", "arnequals", "arnlike")
_NEGATIVE = ("stringnotequals", "stringnotlike", "arnnotequals", "arnnotlike")
#: The keys of a request by a principal of an account and an organization that no policy names.
_OUTSIDER = {
    "aws:principalaccount": ("000000000000",),
    "aws:principalorgid": ("o-0000000000",),
    "aws:principalorgpaths": ("o-0000000000/r-0000/",),
    "aws:principalisawsservice": ("false",),
    "aws:viaawsservice": ("false",),
}
_OUTSIDER_ARN = {"aws:principalarn": ("arn:aws:iam::000000000000:role/outsider",)}
_ABSENT = ("aws:sourceaccount", "aws:sourcearn", "aws:sourceorgid")


@dataclass(frozen=True)
class Party:
    """A principal outside the account.

    :param kind: one of the constants of this file
    :param value: as the policy has it; an account ID for a whole account
    :param account: empty if it is unknown, or if there are several
    :param statement: the statement, reduced to this principal
    """

    kind: str
    value: str
    account: str
    statement: Statement

    @property
    def text(self) -> str:
        """The party in a sentence."""
        if self.kind == EVERYONE:
            return "every AWS account"
        return self.value if self.kind == PRINCIPAL else f"{_NOUNS[self.kind]} {self.value}"


_NOUNS = {
    ACCOUNT: "account",
    ORGANIZATION: "organization",
    FEDERATED: "identity provider",
    SERVICE: "service",
    DANGLING: "deleted principal",
}


def outside_parties(
    statement: Statement, denies: t.Sequence[Statement], estate: Estate, options: AuditOptions
) -> list[Party]:
    """The principals outside the account that a statement reaches, without services, deleted and trusted principals.

    :param denies: the Deny statements of the same document
    """
    parties = (party for part in split_by_principal(statement) for party in _parties(part, denies))
    return [
        party
        for party in parties
        if party.kind not in (SERVICE, DANGLING)
        and party.account != estate.account
        and not _is_excluded(party, estate, options)
    ]


def parties_text(parties: t.Sequence[Party]) -> str:
    """The parties in a sentence. A long list is shortened."""
    names = list(dict.fromkeys(party.text for party in parties))
    return ", ".join(names) if len(names) <= 3 else f"{', '.join(names[:3])} and {len(names) - 3:,} more"


def dangling_ids(statement: Statement) -> list[str]:
    """The IDs of deleted principals in a statement."""
    names = statement.names.listed if statement.names else ()
    return [value for kind, value in names if kind == AWS and UNIQUE_ID.fullmatch(value)]


def _parties(part: Statement, denies: t.Sequence[Statement]) -> t.Iterator[Party]:
    """The parties of a statement with one principal, or with a NotPrincipal."""
    if part.names is None or part.names.excluded:
        yield from _anyone(part, denies)
        return
    ((kind, value),) = part.names.listed or (("", ""),)
    if kind == AWS and value == "*":
        yield from _anyone(part, denies)
    elif kind == "Service" or _IDENTITY_CENTER.fullmatch(value):
        yield Party(SERVICE, value, "", part)
    elif kind != AWS:
        yield Party(FEDERATED, value, "", part)
    elif UNIQUE_ID.fullmatch(value):
        yield Party(DANGLING, value, "", part)
    else:
        whole = _principal.whole_account(value)
        yield Party(
            ACCOUNT if whole else PRINCIPAL, whole or value, _principal.some_principal(AWS, value).account, part
        )


def _anyone(part: Statement, denies: t.Sequence[Statement]) -> t.Iterator[Party]:
    """The parties that a statement with `*` reaches: everyone, or those to which a condition limits it."""
    limits = [limited for limited in map(_limit, part.condition) if limited]
    # The accounts are the narrowest limit, if the statement has several.
    limits.sort(key=lambda limited: limited[0][0] != ACCOUNT)
    limits += [exempt for exempt in (_exempt(deny, part) for deny in denies) if exempt]
    for kind, value in limits[0] if limits else [(EVERYONE, "*")]:
        yield Party(kind, value, value if kind == ACCOUNT else "", part)


def _limit(check: Check) -> list[Limit]:
    """The accounts or organizations to which a check limits the callers; empty if it does not."""
    if check.if_exists or check.quantifier == ALL or check.base not in _POSITIVE:
        return []
    return _named(check)


def _named(check: Check) -> list[Limit]:
    """The accounts or organizations in the values of a check; empty if a value names neither."""
    pattern = _LIMITS.get(check.key.lower())
    if pattern is _ARN and check.base.startswith("arn"):
        pattern = _ARN_LIKE
    found = [pattern.fullmatch(value) for value in check.values] if pattern else []
    kind = ACCOUNT if pattern in (_ACCOUNT, _ARN, _ARN_LIKE) else ORGANIZATION
    limits = [(kind, match[1]) for match in found if match]
    return list(dict.fromkeys(limits)) if len(limits) == len(found) else []


def _exempt(deny: Statement, part: Statement) -> list[Limit]:
    """The only accounts and organizations that a Deny statement exempts; empty if it does not deny all others."""
    checks = [check for check in deny.condition if check.base in _NEGATIVE and check.quantifier != ANY]
    exempt = [limit for check in checks for limit in _named(check)]
    is_covered = all(
        any(matches_any_case(denied, allowed) for denied in deny.actions.patterns) for allowed in part.actions.patterns
    )
    if not exempt or deny.actions.excluded or part.actions.excluded or not is_covered:
        return []
    arns = [_named(check) for check in checks if check.key.lower() == "aws:principalarn"]
    context = Context({**_OUTSIDER, **(_OUTSIDER_ARN if arns and all(arns) else {})}, _ABSENT)
    anything = replace(deny, actions=replace(deny.actions, patterns=("*",)))
    resources = part.resources.patterns if part.resources else ("",)
    requests = [Request("ecr:BatchGetImage", resource, "", Principal(), context) for resource in resources]
    return exempt if all(applies(anything, request).holds for request in requests) else []


def is_trusted(account: str, organization: str, estate: Estate, options: AuditOptions) -> bool:
    """Whether the options exclude an account or an organization from the findings."""
    trusted = options.trusted_organizations
    is_member = estate.organization in trusted and account in (estate.member_accounts or ())
    return is_member or account in options.trusted_accounts or organization in trusted


def _is_excluded(party: Party, estate: Estate, options: AuditOptions) -> bool:
    """Whether a party is trusted, or limited to accounts or organizations that are trusted."""
    trusted = {ACCOUNT: options.trusted_accounts | {estate.account}, ORGANIZATION: options.trusted_organizations}
    for limits in filter(None, map(_limit, party.statement.condition)):
        if all(value in trusted[kind] for kind, value in limits):
            return True
    return is_trusted(party.account, party.value if party.kind == ORGANIZATION else "", estate, options)
