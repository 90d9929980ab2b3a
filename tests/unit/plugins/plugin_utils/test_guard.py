# SPDX-License-Identifier: GPL-3.0-or-later
"""Actions and filters end in one message, whatever they meet."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.errors import AnsibleConnectionFailure, AnsibleFilterError
from ansible_collections.crossaccount.ecr.plugins.filter import access_junit, pull_summary, share_summary
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded

from tests.unit.exceptions import each_exception


class Action:
    """An action plugin that raises an exception."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    @guarded
    def run(self, _tmp: object = None, _task_vars: Any = None) -> dict[str, Any]:
        raise self.error


def test_an_action_returns_a_failure_for_each_exception() -> None:
    for error in each_exception():
        result = Action(error).run(None, {})
        assert result["failed"], error
        assert result["msg"].strip(), error


def test_errors_of_ansible_pass() -> None:
    with pytest.raises(AnsibleConnectionFailure):
        Action(AnsibleConnectionFailure("unreachable")).run()


@pytest.mark.parametrize("value", [{}, {"repositories": [7], "problems": []}, [], None, 7, "text"])
def test_a_filter_with_other_input_raises_one_error(value: Any) -> None:
    with pytest.raises(AnsibleFilterError, match=r"^The input of the filter access_junit does not have"):
        access_junit.FilterModule().filters()["access_junit"](value)
    for plugin, name in ((pull_summary, "pull_summary"), (share_summary, "share_summary")):
        with pytest.raises(AnsibleFilterError, match=rf"^The input of the filter {name} does not have"):
            plugin.FilterModule().filters()[name](value, ["host"], [])
