from __future__ import annotations

import hashlib
import json
import os
import pathlib
from collections.abc import Callable

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import MANIFEST_BYTES, Descriptor
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

from tests.unit.conftest import OCI_MANIFEST, Handler, Server

TOKEN = "QVdTOnNlY3JldC10b2tlbi1vZi1vbmUtY2FsbGVy"
CONTENT = b'{"layers": []}'
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
MANIFEST_PATH, BLOB_PATH = f"/v2/team/app/manifests/{DIGEST}", f"/v2/team/app/blobs/{DIGEST}"
MANIFEST_WHAT, LAYER_WHAT = f"manifest {DIGEST} of team/app", f"layer {DIGEST} of team/app"
WANTED = Descriptor("application/octet-stream", DIGEST, len(CONTENT))


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
    assert caught.value.__suppress_context__ or caught.value.__context__ is None
    return str(caught.value)


def blob_message(registry: Registry, folder: pathlib.Path) -> str:
    """Why a blob was refused; nothing may be left of it."""
    message = message_of(lambda: registry.blob("team/app", WANTED, folder / "blob"))
    assert files(folder) == []
    return message


def manifest_message(registry: Registry) -> str:
    return message_of(lambda: registry.manifest("team/app", DIGEST))


# --- what works


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
    content = b"x" * size
    described = server.push("team/app", content)
    target = folder / "blob"
    registry.blob("team/app", Descriptor("x", described["digest"], size), target)
    assert target.read_bytes() == content
    assert files(folder) == ["blob"]
    assert target.stat().st_mode & 0o777 == 0o644


# --- what the registry gets wrong


def test_wrong_digest(server: Server, registry: Registry, folder: pathlib.Path) -> None:
    other = b"x" * len(CONTENT)
    digest = "sha256:" + hashlib.sha256(other).hexdigest()
    server.serve(BLOB_PATH, 200, other)
    server.serve(MANIFEST_PATH, 200, other)
    assert blob_message(registry, folder) == (
        f"The registry sent 14 bytes with digest {digest} for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept."
    )
    assert manifest_message(registry) == (
        f"The registry sent another content for the {MANIFEST_WHAT}: its digest is {digest}."
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
    assert "Nothing was kept." in blob_message(registry, folder) or "broke off" in blob_message(registry, folder)
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
    assert message.startswith(f"The {LAYER_WHAT} broke off after ")
    assert message.endswith("Run again.")
    message = manifest_message(registry)
    assert message.startswith(f"The {MANIFEST_WHAT} broke off: ")
    assert message.endswith("Run again.")


@pytest.mark.parametrize("surplus", [1, 8 * 1024 * 1024])
def test_longer_body(server: Server, registry: Registry, folder: pathlib.Path, surplus: int) -> None:
    server.serve(BLOB_PATH, 200, CONTENT + b"x" * surplus)
    server.serve(MANIFEST_PATH, 200, CONTENT + b"x" * surplus)
    received = min(len(CONTENT) + surplus, 1024 * 1024)  # no more than a chunk is read
    message = blob_message(registry, folder)
    assert message.startswith(f"The registry sent {received} bytes with digest sha256:")
    assert message.endswith(f" for the {LAYER_WHAT}, which has 14 bytes. Nothing was kept.")
    assert MANIFEST_WHAT in manifest_message(registry)


@pytest.mark.parametrize("size", [5, 20])
def test_a_body_of_another_size_than_the_descriptor_says_though_the_digest_is_right(
    server: Server, registry: Registry, folder: pathlib.Path, size: int
) -> None:
    server.serve(BLOB_PATH, 200, CONTENT)
    wrong = Descriptor("x", DIGEST, size)
    assert f"which has {size} bytes" in message_of(lambda: registry.blob("team/app", wrong, folder / "blob"))
    assert files(folder) == []


@pytest.mark.parametrize("surplus", [1, 100])
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
        (401, b"Not Authorized", "HTTP 401 Unauthorized"),
        (404, b'{"errors": []}', "HTTP 404 Not Found"),
        (404, b'{"errors": {"code": "X"}}', "HTTP 404 Not Found"),
        (500, b'{"errors": ["x"]}', "HTTP 500 Internal Server Error"),
        (500, b"[]", "HTTP 500 Internal Server Error"),
        (500, b"[" * 50_000, "HTTP 500 Internal Server Error"),
        (502, b"\xff<html>", "HTTP 502 Bad Gateway"),
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
    def answer(handler: Handler) -> None:
        handler.wfile.write(line)
        handler.close_connection = True

    server.answers[BLOB_PATH] = server.answers[MANIFEST_PATH] = answer
    assert blob_message(registry, folder).startswith(f"Registry {registry.host} can not be reached: ")
    assert manifest_message(registry).startswith(f"Registry {registry.host} can not be reached: ")


def test_nobody_there(folder: pathlib.Path) -> None:
    registry = Registry("http://127.0.0.1:1", TOKEN)
    assert blob_message(registry, folder).startswith("Registry 127.0.0.1:1 can not be reached: ")


# --- who gets to see the token


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


def test_it_does_not_show_its_token(registry: Registry) -> None:
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
def test_where_a_token_may_go(url: str, host: str, plain: bool) -> None:
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
        f"Registry {host} is offered over plain HTTP. A token is sent that way to 127.0.0.0/8 only."
    )


@pytest.mark.parametrize("url", ["ftp://127.0.0.1", "file:///etc", "", "1.dkr.ecr.eu-west-1.amazonaws.com"])
def test_other_protocols_are_refused(url: str) -> None:
    assert message_of(lambda: Registry(url, TOKEN)) == (
        f"Registry {url!r} is not the URL of a registry, such as https://HOST."
    )
