# SPDX-License-Identifier: GPL-3.0-or-later
"""Texts and ARNs that match the patterns of policies."""

from __future__ import annotations

import itertools
import random

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _wildcard
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_patterns import (
    FRESH,
    account_in,
    account_within,
    common,
    named_within,
    texts_of,
    within_account,
)

from tests.unit.audited_estates import CONSUMER


def fits(pattern: str, text: str) -> bool:
    return _wildcard.matches(((pattern, True),), text)


@pytest.mark.parametrize(
    ("first", "second", "shortest", "longest"),
    [
        ("ci-*", "*-prod", "ci-prod", "ci-F-prod"),
        ("a*", "*", "aF", "aF"),
        ("*a*", "*b*", "FaFbF", "FaFbF"),
        ("a?c", "?b?", "abc", "abc"),
        ("??", "a?", "aF", "aF"),
        ("abc", "abc", "abc", "abc"),
        ("abc", "abd", None, None),
        ("abc", "ab", None, None),
        ("a*", "b*", None, None),
        ("", "*", "", ""),
        ("", "?", None, None),
        ("*:role/ci", "arn:aws:iam::1:role/*", "arn:aws:iam::1:role/ci", "arn:aws:iam::1:role/F:role/ci"),
    ],
)
def test_text_that_matches_two_patterns(first: str, second: str, shortest: str | None, longest: str | None) -> None:
    assert {common(first, second, "F"), common(second, first, "F")} <= {shortest, "FbFaF"}
    assert {common(first, second, "F", True), common(second, first, "F", True)} <= {longest, "FbFaF"}


def test_random_patterns_have_a_common_text_if_one_exists() -> None:
    pick = random.Random(1)  # noqa: S311
    texts = ["".join(letters) for size in range(6) for letters in itertools.product("ab", repeat=size)]
    for _number in range(1000):
        first, second = ("".join(pick.choices("ab*?", k=pick.randint(0, 4))) for _pattern in range(2))
        for longest in (False, True):
            found = common(first, second, "a", longest)
            if found is None:
                assert not any(fits(first, text) and fits(second, text) for text in texts), (first, second)
            else:
                assert [fits(first, found), fits(second, found)] == [True, True], (first, second, found)
        within = common(first, second, "*")
        assert within is None or all(fits(first, one) and fits(second, one) for one in texts if fits(within, one))


def test_texts_avoid_other_patterns() -> None:
    found = texts_of(["ci-*", "ci-x*", "*-prod"])
    assert {f"ci-{FRESH}", "ci-x", "ci-prod", f"ci-{FRESH}-prod", f"{FRESH}-prod"} <= {*found}
    assert texts_of([]) == []


@pytest.mark.parametrize(
    ("pattern", "within", "name"),
    [
        ("arn:aws:iam::*:role/ci-*", [f"arn:aws:iam::{CONSUMER}:role/ci-*"], f"arn:aws:iam::{CONSUMER}:role/ci-*"),
        ("*:role/ci", [f"arn:aws:iam::{CONSUMER}:role/ci"], f"arn:aws:iam::{CONSUMER}:role/ci"),
        (
            "*/dev_*",
            [f"arn:aws:iam::{CONSUMER}:user/dev_*", f"arn:aws:iam::{CONSUMER}:role/dev_*"],
            f"arn:aws:iam::{CONSUMER}:role/dev_*",
        ),
        ("arn:aws-cn:iam::*:user/a", [f"arn:aws-cn:iam::{CONSUMER}:user/a"], f"arn:aws-cn:iam::{CONSUMER}:user/a"),
        (
            "arn:aws:sts::*:federated-user/*",
            [f"arn:aws:sts::{CONSUMER}:federated-user/*"],
            f"arn:aws:sts::{CONSUMER}:federated-user/*",
        ),
    ],
)
def test_principals_of_an_account_that_match(pattern: str, within: list[str], name: str) -> None:
    assert within_account(pattern, CONSUMER, "aws") == within
    assert named_within(pattern, CONSUMER, within) == name


def test_no_principal_of_another_account_or_kind_matches() -> None:
    for pattern in ("arn:aws:iam::3*:role/ci", "arn:aws:s3:::*", "ci", "arn:aws:iam::*:group/a"):
        assert within_account(pattern, CONSUMER, "aws") == [], pattern


def test_accounts_in_patterns() -> None:
    assert account_in(f"arn:aws:iam::{CONSUMER}:role/*") == CONSUMER
    assert [account_in(one) for one in ("arn:aws:iam::*:role/a", "*", "", "arn:aws:iam::1:role/a")] == [""] * 4
    assert [account_within(one) for one in ("2222*", "*", "x*", "1")] == ["222200000000", "0" * 12, "", ""]
