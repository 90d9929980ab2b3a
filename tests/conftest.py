# SPDX-License-Identifier: GPL-3.0-or-later
"""What every kind of test shares: a lab of its own, engines of its own, and ways to run the collection."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import signal
import socketserver
import subprocess
import threading
from collections.abc import Iterator
from typing import Any

import boto3
import pytest

from tests.lab import accounts, state

if signal.getsignal(signal.SIGHUP) == signal.SIG_IGN:
    # Under nohup. The tests and the programs that they start handle SIGHUP; this process still survives it.
    signal.signal(signal.SIGHUP, lambda _number, _frame: None)

ROOT = pathlib.Path(__file__).parents[1]
LAB_PYTHON = ROOT / ".venv-lab/bin/python"
LONGEST = (
    "test_matrix",
    "test_examples",
    "test_share",
    "test_engines",
    "test_permissions",
    "test_concurrency",
    "test_secrets",
    "test_pull",
    "test_proof",
    "test_boundaries_playbooks",
    "test_jobs",
    "test_scenario",
    "test_demo",
    "test_declarations",
    "test_interrupts",
    "test_bad_input",
    "test_content",
    "test_handoff",
    "test_declaration",
    "test_registry_token",
    "test_state_of_others",
    "test_runner",
    "test_fleet",
    "test_live_suite",
    "test_credential_helper",
    "test_counts",
    "test_awx",
    "test_pattern",
    "test_boundaries",
    "test_judges",
    "test_inclusion",
    "test_transcript",
)


@contextlib.contextmanager
def serving(server: socketserver.BaseServer) -> Iterator[None]:
    """Within, the server answers in a thread; afterwards both are gone."""
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class Lab:
    """A running lab: its folder, its clients, its request log."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.environment = {
            "AWS_CONFIG_FILE": str(folder / state.CONFIG),
            "AWS_SHARED_CREDENTIALS_FILE": str(folder / state.CREDENTIALS),
        }

    def session(self, profile: str, **credentials: str) -> boto3.session.Session:
        with pytest.MonkeyPatch.context() as patch:
            for name, value in self.environment.items():
                patch.setenv(name, value)
            session = boto3.session.Session(profile_name=profile, **credentials)
            session.client("sts")  # reads the configuration while the environment points at it
        return session

    def client(self, profile: str, service: str) -> Any:
        return self.session(profile).client(service)

    def assume(self, profile: str, service: str, role: str, **options: str) -> Any:
        """A client of `service` with the session of a role in the owner account."""
        reply = self.client(profile, "sts").assume_role(
            RoleArn=f"arn:aws:iam::{accounts.OWNER}:role/{role}", RoleSessionName=role, **options
        )
        keys = reply["Credentials"]
        session = self.session(
            profile,
            aws_access_key_id=keys["AccessKeyId"],
            aws_secret_access_key=keys["SecretAccessKey"],
            aws_session_token=keys["SessionToken"],
        )
        return session.client(service)

    @property
    def endpoint(self) -> str:
        return str(self.client("owner", "sts").meta.endpoint_url)

    @property
    def vpc_endpoint(self) -> str:
        """The URL of the VPC endpoint, to which `endpoint_policy` gives a policy."""
        return (self.folder / state.VPC_ENDPOINT).read_text()

    def endpoint_policy(self, *statements: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
        """Within, the VPC endpoint has this policy."""
        return self._set(state.ENDPOINT_POLICY, {"Version": "2012-10-17", "Statement": statements})

    def pull_failures(self, failures: dict[str, str]) -> contextlib.AbstractContextManager[None]:
        """Within, pulls fail.

        :param failures: a repository, or `REPOSITORY@DIGEST`, to a key of `tests.lab.pull_failures.FAILURES`
        """
        return self._set(state.PULL_FAILURES, failures)

    @contextlib.contextmanager
    def _set(self, name: str, value: dict[str, Any]) -> Iterator[None]:
        file = self.folder / name
        file.write_text(json.dumps(value))
        try:
            yield
        finally:
            file.unlink()

    def calls(self) -> list[str]:
        return [entry["call"] for entry in state.requests(self.folder)]

    def writes_since(self, mark: int) -> list[str]:
        """The calls that changed an account, after the first `mark` calls of the log."""
        return [call for call in self.calls()[mark:] if state.is_write(call)]


def lab_command(command: str, folder: pathlib.Path) -> None:
    subprocess.run([LAB_PYTHON, "-m", "tests.lab", command, "--folder", folder], cwd=ROOT, check=True, timeout=90)
    deviations = state.misfits(folder) if command == "down" else ""
    assert not deviations, f"The lab's responses deviate from the models of AWS:\n{deviations}"


@pytest.fixture(scope="module")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A lab for the tests of one module, stopped afterwards."""
    folder = tmp_path_factory.mktemp("lab")
    lab_command("up", folder)
    try:
        yield Lab(folder)
    finally:
        lab_command("down", folder)


def pytest_configure() -> None:
    os.environ["LAB_VALIDATE"] = "true"  # every lab of these tests compares its responses with the models of AWS


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The files that take longest come first, so that at the end no worker is left alone with one of them."""
    rank = {name: number for number, name in enumerate(LONGEST)}
    items.sort(key=lambda item: rank.get(item.path.stem, len(rank)))


@pytest.fixture(scope="session", autouse=True)
def _no_ambient_aws() -> None:
    """Credentials of whoever runs the tests must not decide their outcome."""
    for name in [name for name in os.environ if name.startswith("AWS_")]:
        del os.environ[name]
