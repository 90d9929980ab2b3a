# SPDX-License-Identifier: GPL-3.0-or-later
"""Which addresses of engines and which redirects are accepted."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._endpoint import (
    DockerContext,
    docker_context,
    is_private_address,
    podman_addresses,
    redirect_problem,
)


@pytest.mark.parametrize(
    "address",
    [
        "unix:///var/run/docker.sock",
        "unix:///run/user/1000/podman/podman.sock",
        "npipe:////./pipe/docker_engine",
        "ssh://user@engine.example:22/run/podman/podman.sock",
        "tcp://127.0.0.1:2375",
        "tcp://127.255.255.254",
        "tcp://localhost:2375/",
        "tcp://LOCALHOST:2375",
        "tcp://[::1]:2375",
        "http://127.0.0.1:2375",
    ],
)
def test_private_address(address: str) -> None:
    assert is_private_address(address)


@pytest.mark.parametrize(
    "address",
    [
        "",
        "127.0.0.1:2375",
        "tcp://",
        "tcp://:2375",
        "tcp://0.0.0.0:2375",
        "tcp://10.0.0.1:2375",
        "tcp://128.0.0.1:2375",
        "tcp://127.1:2375",
        "tcp://127.0.0.1.example:2375",
        "tcp://localhost.example:2375",
        "tcp://127.0.0.1@engine.example:2375",
        "tcp://engine.example:2375#127.0.0.1",
        "tcp://engine.example\\@127.0.0.1:2375",
        "tcp://127.0.0.1:2375@engine.example",
        "tcp://[::]:2375",
        "tcp://[::ffff:10.0.0.1]:2375",
        "tcp://127.0.0.1\n:2375",
        "tcp://127.0.0.1:2375\n",
        "https://engine.example:2376",
        "unix:/run/docker.sock",
        "file:///run/docker.sock",
    ],
)
def test_address_that_others_may_read(address: str) -> None:
    assert not is_private_address(address)


LOOPBACK, ECR = "http://127.0.0.1:5000/v2", "https://1.dkr.ecr.eu-west-1.amazonaws.com/v2"


@pytest.mark.parametrize(
    ("registry", "target", "problem"),
    [
        (ECR, "https://bucket.s3.amazonaws.com/x?signature=1", None),
        (LOOPBACK, "https://bucket.s3.amazonaws.com/x", None),
        (LOOPBACK, "http://127.0.0.2:81/x", None),
        (LOOPBACK, "http://localhost/x", "http://localhost"),
        (ECR, "http://127.0.0.1/x", "http://127.0.0.1"),
        ("https://127.0.0.1:5000/v2", "http://127.0.0.1/x", "http://127.0.0.1"),
        (ECR, "http://a:b@bucket/x?signature=1", "http://bucket"),
        (ECR, "ftp://bucket/x", "ftp://bucket"),
        (ECR, "file:///etc/shadow", "file://"),
        (ECR, "https:///x", "https://"),
        (ECR, "https://[x", "an invalid URL"),
    ],
)
def test_redirect(registry: str, target: str, problem: str | None) -> None:
    assert redirect_problem(registry, target) == problem


def inspected(tls: Any, skip: Any = False) -> dict[str, Any]:
    return {
        "Name": "mine",
        "Endpoints": {"docker": {"Host": "tcp://engine:2376", "SkipTLSVerify": skip}},
        "TLSMaterial": tls,
        "Storage": {"MetadataPath": "/home/me/.docker/contexts/meta/1"},
    }


@pytest.mark.parametrize(
    ("tls", "skip", "is_verified"),
    [
        ({"docker": ["ca.pem"]}, False, True),
        ({"docker": ["ca.pem"]}, True, False),
        ({"docker": ["ca.pem"]}, None, False),
        ({"docker": []}, False, False),
        ({"other": ["ca.pem"]}, False, False),
        ({}, False, False),
    ],
)
def test_docker_context(tls: Any, skip: Any, is_verified: bool) -> None:
    metadata = "/home/me/.docker/contexts/meta/1"
    assert docker_context(inspected(tls, skip)) == DockerContext("mine", "tcp://engine:2376", is_verified, metadata)


@pytest.mark.parametrize("answer", [None, [], "x", {}, {"Endpoints": []}, inspected(None), inspected([])])
def test_answer_without_a_docker_context(answer: Any) -> None:
    assert docker_context(answer) is None


CONNECTIONS = [
    {"Name": "far", "URI": "tcp://far:1", "Default": False},
    {"Name": "near", "URI": "unix:///near", "Default": True},
]
HOST, CONNECTION = {"CONTAINER_HOST": "ssh://host"}, {"CONTAINER_CONNECTION": "far"}


@pytest.mark.parametrize(
    ("environment", "connections", "addresses"),
    [
        ({}, CONNECTIONS, ["unix:///near"]),
        (HOST, CONNECTIONS, ["ssh://host"]),
        (CONNECTION, CONNECTIONS, ["tcp://far:1"]),
        ({**HOST, **CONNECTION}, CONNECTIONS, ["ssh://host", "tcp://far:1"]),
        ({"CONTAINER_HOST": ""}, CONNECTIONS, ["unix:///near"]),
        ({"CONTAINER_CONNECTION": "none"}, CONNECTIONS, []),
        ({}, {"Name": "near"}, []),
        ({}, ["near", {"Default": True}], ["None"]),
    ],
)
def test_addresses_of_podman(environment: dict[str, str], connections: Any, addresses: list[str]) -> None:
    assert podman_addresses(environment, connections) == addresses
