# SPDX-License-Identifier: GPL-3.0-or-later
"""The declared account of a module."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import OwnerAccount, RegistryAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

OWNER, ONE = "111111111111", "222222222222"


@pytest.mark.parametrize("declared", [None, OWNER, "012345678901"])
def test_a_valid_owner_account(declared: str | None) -> None:
    assert list(OwnerAccount(declared).problems()) == []


@pytest.mark.parametrize(
    "declared", [111111111111, 1402433619, "11111111111", "1111-1111-1111", "", "1" * 12 + "\n", [OWNER]]
)
def test_an_invalid_owner_account(declared: Any) -> None:
    (problem,) = OwnerAccount(declared).problems()
    assert problem.startswith(f"owner_account: {declared!r} is ")


@pytest.mark.parametrize("declared", [None, OWNER])
def test_the_credentials_are_of_the_declared_account(declared: str | None) -> None:
    OwnerAccount(declared).check(OWNER)


def test_credentials_of_another_account_are_rejected() -> None:
    with pytest.raises(EcrError) as caught:
        OwnerAccount(OWNER).check(ONE)
    assert str(caught.value) == (
        f"The credentials belong to account {ONE}, but the declared owner account is {OWNER}. Use credentials of"
        f" account {OWNER}, or correct owner_account."
    )


def test_a_registry_has_an_option_of_its_own() -> None:
    account = RegistryAccount.of({"account": "1"})
    (problem,) = account.problems()
    assert problem.startswith("account: '1' is ")
    with pytest.raises(EcrError, match=r"but the declared account is 1\. .* or correct account\.$"):
        account.check(ONE)
