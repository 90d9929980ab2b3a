# SPDX-License-Identifier: GPL-3.0-or-later
"""The wrapper of the credential helper: the variables that it sets and keeps, and its diff."""

from __future__ import annotations

import dataclasses
import os
import pathlib
import subprocess

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import (
    HELPER,
    HostPaths,
    former_entry,
    merge_wrapper,
    search_path,
    wrapper,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

HOST = "111111111111.dkr.ecr.ap-northeast-1.amazonaws.com"
HOME = "/home/deploy"
PLACES = HostPaths(
    "deploy", HOME, f"{HOME}/.docker/config.json", f"{HOME}/.aws/config", f"{HOME}/.aws/credentials", "/usr/local/bin"
)
SECRET = "QVdTOnRoZS10b2tlbiBvZg"
TEXT = wrapper(PLACES, HOST, None).encode()


def shown(content: bytes, new: str | None = None) -> str:
    return merge_wrapper(content, new, "", PLACES, HOST).before


# --- effect


@pytest.mark.parametrize("home", ["/home/deploy", "/home/it's a home"])
@pytest.mark.parametrize(
    "environment",
    [
        {},
        {"HOME": "/root", "PATH": "/usr/bin:/bin"},
        {"HOME": "/nonexistent", "PATH": "", "AWS_SHARED_CREDENTIALS_FILE": "/x", "AWS_CONFIG_FILE": "/x"},
        {"AWS_ACCESS_KEY_ID": "x", "AWS_SECRET_ACCESS_KEY": "x", "AWS_SESSION_TOKEN": "x", "AWS_PROFILE": "x"},
        {"AWS_WEB_IDENTITY_TOKEN_FILE": "x", "PATH": "/usr/bin"},
    ],
)
def test_the_environment_of_the_helper(tmp_path: pathlib.Path, home: str, environment: dict[str, str]) -> None:
    """cron has no HOME and a short PATH, and systemd and sudo those of another user."""
    helper = tmp_path / "opt/helper-of-the-test"
    helper.parent.mkdir()
    helper.write_text('#!/bin/sh\necho "$@"\nenv\n')
    helper.chmod(0o755)
    places = dataclasses.replace(
        PLACES, home=home, aws_credentials=f"{home}/.aws/credentials", search_path=search_path(str(helper))
    )
    program = tmp_path / "wrapper"
    program.write_text(wrapper(places, HOST, "ecr-login").replace(f"exec {HELPER}", f"exec {helper.name}"))
    program.chmod(0o755)
    command = ["env", "-i", *(f"{name}={value}" for name, value in environment.items()), "/bin/sh", str(program), "get"]
    ran = subprocess.run(command, capture_output=True, text=True, timeout=300, check=True)
    arguments, *lines = ran.stdout.splitlines()  # the program was found by the search path
    found = dict(line.split("=", 1) for line in lines)
    assert arguments == "get"
    assert {name: value for name, value in found.items() if name.startswith("AWS_") or name == "HOME"} == {
        "HOME": home,
        "AWS_CONFIG_FILE": f"{HOME}/.aws/config",
        "AWS_SHARED_CREDENTIALS_FILE": f"{home}/.aws/credentials",
        "AWS_PROFILE": f"ecr-pull-{HOST}",
        "AWS_ECR_DISABLE_CACHE": "true",
    }
    folders = found["PATH"].split(":")
    assert "" not in folders  # the current folder
    assert {"/usr/local/bin", "/usr/bin", str(helper.parent)} <= {*folders}
    given = environment.get("PATH", "")
    assert found["PATH"].startswith(given)


@pytest.mark.parametrize("helper", [None, f"/usr/bin/{HELPER}", f"./{HELPER}", f"/a:b/{HELPER}", f"/a\nb/{HELPER}"])
def test_search_path_without_another_folder(helper: str | None) -> None:
    assert search_path(helper) == "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


# --- the user's own entry


@pytest.mark.parametrize("former", [None, "", "ecr-login", "gcloud", "a.b_c+d@e"])
def test_the_former_entry_is_kept(former: str | None) -> None:
    text = wrapper(PLACES, HOST, former)
    assert former_entry(text.encode(), PLACES, HOST) == former
    assert former_entry(text.encode() + b"# edited\n", PLACES, HOST) == former
    assert shown(text.encode()) == text


def test_the_former_entry_of_another_file_or_wrapper_is_not_used() -> None:
    text = wrapper(PLACES, HOST, "ecr-login").encode()
    assert former_entry(text, dataclasses.replace(PLACES, auth_file="/other"), HOST) is None
    assert former_entry(text, dataclasses.replace(PLACES, user="other"), HOST) is None
    assert former_entry(text, PLACES, HOST.replace("1", "3")) is None
    for content in (None, b"", b"\xff", text.replace(b'"ecr-login"', b'"../x"'), text.replace(b'"ecr-login"', b'"a')):
        assert former_entry(content, PLACES, HOST) is None


# --- merging and diffs


@pytest.mark.parametrize("new", [TEXT.decode(), None])
@pytest.mark.parametrize("content", [b"", b"#!/bin/sh\n", SECRET.encode(), b"\xff", TEXT[:40]])
def test_foreign_file_in_place_of_wrapper_is_rejected(content: bytes, new: str | None) -> None:
    with pytest.raises(EcrError) as refused:
        shown(content, new)
    assert str(refused.value) == "was not written by this collection. Remove it, or use another bin_dir."


@pytest.mark.parametrize("path", ["/old", "/with space/config", "/it's/config"])
@pytest.mark.parametrize("name", ["auth_file", "aws_config", "aws_credentials", "home", "search_path"])
def test_former_wrapper_is_shown(name: str, path: str) -> None:
    text = wrapper(dataclasses.replace(PLACES, **{name: path}), HOST, "ecr-login")
    assert shown(text.encode()) == text


@pytest.mark.parametrize(
    "content",
    [
        TEXT + f"# {SECRET}\n".encode(),
        TEXT.replace(b"unset ", f"export A={SECRET}\nunset ".encode()),
        TEXT.replace(b"AWS_PROFILE", f"A={SECRET}\nAWS_PROFILE".encode(), 1),
        TEXT.replace(b"\nAWS_PROFILE", f" A={SECRET}\nAWS_PROFILE".encode()),
        TEXT.replace(b"\nAWS_PROFILE", f";A={SECRET}\nAWS_PROFILE".encode()),
        TEXT.replace(b": null", f': "{SECRET} x"'.encode()),
        TEXT.replace(b": null", f": null {SECRET}".encode()),
        TEXT[:-20],
    ],
)
def test_edited_wrapper_is_not_shown(content: bytes) -> None:
    assert shown(content) == f"# A former or edited wrapper of {len(content)} bytes, which is not shown.\n"


def test_wrong_mode_is_shown() -> None:
    merged = merge_wrapper(TEXT, TEXT.decode(), "mode 0777, owned by the user with ID 0", PLACES, HOST)
    assert merged == (TEXT, f"# mode 0777, owned by the user with ID 0\n{TEXT.decode()}", TEXT.decode())


def test_the_wrapper_is_a_valid_program(tmp_path: pathlib.Path) -> None:
    (tmp_path / "wrapper").write_bytes(TEXT)
    subprocess.run(["sh", "-n", tmp_path / "wrapper"], env={"PATH": os.environ["PATH"]}, check=True, timeout=300)
