# SPDX-License-Identifier: GPL-3.0-or-later
"""Text that AWS or a host wrote is displayed as text and never evaluated."""

from __future__ import annotations

import json
import pathlib
import stat
import subprocess
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import BIN, Control, Run
from tests.support.paths import ROOT

#: Clears the screen, sets the window title, and writes the verdict of another host.
FORGED = "x\x1b]0;pwned\x07\x1b[2J\nweb2  pass    release:v1.0 pulled (docker)\r"
CONTROL_CHARACTERS = [character for character in map(chr, range(32)) if character not in "\n\t"]


@pytest.fixture(scope="module")
def organization(control: Control) -> Any:
    """The client of the lab's AWS Organizations, with a unit in the root."""
    return control.lab.client("owner", "organizations")


@pytest.mark.parametrize("place", ["account", "unit"])
@pytest.mark.parametrize("composed", [True, False], ids=["composed", "in a variable"])
def test_account_names_and_units_are_not_evaluated_as_templates(
    control: Control, organization: Any, tmp_path: pathlib.Path, place: str, composed: bool
) -> None:
    """Anyone who may name an account or a unit ran a program as the user of the management account (finding 7)."""
    marker = tmp_path / "executed"
    hostile = f"{{{{ lookup('pipe', 'touch {marker}') }}}}"
    root = organization.list_roots()["Roots"][0]["Id"]
    unit_name = hostile if place == "unit" else f"unit {tmp_path.name}"
    unit = organization.create_organizational_unit(ParentId=root, Name=unit_name)["OrganizationalUnit"]["Id"]
    created = organization.create_account(
        AccountName=hostile if place == "account" else "plain", Email=f"{tmp_path.name}@example.com"
    )
    account = created["CreateAccountStatus"]["AccountId"]
    organization.move_account(AccountId=account, SourceParentId=root, DestinationParentId=unit)
    source: dict[str, Any] = {
        "plugin": "crossaccount.ecr.aws_organizations_accounts",
        "organizational_units": [unit],
        "profile": "owner",
        "region": accounts.REGION,
    }
    if composed:
        source["compose"] = {"label": "account_name ~ ' in ' ~ organizational_unit", "ansible_connection": "'local'"}
        source["keyed_groups"] = [{"key": "account_name", "prefix": "named"}]
        source["groups"] = {"in_unit": "account_name in organizational_unit"}
    else:
        source["compose"] = {"ansible_connection": "'local'"}
    inventory = tmp_path / "x.aws_organizations_accounts.yml"
    inventory.write_text(json.dumps(source))
    play = tmp_path / "play.yml"
    shown = "{{ label | default('') }} of {{ account_name }} in {{ organizational_unit }}"
    task = {"ansible.builtin.debug": {"msg": shown}}
    play.write_text(json.dumps([{"hosts": "all", "gather_facts": False, "tasks": [task]}]))

    run = control.playbook(str(play), None, "-i", str(inventory))
    assert run.code == 0, run
    assert f"touch {marker}" in run.output.replace("\n", " "), run
    assert not marker.exists()


@pytest.fixture
def forging_host(control: Control, tmp_path: pathlib.Path) -> pathlib.Path:
    """An inventory: `web1` answers every module with a forged result; `web2` is a normal host."""
    repository = {
        "name": FORGED,
        "expected": "denied",
        "pull": "denied",
        "denials": {"layer": FORGED},
        "verdict": FORGED,
    }
    answer = {
        "changed": False,
        "caller": {"arn": FORGED},
        "assumed": {"arn": FORGED},
        "identities": [FORGED, "web2  pass"],
        "external_id_enforced": FORGED,
        "token": "allowed",
        "token_denial_kind": "",
        "repositories": [repository],
        "verdict": "pass",
        "problems": [],
        "artifact": {FORGED: FORGED},
        "summary": [FORGED],
        "engine": FORGED,
        "images": [{"image": FORGED, "reference": FORGED, "digest": FORGED, "changed": True}],
    }
    (tmp_path / "answer").write_text(json.dumps(answer))
    (tmp_path / "failure").write_text(json.dumps({"failed": True, "msg": FORGED, "exception": FORGED}))
    for name in ("answer", "failure"):
        program = tmp_path / f"{name}.sh"
        program.write_text(f"#!/bin/sh\ncat '{tmp_path}/{name}'\n")
        program.chmod(program.stat().st_mode | stat.S_IXUSR)
    return tmp_path


@pytest.mark.parametrize("kind", ["answer", "failure"])
def test_host_cannot_forge_lines_of_another_host(control: Control, forging_host: pathlib.Path, kind: str) -> None:
    """One host of a fleet cleared the screen and forged the verdict of another host (finding 13)."""
    inventory = forging_host / "hosts"
    inventory.write_text(
        f"web1 ansible_connection=local ansible_python_interpreter={forging_host}/{kind}.sh\n"
        "web2 ansible_connection=local ansible_python_interpreter=/nonexistent/python\n"
    )
    variables = {
        "ecr_pull_role_arn": f"arn:aws:iam::{accounts.OWNER}:role/pull",
        "ecr_pull_repositories": ["release"],
        "ecr_pull_images": ["release:v1.0"],
        "ecr_pull_wait_timeout": 0,
    }
    environment = {**control.environment("consumer"), "ANSIBLE_STDOUT_CALLBACK": "ansible.builtin.default"}
    command = [str(BIN / "ansible-playbook"), "-i", str(inventory), "playbooks/pull.yml", "-e", json.dumps(variables)]
    process = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
    )
    run = Run(process)
    assert "web1" in run.output, run
    assert "pwned" in run.output, run
    assert [character for character in CONTROL_CHARACTERS if character in run.output] == [], repr(run.output)
    forged = [line for line in run.output.splitlines() if line.startswith("web2  pass")]
    assert forged == [], run
