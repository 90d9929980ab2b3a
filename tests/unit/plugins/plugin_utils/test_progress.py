# SPDX-License-Identifier: GPL-3.0-or-later
"""Lines of progress whose status another process reports."""

from __future__ import annotations

import itertools
import os
import threading

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _progress


def test_status_is_read_for_each_line(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    shown, numbers = threading.Event(), itertools.count(1)

    def show(line: str) -> None:
        lines.append(line.rpartition(", ")[0])
        if len(lines) == 3:
            shown.set()

    monkeypatch.setattr(_progress, "INTERVAL", 0.01)
    monkeypatch.setattr(_progress, "display_line", show)
    with _progress.progress("host: Pull", lambda: f"{next(numbers)} MB"):
        assert shown.wait(60)
    assert lines[:3] == ["host: Pull: 1 MB", "host: Pull: 2 MB", "host: Pull: 3 MB"]


def test_no_line_is_shown_after_ansible_playbook_was_killed(monkeypatch: pytest.MonkeyPatch) -> None:
    """A worker process of Ansible then has another parent."""
    parents = iter([os.getppid(), 1])
    asked = threading.Event()

    def parent() -> int:
        found = next(parents)
        if found == 1:
            asked.set()
        return found

    lines: list[str] = []
    monkeypatch.setattr(_progress, "INTERVAL", 0.01)
    monkeypatch.setattr(_progress, "display_line", lines.append)
    monkeypatch.setattr(_progress.os, "getppid", parent)  # type: ignore[attr-defined]
    with _progress.progress("host: Pull"):
        assert asked.wait(60)
    assert lines == []
