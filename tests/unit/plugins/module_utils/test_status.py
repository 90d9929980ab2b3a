# SPDX-License-Identifier: GPL-3.0-or-later
"""The status of a module reaches its action plugin through a file."""

from __future__ import annotations

import os
import pathlib
import signal
import time

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _status
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN, MASK


@pytest.fixture
def file(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    path = tmp_path / "status"
    path.touch()
    monkeypatch.setenv(_status.VARIABLE, str(path))
    monkeypatch.setattr(_status, "_INTERVAL", 0.01)
    return path


def until(path: pathlib.Path, status: str) -> None:
    deadline = time.monotonic() + 300
    while _status.read_status(str(path)) != status:
        assert time.monotonic() < deadline, _status.read_status(str(path))
        time.sleep(0.01)


def test_last_status_is_read(file: pathlib.Path) -> None:
    statuses = ["a long status of 120 megabytes"]
    assert _status.read_status(str(file)) == ""
    with _status.published(lambda: statuses[-1]):
        until(file, statuses[-1])
        for status in ("12 MB", "", "x" * 1000):
            statuses.append(status)
            until(file, status[:200])
    assert file.stat().st_size == 200


def test_a_status_shows_no_secret(file: pathlib.Path) -> None:
    secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY"
    KNOWN.add(secret)
    with _status.published(lambda: f"pulling {secret}"):
        until(file, f"pulling {MASK}")


def test_status_that_cannot_be_had_is_left_out(file: pathlib.Path) -> None:
    failures: list[Exception] = [OSError(), ValueError()]

    def status() -> str:
        if failures:
            raise failures.pop()
        return "12 MB"

    with _status.published(status):
        until(file, "12 MB")


@pytest.mark.parametrize("kind", ["missing", "link", "folder", "pipe"])
def test_nothing_else_is_written(file: pathlib.Path, tmp_path: pathlib.Path, kind: str) -> None:
    """Only the file that the action plugin created is written, and it is never created."""
    file.unlink()
    other = tmp_path / "other"
    other.write_text("content")
    if kind == "link":
        file.symlink_to(other)
    elif kind == "folder":
        file.mkdir()
    elif kind == "pipe":
        os.mkfifo(file)
    calls: list[int] = []
    with _status.published(lambda: calls.append(1) or "status"):  # type: ignore[func-returns-value]
        pass
    assert not calls
    assert other.read_text() == "content"
    assert kind != "missing" or not file.exists()


def test_size_of_files_and_folders(tmp_path: pathlib.Path) -> None:
    (tmp_path / "inner").mkdir()
    (tmp_path / "inner/one").write_bytes(bytes(30))
    (tmp_path / "two").write_bytes(bytes(12))
    assert _status.size_of(str(tmp_path)) == 42
    assert _status.size_of(str(tmp_path / "two")) == 12
    assert _status.size_of(str(tmp_path / "missing")) == 0


def test_thread_of_the_status_receives_no_signal(file: pathlib.Path) -> None:
    """A signal that it received would not interrupt what the main thread waits for, so that the module did not end."""
    blocked: set[int] = set()

    def status() -> str:
        blocked.update(signal.pthread_sigmask(signal.SIG_BLOCK, []))
        return "12 MB"

    with _status.published(status):
        until(file, "12 MB")
    assert {signal.SIGINT, signal.SIGTERM, signal.SIGHUP} <= blocked
    assert not {signal.SIGINT, signal.SIGTERM} & set(signal.pthread_sigmask(signal.SIG_BLOCK, []))
