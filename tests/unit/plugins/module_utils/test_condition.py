# SPDX-License-Identifier: GPL-3.0-or-later
"""The condition operators, each as a table."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import Check, holds, read_condition
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import OPERATORS

YES, NO, UNKNOWN = True, False, None
ARN = "arn:aws:iam::222222222222:user/puller"

#: The operator, the value of the request, the values of the policy, and whether they fit.
SINGLE = [
    ("StringEquals", "release", "release", YES),
    ("StringEquals", "Release", "release", NO),
    ("StringEquals", "release", ["develop", "release"], YES),
    ("StringEquals", "release", [], NO),
    ("StringEquals", "release", "re*", NO),
    ("StringEquals", "re*", "re*", YES),
    ("StringEquals", "", "", YES),
    ("stringequals", "release", "release", YES),
    ("StringEquals", "10", 10, YES),
    ("StringEquals", "true", True, YES),
    ("StringNotEquals", "release", "release", NO),
    ("StringNotEquals", "release", ["develop", "release"], NO),
    ("StringNotEquals", "release", ["develop", "team"], YES),
    ("StringNotEquals", "release", [], YES),
    ("StringEqualsIgnoreCase", "Release", "rELEASE", YES),
    ("StringEqualsIgnoreCase", "release", "re*", NO),
    ("StringNotEqualsIgnoreCase", "Release", "release", NO),
    ("StringLike", "release", "re*ease", YES),
    ("StringLike", "Release", "re*ease", NO),
    ("StringLike", "release", "[r]elease", NO),
    ("StringNotLike", "release", ["x", "re?ease"], NO),
    ("StringNotLike", "release", "r?ease", YES),
    ("ArnEquals", ARN, ARN, YES),
    ("ArnEquals", ARN, "arn:aws:iam::*:user/*", YES),
    ("ArnLike", ARN, "arn:aws:iam::222222222222:*", YES),
    ("ArnLike", ARN, "arn:aws:iam::222222222222:user/PULLER", NO),
    ("ArnLike", "arn:aws:x:us-east-2:999999999999:store/a:111122223333:f", "arn:aws:x:*:111122223333:f", NO),
    ("ArnLike", "arn:aws:x:us-east-2:999999999999:store/a:111122223333:f", "arn:aws:x:*:9*:store/*:f", YES),
    ("ArnLike", "arn:aws:x:r:999999999999:a:b", "arn:aws:x:r:999999999999:a:?", YES),
    ("ArnLike", ARN, "*", YES),
    ("ArnLike", "not-an-arn", "*", NO),
    ("ArnLike", "not-an-arn", "arn:*:*:*:*:*", NO),
    ("ArnLike", ARN, "arn:aws:*", UNKNOWN),
    ("ArnNotEquals", ARN, ARN, NO),
    ("ArnNotLike", ARN, "arn:aws:iam::333333333333:*", YES),
    ("Bool", "true", "true", YES),
    ("Bool", "true", "True", YES),
    ("Bool", "false", "true", NO),
    ("Bool", "true", ["true", "false"], YES),
    ("Bool", "true", True, YES),
    ("Bool", "true", "yes", UNKNOWN),
    ("Bool", "222222222222", "true", NO),
    ("BinaryEquals", "YQ==", "YQ==", YES),
    ("BinaryEquals", "YQ==", "Yg==", NO),
    ("BinaryEquals", "YQ==", "?", UNKNOWN),
    ("IpAddress", "203.0.113.7", "203.0.113.0/24", YES),
    ("IpAddress", "203.0.113.7", "203.0.113.9/24", YES),
    ("IpAddress", "203.0.113.7", "203.0.113.7", YES),
    ("IpAddress", "203.0.113.7", "203.0.113.8", NO),
    ("IpAddress", "203.0.113.7", ["10.0.0.0/8", "203.0.113.0/24"], YES),
    ("IpAddress", "2001:db8::1", "2001:DB8::/32", YES),
    ("IpAddress", "2001:db8::1", "203.0.113.0/24", NO),
    ("IpAddress", "203.0.113.7", "::/0", NO),
    ("IpAddress", "203.0.113.7", "203.0.113.*", UNKNOWN),
    ("IpAddress", "a.example", "203.0.113.0/24", UNKNOWN),
    ("NotIpAddress", "203.0.113.7", "203.0.113.0/24", NO),
    ("NotIpAddress", "203.0.113.7", ["10.0.0.0/8", "192.0.2.0/24"], YES),
    ("NumericEquals", "10", "10.0", YES),
    ("NumericEquals", "10", 10, YES),
    ("NumericNotEquals", "10", ["9", "10"], NO),
    ("NumericLessThan", "9", "10", YES),
    ("NumericLessThan", "10", "10", NO),
    ("NumericLessThanEquals", "10", "10", YES),
    ("NumericGreaterThan", "-1", "-2.5", YES),
    ("NumericGreaterThanEquals", "1", "2", NO),
    ("NumericGreaterThan", "1", "nan", UNKNOWN),
    ("NumericEquals", "ten", "10", UNKNOWN),
    ("NumericNotEquals", "ten", "10", UNKNOWN),
    ("DateEquals", "2026-11-26T12:00:00Z", "2026-11-26T13:00:00+01:00", YES),
    ("DateEquals", "2026-11-26T12:00:00Z", "1795694400", YES),
    ("DateEquals", "2026-11-26T00:00:00Z", "2026-11-26", YES),
    ("DateEquals", "2026-11-01T00:00:00Z", "2026-11", YES),
    ("DateEquals", "2026-01-01T00:00:00Z", "2026", YES),
    ("DateEquals", "2026-11-26T12:00:00.5Z", "2026-11-26T12:00:00Z", NO),
    ("DateNotEquals", "2026-11-26T12:00:00Z", "2026-11-26T12:00:00Z", NO),
    ("DateLessThan", "2026-11-26T12:00:00Z", "2026-11-26T12:00Z", NO),
    ("DateLessThanEquals", "2026-11-26T12:00:00Z", "2026-11-26T12:00Z", YES),
    ("DateGreaterThan", "2026-11-26T12:00:00Z", "2026-11-26T07:00:00-05:01", NO),
    ("DateGreaterThanEquals", "2026-11-26T12:00:00Z", "2026-11-26T07:00:00-05:00", YES),
    ("DateLessThan", "2026-11-26T12:00:00Z", "tomorrow", UNKNOWN),
    ("DateLessThan", "2026-11-26T12:00:00Z", "2026-02-30", UNKNOWN),
    ("DateNotEquals", "2026-11-26T12:00:00Z", "*", UNKNOWN),
    ("DateLessThan", "2026-11-26T12:00:00Z", "999999999999", UNKNOWN),
    ("DateLessThan", "2026-11-26T12:00:00Z", "99999999999", YES),
    ("DateLessThan", "2026-11-26T12:00:00Z", "0000-01-01", UNKNOWN),
    ("DateLessThan", "2026-11-26T12:00:00Z", "0001-01-01T00:00:00+99:00", UNKNOWN),
    ("DateLessThan", "2026-11-26T12:00:00Z", "9999-12-31T23:59:59-99:00", UNKNOWN),
    ("DateLessThan", "2026-11-26T12:00:00Z", "${aws:CurrentTime}", UNKNOWN),
    ("Null", "x", "true", NO),
    ("Null", "x", "false", YES),
    ("Null", "", "false", YES),
    ("Null", "x", True, NO),
    ("Null", "x", ["true", "false"], YES),
    ("Null", "x", [], NO),
    ("Null", "x", "never", UNKNOWN),
    ("NullIfExists", "x", "true", UNKNOWN),
    ("ForAllValues:Null", "x", "true", UNKNOWN),
    ("StringMatches", "x", "x", UNKNOWN),
    ("ForSomeValues:StringEquals", "x", "x", UNKNOWN),
    ("StringEqualsIfExists", "x", "y", NO),
    ("StringEqualsIfExists", "x", "x", YES),
    ("ForAnyValue:StringEquals", "x", ["x", "y"], YES),
    ("ForAllValues:StringEquals", "x", ["y"], NO),
    ("ForAllValues:StringEqualsIfExists", "x", ["y"], NO),
]


def ask(operator: str, actual: list[str] | None, declared: Any, closed: tuple[str, ...] = ("",)) -> bool | None:
    context = Context.of({} if actual is None else {"aws:Key": actual, "aws:Other": ["other"]}, closed)
    return holds(read_condition({operator: {"AWS:key": declared}}), context, True).holds


@pytest.mark.parametrize(("operator", "actual", "declared", "expected"), SINGLE)
def test_a_value_is_compared(operator: str, actual: str, declared: Any, expected: bool | None) -> None:
    assert ask(operator, [actual], declared) is expected


def test_every_operator_is_in_the_table() -> None:
    assert {Check(operator, "", ()).base for operator, *_others in SINGLE} >= {*OPERATORS, "null"}


@pytest.mark.parametrize("name", [*OPERATORS])
def test_a_request_without_the_key(name: str) -> None:
    negated = "not" in name
    value = "true" if name == "bool" else "10"
    assert ask(name, None, value) is negated
    assert ask(f"{name}IfExists", None, value) is True
    assert ask(f"ForAllValues:{name}", None, value) is True
    assert ask(f"ForAnyValue:{name}", None, value) is False
    assert ask(f"ForAnyValue:{name}IfExists", None, value) is True
    assert ask(name, None, value, closed=()) is None
    assert ask("Null", None, "true") is True
    assert ask("Null", None, "false") is False
    assert ask("Null", None, "true", closed=()) is None


@pytest.mark.parametrize(
    ("operator", "actual", "declared", "expected"),
    [
        ("ForAllValues:StringEquals", ["a", "b"], ["a", "b", "c"], YES),
        ("ForAllValues:StringEquals", ["a", "d"], ["a", "b", "c"], NO),
        ("ForAnyValue:StringEquals", ["a", "d"], ["a", "b", "c"], YES),
        ("ForAnyValue:StringEquals", ["d", "e"], ["a", "b", "c"], NO),
        ("ForAllValues:StringNotEquals", ["d", "e"], ["a", "b"], YES),
        ("ForAllValues:StringNotEquals", ["a", "d"], ["a", "b"], NO),
        ("ForAnyValue:StringNotEquals", ["a", "d"], ["a", "b"], YES),
        ("ForAnyValue:StringNotEquals", ["a", "b"], ["a", "b"], NO),
        ("ForAllValues:StringEquals", [], ["a"], YES),
        ("ForAnyValue:StringEquals", [], ["a"], NO),
        ("StringEquals", ["a", "b"], ["a", "b"], UNKNOWN),
        ("ForAnyValue:NumericLessThan", ["1", "x"], "2", YES),
        ("ForAllValues:NumericLessThan", ["1", "x"], "2", UNKNOWN),
        ("ForAllValues:NumericLessThan", ["3", "x"], "2", NO),
    ],
)
def test_several_values_are_compared(operator: str, actual: list[str], declared: Any, expected: bool | None) -> None:
    assert ask(operator, actual, declared) is expected


@pytest.mark.parametrize(
    ("declared", "actual", "operator", "expected"),
    [
        ("x${*}", "x*", "StringEquals", YES),
        ("x${*}", "xy", "StringLike", NO),
        ("x${*}*", "x*y", "StringLike", YES),
        ("${?}${$}", "?$", "StringLike", YES),
        ("${aws:Other}", "other", "StringEquals", YES),
        ("${AWS:oTHER}/*", "other/x", "StringLike", YES),
        ("${aws:Missing}", "other", "StringEquals", NO),
        ("${aws:Missing}", "other", "StringNotEquals", NO),
        ("${aws:Missing}", "other", "StringNotLikeIfExists", NO),
        ("${aws:Missing, 'spare'}", "spare", "StringEquals", YES),
        ("${aws:Other, 'spare'}", "spare", "StringEquals", NO),
        ("${aws:Missing, ''}x", "x", "StringEquals", YES),
        ("${aws:Pattern}", "xy", "StringLike", NO),
        ("${aws:Pattern}", "x*", "StringLike", YES),
        ("${aws:Several}", "a", "StringEquals", UNKNOWN),
        ("${aws:Other", "x", "StringEquals", UNKNOWN),
        ("${a${b}}", "x", "StringEquals", UNKNOWN),
        ("${}", "x", "StringEquals", UNKNOWN),
        ("arn:aws:iam::${aws:Account}:user/*", ARN, "ArnLike", YES),
        ("${aws:Arn}", ARN, "ArnEquals", YES),
        ("arn:aws:iam::${aws:Missing}:user/*", ARN, "ArnLike", NO),
    ],
)
def test_variables_are_replaced(declared: str, actual: str, operator: str, expected: bool | None) -> None:
    given = {"aws:Other": ["other"], "aws:Pattern": ["x*"], "aws:Several": ["a", "b"], "aws:Key": [actual]}
    context = Context.of({**given, "aws:Account": ["222222222222"], "aws:Arn": [ARN]})
    condition = read_condition({operator: {"aws:Key": declared}})
    assert holds(condition, context, True).holds is expected
    literally = holds(condition, Context.of({"aws:Key": [declared]}), False).holds
    if operator == "StringEquals":
        assert literally is True  # without variables, the text is what it is


def test_a_variable_that_is_not_known_makes_the_check_unknown() -> None:
    condition = read_condition({"StringEquals": {"aws:Key": "${aws:username}"}})
    assert holds(condition, Context.of({"aws:Key": ["x"]}, closed=()), True).reason == "it depends on aws:username"


def test_all_checks_are_required() -> None:
    condition = read_condition({"StringEquals": {"a": "1", "b": "2"}, "Bool": {"c": "true"}})
    full = {"a": ["1"], "b": ["2"], "c": ["true"]}
    assert holds(condition, Context.of(full), True).holds is True
    for key in full:
        assert holds(condition, Context.of({**full, key: ["0"]}), True).holds is False
        assert holds(condition, Context.of({item: full[item] for item in full if item != key}, ()), True).holds is None
    assert holds((), Context(), True).holds is True


def test_key_in_two_cases_is_unknown_if_values_differ() -> None:
    condition = read_condition({"StringEquals": {"ecr:ResourceTag/share": "yes"}})
    both = {"ecr:ResourceTag/share": ["yes"], "ecr:ResourceTag/Share": ["yes"]}
    assert holds(condition, Context.of(both), True).holds is True
    assert holds(condition, Context.of({**both, "ecr:ResourceTag/Share": ["no"]}), True).holds is None


@pytest.mark.parametrize(
    "condition", ["odd", [], {"StringEquals": "odd"}, {"StringEquals": {"a": None}}, {"StringEquals": {"a": [["b"]]}}]
)
def test_a_condition_of_another_form_is_rejected(condition: Any) -> None:
    with pytest.raises(ValueError, match="its Condition"):
        read_condition(condition)
