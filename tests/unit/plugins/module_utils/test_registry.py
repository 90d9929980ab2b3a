# SPDX-License-Identifier: GPL-3.0-or-later
"""A registry that behaves, one that does not, and recipients of the token. No test waits for real."""

from __future__ import annotations

import datetime
import gzip
import hashlib
import ipaddress
import json
import os
import pathlib
import re
import ssl
import threading
import types
from collections.abc import Callable

import pytest
from ansible.module_utils.urls import make_context
from ansible_collections.crossaccount.ecr.plugins.module_utils import _registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import MANIFEST_BYTES, Descriptor
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.registry import OCI_MANIFEST, Answer, Handler, Server

TOKEN = "QVdTOnNlY3JldC10b2tlbi1vZi1vbmUtY2FsbGVy"
PASSWORD = "secret-token-of-one-caller"  # in TOKEN, base64
CONTENT = b'{"layers": []}'
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
MANIFEST_PATH, BLOB_PATH = f"/v2/team/app/manifests/{DIGEST}", f"/v2/team/app/blobs/{DIGEST}"
MANIFEST_WHAT, LAYER_WHAT = f"manifest {DIGEST} of team/app", f"layer {DIGEST} of team/app"
WANTED = Descriptor("application/octet-stream", DIGEST, len(CONTENT))
#: The pauses between five tries of one request.
PAUSES = [0.5, 1.0, 2.0, 4.0]


class Pauses(threading.Event):
    """Stands for the event that a pause waits on: nothing is slept, and what would have been is kept."""

    def __init__(self) -> None:
        super().__init__()
        self.asked: list[float] = []

    def wait(self, timeout: float | None = None) -> bool:
        assert timeout is not None
        assert len(self.asked) < 1000, "these pauses have no end"
        self.asked.append(timeout)
        return self.is_set()


@pytest.fixture(autouse=True)
def pauses(monkeypatch: pytest.MonkeyPatch) -> Pauses:
    """The pauses of all registries of a test."""
    pauses = Pauses()
    monkeypatch.setattr(_registry, "threading", types.SimpleNamespace(Event=lambda: pauses))
    return pauses


