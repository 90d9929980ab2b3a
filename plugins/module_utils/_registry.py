# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The part of the Docker Registry HTTP API V2 that a pull needs."""

from __future__ import annotations

import contextlib
import functools
import hashlib
import http.client
import os
import pathlib
import ssl
import threading
import typing as t
import urllib.error
import urllib.parse

from ansible.module_utils.urls import make_context
from ansible_collections.crossaccount.ecr.plugins.module_utils._endpoint import is_loopback_address
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, RefusalError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import replacing
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import (
    INDEX_TYPES,
    MANIFEST_BYTES,
    MANIFEST_TYPES,
    Descriptor,
    digest_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._response_error import MAXIMUM_BODY, response_reason
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.module_utils._transfer import Transfer
from ansible_collections.crossaccount.ecr.plugins.module_utils._write_error import writing

_CHUNK = 64 * 1024
#: _TRIES is the number of attempts of a request. If a transfer of a layer fails midway after it received more bytes, it
#: gets new attempts, up to _CUTS times. The pauses between attempts are 0.5, 1, 2 and 4 seconds, or the value of
#: Retry-After, up to _LONGEST_PAUSE seconds.
_TRIES, _CUTS, _LONGEST_PAUSE = 5, 20, 30.0
_TRY_AGAIN = (429, 500, 502, 503, 504)
_BROKEN = (OSError, http.client.HTTPException)  # the errors of a connection


class Registry:
    """One registry with one token, which is sent to no other host.

    :param url: the URL of the registry; plain HTTP only for a loopback address, as in container engines
    :param authorization: base64 of `user:password`
    """

    def __init__(self, url: str, authorization: str, validate_certs: bool = True, ca_path: str | None = None) -> None:
        try:
            parts = urllib.parse.urlsplit(url)
        except ValueError:
            parts = urllib.parse.urlsplit("")
        self.host = parts.netloc
        self.plain_http = parts.scheme == "http"
        if parts.scheme not in ("http", "https"):
            raise EcrError(f"Registry {url!r} is not the URL of a registry, such as https://HOST.")
        if self.plain_http and not is_loopback_address(parts.hostname or ""):
            raise EcrError(
                f"Registry {self.host} uses plain HTTP. A token is sent over plain HTTP to 127.0.0.0/8 only."
            )
        if ca_path and not os.path.isfile(ca_path):
            raise EcrError(
                f"{option('ca_path')} {ca_path} does not exist. Set it to a file with certificates on the host that"
                " pulls."
            )
        self.authorization = authorization
        KNOWN.add(authorization)
        self.validate_certs, self.ca_path = validate_certs, ca_path
        #: Set by stop().
        self.stopped = threading.Event()
        self._transfers: list[Transfer] = []
        self._url = f"{parts.scheme}://{self.host}/v2"

    def stop(self) -> None:
        """Abort all transfers, including those in other threads that wait for data."""
        self.stopped.set()
        for transfer in list(self._transfers):
            transfer.end()

    @property
    def received(self) -> int:
        """The number of bytes received in all transfers of layers."""
        return sum(transfer.received for transfer in list(self._transfers))

    def __repr__(self) -> str:
        return f"<Registry {self.host}>"

    def manifest(self, repository: str, digest: str) -> tuple[bytes, str | None]:
        """The content of a manifest, verified against its digest, and its Content-Type."""
        label = f"manifest {digest} of {repository}"
        try:
            with self._transfer(label) as transfer:
                types = ", ".join(INDEX_TYPES + MANIFEST_TYPES)
                with self._open(transfer, f"/{repository}/manifests/{digest}", types, label) as reply:
                    content = reply.read(MANIFEST_BYTES + 1)
                    media_type = reply.headers.get("Content-Type")
        except _BROKEN as error:
            raise EcrError(f"The {label} was interrupted: {error}. Run again.") from None
        if len(content) > MANIFEST_BYTES:
            raise EcrError(f"The {label} has more than {MANIFEST_BYTES} bytes, the most that are accepted.")
        if digest_of(content) != digest:
            raise EcrError(f"The registry sent different content for the {label}: its digest is {digest_of(content)}.")
        return content, media_type

    def blob(self, repository: str, wanted: Descriptor, target: pathlib.Path) -> None:
        """Write a blob to `target`. The file is created only after the content is complete and matches its digest."""
        label = f"layer {wanted.digest} of {repository}"
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file, self._transfer(label) as transfer:
            path = f"/{repository}/blobs/{wanted.digest}"
            received, digest = self._copy(transfer, path, file, wanted.size, label)
            if received != wanted.size or digest != wanted.digest:
                raise EcrError(
                    f"The registry sent {received} bytes with digest {digest} for the {label},"
                    f" which has {wanted.size} bytes. Nothing was kept."
                )

    def _copy(self, transfer: Transfer, path: str, file: t.IO[bytes], size: int, label: str) -> tuple[int, str]:
        """Copy a blob into `file`, and return its size and digest. If the connection fails, the transfer resumes."""
        hasher, received, furthest, stuck = hashlib.sha256(), 0, 0, 0
        chunk = memoryview(bytearray(_CHUNK))  # reused, because allocating each chunk would cost more than hashing it
        for cut in range(1, _CUTS + 1):
            reason: object = "the connection ended"
            try:
                with self._open(transfer, path, "*/*", label, received) as reply:
                    if received and not _continues(reply, received):
                        hasher, received = hashlib.sha256(), 0
                        file.seek(0)
                        file.truncate()
                    while length := reply.readinto(chunk):
                        if self.stopped.is_set():
                            raise EcrError(f"The {label} was canceled.")
                        received += length
                        transfer.received += length
                        if received > size:
                            break
                        hasher.update(chunk[:length])
                        with writing(f"The {label}", file.name):
                            file.write(chunk[:length])
            except _BROKEN as error:
                reason = error
            if received >= size:
                return received, "sha256:" + hasher.hexdigest()
            furthest, stuck = max(furthest, received), 1 if received > furthest else stuck + 1
            if stuck == _TRIES or cut == _CUTS:
                break
            self._pause(stuck - 1)
        raise EcrError(
            f"The {label} was interrupted {cut} times, last after {received} of {size} bytes: {reason}. Run again."
        )

    @contextlib.contextmanager
    def _transfer(self, label: str) -> t.Iterator[Transfer]:
        """Context manager with a transfer that has a time limit and that stop() aborts."""
        with Transfer(self._url, self._tls) as transfer:
            self._transfers.append(transfer)
            try:
                if self.stopped.is_set():
                    raise EcrError(f"The work with registry {self.host} was canceled.")
                yield transfer
            except (EcrError, *_BROKEN):
                if not transfer.timed_out:
                    raise
        if transfer.timed_out:
            raise EcrError(
                f"The {label} was too slow: {transfer.received} bytes in {transfer.seconds:.0f} seconds. Check the"
                " network and the registry, and run again."
            )

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        """The TLS context of all requests. It is cached, because loading the CA certificates is slow."""
        context: ssl.SSLContext = make_context(cafile=self.ca_path, validate_certs=self.validate_certs)
        return context

    def _open(self, transfer: Transfer, path: str, accept: str, label: str, start: int = 0) -> http.client.HTTPResponse:
        """The response to a request for the content from byte `start`. Transient errors are retried."""
        headers = {"Accept": accept, "Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        for attempt in range(1, _TRIES + 1):
            try:
                return transfer.open(path, f"Basic {self.authorization}", **headers)
            except urllib.error.HTTPError as error:
                if error.code not in _TRY_AGAIN or attempt == _TRIES:
                    reason = self._reason(error, transfer.host)
                    raise RefusalError(self._subject(transfer.host), label, error.code, reason) from None
                error.close()
                self._pause(attempt - 1, error.headers.get("Retry-After"))
            except (*_BROKEN, ValueError) as error:  # includes URLError, which is an OSError
                lasting = (ssl.SSLCertVerificationError, ValueError)
                if attempt == _TRIES or isinstance(getattr(error, "reason", error), lasting):
                    reason = str(error)
                    raise EcrError(f"{self._subject(transfer.host)} cannot be reached: {reason}") from None
                self._pause(attempt - 1)
        raise AssertionError("unreachable")

    def _subject(self, host: str) -> str:
        """The host that responded, for messages: the registry, or the target of a redirect, such as S3 for a layer."""
        if host == self.host:
            return f"Registry {host}"
        return f"Host {KNOWN.mask(host)}, to which registry {self.host} redirects,"

    def _reason(self, error: urllib.error.HTTPError, host: str) -> str:
        try:
            body = error.read(MAXIMUM_BODY)
        except _BROKEN:
            body = b""
        status = KNOWN.mask(f"{error.code} {error.reason}")
        return response_reason(status, body, host, self.host, KNOWN.mask)

    def _pause(self, number: int, retry_after: str | None = None) -> None:
        pause = float(retry_after) if retry_after and retry_after.isdecimal() else 0.5 * 2**number
        if self.stopped.wait(min(pause, _LONGEST_PAUSE)):
            raise EcrError(f"The work with registry {self.host} was canceled.")


def _continues(reply: http.client.HTTPResponse, start: int) -> bool:
    """Whether a response continues at byte `start` rather than begins at byte 0."""
    return reply.status == 206 and str(reply.headers.get("Content-Range", "")).startswith(f"bytes {start}-")
