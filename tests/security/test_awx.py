# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWX pattern runs only what its user named exactly, and a credential of its types holds keys only."""

from __future__ import annotations

import configparser
import json
import pathlib
from typing import Any

import botocore.session
import pytest

from tests.awx import rules
from tests.awx.pattern import IMAGE, TYPES, apply
from tests.awx.server import Awx

DIGEST = "@sha256:" + "0" * 64
KEYS = {
    "access_key": "AKIAIOSFODNN7EXAMPLE",
    "secret_key": "secret/of+the%test",
    "session_token": "token/of+the%test==",
}
LINE_BREAKS = ("\n", "\r", "\r\n", "\n\n", "\v", "\f", "\x1c", "\x85", "\u2028")


@pytest.mark.parametrize("line_break", LINE_BREAKS, ids=ascii)
@pytest.mark.parametrize("field", KEYS)
@pytest.mark.parametrize("kind", TYPES.values(), ids=TYPES)
def test_a_credential_field_cannot_add_a_setting_to_the_profile(
    kind: dict[str, Any], field: str, line_break: str, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Anyone who could edit a credential ran a program in the jobs that use it, by credential_process (finding 11)."""
    program = tmp_path / "program"
    program.write_text(f"#!/bin/sh\ntouch '{tmp_path}/executed'\n")
    program.chmod(0o755)
    lines = [KEYS[field], f"credential_process = {program}", "[default]", f"credential_process = {program}"]
    environment, variables = rules.inject(kind["injectors"], {**KEYS, field: line_break.join(lines)}, tmp_path)
    (path,) = environment.values()
    profile = next(iter(variables.values()))

    parsed = configparser.RawConfigParser()
    parsed.read(path, encoding="utf-8")
    assert len(parsed.sections()) == 1
    assert set(parsed[parsed.sections()[0]]) == {"aws_access_key_id", "aws_secret_access_key", "aws_session_token"}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    credentials = botocore.session.Session(profile=profile).get_credentials()
    assert credentials is not None
    assert credentials.method in ("shared-credentials-file", "config-file")
    assert not (tmp_path / "executed").exists()


@pytest.mark.parametrize(
    "image",
    [
        "",
        "crossaccount/ecr-ee",
        "crossaccount/ecr-ee" + DIGEST,
        "ecr-ee" + DIGEST,
        "registry.example.com/ecr-ee",
        "registry.example.com/ecr-ee:1",
        "registry.example.com/ecr-ee@sha256:00",
        "registry.example.com/ecr-ee\n" + DIGEST,
        f"{IMAGE}\nx",
    ],
)
def test_pattern_requires_an_image_by_registry_and_digest(awx: Awx, tmp_path: pathlib.Path, image: str) -> None:
    """The jobs ran an image name without an owner, with the keys of the owner account (finding 8)."""
    refused(awx, tmp_path, {"ecr_awx_image": image})


@pytest.mark.parametrize(
    "changed",
    [
        {"ecr_awx_project_release": "main"},
        {"ecr_awx_project_release": ""},
        {"ecr_awx_project_release": "0.1.0 --upload-pack=x"},
        {"ecr_awx_project_url": ""},
        {"ecr_awx_project_url": "http://git.example.com/crossaccount/ecr.git"},
    ],
    ids=str,
)
def test_pattern_requires_a_project_and_a_release(awx: Awx, tmp_path: pathlib.Path, changed: dict[str, str]) -> None:
    """The jobs ran the newest commit of a branch, whatever it was (finding 8)."""
    refused(awx, tmp_path, changed)


def refused(awx: Awx, folder: pathlib.Path, changed: dict[str, str]) -> None:
    run = apply(folder, awx.url, "-e", json.dumps(changed))
    assert run.returncode == 2, run.stdout + run.stderr
    words = " ".join((run.stdout + run.stderr).split())
    assert all(name in words for name in ("ecr_awx_image", "ecr_awx_project_url", "ecr_awx_project_release")), words
    assert awx.writes == []


@pytest.mark.parametrize(
    "name", ["registry.example.com:5000/team/ecr-ee:1", "localhost/ecr-ee", "127.0.0.1:5000/ecr-ee"]
)
def test_an_image_with_registry_and_digest_is_accepted(tmp_path: pathlib.Path, name: str) -> None:
    run = apply(tmp_path, "http://127.0.0.1:9", "-e", f"ecr_awx_image={name}{DIGEST}")
    assert "Create the execution environment" in run.stdout, run.stdout + run.stderr
    assert "Provide what the jobs run" not in run.stdout, run.stdout + run.stderr
