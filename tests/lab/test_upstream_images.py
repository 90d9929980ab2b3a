# SPDX-License-Identifier: GPL-3.0-or-later
"""A pull through a cache copies an image from the registry of another account if both accounts allow it."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab
from tests.support.manifests import manifest

from . import accounts
from .clients import Account, allow, denial, document, refusal

UPSTREAM = f"{accounts.OWNER}.dkr.ecr.{accounts.REGION}.amazonaws.com"
SERVICE = {"Service": "pullthroughcache.ecr.amazonaws.com"}
TRUST = document({"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole"})
PULLING, IMPORT = ("ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"), "ecr:BatchImportUpstreamImage"
#: The actions that AWS documents for the custom role: in the upstream repository, and in the new one.
READING = (*PULLING, IMPORT, "ecr:GetImageCopyStatus")
WRITING = (IMPORT, "ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
_numbers = itertools.count()


@pytest.fixture(scope="module")
def account(lab: Lab) -> Account:
    return Account(lab, "consumer-administrator")


@pytest.fixture(scope="module")
def role(account: Account) -> str:
    """The custom role of the rules."""
    return account.role(TRUST, allow(*READING, *WRITING))


@pytest.fixture
def ecr(lab: Lab, account: Account) -> Iterator[Any]:
    """The consumer's client. The test leaves no policy of the owner behind."""
    yield lab.client(account.profile, "ecr")
    refusal(lab.client("owner", "ecr").delete_registry_policy)


def create_rule(ecr: Any, **options: str) -> str:
    """Create a rule for the owner's registry; its prefix."""
    prefix = f"cache{next(_numbers)}"
    ecr.create_pull_through_cache_rule(ecrRepositoryPrefix=prefix, upstreamRegistryUrl=UPSTREAM, **options)
    return prefix


def accept(lab: Lab, role: str, *actions: str) -> None:
    """Let the owner's registry policy allow the role these actions."""
    policy = document(allow(*actions, Principal={"AWS": role}))
    lab.client("owner", "ecr").put_registry_policy(policyText=policy)


def test_image_is_copied_if_the_upstream_registry_allows_it(lab: Lab, ecr: Any, role: str) -> None:
    name = f"{create_rule(ecr, customRoleArn=role)}/release"
    assert manifest(lab, ecr, name)[0] == 404
    for action in READING:
        accept(lab, role, *(one for one in READING if one != action))
        assert manifest(lab, ecr, name)[0] == 404
    accept(lab, role, *READING)
    assert manifest(lab, ecr, name)[0] == 200
    (copied,) = ecr.describe_images(repositoryName=name)["imageDetails"]
    (original,) = lab.client("owner", "ecr").describe_images(repositoryName="release")["imageDetails"]
    assert (copied["imageDigest"], copied["registryId"]) == (original["imageDigest"], accounts.CONSUMER)


def test_rule_of_another_account_needs_a_role_that_ecr_assumes(lab: Lab, ecr: Any, account: Account, role: str) -> None:
    accept(lab, role, *READING)
    assert manifest(lab, ecr, f"{create_rule(ecr)}/release")[0] == 404
    prefix = create_rule(ecr, customRoleArn=role)
    name = role.rpartition("/")[2]
    for actions, status in ((READING, 404), (WRITING, 404), ((*READING, *WRITING), 200)):
        policy = document(allow(*actions))
        account.iam.put_role_policy(RoleName=name, PolicyName="exactly", PolicyDocument=policy)
        assert manifest(lab, ecr, f"{prefix}/release")[0] == status


def test_role_with_an_external_id_cannot_be_assumed_by_ecr(lab: Lab, ecr: Any, account: Account) -> None:
    condition = {"StringEquals": {"sts:ExternalId": "7c2f4e0b-share"}}
    trusting = {"Effect": "Allow", "Principal": SERVICE, "Action": "sts:AssumeRole", "Condition": condition}
    role = account.role(document(trusting), allow(*READING, *WRITING))
    accept(lab, role, *READING)
    prefix = create_rule(ecr, customRoleArn=role)
    assert ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix=prefix)["isValid"] is False
    assert manifest(lab, ecr, f"{prefix}/release")[0] == 404


def test_image_requested_by_the_api_is_copied(lab: Lab, ecr: Any, account: Account, role: str) -> None:
    name, image = f"{create_rule(ecr, customRoleArn=role)}/release", [{"imageTag": accounts.IMAGE_TAG}]
    assert refusal(ecr.batch_get_image, repositoryName=name, imageIds=image)[0] == "RepositoryNotFoundException"
    accept(lab, role, *READING)
    user = account.user("ecr", allow(*PULLING))
    end = "because no identity-based policy allows the ecr:BatchImportUpstreamImage action"
    assert denial(user.batch_get_image, repositoryName=name, imageIds=image) == end
    reply = ecr.batch_get_image(repositoryName=name, imageIds=image)
    (original,) = lab.client("owner", "ecr").describe_images(repositoryName="release")["imageDetails"]
    assert [one["imageId"]["imageDigest"] for one in reply["images"]] == [original["imageDigest"]]


def test_prefixes_name_the_upstream_repository(lab: Lab, ecr: Any, role: str) -> None:
    lab.client("owner", "ecr").create_repository(repositoryName="team/app")
    token = lab.client("owner", "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    accounts.push(lab.endpoint, token, "team/app", accounts.IMAGE_TAG, accounts.scenario_layers())
    accept(lab, role, *READING)
    prefix = create_rule(ecr, customRoleArn=role, upstreamRepositoryPrefix="team")
    assert manifest(lab, ecr, f"{prefix}/release")[0] == 404
    assert manifest(lab, ecr, f"{prefix}/app")[0] == 200


def test_caller_needs_permission_to_import_images(lab: Lab, ecr: Any, account: Account, role: str) -> None:
    accept(lab, role, *READING)
    name, more = f"{create_rule(ecr, customRoleArn=role)}/release", ["ecr:BatchImportUpstreamImage"]
    for action in ("BatchImportUpstreamImage", "CreateRepository"):
        allowed = more if action == "CreateRepository" else []
        user = account.user("ecr", allow("ecr:GetAuthorizationToken", *PULLING, *allowed))
        status, answer = manifest(lab, user, name)
        end = f"because no identity-based policy allows the ecr:{action} action"
        assert (status, answer["errors"][0]["message"].endswith(end)) == (403, True)
    user = account.user("ecr", allow("ecr:GetAuthorizationToken", "ecr:CreateRepository", *PULLING, *more))
    assert manifest(lab, user, name)[0] == 200


def test_template_decides_about_the_new_repository(lab: Lab, ecr: Any, role: str) -> None:
    accept(lab, role, *READING)
    prefix, tags = create_rule(ecr, customRoleArn=role), [{"Key": "environment", "Value": "release"}]
    template = {"prefix": prefix, "appliedFor": ["PULL_THROUGH_CACHE"], "resourceTags": tags, "customRoleArn": role}
    ecr.create_repository_creation_template(**template)
    assert manifest(lab, ecr, f"{prefix}/release")[0] == 200
    (made,) = ecr.describe_repositories(repositoryNames=[f"{prefix}/release"])["repositories"]
    assert ecr.list_tags_for_resource(resourceArn=made["repositoryArn"])["tags"] == tags
