# SPDX-License-Identifier: GPL-3.0-or-later
"""The registry token reaches its registry and a protected engine, and nothing else (findings 4, 14 and 16)."""

from __future__ import annotations

import base64
import contextlib
import datetime
import hashlib
import ipaddress
import json
import os
import pathlib
import re
import select
import shutil
import socket
import socketserver
import ssl
import subprocess
import threading
import time
import types
import urllib.parse
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _layout, _registry, _transfer
from ansible_collections.crossaccount.ecr.plugins.module_utils._engine import RegistryImage
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._layout import Layout
from ansible_collections.crossaccount.ecr.plugins.module_utils._manifest import Descriptor
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.support.control import ROLE_ARN, Control
from tests.support.registry import OCI_MANIFEST, Handler, Server
from tests.support.serving import serving

BY_ROLE: dict[str, Any] = {"role_arn": ROLE_ARN, "external_id": "test", "images": ["release:v1.0"]}
TOKEN_CALL = "ecr:GetAuthorizationToken"
#: A name that no resolver knows (RFC 6761).
REMOTE = "engine.invalid"


@pytest.fixture(scope="module")
def shared(control: Control) -> Control:
    run = control.share()
    assert run.code == 0, run
    return control


@pytest.fixture
def user(shared: Control, monkeypatch: pytest.MonkeyPatch) -> Control:
    """A control node of a user without any configuration of docker and podman."""
    shutil.rmtree(shared.folder / "home", ignore_errors=True)
    monkeypatch.setattr(shared, "engines", {})
    return shared


def token_calls(control: Control, mark: int) -> int:
    return control.lab.calls()[mark:].count(TOKEN_CALL)


# --- the way to an engine


class Relay(socketserver.ThreadingTCPServer):
    """Passes connections to a Unix socket, or answers as an engine does without one. Keeps what clients send.

    With a TLS context, they have to speak TLS.
    """

    daemon_threads = True

    def __init__(self, target: str, tls: ssl.SSLContext | None = None) -> None:
        super().__init__(("127.0.0.1", 0), _RelayHandler)
        self.target, self.tls = target, tls
        self.received = b""
        self.port = self.server_address[1]

    def handle_error(self, request: Any, client_address: Any) -> None:
        """A client that hangs up is part of the tests."""


class _RelayHandler(socketserver.BaseRequestHandler):
    server: Relay

    def handle(self) -> None:
        client = self.request
        if not self.server.target:
            request = client.recv(65536)
            self.server.received += request
            status = b"404 Not Found" if request.startswith(b"GET ") and b"/images/" in request else b"200 OK"
            headers = b"Content-Type: application/json\r\nContent-Length: 2\r\nConnection: close\r\n"
            client.sendall(b"HTTP/1.1 " + status + b"\r\n" + headers + b"\r\n{}")
            return
        if self.server.tls:
            client = self.server.tls.wrap_socket(client, server_side=True)
        with client, socket.socket(socket.AF_UNIX) as engine:
            engine.connect(self.server.target)
            threading.Thread(target=self._answer, args=(engine, client), daemon=True).start()
            while data := client.recv(65536):
                self.server.received += data
                engine.sendall(data)

    def _answer(self, engine: socket.socket, client: socket.socket) -> None:
        with contextlib.suppress(OSError):
            while data := engine.recv(65536):
                client.sendall(data)
            client.shutdown(socket.SHUT_RDWR)


