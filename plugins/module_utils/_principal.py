# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares the principal of a request with the Principal or NotPrincipal of a statement.

A statement matches a session of a role by the ARN of the session, the ARN of the role, or the account. It matches a
user by the ARN of the user or the account. `*` matches everyone. Principal elements have no other wildcards.

`NotPrincipal` is known to exempt a principal only if it lists both the principal and its account, because AWS may also
compare the account alone. Otherwise the result is unknown.

Source: IAM User Guide, "AWS JSON policy elements: Principal" and "AWS JSON policy elements: NotPrincipal".
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, YES, Ternary, some, unknown, whether

_ARN = re.compile(r"arn:(aws[a-z-]*):(?:iam|sts)::([0-9]{12}):(.+)")
_ACCOUNT = re.compile(r"(?:arn:aws[a-z-]*:iam::)?([0-9]{12})(?::root)?")
_UNIQUE_ID = re.compile(r"A[A-Z]{3}[A-Z0-9]{12,124}")

AWS = "AWS"
KINDS = (AWS, "Service", "Federated", "CanonicalUser")


def whole_account(value: str) -> str:
    """The account ID in a value that names a whole account, as an ID or as the ARN of its root; otherwise empty."""
    match = _ACCOUNT.fullmatch(value)
    return match[1] if match and (value == match[1] or value.endswith(":root")) else ""


def some_principal(kind: str, value: str) -> Principal:
    """One of the principals that a value of a Principal element matches."""
    if kind != AWS:
        return Principal(kind, value)
    match = _ARN.fullmatch(value)
    if match and not whole_account(value) and not {"*", "?"} & set(value):
        return Principal.of(value)
    return Principal(account=whole_account(value) or (match[2] if match else ""))


class Reach(enum.Enum):
    """The way in which a policy matches a principal."""

    EVERYONE = "everyone"
    ACCOUNT = "its account"
    ROLE = "its role"
    ITSELF = "itself"


#: The matches that grant access directly. A match by the account requires an identity policy of that account as well.
NAMED = frozenset({Reach.EVERYONE, Reach.ROLE, Reach.ITSELF})
DIRECT = frozenset({Reach.ITSELF})
ANYWAY = frozenset(Reach)


@dataclass(frozen=True)
class Principal:
    """The principal of a request.

    :param kind: one of `KINDS`
    :param name: the ARN of a user, a role or a session, or the name of a service, a provider or a canonical user; empty
        for an unspecified principal of `account`
    :param account: the account of an AWS principal; empty for a principal of an unspecified account
    :param role: the ARN of the role of a session
    :param unique_id: such as AIDA... or AROA...; empty if it is unknown
    """

    kind: str = AWS
    name: str = ""
    account: str = ""
    role: str = ""
    unique_id: str = ""

    @classmethod
    def of(cls, arn: str, role: str = "", unique_id: str = "") -> Principal:
        """The AWS principal with this ARN.

        :param role: the ARN of the role of a session, with its path; empty if the path is unknown
        :raises ValueError: if the ARN is not of a principal
        """
        match = _ARN.fullmatch(arn)
        if match is None:
            raise ValueError(f"{arn!r} is not the ARN of a principal")
        partition, account, entity = match.groups()
        kind, _slash, name = entity.partition("/")
        if kind == "assumed-role" and not role.startswith(f"arn:{partition}:iam::{account}:role/"):
            role = f"arn:{partition}:iam::{account}:role/{name.partition('/')[0]}"
        return cls(AWS, arn, account, role if kind == "assumed-role" else "", unique_id.partition(":")[0])

    @property
    def is_root(self) -> bool:
        """Whether the principal is the root user of an account."""
        return self.kind == AWS and self.name.endswith(":root")


@dataclass(frozen=True)
class Names:
    """The Principal or the NotPrincipal of a statement, as pairs of a kind and a value."""

    listed: tuple[tuple[str, str], ...]
    excluded: bool = False


def read_names(value: object, excluded: bool) -> Names:
    """Parse the Principal of a statement, or the NotPrincipal if `excluded`.

    :raises ValueError: if the value is not valid
    """
    if value == "*":
        return Names(((AWS, "*"),), excluded)
    if not isinstance(value, dict) or not value or not set(value) <= set(KINDS):
        raise ValueError(f"its Principal is neither * nor an object of {', '.join(KINDS)}")
    listed = [(kind, item) for kind, many in value.items() for item in (many if isinstance(many, list) else [many])]
    if not all(isinstance(name, str) for _kind, name in listed):
        raise ValueError("its Principal names something that is not text")
    return Names(tuple(listed), excluded)


def includes(names: Names, principal: Principal, reaches: frozenset[Reach] = ANYWAY) -> Ternary:
    """Whether the Principal or NotPrincipal of a statement includes a principal.

    :param reaches: for a Principal, the ways of matching that count
    """
    if not names.excluded:
        return some(_named(kind, value, principal, reaches) for kind, value in names.listed)
    if Reach.EVERYONE not in reaches:
        return NO
    everyone, account, role, itself = (
        some(_named(kind, value, principal, frozenset({reach})) for kind, value in names.listed) for reach in Reach
    )
    identity = some([role, itself])
    if everyone.holds or (identity.holds and (account.holds or principal.kind != AWS)):
        return NO
    if (everyone.holds, account.holds, identity.holds) == (False, False, False):
        return YES
    return unknown("NotPrincipal lists only the principal or only its account, and AWS may compare either of them")


def _named(kind: str, value: str, principal: Principal, reaches: frozenset[Reach]) -> Ternary:
    if kind == AWS and value == "*":
        # AWS does not document whether * includes services and identity providers.
        everyone = YES if principal.kind == AWS else unknown(f"AWS does not document whether * is any {principal.kind}")
        return everyone if Reach.EVERYONE in reaches else NO
    if kind != principal.kind:
        return NO
    if kind != AWS:
        return whether(Reach.ITSELF in reaches and principal.name == value)
    account = whole_account(value)
    if account:
        if principal.name == value:
            return whether(bool({Reach.ITSELF, Reach.ACCOUNT} & reaches))
        reached = whether(account == principal.account) if principal.account else _some_of_them(value)
        return reached if Reach.ACCOUNT in reaches else NO
    if "*" in value or "?" in value:
        return unknown(f"{value!r} has a wildcard, which IAM does not accept in a principal")
    if not principal.name:
        other = _ARN.fullmatch(value)
        same = not principal.account or other is None or other[2] == principal.account
        return _some_of_them(value) if same and not _UNIQUE_ID.fullmatch(value) else NO
    itself = value in (principal.name, principal.unique_id)
    return whether((itself and Reach.ITSELF in reaches) or (_is_role(value, principal) and Reach.ROLE in reaches))


def _some_of_them(value: str) -> Ternary:
    return unknown(f"it applies to {value} only")


def _is_role(value: str, principal: Principal) -> bool:
    """Whether a value is the role of a session, regardless of the path. Role names are unique in an account."""
    named, role = _ARN.fullmatch(value), _ARN.fullmatch(principal.role)
    if named is None or role is None or not named[3].startswith("role/"):
        return False
    return named.groups()[:2] == role.groups()[:2] and named[3].rpartition("/")[2] == role[3].rpartition("/")[2]
