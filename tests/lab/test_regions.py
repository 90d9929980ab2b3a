# SPDX-License-Identifier: GPL-3.0-or-later
"""In a region that an account has not enabled, each service refuses as on AWS."""

from __future__ import annotations

from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, refusal, trust

UNKNOWN_KEY = "The security token included in the request is invalid"
DISABLED = ("af-south-1", "ap-east-1", "eu-south-1", "me-south-1")


def client(lab: Lab, service: str, region: str, profile: str = "consumer") -> Any:
    return lab.session(profile).client(service, region_name=region)


@pytest.mark.parametrize("region", DISABLED)
def test_region_that_is_not_enabled(lab: Lab, region: str) -> None:
    owner = client(lab, "ecr", region, "owner")
    assert refusal(owner.describe_repositories) == ("UnrecognizedClientException", UNKNOWN_KEY)
    assert refusal(owner.get_authorization_token) == ("UnrecognizedClientException", UNKNOWN_KEY)
    tagging = client(lab, "resourcegroupstaggingapi", region, "owner")
    assert refusal(tagging.get_resources) == ("UnrecognizedClientException", UNKNOWN_KEY)
    sts = client(lab, "sts", region)
    assert refusal(sts.get_caller_identity) == ("InvalidClientTokenId", f"{UNKNOWN_KEY}.")
    role = {"RoleArn": f"arn:aws:iam::{accounts.OWNER}:role/any", "RoleSessionName": "any"}
    sentence = (
        f"STS is not activated in this region for account:{accounts.CONSUMER}. Your account administrator can activate"
        " STS in this region using the IAM Console."
    )
    assert refusal(sts.assume_role, **role) == ("RegionDisabledException", sentence)


def test_region_that_is_enabled_by_default(lab: Lab) -> None:
    role = Account(lab).role(trust(accounts.CONSUMER), allow("*"))
    assert client(lab, "ecr", "us-west-2", "owner").describe_repositories()["repositories"] == []
    assert client(lab, "sts", "us-west-2").assume_role(RoleArn=role, RoleSessionName="any")["Credentials"]


def test_iam_has_no_regions(lab: Lab) -> None:
    assert client(lab, "iam", "me-south-1", "owner").list_roles()["ResponseMetadata"]


def test_wrong_secret_comes_first(lab: Lab) -> None:
    key = lab.session("owner").get_credentials().access_key
    session = lab.session("owner", aws_access_key_id=key, aws_secret_access_key="w" * 40)
    ecr = session.client("ecr", region_name="me-south-1")
    assert refusal(ecr.describe_repositories)[0] == "InvalidSignatureException"
