# SPDX-License-Identifier: GPL-3.0-or-later
"""The scenario's transcript: its commands in its order, by the AWS CLI and docker, at AWS's own host names.

Neither program knows of the lab. Once share.yml did the owner's half, once pull.yml does the consumer's.
"""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
import yaml

from tests.lab import accounts, at_aws_names
from tests.support.at_aws import ControlAtAwsNames, control_host
from tests.support.control import REPOSITORY_ARN, ROLE, ROLE_ARN

pytestmark = pytest.mark.engine

REGISTRY = at_aws_names.registry(accounts.OWNER)
POLICY_ARN = f"arn:aws:iam::{accounts.OWNER}:policy/{ROLE}"
SESSION_ARN = f"arn:aws:sts::{accounts.OWNER}:assumed-role/{ROLE}/{ROLE}"
DENIED = f"User: {SESSION_ARN} is not authorized to perform: {{}} on resource: {REPOSITORY_ARN}develop"
#: The policy of the scenario, with the grants that never match.
BY_HAND_2021 = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Action": [
                "ecr:GetRegistryPolicy",
                "ecr:DescribeImageScanFindings",
                "ecr:GetLifecyclePolicyPreview",
                "ecr:DescribeRegistry",
                "ecr:GetDownloadUrlForLayer",
                "ecr:BatchGetImage",
                "ecr:DescribeImages",
                "ecr:GetAuthorizationToken",
                "ecr:BatchCheckLayerAvailability",
                "ecr:GetRepositoryPolicy",
                "ecr:GetLifecyclePolicy",
            ],
            "Resource": "*",
            "Condition": {"StringEquals": {"ecr:ResourceTag/environment": "release"}},
        },
        {"Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"},
    ],
}
TRUST = {
    "Version": "2012-10-17",
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"AWS": f"arn:aws:iam::{accounts.CONSUMER}:root"},
            "Action": "sts:AssumeRole",
            "Condition": {"StringEquals": {"sts:ExternalId": "test"}},
        }
    ],
}


@pytest.fixture
def host(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ControlAtAwsNames]:
    with control_host(tmp_path_factory.mktemp("host")) as host:
        yield host


def test_the_consumer_types_the_scenario_after_share_yml(host: ControlAtAwsNames) -> None:
    shared = host.share()
    assert shared.code == 0, shared
    assert yaml.safe_load(host.handoff.read_text())["ecr_pull_registry"] == REGISTRY

    caller = done(host, "aws sts get-caller-identity", "consumer")
    assert select(caller, "Account", "Arn") == [accounts.CONSUMER, f"arn:aws:iam::{accounts.CONSUMER}:user/puller"]
    assume = f"aws sts assume-role --role-arn {ROLE_ARN} --role-session-name {ROLE}"
    refused = host.shell(assume, "consumer")
    assert "(AccessDenied) when calling the AssumeRole operation: User: " in refused.stderr
    assumed = json.loads(done(host, f"{assume} --external-id test", "consumer"))
    assert assumed["AssumedRoleUser"]["Arn"] == SESSION_ARN
    keys = assumed["Credentials"]
    session = {
        "AWS_ACCESS_KEY_ID": keys["AccessKeyId"],
        "AWS_SECRET_ACCESS_KEY": keys["SecretAccessKey"],
        "AWS_SESSION_TOKEN": keys["SessionToken"],
        "AWS_DEFAULT_REGION": accounts.REGION,
    }
    caller = done(host, "aws sts get-caller-identity", **session)
    assert select(caller, "Account", "Arn") == [accounts.OWNER, SESSION_ARN]

    (image,) = json.loads(done(host, "aws ecr describe-images --repository-name release", **session))["imageDetails"]
    assert (image["registryId"], image["imageTags"]) == (accounts.OWNER, [accounts.IMAGE_TAG])
    develop = host.shell("aws ecr describe-images --repository-name develop", **session)
    assert develop.returncode != 0
    assert "An error occurred (AccessDeniedException) when calling the DescribeImages operation: " in develop.stderr
    assert DENIED.format("ecr:DescribeImages") in develop.stderr

    login = f"aws ecr get-login-password | docker login --username AWS --password-stdin {REGISTRY}"
    assert "Login Succeeded" in done(host, login, **session)
    pulled = done(host, f"docker pull {REGISTRY}/release:v1.0")
    assert f"Digest: {image['imageDigest']}" in pulled
    assert f"Status: Downloaded newer image for {REGISTRY}/release:v1.0" in pulled
    develop = host.shell(f"docker pull {REGISTRY}/develop:v1.0")
    assert develop.returncode == 1
    assert (
        f"pull access denied for {REGISTRY}/develop, repository does not exist or may require 'docker login': denied: "
        + DENIED.format("ecr:BatchGetImage")
    ) in develop.stderr
    assert images(host) == [f"{REGISTRY}/release v1.0 {image['imageDigest']}"]


def test_pull_yml_pulls_what_the_owner_shared_by_hand(host: ControlAtAwsNames) -> None:
    (host.folder / "policy.json").write_text(json.dumps(BY_HAND_2021))
    (host.folder / "trust.json").write_text(json.dumps(TRUST))
    arn = f"{REPOSITORY_ARN}release"
    done(host, f"aws ecr tag-resource --resource-arn {arn} --tags Key=environment,Value=release", "owner")
    document = f"file://{host.folder}/policy.json"
    policy = done(host, f"aws iam create-policy --policy-name {ROLE} --policy-document {document}", "owner")
    assert json.loads(policy)["Policy"]["Arn"] == POLICY_ARN
    document = f"file://{host.folder}/trust.json"
    role = done(host, f"aws iam create-role --role-name {ROLE} --assume-role-policy-document {document}", "owner")
    assert json.loads(role)["Role"]["Arn"] == ROLE_ARN
    done(host, f"aws iam attach-role-policy --role-name {ROLE} --policy-arn {POLICY_ARN}", "owner")

    pull = host.playbook(
        "pull",
        "consumer",
        ecr_pull_role_arn=ROLE_ARN,
        ecr_pull_external_id="test",
        ecr_pull_region=accounts.REGION,
        ecr_pull_repositories=["release"],
        ecr_pull_denied=["develop"],
        ecr_pull_images=["release:v1.0"],
        ecr_pull_engine="docker",
        ecr_pull_wait_timeout=0,
    )
    assert (pull.code, pull.changed) == (0, 1), pull
    (found,) = images(host)
    name, image_tag, digest = found.split()
    assert (name, image_tag) == (f"{REGISTRY}/release", "v1.0")
    assert digest in pull.output


def done(host: ControlAtAwsNames, line: str, profile: str | None = None, **variables: str) -> str:
    """The output of a command, which must succeed."""
    process = host.shell(line, profile, **variables)
    assert process.returncode == 0, process.stdout + process.stderr
    return process.stdout


def select(answer: str, *names: str) -> list[str]:
    return [json.loads(answer)[name] for name in names]


def images(host: ControlAtAwsNames) -> list[str]:
    """`repository image-tag digest` of every image that docker has."""
    return done(host, "docker images --digests --format '{{.Repository}} {{.Tag}} {{.Digest}}'").splitlines()
