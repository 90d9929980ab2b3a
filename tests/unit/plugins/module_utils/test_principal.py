"""What a value of a Principal names."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import (
    ANYWAY,
    DIRECT,
    Principal,
    account_of,
    includes,
    read_names,
    some_principal,
)

ONE = "222222222222"


@pytest.mark.parametrize(
    ("value", "account"),
    [
        (ONE, ONE),
        (f"arn:aws:iam::{ONE}:root", ONE),
        (f"arn:aws-us-gov:iam::{ONE}:root", ONE),
        (f"arn:aws:iam::{ONE}", ""),
        (f"arn:aws:iam::{ONE}:user/root", ""),
        (f"arn:aws:sts::{ONE}:root", ""),
        (f"{ONE}0", ""),
        ("*", ""),
        ("", ""),
    ],
)
def test_an_account_is_named_by_its_id_or_its_root(value: str, account: str) -> None:
    assert account_of(value) == account


@pytest.mark.parametrize(
    ("kind", "value", "principal"),
    [
        ("AWS", f"arn:aws:iam::{ONE}:user/a", Principal.of(f"arn:aws:iam::{ONE}:user/a")),
        ("AWS", f"arn:aws:sts::{ONE}:assumed-role/r/s", Principal.of(f"arn:aws:sts::{ONE}:assumed-role/r/s")),
        # Any principal of the account, because a value with a wildcard is the ARN of none.
        ("AWS", f"arn:aws:iam::{ONE}:user/*", Principal(account=ONE)),
        ("AWS", f"arn:aws:iam::{ONE}:user/a?", Principal(account=ONE)),
        ("AWS", f"arn:aws:iam::{ONE}:root", Principal(account=ONE)),
        ("AWS", ONE, Principal(account=ONE)),
        ("AWS", "*", Principal()),
        ("AWS", "AIDAEXAMPLEEXAMPLE123", Principal()),
        ("Service", "ec2.amazonaws.com", Principal("Service", "ec2.amazonaws.com")),
    ],
)
def test_any_of_the_principals_that_a_value_names(kind: str, value: str, principal: Principal) -> None:
    assert some_principal(kind, value) == principal


def test_a_not_principal_names_nobody_by_itself() -> None:
    others, user = read_names({"AWS": "333333333333"}, True), Principal.of(f"arn:aws:iam::{ONE}:user/a")
    assert includes(others, user, ANYWAY).holds is True
    assert includes(others, user, DIRECT).holds is False