@pytest.fixture(autouse=True)
def _no_authorities(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whom this machine trusts plays no part, and takes time to read at each request."""
    monkeypatch.setenv("SSL_CERT_FILE", os.devnull)


@pytest.fixture
def registry(server: Server) -> Registry:
    return Registry(server.url, TOKEN)


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    return tmp_path / "blobs/sha256"


def files(folder: pathlib.Path) -> list[str]:
    return sorted(path.name for path in folder.rglob("*") if not path.is_dir())


def message_of(call: Callable[[], object]) -> str:
    with pytest.raises(EcrError) as caught:
        call()
    assert TOKEN not in str(caught.value)
    assert PASSWORD not in str(caught.value)
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def blob_message(registry: Registry, folder: pathlib.Path) -> str:
    """Why a blob was refused; nothing may be left of it."""
    message = message_of(lambda: registry.blob("team/app", WANTED, folder / "blob"))
    assert files(folder) == []
    return message


def manifest_message(registry: Registry) -> str:
    return message_of(lambda: registry.manifest("team/app", DIGEST))


def fixed(status: int, body: bytes = b"", length: int | None = None, **headers: str) -> Answer:
    return lambda handler: handler.reply(status, body, length, **headers)


def in_turn(*answers: Answer) -> Answer:
    """One answer after the other; the last one for ever."""
    left = list(answers)

    def answer(handler: Handler) -> None:
        (left.pop(0) if len(left) > 1 else left[0])(handler)

    return answer


def asked_ranges(server: Server) -> list[str | None]:
    """The Range of each request."""
    return [headers.get("Range") for _path, headers in server.requests]


class ResumableServer:
    """Serves a content from the requested offset, and interrupts it at a given one; `sent` is what went out."""

    def __init__(self, content: bytes, *cuts: int) -> None:
        self.content, self.cuts = content, list(cuts)
        self.sent: list[tuple[int, int]] = []

    def __call__(self, handler: Handler) -> None:
        asked, size = handler.headers.get("Range"), len(self.content)
        start = int(asked.removeprefix("bytes=").removesuffix("-")) if asked else 0
        end = self.cuts.pop(0) if self.cuts else size
        self.sent.append((start, end))
        headers = {"Content_Range": f"bytes {start}-{size - 1}/{size}"} if asked else {}
        handler.reply(206 if asked else 200, self.content[start:end], size - start, **headers)


# --- success


def test_a_manifest(server: Server, registry: Registry) -> None:
    server.serve(MANIFEST_PATH, 200, CONTENT, Content_Type=OCI_MANIFEST)
    assert registry.manifest("team/app", DIGEST) == (CONTENT, OCI_MANIFEST)
    ((path, headers),) = server.requests
    assert path == MANIFEST_PATH
    assert headers["Authorization"] == f"Basic {TOKEN}"
    assert headers["Accept-Encoding"] == "identity"
    assert headers["Accept"].split(", ") == [
        "application/vnd.oci.image.index.v1+json",
        "application/vnd.docker.distribution.manifest.list.v2+json",
        "application/vnd.oci.image.manifest.v1+json",
        "application/vnd.docker.distribution.manifest.v2+json",
    ]


@pytest.mark.parametrize("size", [0, 1, 1024 * 1024, 2 * 1024 * 1024 + 1])
def test_a_blob(server: Server, registry: Registry, folder: pathlib.Path, size: int) -> None:
    content = os.urandom(size)
    described = server.push("team/app", content)
    target = folder / "blob"
    registry.blob("team/app", Descriptor("x", described["digest"], size), target)
    assert target.read_bytes() == content
    assert files(folder) == ["blob"]
    assert target.stat().st_mode & 0o777 == 0o644


def test_trusted_certificates_are_read_once(
    server: Server, registry: Registry, folder: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    created = []

    def make(**options: object) -> object:
        created.append(options)
        return make_context(**options)

    monkeypatch.setattr(_registry, "make_context", make)
    server.serve(MANIFEST_PATH, 200, CONTENT)
    server.serve(BLOB_PATH, 200, CONTENT)
    registry.manifest("team/app", DIGEST)
    registry.blob("team/app", WANTED, folder / "one")
    registry.blob("team/app", WANTED, folder / "two")
    assert created == [{"cafile": None, "validate_certs": True}]


# --- faults of the registry


def test_wrong_digest(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    other = b"x" * len(CONTENT)
    digest = "sha256:" + hashlib.sha256(other).hexdigest()
    server.serve(BLOB_PATH, 200, other)
    server.serve(MANIFEST_PATH, 200, other)
    assert blob_message(registry, folder) == (
        f"The registry sent 14 bytes with digest {digest} for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept."
    )
    assert manifest_message(registry) == (
        f"The registry sent different content for the {MANIFEST_WHAT}: its digest is {digest}."
    )


def test_a_blob_that_was_there_stays_when_another_is_refused(
    server: Server, registry: Registry, folder: pathlib.Path
) -> None:
    folder.mkdir(parents=True)
    (folder / "blob").write_bytes(b"before")
    server.serve(BLOB_PATH, 200, b"x")
    message_of(lambda: registry.blob("team/app", WANTED, folder / "blob"))
    assert files(folder) == ["blob"]
    assert (folder / "blob").read_bytes() == b"before"


@pytest.mark.parametrize("length", [5, len(CONTENT)])
def test_short_body(server: Server, registry: Registry, folder: pathlib.Path, length: int) -> None:
    for path in (BLOB_PATH, MANIFEST_PATH):
        server.serve(path, 200, CONTENT[:5], length)
    assert blob_message(registry, folder) == (
        f"The {LAYER_WHAT} was interrupted 5 times, last after 5 of 14 bytes: the connection ended. Run again."
    )
    assert len(server.requests) == 5
    assert MANIFEST_WHAT in manifest_message(registry)


def test_short_chunked_body(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Transfer-Encoding", "chunked")
        handler.end_headers()
        handler.wfile.write(b"5\r\n" + CONTENT[:5] + b"\r\n")
        handler.close_connection = True

    server.answers[BLOB_PATH] = server.answers[MANIFEST_PATH] = answer
    message = blob_message(registry, folder)
    assert message.startswith(f"The {LAYER_WHAT} was interrupted 5 times, last after ")
    assert message.endswith(" of 14 bytes: IncompleteRead(5 bytes read). Run again.")
    message = manifest_message(registry)
    assert message.startswith(f"The {MANIFEST_WHAT} was interrupted: ")
    assert message.endswith("Run again.")


@pytest.mark.parametrize("surplus", [1, 8 * 1024 * 1024])
def test_longer_body(server: Server, registry: Registry, folder: pathlib.Path, surplus: int) -> None:
    server.serve(BLOB_PATH, 200, CONTENT + b"x" * surplus)
    server.serve(MANIFEST_PATH, 200, CONTENT + b"x" * surplus)
    received = min(len(CONTENT) + surplus, _registry._CHUNK)  # no more than a chunk is read
    message = blob_message(registry, folder)
    assert message.startswith(f"The registry sent {received} bytes with digest sha256:")
    assert message.endswith(f" for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept.")
    assert MANIFEST_WHAT in manifest_message(registry)


@pytest.mark.parametrize(
    ("size", "message"),
    [
        (5, "The registry sent 14 bytes with digest {digest} for the {layer}, which has 5 bytes. Nothing was kept."),
        (20, "The {layer} was interrupted 5 times, last after 14 of 20 bytes: the connection ended. Run again."),
    ],
)
def test_body_of_wrong_size_with_right_digest_is_rejected(
    server: Server, registry: Registry, folder: pathlib.Path, size: int, message: str
) -> None:
    server.serve(BLOB_PATH, 200, CONTENT)
    nothing = "sha256:" + hashlib.sha256(b"").hexdigest()  # a text that is too long is not parsed
    printed = message_of(lambda: registry.blob("team/app", Descriptor("x", DIGEST, size), folder / "blob"))
    assert printed == message.format(digest=nothing, layer=LAYER_WHAT)
    assert files(folder) == []


@pytest.mark.parametrize("surplus", [1, 1024 * 1024])
def test_a_manifest_over_4_mib(server: Server, registry: Registry, surplus: int) -> None:
    content = b"x" * (MANIFEST_BYTES + surplus)
    digest = server.push("team/app", content, OCI_MANIFEST)["digest"]
    assert message_of(lambda: registry.manifest("team/app", digest)) == (
        f"The manifest {digest} of team/app has more than 4194304 bytes, the most that are accepted."
    )


def test_a_manifest_of_4_mib(server: Server, registry: Registry) -> None:
    content = b"x" * MANIFEST_BYTES
    digest = server.push("team/app", content, OCI_MANIFEST)["digest"]
    assert registry.manifest("team/app", digest) == (content, OCI_MANIFEST)


SENTENCE = "User: arn:aws:sts::1:assumed-role/a/b is not authorized to perform: ecr:BatchGetImage"


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (403, json.dumps({"errors": [{"code": "DENIED", "message": SENTENCE}]}).encode(), f"denied: {SENTENCE}"),
        (401, b"", "HTTP 401 Unauthorized"),
        (401, b"Not Authorized", "HTTP 401 Unauthorized: Not Authorized"),
        (404, b'{"errors": []}', 'HTTP 404 Not Found: {"errors": []}'),
        (404, b'{"errors": {"code": "X"}}', 'HTTP 404 Not Found: {"errors": {"code": "X"}}'),
        (500, b'{"errors": ["x"]}', 'HTTP 500 Internal Server Error: {"errors": ["x"]}'),
        (500, b"[]", "HTTP 500 Internal Server Error: []"),
        (500, b"[" * 50_000, "HTTP 500 Internal Server Error: " + "[" * 200 + "…"),
        (502, b"<html>\xff", "HTTP 502 Bad Gateway: �"),
    ],
)
def test_refusals(
    server: Server, registry: Registry, folder: pathlib.Path, status: int, body: bytes, reason: str
) -> None:
    for path in (BLOB_PATH, MANIFEST_PATH):
        server.serve(path, status, body, WWW_Authenticate='Basic realm="x"')
    assert blob_message(registry, folder) == f"Registry {registry.host} refused the {LAYER_WHAT}: {reason}"
    assert manifest_message(registry) == f"Registry {registry.host} refused the {MANIFEST_WHAT}: {reason}"


@pytest.mark.parametrize("line", [b"", b"garbage\r\n\r\n", b"HTTP/1.1 twohundred OK\r\n\r\n"])
def test_no_http(server: Server, registry: Registry, folder: pathlib.Path, line: bytes) -> None:
    server.answers[BLOB_PATH] = server.answers[MANIFEST_PATH] = raw(line)
    assert blob_message(registry, folder).startswith(f"Registry {registry.host} cannot be reached: ")
    assert manifest_message(registry).startswith(f"Registry {registry.host} cannot be reached: ")
    assert len(server.requests) == 10


def test_no_process_listens(folder: pathlib.Path, pauses: Pauses) -> None:
    registry = Registry("http://127.0.0.1:1", TOKEN)
    assert blob_message(registry, folder).startswith("Registry 127.0.0.1:1 cannot be reached: ")
    assert pauses.asked == PAUSES


@pytest.mark.parametrize("kind", ["manifest", "layer"])
def test_unrequested_compression_is_not_unpacked(
    server: Server, registry: Registry, folder: pathlib.Path, kind: str
) -> None:
    """A few kilobytes that would be 64 MiB: they have another digest, whatever the header says."""
    bomb = gzip.compress(b" " * (64 * 1024 * 1024 - len(CONTENT)) + CONTENT)
    digest = "sha256:" + hashlib.sha256(bomb).hexdigest()
    for path in (BLOB_PATH, MANIFEST_PATH):
        server.serve(path, 200, bomb, Content_Encoding="gzip", Content_Type=OCI_MANIFEST)
    if kind == "manifest":
        assert manifest_message(registry) == (
            f"The registry sent different content for the {MANIFEST_WHAT}: its digest is {digest}."
        )
    else:
        message = blob_message(registry, folder)
        assert message.startswith(f"The registry sent {len(bomb)} bytes with digest sha256:")
        assert message.endswith(f" for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept.")
    assert [headers["Accept-Encoding"] for _path, headers in server.requests] == ["identity"]


def test_layer_is_stored_unchanged_with_any_content_encoding(
    server: Server, registry: Registry, folder: pathlib.Path
) -> None:
    content = gzip.compress(b"layer" * 1000)
    described = server.push("team/app", content)
    server.serve(f"/v2/team/app/blobs/{described['digest']}", 200, content, Content_Encoding="gzip")
    registry.blob("team/app", Descriptor("x", described["digest"], len(content)), folder / "blob")
    assert (folder / "blob").read_bytes() == content


def test_a_manifest_without_an_end_is_not_read_to_it(server: Server, registry: Registry) -> None:
    sent = []

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.end_headers()
        handler.close_connection = True
        for _number in range(256):
            handler.wfile.write(b" " * 1024 * 1024)
            sent.append(1024 * 1024)

    server.answers[MANIFEST_PATH] = answer
    assert manifest_message(registry) == (
        f"The {MANIFEST_WHAT} has more than 4194304 bytes, the most that are accepted."
    )
    assert sum(sent) < 128 * 1024 * 1024


def raw(line: bytes) -> Answer:
    """An answer that may be no HTTP at all."""

    def answer(handler: Handler) -> None:
        handler.wfile.write(line)
        handler.close_connection = True

    return answer


# --- a layer whose transfer is interrupted

BIG = bytes(range(256)) * (3 * 4096) + b"the end"  # 3 MiB and a bit: more than is read at once
BIG_WANTED = Descriptor("x", "sha256:" + hashlib.sha256(BIG).hexdigest(), len(BIG))
BIG_PATH = f"/v2/team/app/blobs/{BIG_WANTED.digest}"


@pytest.mark.parametrize(
    ("cuts", "waits"),
    [
        ([1], [0.5]),
        ([2 * 1024 * 1024], [0.5]),
        ([2 * 1024 * 1024 + 5], [0.5]),
        ([len(BIG) - 1], [0.5]),
        ([1000, 1000, 1000, 3_000_000], [0.5, 1, 2, 0.5]),
        ([0, 7], [0.5, 0.5]),
    ],
)
def test_a_layer_that_breaks_off_is_resumed(
    server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses, cuts: list[int], waits: list[float]
) -> None:
    server.answers[BIG_PATH] = resumable = ResumableServer(BIG, *cuts)
    registry.blob("team/app", BIG_WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == BIG
    assert files(folder) == ["blob"]
    # Received bytes are not sent again: each time it goes on where it ended.
    assert resumable.sent == list(zip([0, *cuts], [*cuts, len(BIG)]))
    assert asked_ranges(server) == [f"bytes={start}-" if start else None for start in (0, *cuts)]
    assert pauses.asked == waits


@pytest.mark.parametrize("headers", [{}, {"Content_Range": "bytes 9-13/14"}])
def test_layer_restarts_if_the_registry_restarts_it(
    server: Server, registry: Registry, folder: pathlib.Path, headers: dict[str, str]
) -> None:
    """It does not know Range and answers 200: the bytes received first are discarded."""
    server.answers[BLOB_PATH] = in_turn(fixed(200, b"x" * 9, len(CONTENT)), fixed(200, CONTENT, None, **headers))
    registry.blob("team/app", WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == CONTENT
    assert files(folder) == ["blob"]
    assert asked_ranges(server) == [None, "bytes=9-"]


@pytest.mark.parametrize(
    "content_range", [None, "bytes 0-13/14", "bytes 0-13/*", "bytes 50-63/64", "bytes */14", "5-13"]
)
def test_partial_content_at_wrong_offset_restarts(
    server: Server, registry: Registry, folder: pathlib.Path, content_range: str | None
) -> None:
    headers = {"Content_Range": content_range} if content_range else {}
    server.answers[BLOB_PATH] = in_turn(fixed(200, CONTENT[:5], len(CONTENT)), fixed(206, CONTENT, None, **headers))
    registry.blob("team/app", WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == CONTENT
    assert asked_ranges(server) == [None, "bytes=5-"]


@pytest.mark.parametrize("content_range", ["bytes 6-13/14", "bytes 50-58/59", "bytes 4-13/14", "nonsense"])
def test_registry_with_wrong_ranges_fails_finally(
    server: Server, registry: Registry, folder: pathlib.Path, content_range: str
) -> None:
    server.answers[BLOB_PATH] = in_turn(
        fixed(200, CONTENT[:5], len(CONTENT)), fixed(206, CONTENT[6:], Content_Range=content_range)
    )
    assert blob_message(registry, folder) == (
        f"The {LAYER_WHAT} was interrupted 6 times, last after 8 of 14 bytes: the connection ended. Run again."
    )
    assert len(server.requests) == 6


def test_remainder_of_another_layer_is_rejected(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    server.answers[BLOB_PATH] = in_turn(
        fixed(200, CONTENT[:5], len(CONTENT)), fixed(206, b"x" * 9, Content_Range="bytes 5-13/14")
    )
    digest = "sha256:" + hashlib.sha256(CONTENT[:5] + b"x" * 9).hexdigest()
    assert blob_message(registry, folder) == (
        f"The registry sent 14 bytes with digest {digest} for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept."
    )


def test_remainder_that_is_too_long_is_rejected(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    server.answers[BLOB_PATH] = in_turn(
        fixed(200, CONTENT[:5], len(CONTENT)), fixed(206, CONTENT[5:] + b"x", Content_Range="bytes 5-14/15")
    )
    message = blob_message(registry, folder)
    assert message.startswith("The registry sent 15 bytes with digest sha256:")
    assert message.endswith(f" for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept.")


@pytest.mark.parametrize(
    ("cuts", "times", "received"),
    [
        (range(1, 21), 20, 20),  # a byte further each time
        ([5] * 20, 5, 5),
        ([0] * 20, 5, 0),
        ([3, 3, 3, 3, 4, 4, 4, 4, 4, 4], 9, 4),  # five tries anew once it got further
    ],
)
def test_a_layer_that_always_breaks_off_is_given_up(
    server: Server, registry: Registry, folder: pathlib.Path, cuts: list[int], times: int, received: int
) -> None:
    content = b"x" * 40
    descriptor = Descriptor("x", "sha256:" + hashlib.sha256(content).hexdigest(), len(content))
    server.answers[f"/v2/team/app/blobs/{descriptor.digest}"] = resumable = ResumableServer(content, *cuts)
    assert message_of(lambda: registry.blob("team/app", descriptor, folder / "blob")) == (
        f"The layer {descriptor.digest} of team/app was interrupted {times} times, last after {received} of 40 bytes:"
        " the connection ended. Run again."
    )
    assert files(folder) == []
    assert len(resumable.sent) == times


def test_a_layer_may_break_off_nineteen_times(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    content = b"x" * 40
    described = server.push("team/app", content)
    server.answers[f"/v2/team/app/blobs/{described['digest']}"] = ResumableServer(content, *range(1, 20))
    registry.blob("team/app", Descriptor("x", described["digest"], len(content)), folder / "blob")
    assert (folder / "blob").read_bytes() == content
    assert len(server.requests) == 20


def test_the_pauses_grow_and_after_the_last_break_there_is_none(
    server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses
) -> None:
    server.serve(BLOB_PATH, 200, CONTENT[:5], len(CONTENT))
    blob_message(registry, folder)
    assert pauses.asked == PAUSES


DENIED = json.dumps({"errors": [{"code": "DENIED", "message": "Your authorization token has expired."}]}).encode()


@pytest.mark.parametrize(
    ("status", "body", "reason"),
    [
        (401, b"", "HTTP 401 Unauthorized"),
        (403, DENIED, "denied: Your authorization token has expired."),
        (404, b"", "HTTP 404 Not Found"),
        (416, b"", "HTTP 416 Requested Range Not Satisfiable"),
    ],
)
def test_a_refusal_in_the_middle(
    server: Server,
    registry: Registry,
    folder: pathlib.Path,
    pauses: Pauses,
    status: int,
    body: bytes,
    reason: str,
) -> None:
    server.answers[BLOB_PATH] = in_turn(fixed(200, CONTENT[:5], len(CONTENT)), fixed(status, body))
    assert blob_message(registry, folder) == f"Registry {registry.host} refused the {LAYER_WHAT}: {reason}"
    assert asked_ranges(server) == [None, "bytes=5-"]
    assert pauses.asked == [0.5]


def test_remainder_that_arrives_late(server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses) -> None:
    rest = fixed(206, CONTENT[5:], Content_Range="bytes 5-13/14")
    server.answers[BLOB_PATH] = in_turn(
        fixed(200, CONTENT[:5], 14), fixed(503), raw(b""), fixed(429, Retry_After="7"), rest
    )
    registry.blob("team/app", WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == CONTENT
    assert asked_ranges(server) == [None, *["bytes=5-"] * 4]
    assert pauses.asked == [0.5, 0.5, 1.0, 7.0]


# --- retries


@pytest.mark.parametrize("failures", [1, 4])
@pytest.mark.parametrize("failure", [429, 500, 502, 503, 504, "disconnected", "garbage"])
def test_transient_errors_are_retried(
    server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses, failure: int | str, failures: int
) -> None:
    broken = (
        raw(b"" if failure == "disconnected" else b"garbage\r\n\r\n") if isinstance(failure, str) else fixed(failure)
    )
    for path in (BLOB_PATH, MANIFEST_PATH):
        server.answers[path] = in_turn(*[broken] * failures, fixed(200, CONTENT, Content_Type=OCI_MANIFEST))
    registry.blob("team/app", WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == CONTENT
    assert registry.manifest("team/app", DIGEST) == (CONTENT, OCI_MANIFEST)
    assert len(server.requests) == 2 * (failures + 1)
    assert pauses.asked == PAUSES[:failures] * 2


@pytest.mark.parametrize(
    ("retry_after", "paused"),
    [
        ("3", 3.0),
        ("0", 0.0),
        ("30", 30.0),
        ("31", 30.0),
        ("99999999999999999999999", 30.0),
        ("", 0.5),
        ("-1", 0.5),
        ("1.5", 0.5),
        ("soon", 0.5),
        ("\xb2", 0.5),  # a digit, but no number
        ("Wed, 21 Oct 2026 07:28:00 GMT", 0.5),
    ],
)
@pytest.mark.parametrize("status", [429, 503])
def test_a_registry_says_how_long_to_wait_up_to_a_bound(
    server: Server,
    registry: Registry,
    folder: pathlib.Path,
    pauses: Pauses,
    status: int,
    retry_after: str,
    paused: float,
) -> None:
    server.answers[BLOB_PATH] = in_turn(fixed(status, Retry_After=retry_after), fixed(200, CONTENT))
    registry.blob("team/app", WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == CONTENT
    assert pauses.asked == [paused]


@pytest.mark.parametrize(("headers", "slept"), [({}, PAUSES), ({"Retry_After": "3"}, [3.0] * 4)])
def test_a_registry_that_is_always_busy_is_given_up(
    server: Server,
    registry: Registry,
    folder: pathlib.Path,
    pauses: Pauses,
    headers: dict[str, str],
    slept: list[float],
) -> None:
    body = json.dumps({"errors": [{"code": "TOOMANYREQUESTS", "message": "Rate exceeded"}]}).encode()
    server.serve(BLOB_PATH, 429, body, None, **headers)
    server.serve(MANIFEST_PATH, 429, b"", None, **headers)
    assert blob_message(registry, folder) == (
        f"Registry {registry.host} refused the {LAYER_WHAT}: toomanyrequests: Rate exceeded"
    )
    assert manifest_message(registry) == (
        f"Registry {registry.host} refused the {MANIFEST_WHAT}: HTTP 429 Too Many Requests"
    )
    assert len(server.requests) == 10
    assert pauses.asked == slept * 2


@pytest.mark.parametrize("status", [400, 401, 403, 404, 410, 501])
def test_permanent_errors_are_not_retried(
    server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses, status: int
) -> None:
    server.serve(BLOB_PATH, status, b"", Retry_After="1")
    assert blob_message(registry, folder).startswith(
        f"Registry {registry.host} refused the {LAYER_WHAT}: HTTP {status} "
    )
    assert (len(server.requests), pauses.asked) == (1, [])


# --- cancellation


def test_giving_up_ends_a_pause(server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses) -> None:
    def answer(handler: Handler) -> None:
        registry.stopped.set()
        handler.reply(503, b"")

    server.answers[BLOB_PATH] = answer
    with pytest.raises(EcrError) as caught:
        registry.blob("team/app", WANTED, folder / "blob")
    assert str(caught.value) == f"The work with registry {registry.host} was canceled."
    assert files(folder) == []
    assert (len(server.requests), pauses.asked) == (1, [0.5])


def test_giving_up_ends_a_layer(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    def answer(handler: Handler) -> None:
        registry.stopped.set()
        handler.reply(200, BIG)

    server.answers[BIG_PATH] = answer
    message = message_of(lambda: registry.blob("team/app", BIG_WANTED, folder / "blob"))
    assert message.endswith(" was canceled.")
    assert files(folder) == []
    assert len(server.requests) == 1


# --- certificates


def certificate(folder: pathlib.Path, address: str) -> tuple[pathlib.Path, pathlib.Path]:
    """A certificate for an address, signed by itself, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "registry")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address(address))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    files = folder / "certificate.pem", folder / "key.pem"
    files[0].write_bytes(built.public_bytes(serialization.Encoding.PEM))
    files[1].write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def with_certificate(server: Server, folder: pathlib.Path, address: str = "127.0.0.1") -> tuple[str, str, list[bool]]:
    """Let a server speak TLS: its URL, the file of its certificate, and one entry for each connection."""
    public, private = certificate(folder, address)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(public, private)
    connections: list[bool] = []
    plain = server.socket

    def accept() -> tuple[ssl.SSLSocket, object]:
        connection, address = plain.accept()
        connections.append(True)
        connection.settimeout(10)
        return context.wrap_socket(connection, server_side=True), address

    setattr(server, "get_request", accept)  # noqa: B010 (mypy would have no method be replaced)
    return server.url.replace("http:", "https:"), str(public), connections


