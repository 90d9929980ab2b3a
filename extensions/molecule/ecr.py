# SPDX-License-Identifier: GPL-3.0-or-later
"""Requests to ECR that no module of amazon.aws makes.

python -m extensions.molecule.ecr make '{"NAME": {"KEY": "VALUE"}}'
    Create repositories with these tags, and push a different image v1.0 to each.
python -m extensions.molecule.ecr look PREFIX '[{"profile": "...", "role_arn": "...", "external_id": "..."}]'
    Show the tags and images of the repositories that start with PREFIX, and the responses of AWS to each claim. A claim
    is a profile that assumes a role and requests v1.0.
"""

from __future__ import annotations

import json
import sys
from typing import Any

import boto3
from botocore.exceptions import ClientError

from tests.lab import accounts


def make(repositories: dict[str, dict[str, str]]) -> None:
    ecr = boto3.Session(profile_name="owner").client("ecr")
    authorization = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    for name, tags in repositories.items():
        ecr.create_repository(repositoryName=name, tags=[{"Key": key, "Value": value} for key, value in tags.items()])
        layers = [accounts.scenario_layers()[0], accounts.layer({"etc/motd": name.encode()})]
        accounts.push(ecr.meta.endpoint_url, authorization, name, accounts.IMAGE_TAG, layers)


def look(prefix: str, claims: list[dict[str, str]]) -> dict[str, Any]:
    ecr = boto3.Session(profile_name="owner").client("ecr")
    found = ecr.describe_repositories()["repositories"]
    arns = {one["repositoryName"]: one["repositoryArn"] for one in found if one["repositoryName"].startswith(prefix)}
    tags, digests = {}, {}
    for name, arn in arns.items():
        tags[name] = {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=arn)["tags"]}
        digests[name] = ecr.describe_images(repositoryName=name)["imageDetails"][0]["imageDigest"]
    return {"tags": tags, "digests": digests, "answers": [_answers(claim, list(arns)) for claim in claims]}


def _answers(claim: dict[str, str], repositories: list[str]) -> dict[str, str]:
    external_id = {"ExternalId": claim["external_id"]} if "external_id" in claim else {}
    own = boto3.Session(profile_name=claim["profile"])
    try:
        reply = own.client("sts").assume_role(RoleArn=claim["role_arn"], RoleSessionName="molecule", **external_id)
    except ClientError as error:
        if error.response["Error"]["Code"] != "AccessDenied":
            raise
        return dict.fromkeys(repositories, "no role")
    keys = reply["Credentials"]
    ecr = own.client(
        "ecr",
        aws_access_key_id=keys["AccessKeyId"],
        aws_secret_access_key=keys["SecretAccessKey"],
        aws_session_token=keys["SessionToken"],
    )
    return {name: _answer(ecr, name) for name in repositories}


def _answer(ecr: Any, repository: str) -> str:
    try:
        images = ecr.batch_get_image(repositoryName=repository, imageIds=[{"imageTag": accounts.IMAGE_TAG}])["images"]
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    return "allowed" if images else "no image"


if __name__ == "__main__":
    if sys.argv[1] == "make":
        make(json.loads(sys.argv[2]))
    else:
        json.dump(look(sys.argv[2], json.loads(sys.argv[3])), sys.stdout)
