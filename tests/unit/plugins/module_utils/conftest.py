# SPDX-License-Identifier: GPL-3.0-or-later
"""Fake programs in the place of docker, podman and skopeo."""

from __future__ import annotations

import json
import os
import pathlib

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

from tests.unit.fake_programs import COPIES, FAKE, MANIFEST, PULLS, REFERENCE, Install, docker_context, image


@pytest.fixture
def temporary(tmp_path: pathlib.Path) -> pathlib.Path:
    folder = tmp_path / "temporary"
    folder.mkdir()
    return folder


@pytest.fixture
def install(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Put a fake program into the PATH, where nothing else is; its log. skopeo finds the image in the registry."""
    monkeypatch.setattr(Registry, "manifest", lambda *_words: (json.dumps(MANIFEST).encode(), None))
    programs = tmp_path / "bin"
    programs.mkdir()
    monkeypatch.setenv("PATH", os.fspath(programs))
    for variable in ("DOCKER_HOST", "CONTAINER_HOST", "CONTAINER_CONNECTION"):
        monkeypatch.delenv(variable, raising=False)

    def put(
        name: str, pull: str = "", info: str = "echo '{}'", context: str = "", remove: str = "exit 0"
    ) -> pathlib.Path:
        log = tmp_path / f"log-{name}"
        (log / "images").mkdir(parents=True)
        (log / "context").write_text(context or docker_context("default", "unix:///var/run/docker.sock"))
        if name == "skopeo":
            image(log, REFERENCE).write_text('{"os": "linux", "rootfs": {"diff_ids": ["sha256:1"]}}')
        pull = pull or (COPIES if name == "skopeo" else PULLS)
        script = FAKE.replace("@LOG@", str(log)).replace("@INFO@", info)
        program = programs / name
        program.write_text(script.replace("@PULL@", pull).replace("@REMOVE@", remove))
        program.chmod(0o755)
        return log

    return put