@pytest.mark.parametrize("address", ["127.0.0.1", "127.0.0.2"])
def test_a_certificate_that_is_not_trusted_is_not_tried_again(
    server: Server, folder: pathlib.Path, tmp_path: pathlib.Path, pauses: Pauses, address: str
) -> None:
    """Signed by an unknown authority, or for another address."""
    server.serve(BLOB_PATH, 200, CONTENT)
    url, trusted, connections = with_certificate(server, tmp_path, address)
    registry = Registry(url, TOKEN, ca_path=None if address == "127.0.0.1" else trusted)
    message = blob_message(registry, folder)
    assert message.startswith(
        f"Registry {registry.host} cannot be reached: <urlopen error [SSL: CERTIFICATE_VERIFY_FAILED]"
    )
    assert (connections, pauses.asked, server.requests) == ([True], [], [])


def test_a_certificate_that_is_trusted(server: Server, folder: pathlib.Path, tmp_path: pathlib.Path) -> None:
    server.serve(BLOB_PATH, 200, CONTENT)
    url, trusted, _connections = with_certificate(server, tmp_path)
    Registry(url, TOKEN, ca_path=trusted).blob("team/app", WANTED, folder / "one")
    Registry(url, TOKEN, validate_certs=False).blob("team/app", WANTED, folder / "two")
    assert files(folder) == ["one", "two"]


