# SPDX-License-Identifier: GPL-3.0-or-later
"""The module gets the name of the file for its status on a local connection only."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible.plugins.shell.sh import ShellModule
from ansible_collections.crossaccount.ecr.plugins.action.ecr_image_pull import ActionModule
from ansible_collections.crossaccount.ecr.plugins.module_utils._status import VARIABLE


class Templar:
    def template(self, value: Any) -> Any:
        return value


@pytest.mark.parametrize(
    ("transport", "environment", "expected"),
    [
        ("local", None, f"{VARIABLE}=/srv/status"),
        ("local", [{"NAME": "value"}], f"{VARIABLE}=/srv/status NAME=value"),
        ("ssh", [{"NAME": "value"}], "NAME=value"),
        ("ssh", None, ""),
    ],
)
def test_environment_of_the_module(transport: str, environment: Any, expected: str) -> None:
    action: Any = ActionModule.__new__(ActionModule)
    action._task, action._templar = SimpleNamespace(environment=environment), Templar()
    action._connection = SimpleNamespace(transport=transport, _shell=ShellModule())
    own = " ".join(f"{key}={value}" for each in environment or [] for key, value in each.items())
    assert action._compute_environment_string() == own, "no file before the module runs"
    action._status_file = "/srv/status"
    assert action._compute_environment_string() == expected
    raw: dict[str, str] = {}
    action._compute_environment_string(raw)
    assert raw == ({"NAME": "value"} if environment else {})
