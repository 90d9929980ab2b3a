# SPDX-License-Identifier: GPL-3.0-or-later
"""A playbook whose hosts do not exist has done nothing, and must not report success."""

from __future__ import annotations

import pathlib

import pytest

from tests.support.control import Control

INVENTORY = "[owners]\na ansible_connection=local\n[empty]\n"


@pytest.mark.parametrize("playbook", ["share", "unshare", "revoke", "pull"])
@pytest.mark.parametrize("pattern", ["ownres", "empty", "owners:!a", "aws_organizations_accounts", ["ownres", "empty"]])
def test_pattern_that_matches_no_host_fails_the_run(
    control: Control, tmp_path: pathlib.Path, playbook: str, pattern: str | list[str]
) -> None:
    inventory = tmp_path / "hosts.ini"
    inventory.write_text(INVENTORY)
    variable = f"ecr_{'pull' if playbook == 'pull' else 'share'}_hosts"
    run = control.playbook(playbook, None, "-i", str(inventory), **{variable: pattern})
    assert run.code != 0, run
    assert f"No host of the inventory matches {variable} (" in run.output, run
    assert "nothing was done" in run.output


def test_an_inventory_that_cannot_be_parsed_ends_the_run(control: Control, tmp_path: pathlib.Path) -> None:
    """As where the plugin aws_organizations_accounts fails: Ansible only warns."""
    broken = tmp_path / "owners.aws_organizations_accounts.yml"
    broken.write_text("plugin: crossaccount.ecr.aws_organizations_accounts\nunknown_option: true\n")
    run = control.playbook("unshare", None, "-i", str(broken), ecr_share_hosts="aws_organizations_accounts")
    assert run.code != 0, run
    assert "No host of the inventory matches ecr_share_hosts (aws_organizations_accounts)" in run.output, run
