# SPDX-License-Identifier: GPL-3.0-or-later
"""The request for a session of the pull role, and the callers that must not send it."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    SessionOptions,
    account_of_role,
    caller_problems,
    is_session_of,
    other_external_ids,
    session_problems,
)

OWNER, CONSUMER, OTHER = "111111111111", "222222222222", "333333333333"
ROLE = f"arn:aws:iam::{OWNER}:role/shares/allow_ecr_release"
OPTIONS = SessionOptions(ROLE)


def test_options_of_a_module() -> None:
    params = {
        "role_arn": ROLE,
        "external_id": "one",
        "role_session_name": "host-1",
        "duration_seconds": 900,
        "consumer_account": CONSUMER,
        "registry_account": None,
        "region": "eu-west-1",
    }
    assert SessionOptions.of(params) == SessionOptions(ROLE, "one", "host-1", 900, CONSUMER)


@pytest.mark.parametrize(
    ("options", "request_parameters"),
    [
        (OPTIONS, {"RoleArn": ROLE, "RoleSessionName": "allow_ecr_release"}),
        (
            SessionOptions(ROLE, "one", "host-1", 900, CONSUMER),
            {"RoleArn": ROLE, "RoleSessionName": "host-1", "ExternalId": "one", "DurationSeconds": 900},
        ),
        # AWS requires two characters.
        (SessionOptions("arn:aws:iam::1:role/a"), {"RoleArn": "arn:aws:iam::1:role/a", "RoleSessionName": "a_"}),
        (SessionOptions("arn:aws:iam::1:role/ab"), {"RoleArn": "arn:aws:iam::1:role/ab", "RoleSessionName": "ab"}),
    ],
)
def test_only_given_options_are_sent(options: SessionOptions, request_parameters: dict[str, Any]) -> None:
    assert options.request == request_parameters


@pytest.mark.parametrize("duration", [None, 900, 3600, 43200])
@pytest.mark.parametrize("account", [None, CONSUMER])
def test_valid_options(duration: int | None, account: str | None) -> None:
    options = replace(OPTIONS, external_id="one", duration=duration, consumer_account=account)
    assert list(session_problems(options)) == []


@pytest.mark.parametrize(
    ("changed", "beginnings"),
    [
        ({"duration": 899}, ["duration_seconds is 899; AWS accepts 900 to 43,200"]),
        ({"duration": 43201}, ["duration_seconds is 43201; AWS accepts 900 to 43,200"]),
        ({"duration": 0}, ["duration_seconds is 0; AWS accepts 900 to 43,200"]),
        ({"consumer_account": "2222"}, ["consumer_account: "]),
        ({"consumer_account": ""}, ["consumer_account: "]),
        ({"role_arn": "allow_ecr_release", "duration": 1, "consumer_account": "2222"},
         ["role_arn", "consumer_account: ", "duration_seconds is 1;"]),
        ({"external_id": "a"}, ["external_id"]),
        ({"session_name": "a b"}, ["role_session_name"]),
    ],
)  # fmt: skip
def test_all_invalid_options_are_reported(changed: dict[str, Any], beginnings: list[str]) -> None:
    problems = list(session_problems(replace(OPTIONS, **changed)))
    assert len(problems) == len(beginnings), problems
    for problem, beginning in zip(problems, beginnings):
        assert beginning in problem


@pytest.mark.parametrize(
    ("declared", "caller", "beginning"),
    [
        (None, CONSUMER, ""),
        (CONSUMER, CONSUMER, ""),
        (CONSUMER, OTHER, f"This hand-off is for {CONSUMER}; these credentials are of {OTHER}. Use credentials of"),
        (None, OWNER, f"Role {ROLE} is in account {OWNER}, the account of these credentials."),
        (CONSUMER, OWNER, f"Role {ROLE} is in account {OWNER}, the account of these credentials."),
    ],
)
def test_credentials_of_another_account_are_rejected(declared: str | None, caller: str, beginning: str) -> None:
    problems = list(caller_problems(replace(OPTIONS, consumer_account=declared), caller))
    assert len(problems) == bool(beginning)
    assert all(problem.startswith(beginning) for problem in problems)


@pytest.mark.parametrize(
    ("caller", "expected"),
    [
        (f"arn:aws:sts::{OWNER}:assumed-role/allow_ecr_release/host-1", True),
        (f"arn:aws:sts::{OWNER}:assumed-role/allow_ecr_release2/host-1", False),
        (f"arn:aws:sts::{CONSUMER}:assumed-role/allow_ecr_release/host-1", False),
        (f"arn:aws:iam::{OWNER}:user/allow_ecr_release", False),
    ],
)
def test_session_of_the_role_is_recognized_without_its_path(caller: str, expected: bool) -> None:
    assert is_session_of(caller, ROLE) is expected
    assert is_session_of(caller, None) is False
    assert account_of_role(ROLE) == OWNER


@pytest.mark.parametrize(
    ("external_id", "others"),
    [(None, ()), ("one", (None, "not-one")), ("x" * 1224, (None, "not-" + "x" * 1220))],
)
def test_a_proof_tries_no_external_id_and_a_wrong_one(external_id: str | None, others: tuple[str | None, ...]) -> None:
    assert other_external_ids(replace(OPTIONS, external_id=external_id)) == others


def test_share_without_a_role() -> None:
    options = SessionOptions(None, consumer_account="222222222222", registry_account="111111111111")
    assert list(session_problems(options)) == []
    assert (options.owner_account, options.called) == ("111111111111", "identity")
    assert options.owner_arn("arn:aws-cn:iam::222222222222:user/puller") == "arn:aws-cn:iam::111111111111:root"
    assert list(caller_problems(options, "222222222222")) == []
    (own,) = caller_problems(options, "111111111111")
    assert own.startswith("registry_account 111111111111 is the account of these credentials, so no share is needed.")
    (other,) = caller_problems(options, "333333333333")
    assert other.startswith("This hand-off is for 222222222222; these credentials are of 333333333333.")
    wrong = list(session_problems(SessionOptions(None, "an-id", "a-name", registry_account="1")))
    assert wrong[0].startswith("registry_account: '1' is not an AWS account ID of 12 digits.")
    assert wrong[1:] == [
        "external_id and role_session_name: no role is assumed with registry_account. Remove it.",
    ]
