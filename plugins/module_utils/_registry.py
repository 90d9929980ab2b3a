# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The Docker Registry HTTP API V2, as far as a pull needs it."""

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
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
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
from ansible_collections.crossaccount.ecr.plugins.module_utils._written import writing

_CHUNK = 64 * 1024
#: Tries of one request, which a layer that breaks off gets anew whenever it got further, and how often it may break off
#: in all. Between two: 0.5, 1, 2, 4 seconds, or what the registry asks for with Retry-After, up to _LONGEST_PAUSE.
_TRIES, _CUTS, _LONGEST_PAUSE = 5, 20, 30.0
_TRY_AGAIN = (429, 500, 502, 503, 504)
_BROKEN = (OSError, http.client.HTTPException)  # what a connection raises


class Registry:
    """One registry with one token, which is sent to that registry and to no other host.

    :param url: the registry's URL; plain HTTP only on a loopback address, as container engines have it
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
                f"Registry {self.host} is offered over plain HTTP. A token is sent that way to 127.0.0.0/8 only."
            )
        if ca_path and not os.path.isfile(ca_path):
            raise EcrError(
                f"{option('ca_path')} {ca_path} does not exist. Set it to a file with certificates on the host that"
                " pulls."
            )
        self.authorization = authorization
        KNOWN.add(authorization)
        self.validate_certs, self.ca_path = validate_certs, ca_path
        #: Set by stop(), once and for all.
        self.stopped = threading.Event()
        self._transfers: list[Transfer] = []
        self._url = f"{parts.scheme}://{self.host}/v2"

    def stop(self) -> None:
        """Give up: what is under way in other threads ends, also where nothing comes any more."""
        self.stopped.set()
        for transfer in list(self._transfers):
            transfer.end()

    @property
    def received(self) -> int:
        """The bytes of all layers so far."""
        return sum(transfer.received for transfer in list(self._transfers))

    def __repr__(self) -> str:
        return f"<Registry {self.host}>"

    def manifest(self, repository: str, digest: str) -> tuple[bytes, str | None]:
        """The bytes of a manifest, checked against its digest, and the type that the registry gives it."""
        what = f"manifest {digest} of {repository}"
        try:
            with self._transfer(what) as transfer:
                types = ", ".join(INDEX_TYPES + MANIFEST_TYPES)
                with self._open(transfer, f"/{repository}/manifests/{digest}", types, what) as reply:
                    content = reply.read(MANIFEST_BYTES + 1)
                    media_type = reply.headers.get("Content-Type")
        except _BROKEN as error:
            raise EcrError(f"The {what} was interrupted: {error}. Run again.") from None
        if len(content) > MANIFEST_BYTES:
            raise EcrError(f"The {what} has more than {MANIFEST_BYTES} bytes, the most that are accepted.")
        if digest_of(content) != digest:
            raise EcrError(f"The registry sent different content for the {what}: its digest is {digest_of(content)}.")
        return content, media_type

    def blob(self, repository: str, wanted: Descriptor, target: pathlib.Path) -> None:
        """Write a blob to `target`, which appears only when it is whole and has the right digest."""
        what = f"layer {wanted.digest} of {repository}"
        target.parent.mkdir(parents=True, exist_ok=True)
        with replacing(target) as file, self._transfer(what) as transfer:
            path = f"/{repository}/blobs/{wanted.digest}"
            received, digest = self._copy(transfer, path, file, wanted.size, what)
            if received != wanted.size or digest != wanted.digest:
                raise EcrError(
                    f"The registry sent {received} bytes with digest {digest} for the {what},"
                    f" which has {wanted.size} bytes. Nothing was kept."
                )

    def _copy(self, transfer: Transfer, path: str, file: t.IO[bytes], size: int, what: str) -> tuple[int, str]:
        """Bytes and digest of a blob that goes into `file`; where the connection breaks, the rest is asked for."""
        hasher, received, furthest, stuck = hashlib.sha256(), 0, 0, 0
        chunk = memoryview(bytearray(_CHUNK))  # one for all: memory that is new each time costs more than the hash
        for cut in range(1, _CUTS + 1):
            reason: object = "the connection ended"
            try:
                with self._open(transfer, path, "*/*", what, received) as reply:
                    if received and not _continues(reply, received):
                        hasher, received = hashlib.sha256(), 0
                        file.seek(0)
                        file.truncate()
                    while length := reply.readinto(chunk):
                        if self.stopped.is_set():
                            raise EcrError(f"The {what} was canceled.")
                        received += length
                        transfer.received += length
                        if received > size:
                            break
                        hasher.update(chunk[:length])
                        with writing(f"The {what}", file.name):
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
            f"The {what} was interrupted {cut} times, last after {received} of {size} bytes: {reason}. Run again."
        )

    @contextlib.contextmanager
    def _transfer(self, what: str) -> t.Iterator[Transfer]:
        """A transfer that stop() ends, and whose time is limited."""
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
                f"The {what} was too slow: {transfer.received} bytes in {transfer.seconds:.0f} seconds. Check the"
                " network and the registry, and run again."
            )

    @functools.cached_property
    def _tls(self) -> ssl.SSLContext:
        """One for all requests: to read whom this machine trusts takes as long as 20 MB of a layer."""
        context: ssl.SSLContext = make_context(cafile=self.ca_path, validate_certs=self.validate_certs)
        return context

    def _open(self, transfer: Transfer, path: str, accept: str, what: str, start: int = 0) -> http.client.HTTPResponse:
        """The reply to a request, for the content from byte `start` on; tried again where that may help."""
        headers = {"Accept": accept, "Accept-Encoding": "identity", **({"Range": f"bytes={start}-"} if start else {})}
        for attempt in range(1, _TRIES + 1):
            try:
                return transfer.open(path, f"Basic {self.authorization}", **headers)
            except urllib.error.HTTPError as error:
                if error.code not in _TRY_AGAIN or attempt == _TRIES:
                    reason = self._reason(error, transfer.host)
                    raise EcrError(f"{self._subject(transfer.host)} refused the {what}: {reason}") from None
                error.close()
                self._pause(attempt - 1, error.headers.get("Retry-After"))
            except (*_BROKEN, ValueError) as error:  # URLError is an OSError
                lasting = (ssl.SSLCertVerificationError, ValueError)
                if attempt == _TRIES or isinstance(getattr(error, "reason", error), lasting):
                    reason = str(error)
                    raise EcrError(f"{self._subject(transfer.host)} cannot be reached: {reason}") from None
                self._pause(attempt - 1)
        raise AssertionError("unreachable")

    def _subject(self, host: str) -> str:
        """What responded, for a message: the registry, or the host to which it redirected, such as S3 for a layer."""
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
        asked = float(retry_after) if retry_after and retry_after.isdecimal() else 0.5 * 2**number
        if self.stopped.wait(min(asked, _LONGEST_PAUSE)):
            raise EcrError(f"The work with registry {self.host} was canceled.")


def _continues(reply: http.client.HTTPResponse, start: int) -> bool:
    """Whether a reply goes on where it was asked to, rather than begins anew."""
    return reply.status == 206 and str(reply.headers.get("Content-Range", "")).startswith(f"bytes {start}-")
