# SPDX-License-Identifier: GPL-3.0-or-later
"""How the condition operators compare one value of a request with one value of a policy."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import OPERATORS


def compare(operator: str, actual: str, declared: str) -> bool | None:
    return OPERATORS[operator].compare(actual, ((declared, True),)).holds


@pytest.mark.parametrize(
    ("first", "second"),
    [
        ("2026-01-01T12:00:00+12:45", "2025-12-31T23:15:00Z"),
        ("2026-01-01T00:00:00-09:30", "2026-01-01T09:30:00Z"),
        ("2026-01-01T00:00:00+00:00", "2026-01-01T00:00Z"),
        ("2026-01-01T00:00:00.500Z", "2026-01-01T00:00:00.5Z"),
        ("2026", "2026-01-01T00:00:00Z"),
        ("2026-03", "2026-03-01"),
        ("1767225600", "2026-01-01"),
    ],
)
def test_one_point_in_time_has_several_forms(first: str, second: str) -> None:
    assert compare("dateequals", first, second) is True
    assert compare("dateequals", second, first) is True
    assert compare("datelessthan", first, second) is False


@pytest.mark.parametrize(
    "text", ["", "2026-13", "2026-02-30", "2026-01-01T00:00:00", "2026-01-01T24:00:00Z", "0001-01-01T00:00:00+01:00"]
)
def test_invalid_date_is_unknown(text: str) -> None:
    assert compare("dateequals", text, "2026-01-01") is None
    assert compare("dateequals", "2026-01-01", text) is None


@pytest.mark.parametrize(
    ("actual", "less", "less_or_equal", "greater", "greater_or_equal"),
    [("1", True, True, False, False), ("2", False, True, False, True), ("2.5", False, False, True, True)],
)
def test_numbers_are_ordered(
    actual: str, less: bool, less_or_equal: bool, greater: bool, greater_or_equal: bool
) -> None:
    names = ("numericlessthan", "numericlessthanequals", "numericgreaterthan", "numericgreaterthanequals")
    found = [compare(name, actual, "2.0") for name in names]
    assert found == [less, less_or_equal, greater, greater_or_equal]


@pytest.mark.parametrize(
    ("declared", "actual", "fits"),
    [
        ("arn:aws:iam::222222222222:role/*", "arn:aws:iam::222222222222:role/a:b", True),
        ("arn:aws:iam::*:role/a", "arn:aws:iam::222222222222:role/a", True),
        ("arn:aws:logs:*:222222222222:group:a", "arn:aws:logs:eu-west-1:222222222222:group:a", True),
        ("arn:aws:logs:*:222222222222:group", "arn:aws:logs:eu-west-1:222222222222:group:a", False),
        ("arn:aws:iam::*", "arn:aws:iam::222222222222:role/a", None),  # five components
        ("arn:aws:iam::222222222222:role/a", "arn:aws:iam::222222222222", False),
        ("*", "arn:aws:iam::222222222222:role/a", True),
        ("*", "222222222222", False),
    ],
)
def test_the_components_of_an_arn_are_compared_one_by_one(declared: str, actual: str, fits: bool | None) -> None:
    assert compare("arnlike", actual, declared) is fits


def test_policy_variables_and_negated_operators() -> None:
    assert {name for name, operator in OPERATORS.items() if operator.variables} == {
        name for name in OPERATORS if name.startswith(("string", "arn"))
    }
    assert {name for name, operator in OPERATORS.items() if operator.negated} == {
        name for name in OPERATORS if "not" in name
    }


def test_a_fraction_of_a_second_is_later() -> None:
    assert compare("dategreaterthan", "2026-01-01T00:00:00.5Z", "2026-01-01T00:00:00Z") is True
