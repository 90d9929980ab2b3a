# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of an audit report on the control node."""

from __future__ import annotations

import json
import os
import pathlib
import stat
from types import SimpleNamespace
from typing import Any

import jsonschema
import pytest
from ansible_collections.crossaccount.ecr.plugins.action import ecr_audit_report
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _audit_files

from tests.support.audit_reports import changed, hostile, report
from tests.support.paths import ROOT

SCHEMA = json.loads((ROOT / "docs/schemas/audit.schema.json").read_text())
LATER = "2026-11-28T02:40:00Z"


def run(dest: pathlib.Path | str, audit: object = None, check_mode: bool = False) -> dict[str, Any]:
    """The result of the action."""
    arguments = {"dest": str(dest)} | ({} if audit is None else {"report": audit})
    task = SimpleNamespace(args=arguments, async_val=0, check_mode=check_mode, environment=[], no_log=False)
    connection = SimpleNamespace(_shell=SimpleNamespace(tmpdir=None), transport="ssh")
    action = ecr_audit_report.ActionModule(task, connection, SimpleNamespace(), None, None, None)
    result: dict[str, Any] = action.run(None, {})
    return result


def contents(folder: pathlib.Path) -> dict[str, bytes]:
    return {path.name: path.read_bytes() for path in folder.iterdir()} if folder.exists() else {}


def test_all_files_are_written_and_private(tmp_path: pathlib.Path) -> None:
    dest = tmp_path / "reports/111111111111"
    result = run(dest, report())
    assert result["changed"]
    assert result["changes"] is None
    assert result["files"] == [str(dest / name) for name in _audit_files.FILES]
    assert sorted(contents(dest)) == sorted(_audit_files.FILES)
    assert {stat.S_IMODE(path.stat().st_mode) for path in dest.iterdir()} == {0o600}
    assert stat.S_IMODE(dest.stat().st_mode) == 0o700
    assert json.loads((dest / "audit.json").read_text()) == report()


def test_same_result_changes_no_file(tmp_path: pathlib.Path) -> None:
    run(tmp_path, report())
    run(tmp_path, changed(report()))
    before = contents(tmp_path)
    result = run(tmp_path, changed(report()) | {"generated_at": "2026-12-24T00:00:00Z"})
    assert (result["changed"], result["diff"], result["changes"]) == (False, [], None)
    assert contents(tmp_path) == before


def test_changed_result_is_compared_with_the_previous_one(tmp_path: pathlib.Path) -> None:
    run(tmp_path, report())
    result = run(tmp_path, changed(report()))
    assert result["changed"]
    document = json.loads((tmp_path / "audit.json").read_text())
    jsonschema.validate(document, SCHEMA, jsonschema.Draft202012Validator)
    assert document["changes"] == result["changes"]
    assert document["changes"]["since"] == report()["generated_at"]
    (diff,) = result["diff"]
    assert diff["after_header"] == str(tmp_path / "audit.md")
    assert "user/auditor" in diff["before"]


@pytest.mark.parametrize("name", _audit_files.FILES)
def test_missing_or_modified_file_is_written_again(tmp_path: pathlib.Path, name: str) -> None:
    run(tmp_path, report())
    before = contents(tmp_path)
    if name != "audit.json":
        (tmp_path / name).write_text("modified")
        assert run(tmp_path, report(generated_at=LATER))["changed"]
        assert contents(tmp_path) == before
    (tmp_path / name).unlink()
    assert run(tmp_path, report())["changed"]
    assert contents(tmp_path) == before
    (tmp_path / name).chmod(0o644)
    assert run(tmp_path, report())["changed"]
    assert not run(tmp_path, report())["changed"]


def test_check_mode_writes_nothing_and_predicts_the_result(tmp_path: pathlib.Path) -> None:
    dest = tmp_path / "new"
    predicted = run(dest, report(), check_mode=True)
    assert not dest.exists()
    assert predicted == run(dest, report())
    before = contents(dest)
    predicted = run(dest, changed(report()), check_mode=True)
    assert contents(dest) == before
    assert predicted == run(dest, changed(report()))
    assert not run(dest, changed(report()), check_mode=True)["changed"]


def test_without_report_nothing_is_written(tmp_path: pathlib.Path) -> None:
    result = run(tmp_path / "new")
    assert not result["changed"]
    assert not result.get("failed")
    assert "changes" not in result
    assert not (tmp_path / "new").exists()


def test_hostile_texts_are_read_back_unchanged(tmp_path: pathlib.Path) -> None:
    run(tmp_path, hostile())
    assert json.loads((tmp_path / "audit.json").read_text()) == hostile()
    assert not run(tmp_path, hostile())["changed"]


