# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the playbooks and the modules as a user does: by their command lines, from the repository's root."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import subprocess
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest

from tests import quick_python
from tests.conftest import ROOT, Lab
from tests.lab import accounts

#: tests/matrix names the programs of another ansible-core.
BIN = pathlib.Path(os.environ.get("ANSIBLE_BIN", ROOT / ".venv/bin"))
WAIT_INTERVAL = 0.05  # seconds, of the owner's side: the lab reads back at once
#: Deprecations of amazon.aws (a module of its group, how it returns warnings), and of the option --tree below.
DEPRECATED = ("amazon.aws.ec2_vpc_peer", "Passing `warnings` to `exit_json`", "tree callback")
ROLE = "allow_ecr_release"
ROLE_ARN = f"arn:aws:iam::{accounts.OWNER}:role/{ROLE}"
REPOSITORY_ARN = f"arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/"


class Run:
    """A finished run of ansible or ansible-playbook."""

    def __init__(self, process: subprocess.CompletedProcess[str]) -> None:
        self.code = process.returncode
        self.output = process.stdout + process.stderr

    def __repr__(self) -> str:
        return f"exit status {self.code}\n{self.output}"

    @property
    def changed(self) -> int:
        return int(self.output.rpartition("changed=")[2].split()[0])


class Control:
    """A control host: the collection of this repository, an AWS environment, engines."""

    #: What modules run with; None for the Python that Ansible itself takes, with the real ansible-playbook.
    python: pathlib.Path | None = None
    #: A quick ansible-playbook, where there is one.
    ansible_playbook: pathlib.Path | None = None

    def __init__(self, lab: Lab, folder: pathlib.Path) -> None:
        self.lab, self.folder = lab, folder
        self.handoff = folder / "handoff.yml"
        self.engines: dict[str, str] = {}

    def environment(self, profile: str | None) -> dict[str, str]:
        kept = {
            name: os.environ[name]
            for name in ("PATH", "LANG", "LC_ALL", "ANSIBLE_COLLECTIONS_PATH")
            if name in os.environ
        }
        home = self.folder / "home"
        home.mkdir(exist_ok=True)
        profiles = {"AWS_PROFILE": profile} if profile else {}
        return {
            **kept,
            **self.lab.environment,
            **profiles,
            **self.engines,
            "HOME": str(home),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def playbook(self, name: str, profile: str | None, /, *arguments: str, **variables: Any) -> Run:
        variables.setdefault("ecr_share_wait_interval", WAIT_INTERVAL)
        if self.python:
            variables.setdefault("ansible_python_interpreter", str(self.python))
        path = name if name.endswith(".yml") else f"playbooks/{name}.yml"
        command = [self._program(profile), path, *arguments, "-e", json.dumps(variables)]
        return self._run(command, profile)

    def _program(self, profile: str | None) -> pathlib.Path:
        quick = self.python and quick_python.serves(self.environment(profile)) and self.ansible_playbook
        return quick or BIN / "ansible-playbook"

    def share(self, *arguments: str, profile: str | None = "owner", **variables: Any) -> Run:
        """The scenario's declaration, with `variables` over it."""
        variables.setdefault("ecr_share_handoff_path", str(self.handoff))
        return self.playbook("share", profile, "-e", "@playbooks/vars/scenario.yml", *arguments, **variables)

    def pull(self, *arguments: str, profile: str | None = "consumer", **variables: Any) -> Run:
        """With the hand-off; not waiting, unless told: what these tests share is there at once."""
        variables.setdefault("ecr_pull_wait_timeout", 0)
        return self.playbook("pull", profile, "-e", f"ecr_pull_handoff={self.handoff}", *arguments, **variables)

    def module(self, module: str, profile: str | None, /, *flags: str, **options: Any) -> dict[str, Any]:
        """The result of one module; `code` is the exit status. The consumer's modules do not wait.

        They run as Ansible runs them on a host, which is faster; ad hoc where an action plugin has something to do.
        """
        owners = module in ("ecr_repository_tag", "iam_ecr_pull_role")
        options = {**({"wait_interval": WAIT_INTERVAL} if owners else {"wait_timeout": 0}), **options}
        in_steps = not owners and options["wait_timeout"] != 0
        if not in_steps and options.get("credentials") != "controller" and {*flags} <= {"--check", "--diff"}:
            return self._module_itself(module, profile, *flags, **options)
        command = [BIN / "ansible", "localhost", "-m", f"crossaccount.ecr.{module}", "-a", json.dumps(options), *flags]
        tree = self.folder / "tree"
        shutil.rmtree(tree, ignore_errors=True)
        self.last = run = self._run([*command, "--tree", str(tree)], profile)
        result: dict[str, Any] = json.loads((tree / "localhost").read_text())
        return {**result, "code": run.code}

    def _module_itself(self, module: str, profile: str | None, /, *flags: str, **options: Any) -> dict[str, Any]:
        told = {"_ansible_check_mode": "--check" in flags, "_ansible_diff": "--diff" in flags}
        arguments = json.dumps({"ANSIBLE_MODULE_ARGS": {**options, **told}})
        command = [
            self.python or BIN / "python",
            "-m",
            f"ansible_collections.crossaccount.ecr.plugins.modules.{module}",
        ]
        self.last = run = self._run(command, profile, arguments, PYTHONPATH=str(ROOT / ".venv/collections"))
        result: dict[str, Any] = json.loads(run.output.splitlines()[-1])
        # As `ansible --tree` writes it, and with its exit status.
        kept = {key: value for key, value in result.items() if key not in ("failed", "invocation")}
        return {"changed": False, **kept, "code": 2 if run.code else 0}

    def _run(self, command: list[Any], profile: str | None, typed: str = "", **variables: str) -> Run:
        environment = {**self.environment(profile), **variables}
        process = subprocess.run(
            command, input=typed, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=180, check=False
        )
        run = Run(process)
        deprecated = [line for line in run.output.splitlines() if "[DEPRECATION WARNING]" in line]
        assert not [line for line in deprecated if not any(known in line for known in DEPRECATED)], run
        return run


@pytest.fixture(scope="session", autouse=True)
def _quick_python(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """For every Control; the tests of whole stories have one that keeps the real Python."""
    if Control.python:  # tests/security has this fixture too
        yield
        return
    folder, python = tmp_path_factory.mktemp("quick"), BIN / "python"
    with quick_python.running(folder, python) as Control.python:
        if BIN != ROOT / ".venv/bin":
            yield
            return
        with quick_python.running_ansible(folder, python) as Control.ansible_playbook:
            yield


@pytest.fixture(scope="module")
def control(lab: Lab, tmp_path_factory: pytest.TempPathFactory) -> Control:
    return Control(lab, tmp_path_factory.mktemp("control"))


@contextlib.contextmanager
def dockerd(folder: pathlib.Path, inside: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """A dockerd of our own; the environment that leads to it. No dockerd is an error.

    :param inside: words before the command, where it runs in namespaces
    """
    folder.mkdir(exist_ok=True)
    socket = folder / "docker.sock"
    options = {
        "--host": f"unix://{socket}",
        "--data-root": folder / "data",
        "--exec-root": folder / "exec",
        "--pidfile": folder / "pid",
        "--storage-driver": "vfs",
        "--iptables": "false",
        "--ip6tables": "false",
        "--bridge": "none",
        "--max-download-attempts": "1",  # else it tries a layer that breaks off for more than a minute
    }
    with (folder / "log").open("wb") as log:
        command = [*inside, "dockerd", *(f"{name}={value}" for name, value in options.items())]
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    environment = {"DOCKER_HOST": f"unix://{socket}"}
    try:
        deadline = time.monotonic() + 60
        while subprocess.run(
            ["docker", "info"], env={**os.environ, **environment}, capture_output=True, check=False
        ).returncode:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("dockerd did not start:\n" + (folder / "log").read_text())
            time.sleep(0.1)
        yield environment
    finally:
        if daemon.poll() is None:
            # The daemon itself, which may be in namespaces that give it another pid.
            subprocess.run([*inside, "kill", (folder / "pid").read_text()], check=True)
        daemon.wait(30)


@pytest.fixture(scope="session")
def docker(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    with dockerd(tmp_path_factory.mktemp("docker")) as environment:
        yield environment


@pytest.fixture
def skopeo() -> str:
    """The program. No skopeo is an error."""
    program = shutil.which("skopeo")
    assert program, "skopeo is not installed"
    return program


@pytest.fixture(scope="module")
def podman(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Storage of our own for podman; the environment that leads to it. No podman is an error.

    Each file has its own: of images of the same content, podman tells the digest of the first.
    """
    folder = tmp_path_factory.mktemp("podman")
    configuration = folder / "storage.conf"
    configuration.write_text(
        f'[storage]\ndriver = "vfs"\ngraphroot = "{folder}/graph"\nrunroot = "{folder}/run"\n', encoding="utf-8"
    )
    environment = {"CONTAINERS_STORAGE_CONF": str(configuration)}
    subprocess.run(["podman", "info"], env={**os.environ, **environment}, check=True, capture_output=True)
    return environment
