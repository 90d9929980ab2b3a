# SPDX-License-Identifier: GPL-3.0-or-later
"""A CNCF Distribution registry with an image of many layers, and a dockerd of the bench's own."""

from __future__ import annotations

import functools
import gzip
import hashlib
import http.client
import io
import json
import os
import pathlib
import re
import shutil
import subprocess
import tarfile
import tempfile
from contextlib import ExitStack, closing
from dataclasses import dataclass
from typing import Any

from tests.lab import accounts

from .ground import start

REPOSITORY = "release"
LAYERS, SIZE = 10, 1024**3 // 10
OCI = "application/vnd.oci.image."


@dataclass(frozen=True)
class StoredRegistry:
    """The registry's data, with one image in it. It is gone with the process that made it."""

    folder: tempfile.TemporaryDirectory[str]
    digest: str


def program(name: str, package: str) -> str:
    """A program that a row cannot do without."""
    match = shutil.which(name)
    if not match:
        raise RuntimeError(f"{name} is not installed. Install Debian's package {package}, or name other --rows.")
    return match


def running(stack: ExitStack, folder: pathlib.Path) -> tuple[str, str]:
    """Start the registry for as long as the stack lives; its `host:port`, and the digest of the image."""
    stored = _stored()
    return _serving(stack, folder, pathlib.Path(stored.folder.name)), stored.digest


@functools.cache
def _stored() -> StoredRegistry:
    """Push the image once, however many rows pull it."""
    folder = tempfile.TemporaryDirectory(prefix="bench-registry-")
    with ExitStack() as stack:
        host = _serving(stack, pathlib.Path(folder.name), pathlib.Path(folder.name))
        to = stack.enter_context(closing(http.client.HTTPConnection(host, timeout=60)))
        packed, contents = zip(*(_layer(number) for number in range(LAYERS)))
        layers = [_push(to, layer, "layer.v1.tar+gzip") for layer in packed]
        rootfs = {"type": "layers", "diff_ids": contents}
        config = {"architecture": accounts.architecture(), "os": "linux", "config": {}, "rootfs": rootfs}
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI + "manifest.v1+json",
            "config": _push(to, json.dumps(config).encode(), "config.v1+json"),
            "layers": layers,
        }
        content = json.dumps(manifest).encode()
        _send(to, "PUT", f"/v2/{REPOSITORY}/manifests/{_digest(content)}", content, str(manifest["mediaType"]))
    return StoredRegistry(folder, _digest(content))


def _layer(number: int) -> tuple[bytes, str]:
    """A file of noise, as a layer, and the digest of what is in it. gzip can only store it, at any level."""
    tar = io.BytesIO()
    with tarfile.open(fileobj=tar, mode="w") as archive:
        entry = tarfile.TarInfo(f"noise-{number}")
        entry.size = SIZE
        archive.addfile(entry, io.BytesIO(os.urandom(SIZE)))
    return gzip.compress(tar.getvalue(), 0, mtime=0), _digest(tar.getvalue())


def _push(to: http.client.HTTPConnection, content: bytes, kind: str) -> dict[str, Any]:
    digest = _digest(content)
    location = _send(to, "POST", f"/v2/{REPOSITORY}/blobs/uploads/", b"")
    _send(to, "PUT", f"{location}&digest={digest}", content)
    return {"mediaType": OCI + kind, "digest": digest, "size": len(content)}


def _send(
    to: http.client.HTTPConnection, method: str, url: str, body: bytes, kind: str = "application/octet-stream"
) -> str:
    """The offset at which the registry continues."""
    to.request(method, url, body, {"Content-Type": kind})
    reply = to.getresponse()
    content = reply.read()
    if reply.status >= 300:
        raise RuntimeError(f"The registry answered {method} {url} with {reply.status}: {content.decode()}")
    return reply.headers["Location"]


def _digest(content: bytes) -> str:
    return "sha256:" + hashlib.sha256(content).hexdigest()


def _serving(stack: ExitStack, folder: pathlib.Path, data: pathlib.Path) -> str:
    """Start the registry on a free port; its `host:port`."""
    configuration = {
        "version": 0.1,
        "storage": {"filesystem": {"rootdirectory": str(data / "data")}},
        "http": {"addr": "127.0.0.1:0"},
    }
    file, log = folder / "registry.yml", folder / "registry.log"
    file.write_text(json.dumps(configuration), encoding="utf-8")
    listening = re.compile(r"listening on (127\.0\.0\.1:\d+)")
    command = [program("docker-registry", "docker-registry"), "serve", str(file)]
    start(stack, log, command, lambda: bool(listening.search(log.read_text())))
    match = listening.search(log.read_text())
    assert match
    return match[1]


def dockerd(stack: ExitStack, folder: pathlib.Path) -> tuple[tuple[str, str], ...]:
    """Start a dockerd for as long as the stack lives; the variables that lead to it."""
    folder.mkdir()
    socket = folder / "docker.sock"
    options = {
        "--host": f"unix://{socket}",
        "--data-root": folder / "data",
        "--exec-root": folder / "exec",
        "--pidfile": folder / "pid",
        "--storage-driver": "overlay2",  # vfs would copy each layer into all that follow
        "--iptables": "false",
        "--ip6tables": "false",
        "--bridge": "none",
    }
    command = [program("dockerd", "docker.io"), *(f"{name}={value}" for name, value in options.items())]
    variables = {"DOCKER_HOST": f"unix://{socket}"}

    def answers() -> bool:
        command = ["docker", "info", "--format", "{{.Driver}}"]
        environment = {**os.environ, **variables}
        return subprocess.run(command, env=environment, capture_output=True, check=False).stdout == b"overlay2\n"

    start(stack, folder / "log", command, answers)
    return tuple(variables.items())
