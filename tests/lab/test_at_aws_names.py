# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab at AWS's own host names: the view of a command, and its cleanup."""

from __future__ import annotations

import json
import os
import pathlib
import signal
import subprocess
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest

from tests.lab.client_at_aws import CONSUMERS, OWNERS, STATUS
from tests.support.paths import LAB_PYTHON, ROOT

from . import accounts, at_aws_names

COMMAND = [str(LAB_PYTHON), "-m", "tests.lab", "at-aws-names", "--"]
#: The code that a program runs there.
LOOK = "from tests.lab.client_at_aws import look; look()"


@pytest.mark.engine
def test_aws_names_lead_to_the_lab_there_and_nowhere_else() -> None:
    outside = [pathlib.Path("/etc/hosts"), pathlib.Path("/etc/ssl/certs/ca-certificates.crt")]
    before = [path.read_bytes() for path in outside]
    command = [*COMMAND, str(ROOT / ".venv/bin/python"), "-c", LOOK]
    looked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert looked.returncode == STATUS, looked.stderr
    responses: dict[str, Any] = json.loads(looked.stdout)
    assert responses["routes"] == []
    assert responses["answering"] == at_aws_names.host_names()
    assert "[profile owner]" in responses["config"]
    assert "endpoint_url" not in responses["config"]
    assert responses["endpoints"] == [f"https://{OWNERS}", f"https://{CONSUMERS}"]
    assert responses["repository"] == f"{OWNERS}/release"
    assert responses["layer"].startswith(f"https://{OWNERS}/v2/release/blobs/sha256:")
    assert (responses["own"], responses["consumer's"]) == (200, 404)
    status, refusal = responses["other"]
    assert status == 403
    assert json.loads(refusal)["errors"][0]["message"] == (
        f"User: arn:aws:iam::{accounts.CONSUMER}:user/administrator is not authorized to perform: ecr:BatchGetImage"
        f" on resource: arn:aws:ecr:{accounts.REGION}:{accounts.OWNER}:repository/release"
        " because no resource-based policy allows the ecr:BatchGetImage action"
    )
    assert [path.read_bytes() for path in outside] == before


@pytest.fixture
def marked(tmp_path: pathlib.Path) -> Iterator[dict[str, str]]:
    """An environment that the processes of a test are known by. They have ended by then, or it has failed."""
    yield {**os.environ, "MARK": str(tmp_path), "TMPDIR": str(tmp_path)}
    try:
        until(lambda: not running(tmp_path))
    finally:
        for pid in running(tmp_path):
            os.kill(pid, signal.SIGKILL)


def running(mark: pathlib.Path) -> list[int]:
    """The processes with this mark, and so all that they started."""
    found = []
    for process in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if f"MARK={mark}".encode() in (process / "environ").read_bytes():
                found.append(int(process.name))
        except OSError:
            continue  # it has ended
    return found


@pytest.mark.engine
@pytest.mark.parametrize(("number", "status"), [(signal.SIGTERM, 143), (signal.SIGKILL, -9)])
def test_all_that_runs_there_ends_with_the_command(
    number: signal.Signals, status: int, marked: dict[str, str], tmp_path: pathlib.Path
) -> None:
    ready = tmp_path / "ready"
    command = [*COMMAND, "bash", "-c", f"setsid sleep 600 & touch {ready}; sleep 600"]
    process = subprocess.Popen(command, cwd=ROOT, env=marked)
    try:
        until(ready.exists)
        assert len(running(tmp_path)) > 3
        process.send_signal(number)
        assert process.wait(300) == status
    finally:
        process.kill()
    assert number == signal.SIGKILL or not list(tmp_path.glob("lab-*"))


@pytest.mark.engine
def test_all_that_runs_there_ends_with_the_block(marked: dict[str, str], tmp_path: pathlib.Path) -> None:
    with at_aws_names.answering(tmp_path / "lab", LAB_PYTHON) as inside:
        subprocess.run([*inside, "bash", "-c", "setsid sleep 600 &"], env=marked, check=True)
        assert running(tmp_path)
    assert not running(tmp_path)


def until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 300
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def test_user_who_is_not_root_is_told_so(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 1000)
    with pytest.raises(SystemExit, match=r"^at-aws-names makes namespaces, which only root may: run it as root\.$"):
        at_aws_names.main(["--", "echo", "ran"])
    assert capfd.readouterr().out == ""


def test_programs_that_are_missing_are_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 0)
    monkeypatch.setenv("PATH", "")
    with pytest.raises(SystemExit, match=r"^at-aws-names needs openssl, unshare, nsenter, setpriv: install "):
        at_aws_names.main(["--", "echo", "ran"])


@pytest.mark.engine
def test_missing_namespaces_are_the_shown_reason() -> None:
    command = ["setpriv", "--bounding-set", "-sys_admin", *COMMAND, "echo", "ran"]
    refused = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=300, check=False)
    assert (refused.returncode, refused.stdout) == (1, "")
    assert refused.stderr == "The lab did not start:\nunshare: unshare failed: Operation not permitted\n"


@pytest.mark.parametrize("words", [[], ["--"], ["echo", "ran"]])
def test_missing_command_is_rejected_with_the_usage(words: list[str]) -> None:
    with pytest.raises(SystemExit, match=r"^usage: "):
        at_aws_names.main(words)
