# SPDX-License-Identifier: GPL-3.0-or-later
"""A session of a pull role and a registry token that a consumer holds since before its access ended."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

from botocore.exceptions import ClientError

from tests.lab import accounts
from tests.support.lab import Lab

IMAGE = [{"imageTag": accounts.IMAGE_TAG}]


class EarlierSession:
    """A session of a role in the owner account, and a registry token of that session."""

    def __init__(self, lab: Lab, role: str, profile: str = "consumer", external_id: str = "test") -> None:
        reply = lab.client(profile, "sts").assume_role(
            RoleArn=f"arn:aws:iam::{accounts.OWNER}:role/{role}", RoleSessionName=role, ExternalId=external_id
        )
        self.keys: dict[str, str] = reply["Credentials"]
        session = lab.session(
            profile,
            aws_access_key_id=self.keys["AccessKeyId"],
            aws_secret_access_key=self.keys["SecretAccessKey"],
            aws_session_token=self.keys["SessionToken"],
        )
        self.ecr, self._endpoint = session.client("ecr"), lab.endpoint
        self._token = self.ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
        answer = self.ecr.batch_get_image(repositoryName="release", imageIds=IMAGE)
        self._layer = json.loads(answer["images"][0]["imageManifest"])["layers"][0]["digest"]

    def outcomes(self) -> dict[str, str]:
        """The outcome of each request for `release`, `allowed` or the code of the denial."""
        name, layer, ecr = "release", self._layer, self.ecr
        requests: dict[str, Callable[[], Any]] = {
            "describe": lambda: ecr.describe_images(repositoryName=name),
            "manifest": lambda: ecr.batch_get_image(repositoryName=name, imageIds=IMAGE),
            "layer": lambda: ecr.get_download_url_for_layer(repositoryName=name, layerDigest=layer),
            "token": ecr.get_authorization_token,
            "registry manifest": lambda: self._registry(f"{name}/manifests/{accounts.IMAGE_TAG}"),
            "registry layer": lambda: self._registry(f"{name}/blobs/{layer}"),
        }
        return {what: _outcome(request) for what, request in requests.items()}

    def _registry(self, path: str) -> None:
        request = urllib.request.Request(
            f"{self._endpoint}/v2/{path}", headers={"Authorization": f"Basic {self._token}"}
        )
        with urllib.request.urlopen(request, timeout=300) as answer:
            answer.read()


def _outcome(request: Callable[[], Any]) -> str:
    try:
        request()
    except ClientError as error:
        return str(error.response["Error"]["Code"])
    except urllib.error.HTTPError as error:
        with error:
            return str(json.loads(error.read())["errors"][0]["code"])
    return "allowed"
