# SPDX-License-Identifier: GPL-3.0-or-later
"""Which principals a statement names."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import (
    ANYWAY,
    DIRECT,
    NAMED,
    Principal,
    Reach,
    includes,
    read_names,
    some_principal,
    whole_account,
)

from tests.unit.callers import CALLERS, ONE, PROVIDER, ROLE, ROOT, SESSION, TWO, USER

AWS_CALLERS = {"user", "session", "session with path", "role", "root", "someone of the account", "someone"}
OF_THE_ACCOUNT = AWS_CALLERS - {"someone"}
OTHER_KINDS = set(CALLERS) - AWS_CALLERS


@pytest.mark.parametrize(
    ("principal", "named", "unknown"),
    [
        ("*", AWS_CALLERS, OTHER_KINDS),
        ({"AWS": "*"}, AWS_CALLERS, OTHER_KINDS),
        ({"AWS": ONE}, OF_THE_ACCOUNT, {"someone"}),
        ({"AWS": ROOT}, OF_THE_ACCOUNT, {"someone"}),
        ({"AWS": [TWO, ONE]}, OF_THE_ACCOUNT, {"someone"}),
        ({"AWS": TWO}, set(), {"someone"}),
        ({"AWS": USER}, {"user"}, {"someone", "someone of the account"}),
        ({"AWS": USER.upper()}, set(), {"someone", "someone of the account"}),
        ({"AWS": ROLE}, {"session", "session with path", "role"}, {"someone", "someone of the account"}),
        ({"AWS": ROLE.replace(ONE, TWO)}, set(), {"someone"}),
        ({"AWS": ROLE.replace("role", "user")}, set(), {"someone", "someone of the account"}),
        ({"AWS": SESSION}, {"session", "session with path"}, {"someone", "someone of the account"}),
        ({"AWS": SESSION + "2"}, set(), {"someone", "someone of the account"}),
        ({"AWS": f"arn:aws:iam::{ONE}:user/*"}, set(), AWS_CALLERS),  # IAM does not accept it
        ({"AWS": "AIDAEXAMPLEEXAMPLE123"}, {"user"}, set()),
        ({"AWS": "AROAEXAMPLEEXAMPLE123"}, {"session"}, set()),
        ({"Service": "ec2.amazonaws.com"}, {"service"}, set()),
        ({"Service": ["ecs.amazonaws.com", "ec2.amazonaws.com"]}, {"service"}, set()),
        ({"Service": "ecs.amazonaws.com"}, set(), set()),
        ({"Federated": PROVIDER}, {"provider"}, set()),
        ({"CanonicalUser": "79a59df900b949e5"}, {"canonical"}, set()),
        ({"Service": "ec2.amazonaws.com", "AWS": USER}, {"service", "user"}, {"someone", "someone of the account"}),
    ],
)
def test_a_principal_is_named(principal: Any, named: set[str], unknown: set[str]) -> None:
    answers = {name: includes(read_names(principal, False), caller).holds for name, caller in CALLERS.items()}
    assert {name for name, answer in answers.items() if answer} == named
    assert {name for name, answer in answers.items() if answer is None} == unknown


@pytest.mark.parametrize(
    ("listed", "caller", "applies"),
    [
        ({"AWS": [USER, ROOT]}, "user", False),
        ({"AWS": [USER, ONE]}, "user", False),
        ({"AWS": USER}, "user", None),  # AWS may compare the account first
        ({"AWS": ROOT}, "user", None),
        ({"AWS": [f"{USER}2", TWO]}, "user", True),
        ({"AWS": [ROLE, ROOT]}, "session", False),
        ({"AWS": [SESSION, ROOT]}, "session", False),
        ({"AWS": SESSION}, "session", None),
        ({"AWS": USER}, "session", True),
        ({"AWS": "*"}, "user", False),
        ({"Service": "ec2.amazonaws.com"}, "service", False),
        ({"Service": "ec2.amazonaws.com"}, "user", True),
        ({"AWS": USER}, "service", True),
        ({"AWS": USER}, "someone", None),
        ({"AWS": TWO}, "someone of the account", True),
    ],
)
def test_a_principal_is_exempt(listed: Any, caller: str, applies: bool | None) -> None:
    assert includes(read_names(listed, True), CALLERS[caller]).holds is applies


@pytest.mark.parametrize("value", ["someone", "", {}, [], None, {"AWS": 1}, {"AWS": [None]}, {"User": "x"}, ["*"]])
def test_a_principal_of_another_form_is_rejected(value: Any) -> None:
    with pytest.raises(ValueError, match="its Principal"):
        read_names(value, False)


@pytest.mark.parametrize("arn", ["", "user", "arn:aws:s3:::bucket", "arn:aws:iam::1:user/a"])
def test_invalid_arn_of_a_principal_is_rejected(arn: str) -> None:
    with pytest.raises(ValueError, match="is not the ARN of a principal"):
        Principal.of(arn)


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
    assert whole_account(value) == account


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


def test_not_principal_alone_names_no_principal() -> None:
    others, user = read_names({"AWS": "333333333333"}, True), Principal.of(f"arn:aws:iam::{ONE}:user/a")
    assert includes(others, user, ANYWAY).holds is True
    assert includes(others, user, DIRECT).holds is False


def test_a_principal_may_have_all_kinds() -> None:
    value = {"AWS": ONE, "Service": "ec2.amazonaws.com", "Federated": "x", "CanonicalUser": "y"}
    assert read_names(value, False).listed == tuple(value.items())


@pytest.mark.parametrize(
    ("listed", "caller", "reaches"),
    [
        ("*", "user", {Reach.EVERYONE}),
        ({"AWS": ONE}, "user", {Reach.ACCOUNT}),
        ({"AWS": ROOT}, "user", {Reach.ACCOUNT}),
        ({"AWS": ROOT}, "root", {Reach.ACCOUNT, Reach.ITSELF}),
        ({"AWS": USER}, "user", {Reach.ITSELF}),
        ({"AWS": ROLE}, "session", {Reach.ROLE}),
        ({"AWS": ROLE}, "role", {Reach.ITSELF}),
        ({"AWS": SESSION}, "session", {Reach.ITSELF}),
        ({"AWS": "AROAEXAMPLEEXAMPLE123"}, "session", {Reach.ITSELF}),
        ({"Service": "ec2.amazonaws.com"}, "service", {Reach.ITSELF}),
        ({"AWS": TWO}, "user", set()),
    ],
)
def test_ways_in_which_a_principal_is_matched(listed: Any, caller: str, reaches: set[Reach]) -> None:
    names = read_names(listed, False)
    assert {reach for reach in Reach if includes(names, CALLERS[caller], frozenset({reach})).holds} == reaches
    assert includes(names, CALLERS[caller], NAMED).holds is bool(reaches - {Reach.ACCOUNT})
    assert includes(names, CALLERS[caller], DIRECT).holds is (Reach.ITSELF in reaches)


@pytest.mark.parametrize(
    ("entity", "role", "of_the_session"),
    [
        ("assumed-role/r/s", "", "role/r"),
        ("assumed-role/r/s", f"arn:aws:iam::{ONE}:role/ci/r", "role/ci/r"),
        ("assumed-role/r/s", f"arn:aws:iam::{TWO}:role/ci/r", "role/r"),
        ("assumed-role/r/s", f"arn:aws-cn:iam::{ONE}:role/ci/r", "role/r"),
        ("user/a", f"arn:aws:iam::{ONE}:role/ci/r", ""),
    ],
)
def test_session_has_its_role(entity: str, role: str, of_the_session: str) -> None:
    principal = Principal.of(f"arn:aws:sts::{ONE}:{entity}", role, "AROAEXAMPLEEXAMPLE123:s")
    assert principal.role == (f"arn:aws:iam::{ONE}:{of_the_session}" if of_the_session else "")
    assert (principal.account, principal.unique_id) == (ONE, "AROAEXAMPLEEXAMPLE123")


def test_only_the_root_user_is_root() -> None:
    assert {name for name, caller in CALLERS.items() if caller.is_root} == {"root"}
    assert not Principal("Service", "x:root").is_root
