# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The users, roles and sessions that one row of an audit stands for, if conditions tell them apart.

The row of an account, of an organization or of everyone stands for a user, a role, the root user and a federated user
that no policy names. The row of a pattern of ARNs stands for the principals that match it. Each of them is given by the
context keys that differ. Standard library only.

Source: IAM User Guide, "AWS global condition context keys": `aws:PrincipalArn` and `aws:PrincipalType`.
"""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _wildcard
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_patterns import (
    FRESH,
    common,
    has_wildcards,
    texts_of,
    within_account,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import (
    FEDERATED,
    ORGANIZATION,
    PRINCIPAL,
    SERVICE,
    Outsider,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import OPEN, VARIABLE
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement

Values = dict[str, tuple[str, ...]]
#: The context keys of a request, by their names in lower case.
Known = t.Mapping[str, tuple[str, ...]]

_ORGANIZATION, _UNITS = "aws:principalorgid", "aws:principalorgpaths"
_ARN, _TYPE, _USER_NAME = "aws:principalarn", "aws:principaltype", "aws:username"
#: The keys of requests that AWS sends on behalf of a principal.
_THROUGH = ("aws:viaawsservice", "aws:calledvia", "aws:calledviafirst", "aws:calledvialast")
#: The roles of IAM Identity Center, whose path is not in the ARN of a session.
_WITH_PATH = "AWSReservedSSO_"
_ONE = Values()


def members(outsider: Outsider, statements: t.Sequence[Statement], known: Known) -> list[Values]:
    """The context keys of each member of a row, without those of its representative. The first has none.

    :param known: the context keys of a request of its representative, by their names in lower case
    """
    checks = [check for statement in statements for check in statement.condition]
    compared = [check for check in checks if _key(check) == _ARN]
    if outsider.kind in (SERVICE, FEDERATED):
        found = [_ONE]
    elif outsider.kind == PRINCIPAL and not has_wildcards(outsider.name):
        found = [_path_member(outsider, compared)]
    else:
        found = _distinct([_ONE, *_several(outsider, checks, compared, known)], checks, known)
    return [*found, *through_services(statements)]


def _several(
    outsider: Outsider, checks: t.Sequence[Check], compared: t.Sequence[Check], known: Known
) -> t.Iterator[Values]:
    """The further members of the row of several principals.

    :param compared: the checks of the ARN
    """
    several = [one for one in compared if any(map(_is_pattern, one.values))]
    if outsider.kind == PRINCIPAL:
        yield from _matching(outsider, [VARIABLE.sub("*", value) for one in several for value in one.values], known)
        if len(several) > 2:  # texts that match three patterns are not tried
            yield {_ARN: OPEN}
        return
    if outsider.kind == ORGANIZATION and has_wildcards(outsider.name):
        yield from _units(outsider, checks)
    if several or any(_key(one) in (_TYPE, _USER_NAME) for one in checks) or _is_variable(checks):
        yield from _generic(known)
    if _may_be_root(known):
        yield {_ARN: (f"{_start(known)}root",), _TYPE: ("Account",), _USER_NAME: ()}


def _distinct(found: list[Values], checks: t.Sequence[Check], known: Known) -> list[Values]:
    """The members that conditions tell apart."""
    values = list(dict.fromkeys(value for check in checks if _key(check) == _ARN for value in check.values))
    if _is_variable(checks) or any("${" in value for value in values):
        return found
    keys = [key for key in (_TYPE, _USER_NAME, _ORGANIZATION, _UNITS) if key in {_key(check) for check in checks}]
    kept: dict[t.Hashable, Values] = {}
    for member in found:
        arn = member.get(_ARN, known[_ARN])
        matched = [arn == OPEN, *(_wildcard.matches(((value, True),), arn[0]) for value in values)]
        kept.setdefault((*matched, *(member.get(key, known.get(key)) for key in keys)), member)
    return list(kept.values())


def through_services(statements: t.Iterable[Statement]) -> list[Values]:
    """The context keys of a request that AWS sends on behalf of a principal, if conditions compare them."""
    compared = any(_key(check) in _THROUGH for statement in statements for check in statement.condition)
    return [dict.fromkeys(_THROUGH, OPEN)] if compared else []


def _key(check: Check) -> str:
    return check.key.lower()


def _is_pattern(value: str) -> bool:
    return has_wildcards(value) or "${" in value


def _is_variable(checks: t.Iterable[Check]) -> bool:
    """Whether a check compares another key with the principal."""
    names = [match[1].lower() for check in checks for value in check.values for match in VARIABLE.finditer(value)]
    return any(name.startswith((_ARN, _TYPE, _USER_NAME)) for name in names)


def _may_be_root(known: Known) -> bool:
    """Whether a request may be of the root user or of a federated user. They cannot assume roles."""
    return "sts:rolesessionname" not in known


def _start(known: Known, service: str = "iam") -> str:
    partition = known[_ARN][0].split(":")[1]
    return f"arn:{partition}:{service}::{known['aws:principalaccount'][0]}:"


def _generic(known: Known) -> t.Iterator[Values]:
    """A user, a role and a federated user with names that no policy has."""
    yield _member(f"{_start(known)}user/{FRESH}")
    yield _member(f"{_start(known)}role/{FRESH}")
    if _may_be_root(known):
        yield _member(f"{_start(known, 'sts')}federated-user/{FRESH}")


def _member(arn: str) -> Values:
    """The context keys of the principal with an ARN."""
    entity = arn.split(":", 5)[5]
    kinds = {"role": "AssumedRole", "federated-user": "FederatedUser"}
    kind = kinds.get(entity.partition("/")[0], "User")
    return {_ARN: (arn,), _TYPE: (kind,), _USER_NAME: (entity.rpartition("/")[2],) if kind == "User" else ()}


def _matching(outsider: Outsider, patterns: t.Iterable[str], known: Known) -> t.Iterator[Values]:
    """The members of a pattern of ARNs, including those that match another pattern too."""
    account, partition = known["aws:principalaccount"][0], known[_ARN][0].split(":")[1]
    within = (within_account(one, account, partition) for one in dict.fromkeys(patterns) if has_wildcards(one))
    others = [pattern for several in within for pattern in several]
    for own in within_account(outsider.name, account, partition):
        found = [common(own, other, FRESH, longest) for other in others for longest in (False, True)]
        arns = [arn for arn in dict.fromkeys([*texts_of([own]), *found]) if arn and not has_wildcards(arn)]
        yield from (_member(arn) for arn in arns if ":iam:" in arn)


def _units(outsider: Outsider, checks: t.Iterable[Check]) -> t.Iterator[Values]:
    """The organizational units or organizations that match the pattern of a row, and another pattern as well."""
    key = _UNITS if "/" in outsider.name else _ORGANIZATION
    others = [value for check in checks if _key(check) == key for value in check.values if "${" not in value]
    for other in dict.fromkeys(("*", *others)):
        for longest in (False, True):
            found = common(outsider.name, other, FRESH, longest)
            if found:
                yield {key: (found,)}


def _path_member(outsider: Outsider, compared: t.Sequence[Check]) -> Values:
    """The keys of a named principal. The path of the role of a session is not known, if conditions compare it."""
    start, _kind, name = outsider.principal.name.partition(":assumed-role/")
    if not name or ":role/" in outsider.name:
        return _ONE
    role = name.partition("/")[0]
    in_path = f"{start.replace(':sts:', ':iam:')}:role/*/{role}"
    without = f"{start.replace(':sts:', ':iam:')}:role/{role}"
    values = [VARIABLE.sub("*", value) for check in compared for value in check.values]
    if any(common(value, in_path) and not common(value, without) for value in values):
        return {_ARN: OPEN}
    return {_ARN: OPEN} if role.startswith(_WITH_PATH) and values else _ONE
