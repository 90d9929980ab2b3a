# SPDX-License-Identifier: GPL-3.0-or-later
"""The paths that a task or a survey gives are text: no environment fills them in, and no program runs (finding 9)."""

from __future__ import annotations

import json
import os
import pathlib
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._destination import destination_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller

from tests.support.control import ROLE_ARN, Control
from tests.support.paths import ROOT

BY_ROLE: dict[str, Any] = {"role_arn": ROLE_ARN, "external_id": "test", "images": ["release:v1.0"]}
SECRET = "controllers-secret-access-key"


@pytest.fixture(scope="module")
def shared(control: Control) -> Control:
    run = control.share()
    assert run.code == 0, run
    return control


def names(folder: pathlib.Path) -> str:
    return " ".join(str(path) for path in folder.rglob("*"))


@pytest.mark.parametrize("name", ["dest", "ca_path"])
@pytest.mark.parametrize("text", ["docker://mirror.invalid/x:$KEY", "/srv/${KEY}", "~/x", "~root/x", "$HOME/x"])
def test_the_controller_expands_no_path_of_a_host(monkeypatch: pytest.MonkeyPatch, name: str, text: str) -> None:
    """Finding 9: the control node's variables and home went to the host in the text of the option."""
    monkeypatch.setenv("KEY", SECRET)
    controller = Controller("ecr_image_pull", PULL_ARGUMENTS, {**BY_ROLE, name: text})
    assert controller.params[name] == text


@pytest.mark.parametrize("credentials", ["host", "control_node"])
@pytest.mark.parametrize("text", ["$AWS_KEY_OF_A_JOB", "${AWS_KEY_OF_A_JOB}", "x-$AWS_KEY_OF_A_JOB"])
def test_variables_in_a_destination_stay_text(
    shared: Control, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, credentials: str, text: str
) -> None:
    """Finding 9: a folder was made whose name is the secret access key of the job."""
    monkeypatch.setattr(shared, "engines", {"AWS_KEY_OF_A_JOB": SECRET})
    options = {"engine": "oci_layout", "dest": f"{tmp_path}/{text}", "credentials": credentials}
    result = shared.module("ecr_image_pull", "consumer", **options, **BY_ROLE)
    assert (result["code"], result["changed"]) == (0, True), shared.last
    assert (tmp_path / text / "index.json").exists()
    assert SECRET not in names(tmp_path) + json.dumps(result) + shared.last.output


