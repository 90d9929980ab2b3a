# SPDX-License-Identifier: GPL-3.0-or-later
"""A proxy between a client and the lab, and variants that change, drop or hold back responses of the lab."""

from __future__ import annotations

import base64
import email.message
import http.client
import http.server
import json
import sys
import threading
import urllib.parse
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from tests.support.lab import Lab

Form = dict[str, str]
#: Receives a call, the form that was sent, the status and the response. Returns the new status and response.
Change = Callable[[str, Form, int, str], tuple[int, str]]
#: Headers that belong to one connection, and those that the proxy sends itself.
OWN_HEADERS = ("connection", "content-length", "date", "server", "transfer-encoding")


@dataclass(frozen=True)
class Request:
    """A request of a client."""

    method: str
    path: str
    headers: email.message.Message
    body: bytes

    @property
    def form(self) -> Form:
        return dict(urllib.parse.parse_qsl(self.body.decode("latin-1")))

    @property
    def call(self) -> str:
        """The operation of AWS, or nothing for a request to the registry."""
        return self.form.get("Action") or str(self.headers.get("X-Amz-Target", "")).rpartition(".")[2]


@dataclass
class Answer:
    """The response of the lab.

    :param sent: how much of the body is sent before the connection ends; None for all of it
    :param halfway: called after a part of the body is sent
    """

    status: int
    headers: dict[str, str]
    body: bytes
    sent: int | None = None
    halfway: Callable[[], object] | None = None


class _Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    server: ForwardingProxy

    def forward(self) -> None:
        body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        request = Request(self.command, self.path, self.headers, body)
        self.server.on_request(request)
        answer = self._ask(request)
        length = answer.headers.get("Content-Length")
        self.server.on_answer(request, answer)
        if request.method != "HEAD":
            length = str(len(answer.body))
        self.send_response(answer.status)
        for name, value in answer.headers.items():
            if name.lower() not in OWN_HEADERS:
                self.send_header(name, value)
        if length is not None:
            self.send_header("Content-Length", length)
        if answer.sent is not None:
            self.send_header("Connection", "close")
        self.end_headers()
        if request.method != "HEAD":
            self._send(answer)

    def _ask(self, request: Request) -> Answer:
        connection = http.client.HTTPConnection(self.server.behind, timeout=300)
        connection.putrequest(request.method, request.path, skip_host=True, skip_accept_encoding=True)
        for name, value in request.headers.items():  # Host as well: it is signed
            connection.putheader(name, value)
        connection.endheaders(request.body)
        reply = connection.getresponse()
        answer = Answer(reply.status, {name.title(): value for name, value in reply.getheaders()}, reply.read())
        connection.close()
        return answer

    def _send(self, answer: Answer) -> None:
        body = answer.body[: answer.sent]
        half = len(body) // 2
        if answer.halfway:
            self.wfile.write(body[:half])
            answer.halfway()
            body = body[half:]
        self.wfile.write(body)

    do_GET = do_HEAD = do_POST = forward  # noqa: N815

    def log_message(self, format: str, *arguments: Any) -> None:
        pass


class ForwardingProxy(http.server.ThreadingHTTPServer):
    """Forwards each request to the lab, and its answer to the client."""

    request_queue_size = 128

    def __init__(self, endpoint: str) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.behind = endpoint.partition("://")[2]
        self.here = f"127.0.0.1:{self.server_port}"
        self.url = f"http://{self.here}"

    def on_request(self, request: Request) -> None:
        """Called before the lab receives a request."""

    def on_answer(self, request: Request, answer: Answer) -> None:
        """Called before the client receives the response, and may change it."""

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that was killed, or that closes its connection, is not an error."""
        if not isinstance(sys.exc_info()[1], ConnectionError):
            super().handle_error(request, client_address)


class RecordingProxy(ForwardingProxy):
    """Records the forms that were sent to STS, and may change the responses of AWS."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab.endpoint)
        self.forms: list[Form] = []
        self.change: Change = lambda _call, _form, status, answer: (status, answer)

    def on_request(self, request: Request) -> None:
        self.forms.append(request.form)

    def on_answer(self, request: Request, answer: Answer) -> None:
        if request.method == "POST":
            status, text = self.change(request.call, request.form, answer.status, answer.body.decode())
            answer.status, answer.body = status, text.encode()

    @property
    def assumed(self) -> list[Form]:
        return [form for form in self.forms if form.get("Action") == "AssumeRole"]


