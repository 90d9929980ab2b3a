# SPDX-License-Identifier: GPL-3.0-or-later
"""Proxies between a client and the lab."""

from __future__ import annotations

import http.client
import http.server
import sys
import urllib.parse
from collections.abc import Callable
from typing import Any

from tests.support.lab import Lab

Form = dict[str, str]
#: From a call, the form that was sent, the status and the response: the status and response that replace them.
Change = Callable[[str, Form, int, str], tuple[int, str]]


class _Forward(http.server.BaseHTTPRequestHandler):
    server: Between

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        form = dict(urllib.parse.parse_qsl(body.decode()))
        self.server.forms.append(form)
        call = form.get("Action") or self.headers.get("X-Amz-Target", "").rpartition(".")[2]
        connection = http.client.HTTPConnection(self.server.lab, timeout=300)
        connection.request("POST", self.path, body, dict(self.headers))  # the signature is over the Host that was asked
        reply = connection.getresponse()
        status, answer = self.server.change(call, form, reply.status, reply.read().decode())
        connection.close()
        self.send_response(status)
        self.send_header("Content-Type", reply.headers["Content-Type"])
        self.send_header("Content-Length", str(len(answer.encode())))
        self.end_headers()
        self.wfile.write(answer.encode())

    def log_message(self, *_arguments: Any) -> None:
        pass


class Between(http.server.ThreadingHTTPServer):
    """Hands requests on to the lab: keeps the forms that were sent to STS, and may change the answers."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(("127.0.0.1", 0), _Forward)
        self.lab = lab.endpoint.partition("://")[2]
        self.url = f"http://127.0.0.1:{self.server_port}"
        self.forms: list[Form] = []
        self.change: Change = lambda _call, _form, status, answer: (status, answer)

    @property
    def assumed(self) -> list[Form]:
        return [form for form in self.forms if form.get("Action") == "AssumeRole"]


class Lossy(Between):
    """Forwards every request, and drops the answer to some."""

    def __init__(self, lab: Lab) -> None:
        super().__init__(lab)
        self.calls: list[str] = []
        self.errors: list[BaseException | None] = []
        self.then: dict[str, list[Callable[[], Any]]] = {}
        self.at: dict[int, Callable[[], Any]] = {}  # after the answer to the call of this number, once
        self.change = self._change

    def after(self, call: str, *acts: Callable[[], Any]) -> None:
        """After the first answers to a call, do this, once each; `self.lose` drops the answer."""
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
        """A lost response is expected; anything else is one for the test."""
        error = sys.exc_info()[1]
        if not isinstance(error, ConnectionError):
            self.errors.append(error)

    def count(self, call: str) -> int:
        return self.calls.count(call)
