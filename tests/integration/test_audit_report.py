# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ecr_audit_report, as ansible-playbook runs it, and its JUnit report against a public schema."""

from __future__ import annotations

import json
import pathlib
import subprocess
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_junit import audit_junit

from tests.support import quick_python
from tests.support.audit_reports import changed, hostile, report
from tests.support.control import BIN, Control
from tests.support.paths import ROOT

SCHEMA = ROOT / "tests/schemas/junit-10.xsd"
PLAY = """
- hosts: localhost
  gather_facts: false
  tasks:
    - name: Check the destination
      crossaccount.ecr.ecr_audit_report:
        dest: "{{ dest }}"
    - name: Read the report
      ansible.builtin.slurp:
        src: "{{ dest }}.json"
      register: read
    - name: Write the report
      crossaccount.ecr.ecr_audit_report:
        dest: "{{ dest }}"
        report: "{{ read.content | b64decode | from_json }}"
"""


def validate(folder: pathlib.Path, document: dict[str, Any]) -> subprocess.CompletedProcess[str]:
    path = folder / "audit.junit.xml"
    path.write_text(audit_junit(document), encoding="utf-8")
    command = ["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA), str(path)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.engine
@pytest.mark.parametrize("make", [report, hostile, lambda: report(findings=[], not_seen=[])])
def test_junit_matches_its_schema(tmp_path: pathlib.Path, make: Any) -> None:
    done = validate(tmp_path, make())
    assert done.returncode == 0, done.stderr


@pytest.mark.engine
def test_junit_schema_rejects_another_attribute(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "audit.junit.xml"
    path.write_text(audit_junit(report()).replace("<testcase ", '<testcase severity="high" '))
    command = ["xmllint", "--noout", "--nonet", "--schema", str(SCHEMA), str(path)]
    assert subprocess.run(command, capture_output=True, check=False).returncode


def play(folder: pathlib.Path, document: dict[str, Any], *arguments: str) -> str:
    """The output of a playbook that writes a report."""
    (folder / "play.yml").write_text(PLAY)
    (folder / "dest.json").write_text(json.dumps(document))
    program = str(Control.ansible_playbook or BIN / "ansible-playbook")
    command = [program, str(folder / "play.yml"), "-e", f"dest={folder}/dest", *arguments]
    environment = {"PATH": "/usr/bin:/bin", "HOME": str(folder), **quick_python.CONFIGURED}
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_playbook_writes_the_report_once(tmp_path: pathlib.Path) -> None:
    """A template in a text of the report is not evaluated. Ansible rejects lone surrogates in every result itself."""
    document = json.loads(json.dumps(hostile()).replace("\\ud800", ""))
    assert "changed=1" in play(tmp_path, document, "--check")
    assert not (tmp_path / "dest").exists()
    assert "changed=1" in play(tmp_path, document)
    assert json.loads((tmp_path / "dest/audit.json").read_text()) == document
    assert "changed=0" in play(tmp_path, document)
    assert "changed=0" in play(tmp_path, document, "--check", "--diff")


def test_playbook_shows_the_difference(tmp_path: pathlib.Path) -> None:
    play(tmp_path, report())
    output = play(tmp_path, changed(report()), "--check", "--diff")
    assert "changed=1" in output
    assert "+- Finding, gone: `Repository base is open to everyone`" in output
    assert json.loads((tmp_path / "dest/audit.json").read_text()) == report()
    play(tmp_path, changed(report()))
    written = json.loads((tmp_path / "dest/audit.json").read_text())
    assert written == document_of(changed(report()), report())


def test_unusable_destination_fails_before_the_audit(tmp_path: pathlib.Path) -> None:
    (tmp_path / "dest").mkdir()
    (tmp_path / "dest/audit.json").write_text('{"schema": "crossaccount.ecr/audit/0"}')
    output = play(tmp_path, report())
    assert "has the schema 'crossaccount.ecr/audit/0', and this version reads crossaccount.ecr/audit/1" in output
    assert "Read the report" not in output