# --- recipients of the token


@pytest.mark.parametrize("status", [301, 302, 303, 307])
def test_a_redirect_carries_no_token(
    server: Server, other_server: Server, registry: Registry, folder: pathlib.Path, status: int
) -> None:
    for path in (BLOB_PATH, MANIFEST_PATH):
        server.serve(path, status, b"", Location=f"{other_server.url}/elsewhere")
    other_server.serve("/elsewhere", 200, CONTENT)
    registry.blob("team/app", WANTED, folder / "blob")
    assert registry.manifest("team/app", DIGEST)[0] == CONTENT
    assert (folder / "blob").read_bytes() == CONTENT
    assert [headers.get("Authorization") for _path, headers in server.requests] == [f"Basic {TOKEN}"] * 2
    assert len(other_server.requests) == 2
    assert TOKEN not in str(other_server.requests)
    assert not any("authorization" in map(str.lower, headers) for _path, headers in other_server.requests)


@pytest.mark.parametrize("status", [302, 307])
def test_redirected_layer_resumes_without_the_token(
    server: Server, other_server: Server, registry: Registry, folder: pathlib.Path, status: int
) -> None:
    server.serve(BIG_PATH, status, b"", Location=f"{other_server.url}/elsewhere?signed=yes")
    other_server.answers["/elsewhere?signed=yes"] = resumable = ResumableServer(BIG, 1_500_000)
    registry.blob("team/app", BIG_WANTED, folder / "blob")
    assert (folder / "blob").read_bytes() == BIG
    assert resumable.sent == [(0, 1_500_000), (1_500_000, len(BIG))]
    # The registry is asked again, since an address may live for a short time only.
    assert [headers.get("Authorization") for _path, headers in server.requests] == [f"Basic {TOKEN}"] * 2
    assert asked_ranges(other_server) == [None, "bytes=1500000-"]
    assert not any("authorization" in map(str.lower, headers) for _path, headers in other_server.requests)
    assert TOKEN not in str(other_server.requests)


