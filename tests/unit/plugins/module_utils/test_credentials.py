# SPDX-License-Identifier: GPL-3.0-or-later
"""Keys and regions that are wrong before they are used."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._credentials import (
    key_problems,
    zone_problem,
)

KEY, SECRET, TOKEN = "AKIAIOSFODNN7EXAMPLE", "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", "IQoJb3JpZ2luX2VjEOr/" * 8


@pytest.mark.parametrize("keys", [(KEY, SECRET, TOKEN), (KEY, SECRET, None), (KEY, SECRET, ""), (None, None, None)])
def test_keys_that_can_be_used(keys: tuple[str | None, str | None, str | None]) -> None:
    assert list(key_problems(*keys)) == []


@pytest.mark.parametrize(
    ("spoil", "fact"),
    [
        (lambda value: value + "\n", "contains a line break"),
        (lambda value: value + "\r\n", "contains a line break"),
        (lambda value: value[:9] + "\n" + value[9:], "contains a line break"),
        (lambda value: " " + value, "begins or ends with white space"),
        (lambda value: value + "\t", "begins or ends with white space"),
        (lambda value: value[:5] + " " + value[5:], "not printable ASCII"),
        (lambda value: value + "é", "not printable ASCII"),
        (lambda value: "\ufeff" + value, "not printable ASCII"),
        (lambda value: value + "\x00", "not printable ASCII"),
    ],
)
@pytest.mark.parametrize(("place", "name"), [(0, "access key ID"), (1, "secret access key"), (2, "session token")])
def test_a_value_that_no_header_can_hold(spoil: object, fact: str, place: int, name: str) -> None:
    keys = [KEY, SECRET, TOKEN]
    keys[place] = spoil(keys[place])  # type: ignore[operator]
    (problem,) = key_problems(*keys)
    assert problem.startswith(f"The {name} ")
    assert fact in problem
    assert not any(value[:8] in problem for value in (KEY, SECRET, TOKEN))


def test_all_problems_at_once() -> None:
    assert len(list(key_problems(KEY + "\n", SECRET + " ", TOKEN + "\r\n"))) == 3


@pytest.mark.parametrize(("access_key", "secret_key"), [(KEY, None), (None, SECRET), ("", SECRET), (KEY, "")])
def test_half_of_the_keys(access_key: str | None, secret_key: str | None) -> None:
    (problem,) = key_problems(access_key, secret_key, TOKEN)
    assert "Set both, or none of them." in problem


@pytest.mark.parametrize("region", ["eu-west-1a", "ap-northeast-1d", "us-gov-west-1b", "cn-north-1a"])
def test_an_availability_zone_is_not_a_region(region: str) -> None:
    (problem,) = zone_problem(region)
    assert f"Set the region {region[:-1]}," in problem


@pytest.mark.parametrize("region", ["eu-west-1", "us-gov-west-1", "eusc-de-east-1", "", "local", "eu-west-1aa"])
def test_a_region_is_not_a_zone(region: str) -> None:
    assert list(zone_problem(region)) == []
