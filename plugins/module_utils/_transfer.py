# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""One transfer from a registry over HTTP, with limits for redirects, time and disk space."""

from __future__ import annotations

import contextlib
import http.client
import os
import pathlib
import socket
import ssl
import threading
import time
import typing as t
import urllib.parse
import urllib.request

from ansible_collections.crossaccount.ecr.plugins.module_utils._endpoint import redirect_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

_TIMEOUT = 60  # seconds without data
#: The time limit of a transfer is _GRACE seconds, and one second for each _SLOWEST bytes received. Four concurrent
#: layers at this rate need a link of 256 kbit/s (32 KiB/s). _GRACE is longer than all pauses and retries of one
#: request.
_GRACE, _SLOWEST = 600.0, 8 * 1024
_REDIRECTS = 5


class Transfer:
    """The requests for one manifest or one layer. As a context manager, it is aborted at its time limit.

    :param url: the URL of the registry
    :param tls: the TLS context for https
    """

    def __init__(self, url: str, tls: ssl.SSLContext) -> None:
        self._url = url
        #: The host of the last request: the registry, or the target of a redirect.
        self.host = self._registry = urllib.parse.urlsplit(url).netloc
        self.received = 0
        #: Set at the time limit, and by `end`.
        self.timed_out, self.ended = False, False
        self._finished = threading.Event()
        self._connections: list[socket.socket] = []
        plain_http = url.startswith("http:")
        self._opener = urllib.request.OpenerDirector()
        for handler in (
            urllib.request.ProxyHandler({} if plain_http else None),  # a plain HTTP request must not be sent to a proxy
            _Connections(self._connect, tls),
            urllib.request.HTTPDefaultErrorHandler(),
            _Redirects(url, self._follow),
            urllib.request.HTTPErrorProcessor(),
        ):
            self._opener.add_handler(handler)

    def __enter__(self) -> Transfer:
        self._started = time.monotonic()
        threading.Thread(target=self._watch, daemon=True).start()
        return self

    def __exit__(self, *_error: object) -> None:
        self._finished.set()
        self._close()

    def open(self, path: str, authorization: str, **headers: str) -> http.client.HTTPResponse:
        """The response to a GET request. The authorization is sent to the registry, but not to targets of redirects."""
        self._close()
        self.host = self._registry
        headers = {"User-agent": "crossaccount.ecr", **headers}
        request = urllib.request.Request(self._url + path, headers=headers)  # noqa: S310  its handlers are named above
        request.add_unredirected_header("Authorization", authorization)
        reply: http.client.HTTPResponse = self._opener.open(request, timeout=_TIMEOUT)
        return reply

    @property
    def seconds(self) -> float:
        """The elapsed time in seconds."""
        return time.monotonic() - self._started

    def end(self) -> None:
        """Close the connections, so that threads that wait for data continue."""
        self.ended = True
        for connection in list(self._connections):
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)

    def _connect(
        self, address: tuple[str, int], timeout: float | None = None, source: tuple[str, int] | None = None
    ) -> socket.socket:
        if self.ended:
            raise EcrError("The transfer was canceled.")
        connection = socket.create_connection(address, timeout, source)
        # TLS detaches the socket from this object, so a duplicate is kept.
        self._connections.append(connection.dup())
        return connection

    def _follow(self, target: str) -> None:
        self.host = urllib.parse.urlsplit(target).netloc.rpartition("@")[2]

    def _close(self) -> None:
        while self._connections:
            self._connections.pop().close()

    def _watch(self) -> None:
        while (left := _GRACE + self.received / _SLOWEST - self.seconds) > 0:
            if self._finished.wait(left):
                return
        self.timed_out = True
        self.end()


class _Connections(urllib.request.AbstractHTTPHandler):
    """Opens http and https connections, the only schemes of a transfer, with a custom function."""

    def __init__(self, connect: t.Callable[..., socket.socket], tls: ssl.SSLContext) -> None:
        super().__init__()
        self._connect, self._tls = connect, tls

    def http_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection_factory(http.client.HTTPConnection), request)

    def https_open(self, request: urllib.request.Request) -> http.client.HTTPResponse:
        return self.do_open(self._connection_factory(http.client.HTTPSConnection), request, context=self._tls)

    http_request = https_request = urllib.request.AbstractHTTPHandler.do_request_

    def _connection_factory(
        self, kind: t.Callable[..., http.client.HTTPConnection]
    ) -> t.Callable[..., http.client.HTTPConnection]:
        def make(host: str, **options: object) -> http.client.HTTPConnection:
            connection = kind(host, **options)
            connection._create_connection = self._connect  # type: ignore[attr-defined]
            return connection

        return make


class _Redirects(urllib.request.HTTPRedirectHandler):
    """Follows redirects to https, and redirects to http only between loopback addresses."""

    max_redirections, max_repeats = _REDIRECTS, _REDIRECTS

    def __init__(self, url: str, follow: t.Callable[[str], None]) -> None:
        self._url, self._follow = url, follow

    def http_error_302(
        self, req: urllib.request.Request, fp: t.IO[bytes], code: int, msg: str, headers: http.client.HTTPMessage
    ) -> http.client.HTTPResponse | None:
        target = headers.get("Location")
        if not target:
            return None
        target = urllib.parse.urljoin(req.full_url, target)
        problem = redirect_problem(self._url, target)
        if problem:
            fp.close()
            raise EcrError(
                f"Registry {urllib.parse.urlsplit(self._url).netloc} redirects to {problem}, which is not followed."
                " A redirect must lead to https, or from a registry in 127.0.0.0/8 to http in 127.0.0.0/8."
            )
        self._follow(target)
        reply: http.client.HTTPResponse | None = super().http_error_302(req, fp, code, msg, headers)
        return reply

    http_error_301 = http_error_303 = http_error_307 = http_error_308 = http_error_302


def check_space(folder: pathlib.Path, size: int) -> None:
    """Check that the file system of a folder has space for `size` bytes."""
    file_system = os.statvfs(folder)
    free = file_system.f_bavail * file_system.f_frsize
    if size > free:
        raise EcrError(
            f"The image needs {size} bytes in {folder}, and {free} are free. Nothing was downloaded. Free disk"
            " space, or choose"
            f" another {option('dest')}."
        )
