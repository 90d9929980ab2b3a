# SPDX-License-Identifier: GPL-3.0-or-later
"""Where a module runs, and the line of progress every ten seconds."""

from __future__ import annotations

import sys
import threading
from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _module_here, _progress

HERE: dict[str, Any] = {"ansible_python_interpreter": sys.executable}


def action(environment: dict[str, str] | None = None, **changed: Any) -> Any:
    facts = {"transport": "local", "become": None, "async_val": 0, "delegate_to": None, **changed}

    def compute(found: dict[str, str]) -> str:
        found.update(environment or {})
        return ""

    return SimpleNamespace(
        _connection=SimpleNamespace(transport=facts["transport"], become=facts["become"]),
        _task=SimpleNamespace(async_val=facts["async_val"], delegate_to=facts["delegate_to"]),
        _templar=SimpleNamespace(template=lambda value: value),
        _compute_environment_string=compute,
    )


@pytest.mark.parametrize(
    ("changed", "variables", "here"),
    [
        ({}, HERE, True),
        ({}, {}, True),  # Ansible would look for a Python on this host
        ({}, {"ansible_python_interpreter": "auto_silent"}, True),
        ({}, {"ansible_python_interpreter": "/usr/bin/another"}, False),
        ({"transport": "ssh"}, HERE, False),
        ({"become": object()}, HERE, False),
        ({"async_val": 10}, HERE, False),
        ({"environment": {"AWS_PROFILE": "other"}}, HERE, False),
        ({"delegate_to": "there"}, {**HERE, "ansible_delegated_vars": {"there": {}}}, True),
        (
            {"delegate_to": "there"},
            {**HERE, "ansible_delegated_vars": {"there": {"ansible_python_interpreter": "/usr/bin/another"}}},
            False,
        ),
    ],
)
def test_a_module_runs_here_only_as_it_would_on_this_host(
    changed: dict[str, Any], variables: dict[str, Any], here: bool
) -> None:
    assert _module_here.runs_here(action(**changed), variables) is here


def test_a_long_operation_shows_lines_of_progress(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    shown = threading.Event()

    def show(line: str) -> None:
        lines.append(line)
        if "20 of 1,000" in line:
            shown.set()

    monkeypatch.setattr(_progress, "INTERVAL", 0.01)
    monkeypatch.setattr(_progress, "display_line", show)
    with _progress.progress("host: Tag") as tell:
        tell("20 of 1,000 repositories")
        assert shown.wait(60)
    count = len(lines)
    assert lines[-1].startswith("host: Tag: 20 of 1,000 repositories, ")
    assert lines[-1].endswith(" s")
    assert len(lines) == count