S3_DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"


def test_error_after_a_redirect_names_the_host_that_sent_it(
    server: Server, other_server: Server, registry: Registry, folder: pathlib.Path
) -> None:
    server.serve(BLOB_PATH, 307, b"", Location=f"{other_server.url}/layer?X-Amz-Signature=signed")
    other_server.serve("/layer?X-Amz-Signature=signed", 403, S3_DENIED)
    message = blob_message(registry, folder)
    host = other_server.url.removeprefix("http://")
    assert message.startswith(
        f"Host {host}, to which registry {registry.host} redirects, refused the {LAYER_WHAT}: AccessDenied: Access"
        " Denied. ECR stores layers in S3."
    )
    assert "prod-REGION-starport-layer-bucket" in message
    assert "signed" not in message
    server.serve(MANIFEST_PATH, 403, b"")  # the host of the last error is not kept
    assert manifest_message(registry) == f"Registry {registry.host} refused the {MANIFEST_WHAT}: HTTP 403 Forbidden"


def test_host_after_a_redirect_that_cannot_be_reached_is_named(
    server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses
) -> None:
    server.serve(BLOB_PATH, 307, b"", Location="http://user:password@127.0.0.1:1/layer?signed")
    message = blob_message(registry, folder)
    assert message.startswith(f"Host 127.0.0.1:1, to which registry {registry.host} redirects, cannot be reached: ")
    assert not {"password", "signed"} & set(re.findall("[a-z]+", message))
    assert pauses.asked == PAUSES


