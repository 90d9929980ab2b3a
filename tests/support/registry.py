# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry on loopback whose responses a test sets."""

from __future__ import annotations

import hashlib
import http.server
import json
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.support.serving import serving

OCI_MANIFEST = "application/vnd.oci.image.manifest.v1+json"
OCI_INDEX = "application/vnd.oci.image.index.v1+json"
Answer = Callable[["Handler"], None]


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Server

    def do_GET(self) -> None:
        self.server.requests.append((self.path, dict(self.headers)))
        answer = self.server.answers.get(self.path)
        if answer is None:
            self.reply(404, b"")
        else:
            answer(self)

    def reply(self, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        """Respond with `body`, and with a Content-Length that may be wrong."""
        self.send_response(status)
        self.send_header("Content-Length", str(len(body) if length is None else length))
        self.send_header("Connection", "close")
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        self.wfile.write(body)
        self.close_connection = True

    def log_message(self, format: str, *arguments: object) -> None:
        pass


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.answers: dict[str, Answer] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that closes the connection is expected."""

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.server_address[1]}"

    def serve(self, path: str, status: int, body: bytes, length: int | None = None, **headers: str) -> None:
        self.answers[path] = lambda handler: handler.reply(status, body, length, **headers)

    def push(self, repository: str, content: bytes, media_type: str = "") -> dict[str, Any]:
        """Serve `content` as a blob, or as a manifest if it has a type. Returns its descriptor."""
        digest = "sha256:" + hashlib.sha256(content).hexdigest()
        kind = "manifests" if media_type else "blobs"
        self.serve(
            f"/v2/{repository}/{kind}/{digest}", 200, content, Content_Type=media_type or "application/octet-stream"
        )
        return {"mediaType": media_type or "application/octet-stream", "digest": digest, "size": len(content)}

    def push_image(self, repository: str, *layers: bytes) -> dict[str, Any]:
        """Serve an image with these layers. Returns the descriptor of its manifest."""
        config = self.push(repository, json.dumps(["config", *map(repr, layers)]).encode())
        manifest = {
            "schemaVersion": 2,
            "mediaType": OCI_MANIFEST,
            "config": config,
            "layers": [self.push(repository, layer) for layer in layers],
        }
        return self.push(repository, json.dumps(manifest).encode(), OCI_MANIFEST)

    def push_index(self, repository: str, **platforms: dict[str, Any]) -> dict[str, Any]:
        """Serve an index with one manifest for each architecture. Returns its descriptor."""
        entries = [
            {**entry, "platform": {"os": "linux", "architecture": architecture}}
            for architecture, entry in platforms.items()
        ]
        index = {"schemaVersion": 2, "mediaType": OCI_INDEX, "manifests": entries}
        return self.push(repository, json.dumps(index).encode(), OCI_INDEX)


def _running() -> Iterator[Server]:
    server = Server()
    with serving(server):
        yield server


@pytest.fixture
def server() -> Iterator[Server]:
    """The registry."""
    yield from _running()


@pytest.fixture
def other_server() -> Iterator[Server]:
    """A second host, which must not receive a token."""
    yield from _running()
