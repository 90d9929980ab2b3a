# SPDX-License-Identifier: GPL-3.0-or-later
"""Responses of AWS for unit tests, without a server."""

from __future__ import annotations

from typing import Any

import boto3
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions
from botocore.exceptions import ClientError

ARN = "arn:aws:ecr:eu-west-1:111111111111:repository/"
SHARE = {"share": "yes"}
#: The options of waiting.
WAIT = WaitOptions(True, 60, 0.5)


def stubbed_client(service: str) -> Any:
    """A client for `botocore.stub.Stubber`."""
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return boto3.client(service, region_name="eu-west-1", **keys)


class Ecr:
    """ECR: the tags that it returns for each repository, one after the other; None if the repository does not exist."""

    def __init__(self, **answers: list[dict[str, str] | None]) -> None:
        self.answers = answers

    def list_tags_for_resource(self, **parameters: str) -> Any:
        left = self.answers[parameters["resourceArn"].rpartition("/")[2]]
        tags = left.pop(0) if len(left) > 1 else left[0]
        if tags is None:
            raise ClientError({"Error": {"Code": "RepositoryNotFoundException"}}, "ListTagsForResource")
        return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}
