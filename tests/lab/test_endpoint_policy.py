# SPDX-License-Identifier: GPL-3.0-or-later
"""The policy of the VPC endpoint decides about the requests that come through it, and about no others."""

from __future__ import annotations

import http.client
import json
import urllib.parse
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import PREFIX, RELEASE, Account, allow, denial, deny, trust

ANYONE: dict[str, Any] = {"Principal": "*"}
IN_ENDPOINT = "with an explicit deny in a VPC endpoint policy"
NAMED = {"repositoryName": "release"}


def missing(action: str) -> str:
    return f"because no VPC endpoint policy allows the {action} action"


def through(lab: Lab, service: str, profile: str = "owner") -> Any:
    """A client whose requests come through the VPC endpoint."""
    return lab.session(profile).client(service, endpoint_url=lab.vpc_endpoint)


def test_endpoint_without_a_policy_allows_everything(lab: Lab) -> None:
    assert through(lab, "ecr").describe_images(**NAMED)["imageDetails"]
    assert through(lab, "sts", "consumer").get_caller_identity()["Account"] == accounts.CONSUMER


def test_endpoint_policy_has_to_allow_a_call(lab: Lab) -> None:
    with lab.endpoint_policy(allow("ecr:DescribeImages", **ANYONE)):
        ecr = through(lab, "ecr")
        assert not denial(ecr.describe_images, **NAMED)
        assert denial(ecr.list_images, **NAMED) == missing("ecr:ListImages")
        assert denial(ecr.get_authorization_token) == missing("ecr:GetAuthorizationToken")
        assert not denial(lab.client("owner", "ecr").list_images, **NAMED)
    assert not denial(ecr.list_images, **NAMED)


def test_endpoint_policy_denies_by_each_element(lab: Lab) -> None:
    administrator = f"{PREFIX}user/administrator"
    foreign = {"Condition": {"StringNotEquals": {"aws:ResourceAccount": accounts.CONSUMER}}}
    for statement in (
        deny("ecr:*", **ANYONE),
        deny("ecr:ListImages", Principal={"AWS": administrator}),
        {**deny("ecr:ListImages", **ANYONE), "Resource": RELEASE},
        deny("*", **ANYONE, **foreign),
    ):
        with lab.endpoint_policy(allow("*", **ANYONE), statement):
            assert denial(through(lab, "ecr").list_images, **NAMED) == IN_ENDPOINT, statement
    with lab.endpoint_policy(allow("*", **ANYONE), deny("*", Principal={"AWS": f"{PREFIX}user/other"})):
        assert not denial(through(lab, "ecr").list_images, **NAMED)


def test_policies_of_the_caller_decide_as_well(lab: Lab) -> None:
    user = Account(lab).user_session(allow("ecr:DescribeImages")).client("ecr", endpoint_url=lab.vpc_endpoint)
    with lab.endpoint_policy(allow("*", **ANYONE)):
        assert not denial(user.describe_images, **NAMED)
        expected = "because no identity-based policy allows the ecr:ListImages action"
        assert denial(user.list_images, **NAMED) == expected


def test_repository_policy_does_not_lift_endpoint_policy(lab: Lab) -> None:
    ecr = lab.client("owner", "ecr")
    statement = allow("ecr:ListImages", Principal={"AWS": f"{PREFIX}user/administrator"})
    del statement["Resource"]
    ecr.set_repository_policy(**NAMED, policyText=json.dumps({"Version": "2012-10-17", "Statement": statement}))
    with lab.endpoint_policy(allow("ecr:DescribeImages", **ANYONE)):
        assert denial(through(lab, "ecr").list_images, **NAMED) == missing("ecr:ListImages")
    ecr.delete_repository_policy(**NAMED)


def test_endpoint_policy_denies_assume_role(lab: Lab) -> None:
    role = Account(lab).role(trust(accounts.CONSUMER), allow("*"))
    sts = through(lab, "sts", "consumer")
    arguments = {"RoleArn": role, "RoleSessionName": "any"}
    with lab.endpoint_policy(allow("ecr:*", **ANYONE)):
        assert denial(sts.assume_role, **arguments) == missing("sts:AssumeRole")
        assert sts.get_caller_identity()["Account"] == accounts.CONSUMER
    with lab.endpoint_policy(allow("*", **ANYONE), {**deny("sts:AssumeRole", **ANYONE), "Resource": role}):
        assert denial(sts.assume_role, **arguments) == IN_ENDPOINT
    assert sts.assume_role(**arguments)["Credentials"]


def test_registry_is_behind_the_endpoint_as_well(lab: Lab) -> None:
    data = through(lab, "ecr").get_authorization_token()["authorizationData"][0]
    assert data["proxyEndpoint"] == lab.vpc_endpoint
    path = f"/v2/release/manifests/{accounts.IMAGE_TAG}"
    headers = {"Authorization": f"Basic {data['authorizationToken']}"}
    with lab.endpoint_policy(allow("ecr:GetDownloadUrlForLayer", **ANYONE)):
        for url, status in ((lab.vpc_endpoint, 403), (lab.endpoint, 200)):
            connection = http.client.HTTPConnection(urllib.parse.urlsplit(url).netloc, timeout=300)
            connection.request("GET", path, headers=headers)
            reply = connection.getresponse()
            answer = reply.read().decode()
            assert reply.status == status
            assert (missing("ecr:BatchGetImage") in answer) == (status == 403)


@pytest.mark.parametrize("operator", ["StringEquals", "StringNotEquals"])
def test_endpoint_is_a_condition_key(lab: Lab, operator: str) -> None:
    session = Account(lab).user_session(
        allow("ecr:ListImages", Condition={operator: {"aws:SourceVpce": "vpce-0123456789abcdef0"}})
    )
    urls = (lab.endpoint, lab.vpc_endpoint)
    refused = [url for url in urls if denial(session.client("ecr", endpoint_url=url).list_images, **NAMED)]
    assert refused == [urls[operator == "StringNotEquals"]]
