# SPDX-License-Identifier: GPL-3.0-or-later
"""The accounts of the lab and their initial content."""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import platform
import tarfile
import urllib.request
from typing import Any

from botocore.loaders import create_loader
from botocore.session import Session as BotocoreSession

from . import program

OWNER, CONSUMER, STRANGER = "111111111111", "222222222222", "333333333333"
FOURTH, FIFTH = "444444444444", "555555555555"
REGION = "ap-northeast-1"
REPOSITORIES, IMAGE_TAG = ("release", "develop"), "v1.0"

ADMINISTRATOR = {"Effect": "Allow", "Action": "*", "Resource": "*"}
MAY_ASSUME = {
    "Effect": "Allow",
    "Action": ["sts:AssumeRole", "sts:TagSession", "sts:SetSourceIdentity"],
    "Resource": f"arn:aws:iam::{OWNER}:role/*",
}
#: profile: (account, user, the permissions of the user)
USERS: dict[str, tuple[str, str, dict[str, Any]]] = {
    "owner": (OWNER, "administrator", ADMINISTRATOR),
    "consumer": (CONSUMER, "puller", MAY_ASSUME),
    "consumer-administrator": (CONSUMER, "administrator", ADMINISTRATOR),
    "stranger": (STRANGER, "stranger", MAY_ASSUME),
    "stranger-administrator": (STRANGER, "administrator", ADMINISTRATOR),
    "fourth-administrator": (FOURTH, "administrator", ADMINISTRATOR),
    "fifth-administrator": (FIFTH, "administrator", ADMINISTRATOR),
}


#: Keeps the models of AWS for all clients.
LOADER = create_loader()


def client(service: str, endpoint: str, key: str, secret: str) -> Any:
    """A client of the lab with the given access key."""
    session = BotocoreSession()
    session.register_component("data_loader", LOADER)
    return session.create_client(
        service,
        region_name=REGION,
        endpoint_url=endpoint,
        aws_access_key_id=key,
        aws_secret_access_key=secret,
    )


def create_user(endpoint: str, account: str, user: str, statement: dict[str, Any]) -> tuple[str, str]:
    """Create a user through the account's root, before the lab is sealed. Returns its access key."""
    iam = client("iam", endpoint, account, "root")
    iam.create_user(UserName=user)
    document = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    iam.put_user_policy(UserName=user, PolicyName="lab", PolicyDocument=document)
    key = iam.create_access_key(UserName=user)["AccessKey"]
    return key["AccessKeyId"], key["SecretAccessKey"]


def push(endpoint: str, authorization: str, repository: str, image_tag: str, layers: list[bytes]) -> str:
    """Push a runnable Linux image through the Docker Registry API. Returns its digest."""

    def send(method: str, url: str, body: bytes = b"", media_type: str = "application/octet-stream") -> Any:
        url = url if "://" in url else endpoint + url
        headers = {"Authorization": f"Basic {authorization}", "Content-Type": media_type}
        request = urllib.request.Request(url, data=body, method=method, headers=headers)
        with urllib.request.urlopen(request, timeout=300) as reply:
            return reply.headers

    def blob(data: bytes) -> str:
        digest = _sha256(data)
        location = send("POST", f"/v2/{repository}/blobs/uploads/")["Location"]
        send("PUT", f"{location}?digest={digest}", data)
        return digest

    config = json.dumps(image_config(layers)).encode()
    docker = "application/vnd.docker."
    manifest = {
        "schemaVersion": 2,
        "mediaType": docker + "distribution.manifest.v2+json",
        "config": {
            "mediaType": docker + "container.image.v1+json",
            "size": len(config),
            "digest": blob(config),
        },
        "layers": [
            {"mediaType": docker + "image.rootfs.diff.tar.gzip", "size": len(layer), "digest": blob(layer)}
            for layer in layers
        ],
    }
    body = json.dumps(manifest).encode()
    send("PUT", f"/v2/{repository}/manifests/{image_tag}", body, str(manifest["mediaType"]))
    return _sha256(body)


def architecture() -> str:
    """This machine's architecture, as image configurations name it."""
    machine = platform.machine()
    return {"x86_64": "amd64", "aarch64": "arm64"}.get(machine, machine)


def image_config(layers: list[bytes]) -> dict[str, Any]:
    """An image configuration for layers that are gzipped tar files."""
    return {
        "architecture": architecture(),
        "os": "linux",
        "config": {"Cmd": ["/hello"]},
        "rootfs": {"type": "layers", "diff_ids": [_sha256(gzip.decompress(layer)) for layer in layers]},
    }


def scenario_layers() -> list[bytes]:
    """Two layers: a program that prints one line, and a text."""
    message = b"Hello from the owner account.\n"
    return [
        layer({"hello": program.elf(message, architecture())}, 0o755),
        layer({"etc/motd": message}),
    ]


def layer(files: dict[str, bytes], mode: int = 0o644) -> bytes:
    """A gzipped tar of the given files, the same bytes every time."""
    raw = io.BytesIO()
    with tarfile.open(fileobj=raw, mode="w") as archive:
        for name, content in files.items():
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode = len(content), mode
            archive.addfile(entry, io.BytesIO(content))
    return gzip.compress(raw.getvalue(), mtime=0)


def seed(endpoint: str) -> dict[str, tuple[str, str]]:
    """Create the users and the repositories. Returns the access key of each profile."""
    keys = {profile: create_user(endpoint, *spec) for profile, spec in USERS.items()}
    ecr = client("ecr", endpoint, *keys["owner"])
    authorization = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    layers = scenario_layers()
    for repository in REPOSITORIES:
        ecr.create_repository(repositoryName=repository)
        push(endpoint, authorization, repository, IMAGE_TAG, layers)
    return keys


def _sha256(data: bytes) -> str:
    return "sha256:" + hashlib.sha256(data).hexdigest()
