# SPDX-License-Identifier: GPL-3.0-or-later
"""A repository of another account is readable if its policy and the caller's policies allow it."""

from __future__ import annotations

import json
from typing import Any

import pytest
from botocore.exceptions import ClientError

from tests.support.lab import Lab
from tests.support.manifests import manifest

from . import accounts
from .clients import RELEASE, REPOSITORIES, Account, allow, denial, document, refusal

PULLING = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer")
IMAGE = {"imageTag": accounts.IMAGE_TAG}
OF_OWNER = {"registryId": accounts.OWNER, "repositoryName": "release"}
ADMINISTRATOR = f"arn:aws:iam::{accounts.CONSUMER}:user/administrator"


def not_allowed(action: str) -> str:
    return f"because no resource-based policy allows the ecr:{action} action"


@pytest.fixture
def shared(lab: Lab) -> Any:
    """The owner's client; the policy of `release` lets the consumer pull."""
    ecr = lab.client("owner", "ecr")
    statement = allow(*PULLING, Principal={"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"})
    del statement["Resource"]
    ecr.set_repository_policy(repositoryName="release", policyText=document(statement))
    yield ecr
    ecr.delete_repository_policy(repositoryName="release")


def test_policy_of_the_repository_has_to_allow_a_call(lab: Lab) -> None:
    ecr = lab.client("consumer-administrator", "ecr")
    for name in ("release", "absent"):
        named = {"registryId": accounts.OWNER, "repositoryName": name}
        assert denial(ecr.batch_get_image, **named, imageIds=[IMAGE]) == not_allowed("BatchGetImage")
        assert denial(ecr.describe_images, **named) == not_allowed("DescribeImages")
        assert denial(ecr.list_tags_for_resource, resourceArn=REPOSITORIES + name) == not_allowed("ListTagsForResource")
    assert refusal(ecr.describe_repositories, registryId=accounts.OWNER) == (
        "AccessDeniedException",
        f"User: {ADMINISTRATOR} is not authorized to perform: ecr:DescribeRepositories on resource: {REPOSITORIES}*"
        f" {not_allowed('DescribeRepositories')}",
    )


@pytest.mark.usefixtures("shared")
def test_policy_of_the_repository_allows_what_it_names(lab: Lab) -> None:
    ecr = lab.client("consumer-administrator", "ecr")
    (image,) = ecr.batch_get_image(**OF_OWNER, imageIds=[IMAGE])["images"]
    assert image["registryId"] == accounts.OWNER
    layer = json.loads(image["imageManifest"])["layers"][0]["digest"]
    assert ecr.get_download_url_for_layer(**OF_OWNER, layerDigest=layer)["layerDigest"] == layer
    assert denial(ecr.describe_images, **OF_OWNER) == not_allowed("DescribeImages")
    stranger = lab.client("stranger-administrator", "ecr")
    assert denial(stranger.batch_get_image, **OF_OWNER, imageIds=[IMAGE]) == not_allowed("BatchGetImage")


@pytest.mark.usefixtures("shared")
def test_policy_of_the_caller_has_to_allow_the_call_as_well(lab: Lab) -> None:
    consumer = Account(lab, "consumer-administrator")
    limited = consumer.user("ecr", allow("ecr:DescribeImages"))
    expected = "because no identity-based policy allows the ecr:BatchGetImage action"
    assert denial(limited.batch_get_image, **OF_OWNER, imageIds=[IMAGE]) == expected
    pulling = consumer.user("ecr", allow(*PULLING, Resource=RELEASE))
    assert not denial(pulling.batch_get_image, **OF_OWNER, imageIds=[IMAGE])


def test_own_registry_is_the_default(lab: Lab) -> None:
    ecr = lab.client("consumer-administrator", "ecr")
    with pytest.raises(ClientError, match=f"in the registry with id '{accounts.CONSUMER}'"):
        ecr.describe_images(repositoryName="release")
    with pytest.raises(ClientError, match=f"in the registry with id '{accounts.CONSUMER}'"):
        ecr.describe_images(repositoryName="release", registryId=accounts.CONSUMER)


def test_registry_asks_the_policy_of_the_repository(lab: Lab, shared: Any) -> None:
    ecr = lab.client("consumer-administrator", "ecr")
    status, answer = manifest(lab, ecr, "release")
    assert (status, answer["schemaVersion"]) == (200, 2)
    shared.set_repository_policy(repositoryName="release", policyText=document())
    status, answer = manifest(lab, ecr, "release")
    assert (status, answer["errors"][0]["code"]) == (403, "DENIED")
    assert answer["errors"][0]["message"] == (
        f"User: {ADMINISTRATOR} is not authorized to perform: ecr:BatchGetImage on resource: {RELEASE}"
        f" {not_allowed('BatchGetImage')}"
    )
    assert manifest(lab, ecr, "absent")[0] == 404
    assert manifest(lab, shared, "release")[0] == 200


def test_repository_of_the_caller_has_precedence(lab: Lab) -> None:
    ecr = lab.client("consumer-administrator", "ecr")
    ecr.create_repository(repositoryName="develop")
    assert manifest(lab, ecr, "develop")[0] == 404
    ecr.delete_repository(repositoryName="develop")
