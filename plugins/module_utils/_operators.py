# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The condition operators of IAM, which compare one value of a request with one value of a policy.

Source: IAM User Guide, "IAM JSON policy elements: Condition operators". If AWS does not document the result of a
comparison, for example with an invalid number, the result is unknown.
"""

from __future__ import annotations

import base64
import binascii
import datetime
import decimal
import ipaddress
import operator
import re
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _wildcard
from ansible_collections.crossaccount.ecr.plugins.module_utils._ternary import NO, Ternary, every, unknown, whether
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import Template

#: The types of the converted numbers and dates of a policy.
Ordered = t.TypeVar("Ordered", decimal.Decimal, datetime.datetime)
Comparison = t.Callable[[str, Template], Ternary]

#: Source: W3C, "Date and Time Formats", to which the IAM User Guide refers. A time requires a time zone offset.
_DATE = re.compile(
    r"([0-9]{4})(?:-([0-9]{2})(?:-([0-9]{2})(?:T([0-9]{2}):([0-9]{2})(?::([0-9]{2})(\.[0-9]+)?)?"
    r"(Z|[+-][0-9]{2}:[0-9]{2}))?)?)?"
)
_EPOCH = re.compile(r"[0-9]{5,11}")
_NUMBER = re.compile(r"[+-]?[0-9]{1,30}(?:\.[0-9]{1,30})?")
_SINCE = datetime.datetime(1970, 1, 1, tzinfo=datetime.timezone.utc)
_BOOLEANS = ("true", "false")


@dataclass(frozen=True)
class Operator:
    """A condition operator.

    :param negated: whether the operator matches a request without the key, or whose value is not one of the policy
    :param variables: whether policy variables in its values are replaced
    """

    compare: Comparison
    negated: bool = False
    variables: bool = False


def _equals(actual: str, wanted: Template) -> Ternary:
    return whether(actual == _wildcard.literal(wanted))


def _equals_ignoring_case(actual: str, wanted: Template) -> Ternary:
    return whether(actual.lower() == _wildcard.literal(wanted).lower())


def _like(actual: str, wanted: Template) -> Ternary:
    return whether(_wildcard.matches(wanted, actual))


def _arn_like(actual: str, wanted: Template) -> Ternary:
    """Compare each of the six components of an ARN separately. A single `*` matches every ARN."""
    if wanted == (("*", True),):
        return whether(actual.startswith("arn:"))
    components, values = _components(wanted), actual.split(":", 5)
    if len(components) < 6:
        return unknown(f"{_wildcard.literal(wanted)!r} is not an ARN of six components")
    if len(values) < 6:
        return NO
    return every(whether(_wildcard.matches(component, value)) for component, value in zip(components, values))


def _components(template: Template) -> list[Template]:
    """The template, split at its first five colons."""
    parts: list[list[tuple[str, bool]]] = [[]]
    for text, wild in template:
        first, *others = text.split(":", 6 - len(parts))
        parts[-1].append((first, wild))
        parts += [[(other, wild)] for other in others]
    return [tuple(part) for part in parts]


def _bool(actual: str, wanted: Template) -> Ternary:
    value = _wildcard.literal(wanted).lower()
    if value not in _BOOLEANS:
        return unknown(f"{value!r} is neither true nor false")
    return whether(actual.lower() == value)


def _binary(actual: str, wanted: Template) -> Ternary:
    try:
        actual_content, wanted_content = (
            base64.b64decode(text, validate=True) for text in (actual, _wildcard.literal(wanted))
        )
    except (binascii.Error, ValueError):
        return unknown("a value is not encoded in base64")
    return whether(actual_content == wanted_content)


def _address(actual: str, wanted: Template) -> Ternary:
    try:
        return whether(ipaddress.ip_address(actual) in ipaddress.ip_network(_wildcard.literal(wanted), strict=False))
    except ValueError:
        return unknown(f"{actual!r} or {_wildcard.literal(wanted)!r} is not an IP address or a range of them")


def _number(text: str) -> decimal.Decimal | None:
    return decimal.Decimal(text) if _NUMBER.fullmatch(text) else None


def date_of(text: str) -> datetime.datetime | None:
    """The time of a date in a W3C format or of seconds since 1970."""
    if _EPOCH.fullmatch(text):
        return _SINCE + datetime.timedelta(seconds=int(text))
    match = _DATE.fullmatch(text)
    if match is None:
        return None
    year, month, day, hour, minute, second = (int(match[number] or number in (2, 3)) for number in range(1, 7))
    zone = match[8] or "Z"
    offset = 0 if zone == "Z" else int(zone[0] + "1") * (int(zone[1:3]) * 60 + int(zone[4:]))
    try:
        local = datetime.datetime(year, month, day, hour, minute, second, tzinfo=datetime.timezone.utc)
        return local + datetime.timedelta(seconds=float(match[7] or 0)) - datetime.timedelta(minutes=offset)
    except (ValueError, OverflowError):
        return None


def _ordered(
    read: t.Callable[[str], Ordered | None], compare: t.Callable[[Ordered, Ordered], bool], noun: str
) -> Comparison:
    def compared(actual: str, wanted: Template) -> Ternary:
        actual_value, wanted_value = read(actual), read(_wildcard.literal(wanted))
        if actual_value is None or wanted_value is None:
            return unknown(f"{actual!r} or {_wildcard.literal(wanted)!r} is not {noun}")
        return whether(compare(actual_value, wanted_value))

    return compared


def _ordered_operators(kind: str, read: t.Callable[[str], Ordered | None], noun: str) -> dict[str, Operator]:
    """The operators for the order of values of one kind.

    :param kind: the prefix of their names in lower case
    :param read: converts a text; None if it is not valid
    :param noun: the noun for a value in a reason
    """
    equals = _ordered(read, operator.eq, noun)
    return {
        f"{kind}equals": Operator(equals),
        f"{kind}notequals": Operator(equals, negated=True),
        f"{kind}lessthan": Operator(_ordered(read, operator.lt, noun)),
        f"{kind}lessthanequals": Operator(_ordered(read, operator.le, noun)),
        f"{kind}greaterthan": Operator(_ordered(read, operator.gt, noun)),
        f"{kind}greaterthanequals": Operator(_ordered(read, operator.ge, noun)),
    }


#: The operators by their names in lower case.
OPERATORS = {
    "stringequals": Operator(_equals, variables=True),
    "stringnotequals": Operator(_equals, negated=True, variables=True),
    "stringequalsignorecase": Operator(_equals_ignoring_case, variables=True),
    "stringnotequalsignorecase": Operator(_equals_ignoring_case, negated=True, variables=True),
    "stringlike": Operator(_like, variables=True),
    "stringnotlike": Operator(_like, negated=True, variables=True),
    "arnequals": Operator(_arn_like, variables=True),
    "arnlike": Operator(_arn_like, variables=True),
    "arnnotequals": Operator(_arn_like, negated=True, variables=True),
    "arnnotlike": Operator(_arn_like, negated=True, variables=True),
    "bool": Operator(_bool),
    "binaryequals": Operator(_binary),
    "ipaddress": Operator(_address),
    "notipaddress": Operator(_address, negated=True),
    **_ordered_operators("date", date_of, "a date"),
    **_ordered_operators("numeric", _number, "a number"),
}