def test_survey_answer_of_the_awx_pattern_is_not_expanded(
    shared: Control, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 9: a user that fills in "Destination" could read keys that AWX hides."""
    credentials = shared.lab.session("consumer").get_credentials()
    assert credentials
    keys = {"AWS_ACCESS_KEY_ID": credentials.access_key, "AWS_SECRET_ACCESS_KEY": credentials.secret_key}
    monkeypatch.setattr(shared, "engines", {**keys, "AWS_ENDPOINT_URL": shared.lab.endpoint})
    answers = tmp_path / "answers.yml"
    answers.write_text(
        f"survey_dest: !unsafe {tmp_path}/x/$AWS_SECRET_ACCESS_KEY\nsurvey_engine: oci_layout\n"
        f"ecr_share_handoff: {json.dumps(shared.handoff.read_text())}\n",
        encoding="utf-8",
    )
    path = str(ROOT / "extensions/patterns/ecr_share/playbooks/pull.yml")
    run = shared.playbook(path, None, "-e", f"@{answers}", ecr_pull_wait_timeout=0)
    assert run.code == 0, run
    assert (tmp_path / "x/$AWS_SECRET_ACCESS_KEY/index.json").exists(), names(tmp_path)
    assert credentials.secret_key not in names(tmp_path) + run.output


@pytest.mark.parametrize("credentials", ["host", "control_node"])
def test_home_is_that_of_the_host(shared: Control, tmp_path: pathlib.Path, credentials: str) -> None:
    """Finding 9: the survey's default ~/ecr_pull was the control node's home on every host."""
    python = tmp_path / "python"
    real = shared.python or "/usr/bin/python3"
    python.write_text(f'#!/bin/sh\nHOME={tmp_path}/host exec {real} "$@"\n', encoding="utf-8")
    python.chmod(0o755)
    play = {
        "hosts": "localhost",
        "gather_facts": False,
        "vars": {"ansible_python_interpreter": str(python)},
        "tasks": [
            {
                "crossaccount.ecr.ecr_image_pull": {
                    "engine": "oci_layout",
                    "dest": "~/ecr_pull",
                    "credentials": credentials,
                    "wait_timeout": 0,
                    **BY_ROLE,
                }
            }
        ],
    }
    playbook = tmp_path / "play.yml"
    playbook.write_text(json.dumps([play]), encoding="utf-8")
    run = shared.playbook(str(playbook), "consumer", ansible_python_interpreter=str(python))
    assert run.code == 0, run
    assert (tmp_path / "host/ecr_pull/index.json").exists(), run
    assert not (shared.folder / "home/ecr_pull").exists()


def test_path_options_of_a_pull_expand_no_variables() -> None:
    """Finding 9, the class: an option that is added later is of this kind, too."""
    others = {**PULL_ARGUMENTS}
    assert others.pop("account")["type"] == "raw"  # an account ID
    assert [name for name, option in others.items() if option["type"] in ("path", "raw")] == []
    role = yaml.safe_load((ROOT / "roles/ecr_pull/meta/argument_specs.yml").read_text("utf-8"))
    options = role["argument_specs"]["main"]["options"]
    assert [name for name, option in options.items() if option["type"] == "path"] == ["ecr_pull_junit_path"]


@pytest.mark.parametrize(
    ("dest", "reason"),
    [
        ("containers-storage:[vfs@/x+/y:vfs.mount_program=/tmp/program]app:v1", "has options of a storage"),
        ("containers-storage:[overlay]app", "has options of a storage"),
        ("ostree:app@/repo", "has the transport ostree"),
        ("sif:/srv/app.sif", "has the transport sif"),
        ("tarball:/srv/app.tar", "has the transport tarball"),
        ("atomic:app", "has the transport atomic"),
        ("http://mirror.invalid/app", "has the transport http"),
        ("docker-archive-x:/srv/app.tar", "has the transport docker-archive-x"),
    ],
)
def test_destination_of_another_transport_is_rejected_by_name(dest: str, reason: str) -> None:
    """Finding 9: a storage with a mount_program was accepted, which containers/storage runs."""
    (problem,) = destination_problems(dest, [parse_reference("release:v1.0")])
    assert reason in problem


@pytest.mark.engine
@pytest.mark.usefixtures("skopeo")
@pytest.mark.parametrize("engine", ["auto", "skopeo"])
def test_storage_options_run_no_program_and_aws_is_not_asked(
    shared: Control, tmp_path: pathlib.Path, engine: str
) -> None:
    """Finding 9: the program in a destination is not run, and no token is requested."""
    program, ran = tmp_path / "program", tmp_path / "ran"
    program.write_text(f"#!/bin/sh\ntouch {ran}\n", encoding="utf-8")
    program.chmod(0o755)
    mark = len(shared.lab.calls())
    storage = f"[overlay@{tmp_path}/graph+{tmp_path}/run:overlay.mount_program={program}]"
    result = shared.module(
        "ecr_image_pull", "consumer", engine=engine, dest=f"containers-storage:{storage}app:v1", **BY_ROLE
    )
    assert result["code"] == 2
    assert "has options of a storage" in result["msg"]
    assert shared.lab.calls()[mark:] == []
    assert not ran.exists()


@pytest.mark.parametrize("name", ["dest", "ca_path"])
@pytest.mark.parametrize("text", ["/srv/a\0b", "/srv/a\nb", "/srv/a\x1b[2Jb", "dir:/srv/a\0b"])
def test_path_with_control_characters_is_rejected(shared: Control, name: str, text: str) -> None:
    """Finding 9, a variant: a NUL ended the module with a traceback."""
    mark = len(shared.lab.calls())
    options = {"engine": "oci_layout", "dest": "/srv/x", name: text}
    result = shared.module("ecr_image_pull", "consumer", **options, **BY_ROLE)
    assert result["code"] == 2
    assert "has a character that is not printable" in result["msg"]
    assert "Traceback" not in shared.last.output
    assert shared.lab.calls()[mark:] == []


def test_engines_get_no_variables_of_aws(
    shared: Control, tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Finding 9, a variant: a program that is called docker sees no key of the job."""
    program, recorded = tmp_path / "bin/docker", tmp_path / "environment"
    program.parent.mkdir()
    program.write_text(f"#!/bin/sh\nenv >> {recorded}\nexit 1\n", encoding="utf-8")
    program.chmod(0o755)
    path = f"{program.parent}:{os.environ['PATH']}"
    monkeypatch.setattr(shared, "engines", {"PATH": path, "AWS_KEY_OF_A_JOB": SECRET})
    result = shared.module("ecr_image_pull", "consumer", engine="docker", **BY_ROLE)
    assert "docker does not report its context" in result["msg"]
    assert "PATH=" in recorded.read_text()
    assert "AWS_" not in recorded.read_text()
