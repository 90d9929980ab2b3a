# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy in front of the lab that holds or refuses a request."""

from __future__ import annotations

import base64
import http.client
import http.server
import json
import threading
from typing import Any


class Proxy(http.server.ThreadingHTTPServer):
    """In front of the lab, AWS and registry: may hold one layer half-way, or refuse it."""

    daemon_threads = True
    request_queue_size = 128

    def __init__(self, endpoint: str, layer: str) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.behind, self.layer = endpoint.partition("://")[2], layer
        self.here = f"127.0.0.1:{self.server_address[1]}"
        self.pass_on()

    def pass_on(self) -> None:
        self.refused, self.holding, self.released = "", False, threading.Event()
        self.held: list[str] = []

    def hold(self) -> None:
        self.pass_on()
        self.holding = True

    def refuse(self, what: str) -> None:
        """From now on refuse `manifest` or `layer`."""
        self.pass_on()
        self.refused = {"manifest": "/v2/release/manifests/", "layer": f"/v2/release/blobs/{self.layer}"}[what]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client is not an error."""


class _Forward(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: Proxy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        connection = http.client.HTTPConnection(self.server.behind, timeout=300)
        connection.putrequest(self.command, self.path, skip_host=True, skip_accept_encoding=True)
        for name, value in self.headers.items():  # Host as well: it is signed
            connection.putheader(name, value)
        connection.endheaders(body)
        reply = connection.getresponse()
        content, status = reply.read(), reply.status
        connection.close()
        if self.command == "POST":
            content = content.replace(self.server.behind.encode(), self.server.here.encode())
        layer = self.command == "GET" and self.path == f"/v2/release/blobs/{self.server.layer}"
        if self.server.refused and self.path.startswith(self.server.refused):
            status, content = 403, self._refusal()
        self.send_response(status)
        for name, value in reply.getheaders():
            if name.lower() not in ("content-length", "connection", "transfer-encoding", "date", "server"):
                self.send_header(name, value)
        length = reply.headers.get("Content-Length") if self.command == "HEAD" else str(len(content))
        if length is not None:
            self.send_header("Content-Length", length)
        self.end_headers()
        if layer and self.server.holding:
            self.wfile.write(content[: len(content) // 2])
            content = content[len(content) // 2 :]
            released = self.server.released
            self.server.held.append(self.headers.get("User-Agent", ""))
            released.wait(600)
        self.wfile.write(content)

    def _refusal(self) -> bytes:
        """A registry that says the token aloud, except to dockerd, which has a log of its own."""
        token = self.headers.get("Authorization", "").partition(" ")[2]
        if self.headers.get("User-Agent", "").startswith("docker/"):
            token = ""
        message = f"{base64.b64decode(token).decode()} or {token} is refused"
        return json.dumps({"errors": [{"code": "DENIED", "message": message}]}).encode()

    do_GET = do_HEAD = do_POST = forward  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:
        """Nothing: standard error is not a log."""
