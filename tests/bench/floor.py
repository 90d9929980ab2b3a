# SPDX-License-Identifier: GPL-3.0-or-later
"""The floor: a script with boto3 and nothing else. `python -m tests.bench.floor WORK …`.

tags COUNT             who is it, and the tags of each repository, with 32 threads
tag COUNT READS        the same, then TagResources by 20, then the tags of each again, READS times, with pauses
policies COUNT         who is it, and the policy of each repository, with 32 threads
discover TAG VALUE     every repository of the registry, and the tags of each, with 32 threads
tagged TAG VALUE       every repository with the tag, from the pages of the Resource Groups Tagging API
audit                  the IAM configuration, and the tags and the policy of every repository, with 32 threads
replication PREFIX     the rules, the registry policy, and the images of each repository and its copy, with 32 threads
look COUNT REGIONS     as many roles with their policies, and in each region the repository of each, with 32 threads
prove ROLE COUNT TOTAL what `ecr_access_info` asks, one call after another
"""

from __future__ import annotations

import contextlib
import functools
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import boto3
from botocore.config import Config
from botocore.exceptions import ClientError

from .names import SHARED_BY, names, several, shared

THREADS = 32
PAUSE = 0.25  # seconds between two reads in a row, as the collection's modules have by default
NO_DIGEST = "sha256:" + "0" * 64


def client(service: str, **keys: str) -> Any:
    return boto3.client(service, config=Config(max_pool_connections=THREADS), **keys)


def arns(requested: list[str]) -> list[str]:
    sts = client("sts")
    prefix = f"arn:aws:ecr:{sts.meta.region_name}:{sts.get_caller_identity()['Account']}:repository/"
    return [prefix + name for name in requested]


def read(ecr: Any, requested: list[str]) -> list[dict[str, str]]:
    def tags_of(arn: str) -> dict[str, str]:
        return {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}

    with ThreadPoolExecutor(THREADS) as pool:
        return list(pool.map(tags_of, requested))


def tags(count: int) -> None:
    read(client("ecr"), arns(names(count)))


def policies(count: int) -> None:
    ecr = client("ecr")
    client("sts").get_caller_identity()
    with ThreadPoolExecutor(THREADS) as pool:
        found = list(pool.map(lambda name: ecr.get_repository_policy(repositoryName=name)["policyText"], names(count)))
    assert all("BatchGetImage" in text for text in found)


def tag(count: int, reads: int) -> None:
    ecr, requested = client("ecr"), arns(names(count))
    listed = read(ecr, requested)
    left = [arn for arn, current in zip(requested, listed) if not SHARED_BY.items() <= current.items()]
    tagging = client("resourcegroupstaggingapi")
    for at in range(0, len(left), 20):
        assert not tagging.tag_resources(ResourceARNList=left[at : at + 20], Tags=SHARED_BY)["FailedResourcesMap"]
    for number in range(reads):
        time.sleep(PAUSE if number else 0)
        assert all(SHARED_BY.items() <= current.items() for current in read(ecr, left))


def discover(key: str, value: str) -> None:
    ecr = client("ecr")
    pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
    listed = [repository["repositoryArn"] for page in pages for repository in page["repositories"]]
    print(sum(current.get(key) == value for current in read(ecr, listed)))


def tagged(key: str, value: str) -> None:
    pages = (
        client("resourcegroupstaggingapi")
        .get_paginator("get_resources")
        .paginate(
            ResourceTypeFilters=["ecr:repository"], TagFilters=[{"Key": key, "Values": [value]}], ResourcesPerPage=100
        )
    )
    print(sum(len(page["ResourceTagMappingList"]) for page in pages))


def audit() -> None:
    """Read what decides who can access the repositories, with the fewest calls."""
    ecr, iam = client("ecr"), client("iam")

    def details() -> int:
        pages = iam.get_paginator("get_account_authorization_details").paginate(PaginationConfig={"PageSize": 1000})
        return sum(len(page["RoleDetailList"]) for page in pages)

    def policy_of(name: str) -> str:
        with contextlib.suppress(ecr.exceptions.RepositoryPolicyNotFoundException):
            return str(ecr.get_repository_policy(repositoryName=name)["policyText"])
        return ""

    with ThreadPoolExecutor(THREADS) as pool:
        roles = pool.submit(details)
        with contextlib.suppress(ecr.exceptions.RegistryPolicyNotFoundException):
            ecr.get_registry_policy()
        ecr.describe_registry()
        ecr.describe_pull_through_cache_rules()
        ecr.describe_repository_creation_templates()
        pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
        found = [one for page in pages for one in page["repositories"]]
        policies = pool.map(policy_of, [one["repositoryName"] for one in found])
        tags = pool.map(lambda one: ecr.list_tags_for_resource(resourceArn=one["repositoryArn"])["tags"], found)
        print(roles.result(), len(list(policies)), len(list(tags)))


