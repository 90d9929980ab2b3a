# SPDX-License-Identifier: GPL-3.0-or-later
"""The progress of a proof, on the display of `ansible-playbook`."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.action import ecr_access_info
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _controller, _progress

ROLE = {"role_arn": "arn:aws:iam::111111111111:role/pull", "region": "eu-west-1"}
WAITING = {"failed": True, "msg": "Not yet.", "denial_kind": "trust"}


class Display:
    """The lines that `ansible-playbook` shows, with a line of progress every hundredth of a second."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.lines: list[str] = []
        self._shown = threading.Condition()
        monkeypatch.setattr(_progress, "INTERVAL", 0.01)
        monkeypatch.setattr(_progress, "display_line", self.show)
        monkeypatch.setattr(_controller, "display_line", self.show)

    def show(self, line: str) -> None:
        with self._shown:
            self.lines.append(line)
            self._shown.notify_all()

    def wait_for(self, text: str) -> None:
        with self._shown:
            assert self._shown.wait_for(lambda: any(text in line for line in self.lines), 60), self.lines


@pytest.fixture
def display(monkeypatch: pytest.MonkeyPatch) -> Display:
    return Display(monkeypatch)


def run(**arguments: Any) -> dict[str, Any]:
    """The result of the action on the host web1."""
    task = SimpleNamespace(
        args={**ROLE, **arguments},
        async_val=0,
        check_mode=False,
        get_name=lambda: "Prove",
        environment=[],
        no_log=False,
    )
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), transport="ssh")
    action = ecr_access_info.ActionModule(task, connection, SimpleNamespace(), None, None, None)
    result: dict[str, Any] = action.run(None, {"inventory_hostname": "web1"})
    return result


def test_proof_on_the_control_node_shows_progress(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    def proof(_module: Any, say: Any, progress: Any) -> dict[str, Any]:
        progress("20 of 1,000 repositories proven")
        display.wait_for("web1: Prove: 20 of 1,000 repositories proven, ")
        say(WAITING, 9)
        display.wait_for("web1: Prove: waiting until the share propagates in AWS, ")
        return {"verdict": "pass"}

    monkeypatch.setattr(ecr_access_info, "access_info", proof)
    assert run(credentials="control_node")["verdict"] == "pass"
    assert "web1: waiting up to 9 s until the share propagates in AWS: Not yet." in display.lines


def test_a_proof_on_a_host_shows_what_it_waits_for(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    results: Iterator[dict[str, Any]] = iter(
        [WAITING, {"verdict": "pass", "token_denial_kind": "", "repositories": []}]
    )

    def execute(_action: Any, **_options: Any) -> dict[str, Any]:
        result = next(results)
        waiting = "" if result is WAITING else "waiting until the share propagates in AWS, "
        display.wait_for(f"web1: Prove: {waiting}")
        return result

    monkeypatch.setattr(ecr_access_info.ActionModule, "_execute_module", execute)
    assert run(wait_interval=0)["verdict"] == "pass"


def test_the_progress_ends_with_the_proof(display: Display, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ecr_access_info, "access_info", lambda *_arguments: {"verdict": "pass"})
    before = threading.enumerate()
    run(credentials="control_node")
    assert threading.enumerate() == before