def certificates(folder: pathlib.Path) -> dict[str, str]:
    """A certificate of 127.0.0.1 that is its own authority, for server and client: the files ca, cert and key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "engine")])
    now = datetime.datetime.now(datetime.timezone.utc)
    built = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    folder.mkdir(parents=True, exist_ok=True)
    files = {kind: str(folder / f"{kind}.pem") for kind in ("ca", "cert", "key")}
    for kind in ("ca", "cert"):
        pathlib.Path(files[kind]).write_bytes(built.public_bytes(serialization.Encoding.PEM))
    pathlib.Path(files["key"]).write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


def docker_home(control: Control) -> pathlib.Path:
    return control.folder / "home/.docker"


def context(control: Control, name: str, endpoint: str, folder: pathlib.Path | None = None) -> None:
    """Make a context and the current one of a user, or of a folder of configuration."""
    environment = {**os.environ, "DOCKER_CONFIG": str(folder or docker_home(control))}
    for variable in ("DOCKER_HOST", "DOCKER_CONTEXT"):
        environment.pop(variable, None)
    for words in (["create", name, "--docker", endpoint], ["use", name]):
        subprocess.run(["docker", "context", *words], env=environment, check=True, capture_output=True)


@pytest.mark.engine
def test_token_is_not_sent_in_plain_text_with_tls_context(user: Control, tmp_path: pathlib.Path) -> None:
    """Finding 4: the docker context has certificates, and a server without TLS answers for the engine."""
    files = certificates(tmp_path)
    mark = len(user.lab.calls())
    with Relay("") as listener, serving(listener):
        named = ",".join(f"{name}={path}" for name, path in files.items())
        context(user, "tls", f"host=tcp://127.0.0.1:{listener.port},{named}")
        result = user.module("ecr_image_pull", "consumer", engine="docker", **BY_ROLE)
    assert b"X-Registry-Auth" not in listener.received
    assert b"HTTP/1" not in listener.received
    assert result["code"] == 2
    assert "its engine does not answer" in result["msg"]
    assert token_calls(user, mark) == 0


Way = Callable[[Control, int, dict[str, str]], dict[str, str]]


def by_current_context(control: Control, port: int, files: dict[str, str]) -> dict[str, str]:
    named = ",".join(f"{name}={path}" for name, path in files.items())
    context(control, "remote", f"host=tcp://127.0.0.1:{port},{named}")
    return {}


def by_docker_context(control: Control, port: int, files: dict[str, str]) -> dict[str, str]:
    by_current_context(control, port, files)
    context(control, "other", f"host=unix://{control.folder}/none")
    return {"DOCKER_CONTEXT": "remote"}


def by_docker_config(control: Control, port: int, files: dict[str, str]) -> dict[str, str]:
    folder = control.folder / "configuration"
    shutil.rmtree(folder, ignore_errors=True)
    named = ",".join(f"{name}={path}" for name, path in files.items())
    context(control, "remote", f"host=tcp://127.0.0.1:{port},{named}", folder)
    return {"DOCKER_CONFIG": str(folder)}


def by_docker_host(control: Control, port: int, files: dict[str, str]) -> dict[str, str]:
    folder = os.path.dirname(files["ca"])
    return {"DOCKER_HOST": f"tcp://127.0.0.1:{port}", "DOCKER_TLS_VERIFY": "1", "DOCKER_CERT_PATH": folder}


def by_certificates_of_the_user(control: Control, port: int, files: dict[str, str]) -> dict[str, str]:
    docker_home(control).mkdir(parents=True)
    for path in files.values():
        shutil.copy(path, docker_home(control))
    return {"DOCKER_HOST": f"tcp://127.0.0.1:{port}", "DOCKER_TLS_VERIFY": "1"}


@pytest.mark.engine
@pytest.mark.parametrize(
    "way", [by_current_context, by_docker_context, by_docker_config, by_docker_host, by_certificates_of_the_user]
)
def test_pull_uses_the_engine_certificates_of_the_user(
    user: Control, docker: dict[str, str], tmp_path: pathlib.Path, way: Way
) -> None:
    """Finding 4: an honest engine with TLS was not reached at all, and the private folder hid the certificates."""
    files = certificates(tmp_path)
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files["cert"], files["key"])
    tls.load_verify_locations(files["ca"])
    tls.verify_mode = ssl.CERT_REQUIRED
    subprocess.run(
        ["docker", "image", "prune", "--all", "--force"], env={**os.environ, **docker}, check=True, capture_output=True
    )
    with Relay(docker["DOCKER_HOST"].removeprefix("unix://"), tls) as relay, serving(relay):
        user.engines = way(user, relay.port, files)
        result = user.module("ecr_image_pull", "consumer", engine="docker", **BY_ROLE)
    assert (result["code"], result["changed"]) == (0, True), user.last
    assert b"X-Registry-Auth" in relay.received


def by_host(address: str, **variables: str) -> Way:
    return lambda _control, _port, _files: {"DOCKER_HOST": address, **variables}


def by_context(endpoint: str) -> Way:
    def way(control: Control, _port: int, _files: dict[str, str]) -> dict[str, str]:
        context(control, "remote", endpoint)
        return {}

    return way


def without_verification(control: Control, _port: int, files: dict[str, str]) -> dict[str, str]:
    folder = os.path.dirname(files["ca"])
    return {"DOCKER_HOST": f"tcp://{REMOTE}:2376", "DOCKER_TLS": "1", "DOCKER_CERT_PATH": folder}


@pytest.mark.engine
@pytest.mark.parametrize("engine", ["docker", "auto"])
@pytest.mark.parametrize(
    "way",
    [
        by_host(f"tcp://{REMOTE}:2375"),
        by_host(f"{REMOTE}:2375"),
        by_host(f"tcp://127.0.0.1.{REMOTE}:2375"),
        by_host(f"tcp://localhost.{REMOTE}:2375"),
        by_host(f"tcp://{REMOTE}:2375", DOCKER_TLS_VERIFY=""),
        by_context(f"host=tcp://{REMOTE}:2375"),
        by_context(f"host=tcp://{REMOTE}:2376,skip-tls-verify=true"),
        without_verification,
    ],
    ids=["host", "no-scheme", "like-127", "like-localhost", "not-verify", "context", "skip", "tls-only"],
)
def test_docker_over_plain_tcp_is_rejected_before_the_token(
    user: Control, tmp_path: pathlib.Path, way: Way, engine: str
) -> None:
    """Finding 4: an attacker between the host and its engine reads the token of all shared repositories."""
    user.engines = way(user, 0, certificates(tmp_path))
    mark = len(user.lab.calls())
    result = user.module("ecr_image_pull", "consumer", engine=engine, **BY_ROLE)
    assert result["code"] == 2
    assert result["msg"].startswith("The engine of docker is at "), result
    assert REMOTE in result["msg"]
    assert "no TLS verifies it" in result["msg"]
    assert user.lab.calls()[mark:] == []


@pytest.mark.engine
def test_host_with_plain_tcp_is_rejected_before_the_token(user: Control) -> None:
    """Finding 4: with credentials: control_node, only the host knows its engine. It reports the engine first."""
    user.engines = {"DOCKER_HOST": f"tcp://{REMOTE}:2375"}
    mark = len(user.lab.calls())
    result = user.module("ecr_image_pull", "consumer", engine="docker", credentials="control_node", **BY_ROLE)
    assert result["code"] == 2
    assert result["msg"].startswith(f"The engine of docker is at tcp://{REMOTE}:2375, and no TLS verifies it."), result
    assert user.lab.calls()[mark:] == []


def podman_by_host(_folder: pathlib.Path) -> dict[str, str]:
    return {"CONTAINER_HOST": f"tcp://{REMOTE}:2375"}


def podman_configuration(folder: pathlib.Path, *lines: str) -> str:
    path = folder / "containers.conf"
    destination = ["[engine.service_destinations.far]", f'uri = "tcp://{REMOTE}:2375"']
    path.write_text("\n".join(["[engine]", *lines, *destination, ""]), encoding="utf-8")
    return str(path)


def podman_by_connection(folder: pathlib.Path) -> dict[str, str]:
    return {"CONTAINER_CONNECTION": "far", "CONTAINERS_CONF": podman_configuration(folder)}


def podman_by_both(folder: pathlib.Path) -> dict[str, str]:
    """Which of the two takes precedence depends on the version."""
    return {**podman_by_connection(folder), "CONTAINER_HOST": "unix:///run/podman/podman.sock"}


def podman_by_default(folder: pathlib.Path) -> dict[str, str]:
    return {"CONTAINERS_CONF": podman_configuration(folder, "remote = true", 'active_service = "far"')}


@pytest.mark.engine
@pytest.mark.usefixtures("podman")
@pytest.mark.parametrize("way", [podman_by_host, podman_by_connection, podman_by_both, podman_by_default])
def test_podman_over_plain_tcp_is_rejected_before_the_token(
    user: Control, tmp_path: pathlib.Path, way: Callable[[pathlib.Path], dict[str, str]]
) -> None:
    """Finding 4, for a remote podman, whose tcp connection has no TLS."""
    user.engines = way(tmp_path)
    mark = len(user.lab.calls())
    result = user.module("ecr_image_pull", "consumer", engine="podman", **BY_ROLE)
    assert result["code"] == 2
    # A default connection is known when the engine answers, which this one does not.
    assert ("does not answer" if way is podman_by_default else "no TLS verifies it") in result["msg"], result
    assert user.lab.calls()[mark:] == []


FAKE_PODMAN = """#!/bin/sh
case $1 in
  info) echo '{"host": {"serviceIsRemote": true}}' ;;
  system) echo '%s' ;;
  *) touch %s; exit 1 ;;