def replication(prefix: str) -> None:
    """Read what decides whether a replication is as declared, and whether each image has a copy."""
    owner, consumer = (
        boto3.Session(profile_name=profile).client("ecr", config=Config(max_pool_connections=THREADS))
        for profile in ("owner", "consumer-administrator")
    )
    owner.describe_registry()
    owner.list_replication_backfills()
    consumer.get_registry_policy()

    def digests(ecr: Any, name: str) -> set[str]:
        pages = ecr.get_paginator("describe_images").paginate(repositoryName=name, PaginationConfig={"PageSize": 1000})
        return {image["imageDigest"] for page in pages for image in page["imageDetails"]}

    found = []
    with ThreadPoolExecutor(THREADS) as pool:
        for ecr in (owner, consumer):
            pages = ecr.get_paginator("describe_repositories").paginate(PaginationConfig={"PageSize": 1000})
            listed = [one["repositoryName"] for page in pages for one in page["repositories"]]
            images = functools.partial(digests, ecr)
            found.append(list(pool.map(images, [name for name in listed if name.startswith(prefix)])))
    assert found[0] == found[1]


def look(count: int, regions: str) -> None:
    """Read what decides whether these shares are as declared."""
    account, iam = client("sts").get_caller_identity()["Account"], client("iam")
    clients = {
        region: (client("ecr", region_name=region), client("resourcegroupstaggingapi", region_name=region))
        for region in regions.split(",")
    }

    def role(number: int) -> None:
        name = several(number)
        iam.get_role(RoleName=name)
        iam.list_attached_role_policies(RoleName=name)
        policy = f"arn:aws:iam::{account}:policy/{name}"
        iam.get_policy_version(
            PolicyArn=policy, VersionId=iam.get_policy(PolicyArn=policy)["Policy"]["DefaultVersionId"]
        )

    def repository(region: str, number: int) -> None:
        ecr, tagging = clients[region]
        name = several(number)
        listed = ecr.describe_repositories(repositoryNames=[name])["repositories"]
        assert {"Key": "environment", "Value": name} in ecr.list_tags_for_resource(
            resourceArn=listed[0]["repositoryArn"]
        )["tags"]
        requested = [{"Key": "environment", "Values": [name]}]
        reply = tagging.get_resources(ResourceTypeFilters=["ecr:repository"], TagFilters=requested)
        assert len(reply["ResourceTagMappingList"]) == 1

    with ThreadPoolExecutor(THREADS) as pool:
        done = [pool.submit(role, number) for number in range(count)]
        done += [pool.submit(repository, region, number) for region in clients for number in range(count)]
        for row in done:
            row.result()


def prove(role: str, count: int, total: int) -> None:
    sts = client("sts")
    sts.get_caller_identity()
    parameters = {"RoleArn": role, "RoleSessionName": "floor"}
    keys = sts.assume_role(**parameters, ExternalId="test")["Credentials"]
    for wrong in ({}, {"ExternalId": "not-test"}):
        with contextlib.suppress(ClientError):
            sts.assume_role(**parameters, **wrong)
    session = {
        "aws_access_key_id": keys["AccessKeyId"],
        "aws_secret_access_key": keys["SecretAccessKey"],
        "aws_session_token": keys["SessionToken"],
    }
    client("sts", **session).get_caller_identity()
    ecr = client("ecr", **session)
    ecr.get_authorization_token()
    readable, denied = shared(total)[: count // 2], names(count - count // 2)
    allowed = 0
    for name in [*readable, *denied]:
        for ask, more in (
            (ecr.describe_images, {"maxResults": 1}),
            (ecr.batch_get_image, {"imageIds": [{"imageDigest": NO_DIGEST}]}),
            (ecr.get_download_url_for_layer, {"layerDigest": NO_DIGEST}),
        ):
            try:
                ask(repositoryName=name, **more)
                allowed += 1
            except ClientError as error:
                allowed += "AccessDenied" not in error.response["Error"]["Code"]
    assert allowed == 3 * len(readable), allowed


if __name__ == "__main__":
    work, *words = sys.argv[1:]
    {
        "tags": tags,
        "tag": tag,
        "policies": policies,
        "discover": discover,
        "tagged": tagged,
        "audit": audit,
        "look": look,
        "replication": replication,
        "prove": prove,
    }[work](
        *(int(word) if word.isdecimal() else word for word in words)  # type: ignore[operator]
    )