class ResponseDroppingProxy(RecordingProxy):
    """Forwards every request, and drops some responses."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.calls: list[str] = []
        self.errors: list[BaseException | None] = []
        self.then: dict[str, list[Callable[[], Any]]] = {}
        self.at: dict[int, Callable[[], Any]] = {}  # after the answer to the call of this number, once
        self.change = self._change

    def after(self, call: str, *acts: Callable[[], Any]) -> None:
        """Run a function after each of the first responses to a call. `self.lose` drops the response."""
        self.then[call] = list(acts)

    @staticmethod
    def lose() -> None:
        raise ConnectionAbortedError("the answer is lost")

    def _change(self, call: str, _form: Form, status: int, answer: str) -> tuple[int, str]:
        self.calls.append(call)
        if act := self.at.pop(len(self.calls) - 1, None):
            act()
        acts = self.then.get(call)
        changed = acts.pop(0)() if acts else None
        return changed or (status, answer)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A dropped response is expected. Any other error is reported to the test."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self.errors.append(error)

    def count(self, call: str) -> int:
        return self.calls.count(call)


class HoldingProxy(ForwardingProxy):
    """A proxy for AWS and the registry that can hold back half of a layer, refuse it, or hold back a call of AWS.

    :param layer: the digest of the layer
    """

    def __init__(self, endpoint: str, layer: str) -> None:
        super().__init__(endpoint)
        self.layer = layer
        self.pass_on()

    def pass_on(self) -> None:
        self.refused, self.holding, self.released = "", False, threading.Event()
        self.held: list[str] = []
        self.held_call, self.held_answer = "", ""

    def hold(self) -> None:
        self.pass_on()
        self.holding = True

    def hold_call(self, call: str, answer: bool) -> None:
        """Hold back later calls of an operation of AWS before the lab receives them, or hold back the responses."""
        self.pass_on()
        self.held_call, self.held_answer = ("", call) if answer else (call, "")

    def refuse(self, what: str) -> None:
        """Refuse later requests for `manifest` or `layer`."""
        self.pass_on()
        self.refused = {"manifest": "/v2/release/manifests/", "layer": f"/v2/release/blobs/{self.layer}"}[what]

    def on_request(self, request: Request) -> None:
        if self.held_call and request.call == self.held_call:
            self._wait(request.call)
            raise ConnectionAbortedError  # the client has ended, and the lab does not receive the call

    def on_answer(self, request: Request, answer: Answer) -> None:
        if request.method == "POST":
            answer.body = answer.body.replace(self.behind.encode(), self.here.encode())
        if self.refused and request.path.startswith(self.refused):
            answer.status, answer.body = 403, _refusal(request)
        if self.holding and request.method == "GET" and request.path == f"/v2/release/blobs/{self.layer}":
            answer.halfway = lambda: self._wait(request.headers.get("User-Agent", ""))
        if self.held_answer and request.call == self.held_answer:
            self._wait(request.call)

    def _wait(self, what: str) -> None:
        released = self.released  # pass_on() replaces it
        self.held.append(what)
        released.wait(600)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A killed client is not an error."""


def _refusal(request: Request) -> bytes:
    """A refusal that contains the token, except for dockerd, which writes it to its log."""
    token = request.headers.get("Authorization", "").partition(" ")[2]
    if request.headers.get("User-Agent", "").startswith("docker/"):
        token = ""
    message = f"{base64.b64decode(token).decode()} or {token} is refused"
    return json.dumps({"errors": [{"code": "DENIED", "message": message}]}).encode()


class TamperingProxy(ForwardingProxy):
    """A registry that forwards the responses of the lab with one fault.

    :param fault: changes an answer that has a layer or the manifest
    :param layers: the digests of the layers that a fault may concern
    :param manifest: another image's manifest, of the same type
    """

    def __init__(
        self, url: str, fault: Callable[[TamperingProxy, str, Answer], None], layers: list[str], manifest: bytes
    ) -> None:
        super().__init__(url)
        self.fault, self.layers, self.manifest = fault, tuple(layers), manifest
        self.faults = 0

    def on_request(self, request: Request) -> None:
        del request.headers["Range"]  # it has no part of a layer

    def on_answer(self, request: Request, answer: Answer) -> None:
        what = "layer" if request.path.endswith(self.layers) else "manifest" if "/manifests/" in request.path else ""
        if what:
            before = (answer.status, dict(answer.headers), answer.body, answer.sent)
            self.fault(self, what, answer)
            self.faults += before != (answer.status, answer.headers, answer.body, answer.sent)