def test_a_redirect_to_a_file_is_refused(
    server: Server, registry: Registry, folder: pathlib.Path, tmp_path: pathlib.Path
) -> None:
    (tmp_path / "file").write_bytes(CONTENT)
    address = f"file://{tmp_path}/file"
    server.serve(BLOB_PATH, 302, b"", Location=address)
    message = blob_message(registry, folder)
    assert message == (
        f"Registry {registry.host} redirects to file://, which is not followed."
        " A redirect must lead to https, or from a registry in 127.0.0.0/8 to http in 127.0.0.0/8."
    )
    assert len(server.requests) == 1


def test_a_redirect_in_a_circle_ends(server: Server, registry: Registry, folder: pathlib.Path, pauses: Pauses) -> None:
    server.serve(BLOB_PATH, 302, b"", Location=BLOB_PATH)
    assert blob_message(registry, folder).startswith(f"Registry {registry.host} refused the {LAYER_WHAT}: HTTP 302 ")
    assert len(server.requests) <= 11
    assert pauses.asked == []


ECHO = f"token {TOKEN}, password {PASSWORD}, once more {TOKEN}"


def echoing(status: int, **error: str) -> Answer:
    return fixed(status, json.dumps({"errors": [error]}).encode())


def phrase(handler: Handler) -> None:
    handler.send_response(403, ECHO)
    handler.send_header("Content-Length", "0")
    handler.end_headers()


