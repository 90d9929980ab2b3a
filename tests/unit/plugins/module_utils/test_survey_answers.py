"""An answer of a survey that can mean one account only is taken; one that could mean less than that is refused."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import consumer_of, consumers_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import explain
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_of, account_problems

ACCOUNT = "222222222222"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/puller"


@pytest.mark.parametrize(
    "answer",
    [ACCOUNT, f" {ACCOUNT}\n", "2222-2222-2222", f"arn:aws:iam::{ACCOUNT}:root", f"\tarn:aws:iam::{ACCOUNT}:root "],
)
def test_what_means_one_account_is_taken(answer: str) -> None:
    assert account_of(answer, "aws") == ACCOUNT


@pytest.mark.parametrize(
    "answer",
    [
        USER,
        f"arn:aws:iam::{ACCOUNT}:role/ci",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/session",
        f"arn:aws-cn:iam::{ACCOUNT}:root",  # of another partition
        f"arn:aws:iam::{ACCOUNT}:root/x",
        f"arn:aws:iam::{ACCOUNT}:user/root",
        "222-222-222-222",
        "2222 2222 2222",
        "22222222222",
        f"{ACCOUNT}, 333333333333",
        "",
        222222222222,
        None,
    ],
)
def test_what_could_mean_something_else_is_not(answer: Any) -> None:
    account = account_of(answer, "aws")
    assert account == answer
    (problem,) = account_problems(account)
    assert "is not an AWS account ID of 12 digits. " in problem
    # The problem is the consumer's, whoever else is declared well.
    consumer = consumer_of({"account": account, "external_id": "test"})
    assert list(consumers_problems([consumer], "aws")) == [f"Consumer 1: {problem}"]


def test_the_arn_of_a_user_is_told_where_it_belongs() -> None:
    told = f'To trust only user/team/puller, declare account: "{ACCOUNT}" with principals: [user/team/puller].'
    assert told in "".join(account_problems(USER))
    assert 'Write the digits, as in account: "222222222222".' in "".join(account_problems("release"))


def test_missing_credentials_in_a_job_of_awx_name_the_types_to_attach() -> None:
    class NoCredentialsError(Exception):
        pass

    in_awx = explain(NoCredentialsError(), {"AWX_HOST": "https://awx.example.com"})
    assert "Attach a credential of the type ECR owner account to share and unshare" in in_awx
    assert "Name a profile" in explain(NoCredentialsError(), {"HOME": "/home/me"})
    assert "Name a profile" in explain(NoCredentialsError())
