# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a module on a host sets no variable, no artifact, no host, and no file of the control node."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import displayable

from tests.lab import accounts
from tests.security.host_result import ANSWER
from tests.support.control import Control


class HostileHost:
    """An inventory with a host, `web1`, whose Python prints an answer to every module."""

    def __init__(self, control: Control, folder: pathlib.Path) -> None:
        self.control, self.folder = control, folder

    def pull(self, answer: dict[str, Any], playbook: str = "pull", **variables: Any) -> str:
        """The output of a pull, which must reach its end."""
        (self.folder / "answer").write_text(json.dumps(answer))
        program = self.folder / "python.sh"
        program.write_text(f"#!/bin/sh\ncat '{self.folder}/answer'\n")
        program.chmod(0o755)
        inventory = self.folder / "hosts"
        inventory.write_text(f"web1 ansible_connection=local ansible_python_interpreter={program}\n")
        own = {
            "ecr_pull_role_arn": f"arn:aws:iam::{accounts.OWNER}:role/pull",
            "ecr_pull_images": ["release:v1.0"],
            "ecr_pull_wait_timeout": 0,
            **variables,
        }
        self.control.engines = {"ANSIBLE_SHOW_CUSTOM_STATS": "1"}
        # The interpreter of Control is for every host, and extra variables take precedence over the inventory.
        self.control.python, python = None, self.control.python
        try:
            run = self.control.playbook(playbook, "consumer", "-i", str(inventory), **own)
        finally:
            self.control.python, self.control.engines = python, {}
        assert "after:  arn:aws:sts" in run.output, run
        assert run.code == 0, run
        return run.output


@pytest.fixture
def host(control: Control, tmp_path: pathlib.Path) -> HostileHost:
    return HostileHost(control, tmp_path)


def test_facts_of_a_host_write_no_file_on_the_control_node(host: HostileHost) -> None:
    """A host returned the path of the report as a fact, and the control node wrote the report there."""
    target = host.folder / "bashrc"
    host.pull({**ANSWER, "ansible_facts": {"ecr_pull_junit_path": str(target)}})
    assert not target.exists()


def test_statistics_of_a_host_are_not_artifacts(host: HostileHost) -> None:
    """A host returned statistics, which AWX gives to the next job as extra variables."""
    statistics = {"data": {"ecr_share_handoff": "of the host"}, "per_host": False, "aggregate": False}
    output = host.pull({**ANSWER, "ansible_stats": statistics})
    assert "verdict: pass" in output
    assert "ecr_share_handoff" not in output


def test_hosts_of_a_host_are_not_added(host: HostileHost) -> None:
    """A host returned another host, with a local connection, which a later play used. (Ansible prevents it.)"""
    added = {"host_name": "web2", "groups": ["later"], "host_vars": {"ansible_connection": "local"}}
    playbook = host.folder / "later.yml"
    later = {"hosts": "later", "gather_facts": False, "tasks": []}
    playbook.write_text(json.dumps([{"import_playbook": "crossaccount.ecr.pull"}, later]))
    output = host.pull({**ANSWER, "add_host": added}, str(playbook))
    assert "no hosts matched" in output


def test_interpreter_that_ansible_found_is_kept() -> None:
    """Without it, Ansible would look for the interpreter again in each task."""
    found = {"discovered_interpreter_python": "/usr/bin/python3"}
    assert displayable({"ansible_facts": {**found, "x": 1}, "msg": "x"}) == {"ansible_facts": found, "msg": "x"}
    assert displayable({"ansible_facts": "x"}) == {}
