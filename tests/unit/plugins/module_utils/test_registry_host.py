# SPDX-License-Identifier: GPL-3.0-or-later
"""The host names of a registry that a consumer may choose."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_schema import share_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_host import (
    check_registry_host,
    registry_host_problems,
    registry_hosts,
)
from botocore.loaders import Loader

OWNER, REGION = "111111111111", "us-east-1"
DEFAULT = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com"
DUAL_STACK = f"{OWNER}.dkr-ecr.{REGION}.on.aws"
HOSTS = [DEFAULT, DUAL_STACK, f"{OWNER}.dkr.ecr-fips.{REGION}.amazonaws.com", f"{OWNER}.dkr-ecr-fips.{REGION}.on.aws"]


def role(partition: str = "aws") -> str:
    return f"arn:{partition}:iam::{OWNER}:role/puller"


def problems(host: str | None, region: str | None = REGION) -> list[str]:
    return list(registry_host_problems(host, role(), region))


@pytest.mark.parametrize("host", [None, *HOSTS])
def test_every_name_of_the_registry_is_valid(host: str | None) -> None:
    assert problems(host) == []


@pytest.mark.parametrize(
    "host",
    [
        "",
        DEFAULT.upper(),
        f"https://{DEFAULT}",
        f"{DEFAULT}.",
        f"{DEFAULT}:443",
        f"{DEFAULT}\n",
        DEFAULT.replace(OWNER, "222222222222"),
        DUAL_STACK.replace(REGION, "us-east-2"),
        DUAL_STACK.replace("on.aws", "on.aws.example"),
        f"{OWNER}.dkr-ecr.{REGION}.amazonaws.com",
        f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com.cn",
        "registry.example",
        "127.0.0.1",
    ],
)
def test_other_names_are_rejected_with_the_valid_ones(host: str) -> None:
    valid = f"Valid is {' or '.join(HOSTS)}."
    assert problems(host) == [
        f"registry_host {host!r} is not a host name of the registry of the share. {valid}",
    ]


@pytest.mark.parametrize(
    "host",
    [f"vpce-0a1b-c2d3.dkr.ecr.{REGION}.vpce.amazonaws.com", f"{OWNER}.vpce-0a1b.dkr.ecr.{REGION}.vpce.amazonaws.com"],
)
def test_name_of_a_vpc_endpoint_leads_to_its_private_names(host: str) -> None:
    (problem,) = problems(host)
    assert "is the name of a VPC endpoint, which does not contain the account. Enable private DNS names" in problem
    assert DEFAULT in problem


def test_region_is_required() -> None:
    assert problems(DEFAULT, None) == ["registry_host needs the region of the share. Set region."]


@pytest.mark.parametrize(
    ("partition", "hosts"),
    [
        ("aws-us-gov", HOSTS),
        (
            "aws-cn",
            [f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com.cn", f"{OWNER}.dkr-ecr.{REGION}.on.amazonwebservices.com.cn"],
        ),
        ("aws-eusc", [f"{OWNER}.dkr.ecr.{REGION}.amazonaws.eu", f"{OWNER}.dkr.ecr-fips.{REGION}.amazonaws.eu"]),
        ("aws-iso", [f"{OWNER}.dkr.ecr.{REGION}.c2s.ic.gov"]),
        ("aws-new", []),
    ],
)
def test_names_of_a_partition(partition: str, hosts: list[str]) -> None:
    assert [host for host in registry_hosts(role(partition), REGION) if host in hosts] == hosts
    own = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.eu"
    assert list(registry_host_problems(own, role(partition), REGION, own)) == []


PARTITIONS = [(one["id"], one["outputs"]["dnsSuffix"]) for one in Loader().load_data("partitions")["partitions"]]


def test_botocore_has_several_partitions() -> None:
    assert {"aws", "aws-cn", "aws-eusc", "aws-us-gov"} <= {name for name, _suffix in PARTITIONS}


@pytest.mark.parametrize(("partition", "suffix"), PARTITIONS)
def test_default_name_is_valid_in_every_partition(partition: str, suffix: str) -> None:
    for name in ("dkr.ecr", "dkr.ecr-fips"):
        check_registry_host(f"{OWNER}.{name}.{REGION}.{suffix}", role(partition), REGION)
    with pytest.raises(EcrError, match=f"Valid is {OWNER}"):
        check_registry_host(f"222222222222.dkr.ecr.{REGION}.{suffix}", role(partition), REGION)


VALUES = {
    "ecr_pull_role_arn": role(),
    "ecr_pull_consumer_account": "222222222222",
    "ecr_pull_shared_at": "2026-01-31T23:59:59Z",
    "ecr_pull_region": REGION,
    "ecr_pull_registry": DEFAULT,
    "ecr_pull_repository_tags": {"environment": "release"},
    "ecr_pull_access": "pull",
    "ecr_pull_repositories": ["release"],
    "ecr_pull_denied": [],
    "ecr_pull_images": [],
}


def test_consumer_chooses_the_host_of_a_hand_off() -> None:
    share = share_of(VALUES, {}, None, None, DUAL_STACK)
    assert (share.registry, share.values()["registry_host"]) == (DEFAULT, DUAL_STACK)
    assert "registry_host" not in share_of(VALUES, {}, None, None).values()
    with pytest.raises(EcrError, match="is not a host name of the registry of the share"):
        share_of(VALUES, {}, None, None, DUAL_STACK.replace(OWNER, "333333333333"))


def test_hand_off_cannot_choose_a_host() -> None:
    with pytest.raises(EcrError, match="A hand-off cannot contain ecr_pull_registry_host"):
        share_of({**VALUES, "ecr_pull_registry_host": DUAL_STACK}, {}, None, None)