def test_known_secrets_are_in_no_file(tmp_path: pathlib.Path) -> None:
    secret = "wJalrXUtnFEMIbPxRfiCYEXAMPLEKEY7"
    KNOWN.add(secret)
    audit = report()
    audit["findings"][0]["evidence"]["text"] = audit["access"][0]["paths"][0]["statement"] = f"a {secret} b"
    run(tmp_path, audit)
    found = contents(tmp_path)
    assert not [name for name, content in found.items() if secret[:16].encode() in content]
    assert b"a ******** b" in found["audit.json"]


# --- problems that are found before the first write


@pytest.mark.parametrize("audit", [None, report()])
@pytest.mark.parametrize(
    ("content", "problem"),
    [
        ("", "is not an audit report, because it is not valid JSON. Move it away, or use another directory."),
        ("{'a'}", "is not an audit report, because it is not valid JSON."),
        ("\xff\xfe", "is not an audit report, because it is not valid JSON."),
        ("[" * 100_000, "is not an audit report, because it is not valid JSON."),
        ("[]", "has the schema None, and this version reads crossaccount.ecr/audit/1. Move it away"),
        ('{"schema": "crossaccount.ecr/audit/2"}', "has the schema 'crossaccount.ecr/audit/2', and this version reads"),
        ('{"schema": ["\\u001b[31m"]}', "has the schema ['\\x1b[31m'], and"),
        ('{"schema": "crossaccount.ecr/audit/1"}', "is not a valid audit report: account is missing, unknown or"),
    ],
)
def test_other_audit_json_is_one_error(tmp_path: pathlib.Path, content: str, problem: str, audit: object) -> None:
    (tmp_path / "audit.json").write_text(content, encoding="latin-1")
    result = run(tmp_path, audit)
    assert result["failed"]
    assert f"{tmp_path}/audit.json {problem}" in result["msg"]
    assert "\n" not in result["msg"]
    assert contents(tmp_path) == {"audit.json": content.encode("latin-1")}


def test_report_of_another_account_is_kept(tmp_path: pathlib.Path) -> None:
    run(tmp_path, report())
    before = contents(tmp_path)
    result = run(tmp_path, report(account="333333333333"))
    assert "is the report of account 111111111111, not of account 333333333333." in result["msg"]
    assert contents(tmp_path) == before
    assert not run(tmp_path).get("failed")


@pytest.mark.parametrize("audit", [None, report()])
@pytest.mark.parametrize("dest", ["file", "file/below/deeper"])
def test_destination_below_a_file_is_one_error(tmp_path: pathlib.Path, dest: str, audit: object) -> None:
    (tmp_path / "file").touch()
    result = run(tmp_path / dest, audit)
    assert result["msg"] == (
        f"No report can be written to dest {tmp_path}/{dest}: {tmp_path}/file is not a writable directory. Change its"
        " permissions or the path."
    )


def test_destination_without_permission_is_one_error(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "access", lambda *_arguments: False)  # root may write everywhere
    assert f"{tmp_path} is not a writable directory" in run(tmp_path / "new", report())["msg"]
    assert contents(tmp_path) == {}


@pytest.mark.parametrize("kind", ["directory", "link", "fifo"])
def test_other_kinds_of_files_are_not_replaced(tmp_path: pathlib.Path, kind: str) -> None:
    path, other = tmp_path / "dest/audit.html", tmp_path / "other"
    path.parent.mkdir()
    if kind == "directory":
        path.mkdir()
    elif kind == "link":
        path.symlink_to(other)
    else:
        os.mkfifo(path)
    assert f"{path} exists and is not a regular file" in run(path.parent, report())["msg"]
    assert [one.name for one in path.parent.iterdir()] == ["audit.html"]
    assert not other.exists()


@pytest.mark.parametrize("dest", ["a\nb", "a\0b", "a\u202eb"])
def test_unprintable_destination_is_one_error(tmp_path: pathlib.Path, dest: str) -> None:
    result = run(f"{tmp_path}/{dest}", report())
    assert "contains an unprintable character. Remove it." in result["msg"]
    assert contents(tmp_path) == {}


def test_all_problems_are_in_one_error(tmp_path: pathlib.Path) -> None:
    (tmp_path / "audit.json").write_text("{}")
    (tmp_path / "audit.md").mkdir()
    message = run(tmp_path, {**report(), "access": [{}]})["msg"]
    assert "report is not the result of crossaccount.ecr.ecr_audit_info: access[0].principal is missing" in message
    assert "audit.md exists and is not a regular file" in message


def test_interrupted_run_is_repeated(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    run(tmp_path, report())

    def full(path: str, text: str) -> None:
        if path.endswith("audit.sarif"):
            raise OSError(28, "No space left on device", path)
        _audit_files.replace_file(path, text)

    with monkeypatch.context() as patched:
        patched.setattr(ecr_audit_report, "replace_file", full)
        failed = run(tmp_path, changed(report()))
    assert (failed["failed"], failed["changed"]) == (True, True)
    assert "No space left on device" in failed["msg"]
    assert run(tmp_path, changed(report()))["changes"]["since"] == report()["generated_at"]