esac
"""


@pytest.mark.parametrize(
    "connections",
    [[{"Name": "far", "URI": f"tcp://{REMOTE}:2375", "Default": True}], [], [{"Name": "x", "URI": "ssh://x"}], {}],
)
def test_remote_podman_that_answers_is_rejected(user: Control, tmp_path: pathlib.Path, connections: Any) -> None:
    """Finding 4: containers.conf makes podman remote, and the engine at its default connection answers."""
    program, pulled = tmp_path / "bin/podman", tmp_path / "pulled"
    program.parent.mkdir()
    program.write_text(FAKE_PODMAN % (json.dumps(connections), pulled), encoding="utf-8")
    program.chmod(0o755)
    user.engines = {"PATH": f"{program.parent}:{os.environ['PATH']}"}
    mark = len(user.lab.calls())
    result = user.module("ecr_image_pull", "consumer", engine="podman", **BY_ROLE)
    assert result["code"] == 2
    assert "no TLS verifies it" in result["msg"], result
    assert user.lab.calls()[mark:] == []
    assert not pulled.exists()


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("dest", ["docker-daemon:app:v1", "docker://{address}/mirror:v1"])
def test_skopeo_does_not_send_the_token_to_a_destination(user: Control, dest: str) -> None:
    """Finding 4, for skopeo: the token is the source's, whatever listens at the destination."""
    mark = len(user.lab.calls())
    with Relay("") as listener, serving(listener):
        address = f"127.0.0.1:{listener.port}"
        user.engines = {"DOCKER_HOST": f"http://{address}"}
        options = {"engine": "skopeo", "dest": dest.format(address=address), **BY_ROLE}
        result = user.module("ecr_image_pull", "consumer", **options)
    assert result["code"] == 2
    assert listener.received
    assert token_calls(user, mark) == 1
    assert b"authorization" not in listener.received.lower()
    assert b"x-registry-auth" not in listener.received.lower()


