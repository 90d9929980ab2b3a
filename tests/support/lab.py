# SPDX-License-Identifier: GPL-3.0-or-later
"""The interface of tests to a running lab."""

from __future__ import annotations

import contextlib
import datetime
import json
import pathlib
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import pytest

from tests.lab import accounts, client_caches, process, state
from tests.support.paths import LAB_PYTHON, ROOT

client_caches.install()


class LabClock:
    """The clock of a lab."""

    def __init__(self, file: pathlib.Path) -> None:
        self._file = file

    def stop_at(self, time: datetime.datetime) -> None:
        """Stop the clock at a time. It needs a time zone."""
        self._write({"at": time.timestamp()})

    def advance(self, ahead: datetime.timedelta) -> None:
        """Let the clock run ahead of the clock of the machine."""
        self._write({"ahead": ahead.total_seconds()})

    def _write(self, chosen: dict[str, float]) -> None:
        new = self._file.with_name(self._file.name + ".new")
        new.write_text(json.dumps(chosen))
        new.replace(self._file)  # the lab never reads a part of it


class Lab:
    """A running lab: its folder, its clients, its request log."""

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self._clients: dict[tuple[str, str], Any] = {}
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
        """The client of this lab for a profile and a service. It is created once."""
        if (profile, service) not in self._clients:
            self._clients[profile, service] = self.session(profile).client(service)
        return self._clients[profile, service]

    def assume(self, profile: str, service: str, role: str, **options: str) -> Any:
        """A client of `service` with a session of a role in the owner account."""
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
        """The URL of the VPC endpoint. `endpoint_policy` sets its policy."""
        return (self.folder / state.VPC_ENDPOINT).read_text()

    def endpoint_policy(self, *statements: dict[str, Any]) -> contextlib.AbstractContextManager[None]:
        """Context manager that sets the policy of the VPC endpoint."""
        return self._set(state.ENDPOINT_POLICY, {"Version": "2012-10-17", "Statement": statements})

    def pull_failures(self, failures: dict[str, str]) -> contextlib.AbstractContextManager[None]:
        """Context manager in which pulls fail.

        :param failures: maps a repository, or `REPOSITORY@DIGEST`, to a key of `tests.lab.pull_failures.FAILURES`
        """
        return self._set(state.PULL_FAILURES, failures)

    def replication_held(self) -> contextlib.AbstractContextManager[None]:
        """Context manager in which no image is copied to another registry. Afterwards, the copies are made."""
        return self._set(state.REPLICATION_HELD, {})

    def role_dates(self, dates: dict[str, dict[str, str]]) -> contextlib.AbstractContextManager[None]:
        """Within, roles have other dates.

        :param dates: the name of a role to `CreateDate` and `LastUsedDate`, as IAM writes them
        """
        return self._set(state.ROLE_DATES, dates)

    @contextlib.contextmanager
    def clock(self) -> Iterator[LabClock]:
        """Context manager in which a test sets the clock of the lab. Until then, it is the clock of the machine."""
        file = self.folder / state.CLOCK
        try:
            yield LabClock(file)
        finally:
            file.unlink(missing_ok=True)

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
    subprocess.run([LAB_PYTHON, "-m", "tests.lab", command, "--folder", folder], cwd=ROOT, check=True, timeout=600)
    if command == "down":
        assert_no_deviation(folder)


def assert_no_deviation(folder: pathlib.Path) -> None:
    deviations = state.misfits(folder)
    assert not deviations, f"The lab's responses deviate from the models of AWS:\n{deviations}"


@contextlib.contextmanager
def lab_starter() -> Iterator[Callable[[pathlib.Path], None]]:
    """Context manager that yields a function which starts a lab in a folder.

    The labs are forked from a process that has imported their program, which is most of the time of a start.
    """
    command = [str(LAB_PYTHON), "-m", "tests.lab", "fork"]
    with subprocess.Popen(command, cwd=ROOT, stdin=subprocess.PIPE, text=True, start_new_session=True) as server:

        def start(folder: pathlib.Path) -> None:
            assert server.stdin
            server.stdin.write(f"{folder}\n")
            server.stdin.flush()
            deadline = time.monotonic() + process.DEADLINE
            while not state.ready(folder):
                ended = (folder / state.PID).exists() and not state.running(folder)
                if ended or server.poll() is not None or time.monotonic() > deadline:
                    log = folder / state.SERVER_LOG
                    raise AssertionError("The lab did not start:\n" + (log.read_text() if log.exists() else ""))
                time.sleep(0.02)

        yield start


def stop_lab(folder: pathlib.Path) -> None:
    process.down(folder)
    assert_no_deviation(folder)
