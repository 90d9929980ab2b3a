# SPDX-License-Identifier: GPL-3.0-or-later
"""A client that uses AWS's own host names against the lab."""

from __future__ import annotations

import http.client
import json
import os
import pathlib
import sys

import boto3

from tests.lab import accounts, at_aws_names

STATUS = 5  # with which it ends
OWNERS, CONSUMERS = (at_aws_names.registry(account) for account in (accounts.OWNER, accounts.CONSUMER))


def look() -> None:
    """Print as JSON the responses to a client without settings for the lab."""
    profiles = ("owner", "consumer-administrator")
    owner, consumer = (boto3.session.Session(profile_name=profile).client("ecr") for profile in profiles)
    tokens = [client.get_authorization_token()["authorizationData"][0] for client in (owner, consumer)]
    mine, theirs = (token["authorizationToken"] for token in tokens)
    (repository,) = owner.describe_repositories(repositoryNames=["release"])["repositories"]
    status, manifest = get(OWNERS, "/v2/release/manifests/v1.0", mine)
    layer = json.loads(manifest)["layers"][0]["digest"]
    responses = {
        "routes": pathlib.Path("/proc/net/route").read_text().splitlines()[1:],
        "answering": [name for name in at_aws_names.host_names() if get(name, "/v2/")[0] == 401],
        "config": pathlib.Path(os.environ["AWS_CONFIG_FILE"]).read_text(),
        "endpoints": [token["proxyEndpoint"] for token in tokens],
        "repository": repository["repositoryUri"],
        "layer": owner.get_download_url_for_layer(repositoryName="release", layerDigest=layer)["downloadUrl"],
        "own": status,
        "other": get(OWNERS, "/v2/release/manifests/v1.0", theirs),
        "consumer's": get(CONSUMERS, "/v2/release/manifests/v1.0", theirs)[0],
    }
    print(json.dumps(responses))
    sys.exit(STATUS)


def get(name: str, path: str, authorization: str = "") -> tuple[int, str]:
    """A response over TLS, verified with the system's certificates."""
    connection = http.client.HTTPSConnection(name, timeout=300)
    connection.request("GET", path, headers={"Authorization": f"Basic {authorization}"})
    reply = connection.getresponse()
    return reply.status, reply.read().decode()