# --- redirects, time and space

TOKEN = base64.b64encode(b"AWS:secret-token-of-one-caller").decode()
CONTENT = b'{"layers": []}'
DIGEST = "sha256:" + hashlib.sha256(CONTENT).hexdigest()
WANTED = Descriptor("application/octet-stream", DIGEST, len(CONTENT))
BLOB, MANIFEST = f"/v2/team/app/blobs/{DIGEST}", f"/v2/team/app/manifests/{DIGEST}"


@pytest.fixture
def registry(server: Server) -> Registry:
    return Registry(server.url, TOKEN)


@pytest.fixture
def secure(server: Server, tmp_path: pathlib.Path) -> Registry:
    """A registry that speaks TLS."""
    files = certificates(tmp_path / "certificates")
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(files["cert"], files["key"])
    server.socket = tls.wrap_socket(server.socket, server_side=True)
    return Registry(server.url.replace("http:", "https:"), TOKEN, ca_path=files["ca"])


@pytest.fixture
def connections(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The addresses to which connections are made; to loopback addresses they are made."""
    created: list[Any] = []
    connect = socket.create_connection

    def record(address: tuple[str, int], *arguments: Any, **options: Any) -> socket.socket:
        created.append(address[0])
        if not address[0].startswith("127."):
            raise OSError("this test connects to loopback addresses only")
        return connect(address, *arguments, **options)

    monkeypatch.setattr(socket, "create_connection", record)
    return created


def blob_error(registry: Registry, folder: pathlib.Path) -> str:
    with pytest.raises(EcrError) as caught:
        registry.blob("team/app", WANTED, folder / "blob")
    assert not [path for path in folder.rglob("*") if path.name.startswith((".incoming-", "blob"))]
    return str(caught.value)


@pytest.mark.parametrize(
    "location",
    [
        "ftp://127.0.0.1:{port}/x",
        "file:///etc/hostname",
        "data:,x",
        "gopher://127.0.0.1:{port}/x",
        "http://localhost:{port}/x",
        "http://[::1]:{port}/x",
        "http://169.254.169.254/latest/meta-data/",
        "http://[fd00:ec2::254]/latest/meta-data/",
        "http://2130706433:{port}/x",
        "http://127.0.0.1@engine.invalid/x",
        "http://127.0.0.1.engine.invalid/x",
        "//engine.invalid/x",
    ],
)
@pytest.mark.parametrize("path", [BLOB, MANIFEST])
def test_registry_in_127_redirects_to_https_or_http_in_127_only(
    server: Server,
    other_server: Server,
    registry: Registry,
    connections: list[Any],
    tmp_path: pathlib.Path,
    location: str,
    path: str,
) -> None:
    """Finding 14: ftp was followed, and any internal address was asked."""
    port = other_server.server_address[1]
    server.serve(path, 302, b"", Location=location.format(port=port))
    if path == BLOB:
        message = blob_error(registry, tmp_path)
    else:
        with pytest.raises(EcrError) as caught:
            registry.manifest("team/app", DIGEST)
        message = str(caught.value)
    assert "which is not followed. A redirect must lead to https" in message
    assert connections == ["127.0.0.1"]
    assert other_server.requests == []


@pytest.mark.parametrize("scheme", ["http", "ftp", "file"])
def test_registry_with_tls_redirects_to_https_only(
    server: Server, other_server: Server, secure: Registry, tmp_path: pathlib.Path, scheme: str
) -> None:
    """Finding 14: a layer of an https registry was fetched over plain http."""
    other_server.serve("/x", 200, CONTENT)
    server.serve(BLOB, 307, b"", Location=other_server.url.replace("http", scheme) + "/x")
    assert "which is not followed. A redirect must lead to https" in blob_error(secure, tmp_path)
    assert other_server.requests == []


def test_rejected_redirect_is_followed_on_no_hop(
    server: Server, other_server: Server, registry: Registry, tmp_path: pathlib.Path
) -> None:
    """Finding 14: the second hop is checked as the first is, and gets no token."""
    server.serve(BLOB, 302, b"", Location=f"{other_server.url}/one")
    other_server.serve("/one", 302, b"", Location=f"ftp://127.0.0.1:{other_server.server_address[1]}/two")
    assert "redirects to ftp://127.0.0.1:" in blob_error(registry, tmp_path)
    assert ["authorization" in map(str.lower, headers) for _path, headers in other_server.requests] == [False]


def test_redirects_are_bounded(server: Server, registry: Registry, tmp_path: pathlib.Path) -> None:
    """Finding 14: a chain of redirects ends, though each address is new."""

    def answer(handler: Handler) -> None:
        server.answers[f"{handler.path}x"] = answer  # before the client can request it
        handler.reply(302, b"", Location=f"{handler.path}x")

    server.answers[BLOB] = answer
    assert "HTTP 302" in blob_error(registry, tmp_path)
    assert len(server.requests) <= 6


def test_signature_of_a_rejected_redirect_is_not_shown(
    server: Server, registry: Registry, tmp_path: pathlib.Path
) -> None:
    """Finding 14: the query of a redirect is a credential for the layer."""
    server.serve(BLOB, 302, b"", Location=f"http://user:word@bucket.invalid/layer?X-Amz-Signature={TOKEN}")
    message = blob_error(registry, tmp_path)
    assert "redirects to http://bucket.invalid, which is not followed" in message


def drip(part: str) -> Callable[[Handler], None]:
    """An answer of which a byte comes every 10 milliseconds: its headers, or its body."""

    def answer(handler: Handler) -> None:
        handler.close_connection = True
        if part == "headers":
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nX-Header: ")
        else:
            handler.send_response(200)
            handler.send_header("Content-Length", str(len(CONTENT) if part == "short" else 10**6))
            handler.end_headers()
        with contextlib.suppress(OSError):
            while not select.select([handler.connection], [], [], 0.01)[0]:
                handler.wfile.write(b"x")

    return answer


@pytest.mark.parametrize(("path", "what"), [(BLOB, "layer"), (MANIFEST, "manifest")])
@pytest.mark.parametrize("part", ["headers", "body"])
def test_transfer_that_drips_ends(
    server: Server,
    registry: Registry,
    tmp_path: pathlib.Path,
    monkeypatch: pytest.MonkeyPatch,
    path: str,
    what: str,
    part: str,
) -> None:
    """Finding 14: a byte a minute kept the idle timeout away, without an end."""
    monkeypatch.setattr(_transfer, "_GRACE", 0.5)
    monkeypatch.setattr(_registry, "threading", types.SimpleNamespace(Event=_NoPause))
    server.answers[path] = drip(part)
    if path == BLOB:
        descriptor = Descriptor("x", DIGEST, 10**6)
        with pytest.raises(EcrError) as caught:
            registry.blob("team/app", descriptor, tmp_path / "blob")
        assert list(tmp_path.iterdir()) == []
    else:
        with pytest.raises(EcrError) as caught:
            registry.manifest("team/app", DIGEST)
    assert re.search(rf"^The {what} {DIGEST} of team/app was too slow: \d+ bytes in \d+ seconds\.", str(caught.value))


class _NoPause(threading.Event):
    def wait(self, timeout: float | None = None) -> bool:
        return self.is_set()


def test_slow_layer_has_the_time_that_its_bytes_earn(
    server: Server, registry: Registry, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An honest slow link: the grace alone is over, and the layer still comes."""
    monkeypatch.setattr(_transfer, "_GRACE", 0.5)
    content = os.urandom(8 * 65536)
    digest = "sha256:" + hashlib.sha256(content).hexdigest()
    sent = time.monotonic()

    def answer(handler: Handler) -> None:
        handler.send_response(200)
        handler.send_header("Content-Length", str(len(content)))
        handler.end_headers()
        for start in range(0, len(content), 65536):
            handler.wfile.write(content[start : start + 65536])
            threading.Event().wait(0.15)

    server.answers[f"/v2/team/app/blobs/{digest}"] = answer
    registry.blob("team/app", Descriptor("x", digest, len(content)), tmp_path / "blob")
    assert time.monotonic() - sent > 1
    assert (tmp_path / "blob").read_bytes() == content


def test_minimum_throughput_is_that_of_a_slow_link() -> None:
    """Four layers on a link of 256 kbit/s; all retries of one request fit into the grace."""
    assert _transfer._SLOWEST * _layout._CONCURRENCY * 8 <= 256 * 1024
    assert _transfer._GRACE >= _registry._TRIES * (_transfer._TIMEOUT + _registry._LONGEST_PAUSE)


def test_image_larger_than_the_disk_is_rejected_early(
    server: Server, registry: Registry, tmp_path: pathlib.Path
) -> None:
    """Finding 14: a layer that declares 10**15 bytes was written until the disk was full."""
    layers = [server.push("team/app", b"small"), {**server.push("team/app", b"large"), "size": 10**15}]
    config = server.push("team/app", b"{}")
    manifest = {"schemaVersion": 2, "mediaType": OCI_MANIFEST, "config": config, "layers": layers}
    described = server.push("team/app", json.dumps(manifest).encode(), OCI_MANIFEST)
    image = RegistryImage(registry, Reference("team/app", "v1"), described["digest"])
    with pytest.raises(EcrError) as caught:
        Layout(str(tmp_path / "dest"), "linux/amd64").fetch(image)
    assert re.search(
        r"^The image needs 10{9}\d+ bytes in .*/dest, and \d+ are free\. Nothing was downloaded", str(caught.value)
    )
    assert not [path for path, _headers in server.requests if "/blobs/" in path]


# --- output


def controller(control: Control, *flags: str, **options: Any) -> dict[str, Any]:
    """The result of a pull with the control node's credentials, by `ansible`."""
    return control.module("ecr_image_pull", "consumer", *flags, credentials="control_node", **BY_ROLE, **options)


def test_token_is_not_requested_under_ansible_debug(user: Control, tmp_path: pathlib.Path) -> None:
    """Finding 16: ANSIBLE_DEBUG prints the arguments of a module, and with them the token."""
    user.engines = {"ANSIBLE_DEBUG": "1"}
    mark = len(user.lab.calls())
    result = controller(user, engine="oci_layout", dest=f"{tmp_path}/dest")
    assert result["code"] == 2
    assert result["msg"].startswith("Ansible's debug mode prints the registry token. Unset ANSIBLE_DEBUG")
    assert user.lab.calls()[mark:] == []


def test_token_as_an_option_is_not_printed_under_ansible_debug(user: Control, tmp_path: pathlib.Path) -> None:
    """Finding 16: the same for a token that the task gives."""
    user.engines = {"ANSIBLE_DEBUG": "1", "GIVEN": TOKEN}
    options = {
        "images": [f"release@{DIGEST}"],
        "engine": "oci_layout",
        "dest": f"{tmp_path}/dest",
        "registry_url": "http://127.0.0.1:1",
        "registry_token": "{{ lookup('ansible.builtin.env', 'GIVEN') }}",
    }
    play = {"hosts": "localhost", "gather_facts": False, "tasks": [{"crossaccount.ecr.ecr_image_pull": options}]}
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    run = user.playbook(str(playbook), None)
    assert run.code == 2
    assert "Ansible's debug mode prints the registry token" in " ".join(run.output.split())
    assert TOKEN not in run.output


#: A host's interpreter: it answers the step without a token, and with the token it echoes what ECHO writes.
ECHO = r"""#!{python}
import base64, json, re, sys, urllib.parse
given = sys.stdin.buffer.read().decode(errors="replace") if not sys.stdin.isatty() else ""
found = re.search(r"registry_token\W+([A-Za-z0-9+/=_-]{{40,}})", given)
if not found:
    print(json.dumps({{"changed": False, "engine": "oci_layout"}}))
    sys.exit()
token = found[1]
password = base64.b64decode(token).decode().partition(":")[2]
open({kept!r}, "w").write(token)
{echo}
"""
ECHOES = {
    "stdin": "print(given)",
    "stderr": "print(given, file=sys.stderr); sys.exit(3)",
    "junk": "print(json.dumps({'changed': False}) + token)",
    "junk-before": "print(token + '\\n' + json.dumps({'changed': False}))",
    "password": "print(json.dumps({'failed': True, 'msg': password, 'exception': token, 'warnings': [token]}))",
    "keys": "print(json.dumps({'failed': True, 'msg': 'x', token: {token: [token, {'x': password}]}}))",
    "url": "print(json.dumps({'failed': True, 'msg': [urllib.parse.quote(x, safe='') for x in (token, password)]}))",
    "json": "print(json.dumps({'failed': True, 'msg': json.dumps(token).replace('/', chr(92) + '/')}))",
    "hex": "print(json.dumps({'failed': True, 'msg': token.encode().hex() + password.encode().hex().upper()}))",
    "base64": "print(json.dumps({'failed': True, 'msg': base64.b64encode(token.encode()).decode()}))",
    "images": "print(json.dumps({'changed': False, 'images': [token, {'image': token}], 'engine': token}))",
    "unreachable": "print(given, file=sys.stderr); sys.exit(255)",
}


def forms(token: str) -> Iterator[str]:
    """Pieces of the forms in which a token may be shown. Any of them is enough to find it."""
    password = base64.b64decode(token).decode().partition(":")[2]
    for secret in (token, password):
        middle = secret[len(secret) // 3 : len(secret) // 3 + 60]
        yield from (middle, urllib.parse.quote(middle, safe=""), middle.replace("/", "\\/"))
        yield from (middle.encode().hex(), middle.encode().hex().upper())
        for skipped in range(3):
            yield base64.b64encode(middle[skipped:].encode()).decode()[:72]


@pytest.mark.parametrize("connection", ["local", "ssh"])
def test_token_that_a_host_echoes_is_masked(user: Control, tmp_path: pathlib.Path, connection: str) -> None:
    """Finding 16: a host whose interpreter answers its own input had the token in module_stdout, output and log.

    One run has a host for each answer.
    """
    ssh = tmp_path / "ssh"
    ssh.write_text('#!/bin/sh\nfor last do :; done\nexec sh -c "$last"\n', encoding="utf-8")
    ssh.chmod(0o755)
    hosts = {}
    for name, echo in ECHOES.items():
        interpreter, kept = tmp_path / name / "python", tmp_path / name / "kept"
        interpreter.parent.mkdir()
        text = ECHO.format(python=shutil.which("python3"), kept=str(kept), echo=echo)
        interpreter.write_text(text, encoding="utf-8")
        interpreter.chmod(0o755)
        hosts[name] = {"ansible_python_interpreter": str(interpreter)}
    variables = {"ansible_connection": connection}
    if connection == "ssh":
        variables |= {"ansible_ssh_executable": str(ssh), "ansible_ssh_args": "", "ansible_host": "127.0.0.1"}
    inventory, playbook, log = tmp_path / "hosts.yml", tmp_path / "play.yml", tmp_path / "log"
    inventory.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
    dest = f"{tmp_path}/{{{{ inventory_hostname }}}}/dest"
    options = {"credentials": "control_node", "engine": "oci_layout", "dest": dest, "wait_timeout": 0}
    tasks = [
        {"crossaccount.ecr.ecr_image_pull": {**options, **BY_ROLE}, "register": "pulled", "ignore_errors": True},
        {"ansible.builtin.debug": {"var": "pulled"}},
    ]
    playbook.write_text(
        json.dumps([{"hosts": "all", "gather_facts": False, "vars": variables, "tasks": tasks}]), encoding="utf-8"
    )
    user.engines = {"ANSIBLE_LOG_PATH": str(log), "PATH": os.environ["PATH"]}
    # Not with a Python in an extra variable: each host has its own.
    command = [user.program("consumer"), playbook, "-i", inventory, "--forks", "4", "-vvvv"]
    run = user._run(command, "consumer")
    shown = re.sub(r"\s", "", run.output + log.read_text())
    for name in ECHOES:
        token = (tmp_path / name / "kept").read_text()
        assert [form for form in forms(token) if form in shown] == [], (name, run)
    assert "Traceback(mostrecentcalllast)" not in shown, run
