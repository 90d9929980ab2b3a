"""What a value of a Principal names."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import account_of

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
