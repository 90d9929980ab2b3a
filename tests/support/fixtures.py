# SPDX-License-Identifier: GPL-3.0-or-later
"""Fixtures of the tests that run playbooks and modules. A conftest imports those that its tests use."""

from __future__ import annotations

import hashlib
import os
import pathlib
import shutil
import subprocess
import threading
import types
from collections.abc import Callable, Iterator

import botocore.endpoint
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _retry

from tests.lab import accounts
from tests.support import quick_python
from tests.support.consumer_side import Clock
from tests.support.control import BIN, Control
from tests.support.engines import dockerd
from tests.support.forwarding import HoldingProxy, RecordingProxy, ResponseDroppingProxy
from tests.support.lab import Lab, stop_lab
from tests.support.owner_resources import Owner
from tests.support.paths import ROOT
from tests.support.serving import serving
from tests.support.watching import Site


@pytest.fixture(scope="session", autouse=True)
def _quick_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """The quick Python for every Control. The tests of the scenario use the real Python."""
    if Control.python:  # tests/security has this fixture too
        yield
        return
    folder, python = tmp_path_factory.mktemp("quick"), BIN / "python"
    with quick_python.running(folder, python) as Control.python:
        Control.host_python = folder / "python-of-a-host"
        Control.host_python.symlink_to(Control.python)
        if BIN != ROOT / ".venv/bin":
            yield
            return
        with quick_python.running_ansible(folder, python, Control.python) as Control.ansible_playbook:
            yield


@pytest.fixture(scope="module")
def control(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Control:
    return Control(lab, tmp_path_factory.mktemp("control"))


@pytest.fixture
def alone(start_lab: Callable[[pathlib.Path], None], tmp_path: pathlib.Path) -> Iterator[Control]:
    """A control node with a lab that no other test uses."""
    folders = [tmp_path / name for name in ("lab", "control")]
    for folder in folders:
        folder.mkdir()
    try:
        start_lab(folders[0])
        yield Control(Lab(folders[0]), folders[1])
    finally:
        stop_lab(folders[0])


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with dockerd(tmp_path_factory.mktemp("docker")) as environment:
        yield environment


@pytest.fixture
def skopeo() -> str:
    """The program skopeo. A missing skopeo is an error."""
    program = shutil.which("skopeo")
    assert program, "skopeo is not installed"
    return program


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Private storage for podman: the environment variables that select it. A missing podman is an error.

    Each test file has its own storage, because podman returns the digest of the first of several equal images.
    """
    return podman_storage(tmp_path_factory.mktemp("podman"))


def podman_storage(folder: pathlib.Path) -> dict[str, str]:
    """The environment variables that select storage for podman in a folder."""
    configuration = folder / "storage.conf"
    configuration.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n', encoding="utf-8"
    )
    environment = {"CONTAINERS_STORAGE_CONF": str(configuration)}
    subprocess.run(["podman", "info"], env={**os.environ, **environment}, check=True, capture_output=True)
    return environment


@pytest.fixture(scope="module")
def owner(lab: Lab) -> Owner:
    return Owner(lab)


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(_retry, "time", clock)
    return clock


@pytest.fixture
def recording_proxy(lab: Lab) -> Iterator[RecordingProxy]:
    server = RecordingProxy(lab)
    with serving(server):
        yield server


@pytest.fixture
def dropping_proxy(lab: Lab, monkeypatch: pytest.MonkeyPatch) -> Iterator[ResponseDroppingProxy]:
    # The pauses of the SDK between its attempts.
    monkeypatch.setattr(botocore.endpoint, "time", types.SimpleNamespace(sleep=lambda _seconds: None))
    server = ResponseDroppingProxy(lab)
    with serving(server):
        yield server
    assert server.errors == []


@pytest.fixture(scope="module")
def layer() -> bytes:
    """A layer that no other test pulls."""
    return accounts.layer({"noise": os.urandom(200_000)})


@pytest.fixture(scope="module")
def site(
    lab: Lab, layer: bytes, docker: dict[str, str], podman: dict[str, str], tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Site]:
    token = lab.client("owner", "ecr").get_authorization_token()["authorizationData"][0]["authorizationToken"]
    digest = accounts.push(lab.endpoint, token, "release", "noise", [accounts.scenario_layers()[0], layer])
    proxy = HoldingProxy(lab.endpoint, "sha256:" + hashlib.sha256(layer).hexdigest())
    thread = threading.Thread(target=proxy.serve_forever, kwargs={"poll_interval": 0.05})
    thread.start()
    try:
        yield Site(lab, tmp_path_factory.mktemp("site"), proxy, digest, {**docker, **podman})
    finally:
        proxy.released.set()
        proxy.shutdown()
        thread.join()
        proxy.server_close()