@pytest.mark.parametrize(
    ("answer", "printed"),
    [
        (echoing(403, code="DENIED", message=ECHO), "denied: token ********, password ********, once more ********"),
        (echoing(403, code=PASSWORD, message="no"), "********: no"),
        (echoing(429, code="TOOMANYREQUESTS", message=ECHO), "password ********"),
        (phrase, "HTTP 403 token ********, password ********, once more ********"),
        (fixed(302, Location=f"ftp://{TOKEN}/{PASSWORD}"), "redirects to ftp://********, which"),
        (fixed(302, Location=f"http://127.0.0.1:{TOKEN}/"), "********"),
        (raw(f"{ECHO}\r\n\r\n".encode()), "********"),
    ],
    ids=["message", "code", "busy", "phrase", "address", "port", "no-http"],
)
def test_a_registry_that_says_the_token_is_not_repeated(
    server: Server, registry: Registry, folder: pathlib.Path, answer: Answer, printed: str
) -> None:
    server.answers[BLOB_PATH] = server.answers[MANIFEST_PATH] = answer
    assert printed in blob_message(registry, folder)
    assert printed in manifest_message(registry)


def test_a_proxy_sees_no_plain_request(
    server: Server, other_server: Server, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy"):
        monkeypatch.setenv(name, other_server.url)
    for name in ("no_proxy", "NO_PROXY"):
        monkeypatch.delenv(name, raising=False)
    server.serve(MANIFEST_PATH, 200, CONTENT)
    assert registry.manifest("team/app", DIGEST)[0] == CONTENT
    assert other_server.requests == []


@pytest.mark.parametrize("entry", ["machine 127.0.0.1", "default"])
def test_netrc_does_not_take_the_tokens_place(
    server: Server, registry: Registry, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, entry: str
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text(f"{entry} login someone password else\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", os.fspath(netrc))
    server.serve(MANIFEST_PATH, 200, CONTENT)
    registry.manifest("team/app", DIGEST)
    assert [headers["Authorization"] for _path, headers in server.requests] == [f"Basic {TOKEN}"]


def test_token_is_not_shown_in_a_representation(registry: Registry) -> None:
    for shown in (repr(registry), str(registry), f"{registry!r}", repr([registry])):
        assert TOKEN not in shown
    assert repr(registry) == f"<Registry {registry.host}>"


@pytest.mark.parametrize(
    ("url", "host", "plain"),
    [
        ("https://1.dkr.ecr.eu-west-1.amazonaws.com", "1.dkr.ecr.eu-west-1.amazonaws.com", False),
        ("https://localhost:5000", "localhost:5000", False),
        ("http://127.0.0.1:5000", "127.0.0.1:5000", True),
        ("http://127.1.2.3", "127.1.2.3", True),
    ],
)
def test_hosts_that_may_get_a_token(url: str, host: str, plain: bool) -> None:
    registry = Registry(url, TOKEN)
    assert (registry.host, registry.plain_http) == (host, plain)


@pytest.mark.parametrize(
    "host",
    [
        "1.dkr.ecr.eu-west-1.amazonaws.com",
        "10.0.0.1:5000",
        "localhost",
        "127.example.com",
        "127.0.0.1.example.com",
        "128.0.0.1",
    ],
)
def test_plain_http_is_refused_elsewhere(host: str) -> None:
    assert message_of(lambda: Registry(f"http://{host}", TOKEN)) == (
        f"Registry {host} uses plain HTTP. A token is sent over plain HTTP to 127.0.0.0/8 only."
    )


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "file:///etc", "", "1.dkr.ecr.eu-west-1.amazonaws.com"])
def test_other_protocols_are_refused(url: str) -> None:
    assert message_of(lambda: Registry(url, TOKEN)) == (
        f"Registry {url!r} is not the URL of a registry, such as https://HOST."
    )
