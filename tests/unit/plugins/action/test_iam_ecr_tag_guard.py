# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a tag guard on the control node: their paths, their content, and files that cannot be written."""

from __future__ import annotations

import os
import pathlib
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.action.iam_ecr_tag_guard import _with_files
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import TagGuardDeclaration
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._tag_guard_files import guard_file_problems

NAME = "guard-111111111111-scp.json"


def write(folder: pathlib.Path, check_mode: bool = False, **result: Any) -> dict[str, Any]:
    """Write the files for a result of the module."""
    files = [{"type": "scp", "path": "ignored", "text": "{}\n"}]
    done = {"changed": False, "account": "111111111111", "files": files, "steps": [], "diff": {}, **result}
    return _with_files(done, TagGuardDeclaration("guard", "report", {"a": "b"}, dest=str(folder)), check_mode)


def test_file_is_written_once(tmp_path: pathlib.Path) -> None:
    checked = write(tmp_path, check_mode=True)
    assert (checked["changed"], os.listdir(tmp_path)) == (True, [])
    first = write(tmp_path)
    assert (first["changed"], os.listdir(tmp_path), (tmp_path / NAME).read_text()) == (True, [NAME], "{}\n")
    assert first["diff"][1]["after_header"] == str(tmp_path / NAME)
    second = write(tmp_path)
    assert (second["changed"], second["diff"]) == (False, [{}])
    assert write(tmp_path, changed=True)["changed"]


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside.json", "guard.json"])
def test_host_does_not_choose_the_path(tmp_path: pathlib.Path, path: str) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    write(folder, files=[{"type": "scp", "path": path, "text": "{}\n"}])
    assert [str(one.relative_to(tmp_path)) for one in tmp_path.rglob("*")] == ["folder", f"folder/{NAME}"]


@pytest.mark.parametrize("account", ["../../x", "", "1111111111111", None])
def test_host_does_not_choose_the_name(tmp_path: pathlib.Path, account: Any) -> None:
    with pytest.raises(EcrError, match="is not an AWS account ID of 12 digits"):
        write(tmp_path, account=account)
    with pytest.raises(ValueError, match="is not a valid PolicyType"):
        write(tmp_path, files=[{"type": "../x", "path": "", "text": ""}])
    assert os.listdir(tmp_path) == []


def test_failed_write_reports_whether_iam_was_changed(tmp_path: pathlib.Path) -> None:
    for steps in ([], ["create_policy"]):
        with pytest.raises(EcrError) as caught:
            write(tmp_path / "missing", steps=steps)
        assert caught.value.facts["changed"] is bool(steps)


def test_problems_with_the_directory(tmp_path: pathlib.Path) -> None:
    def problems(dest: object) -> list[str]:
        return list(guard_file_problems(str(dest), "guard"))

    (tmp_path / NAME).mkdir()
    (tmp_path / "other-111111111111-scp.json").mkdir()
    (tmp_path / "file").touch()
    assert problems(tmp_path) == [
        f"{tmp_path / NAME} exists and is not a regular file, so it is not replaced. Remove it, or use another path."
    ]
    for wrong in (tmp_path / "missing", tmp_path / "file"):
        assert problems(wrong) == [f"dest {wrong} does not exist or is not a directory. Create it first."]
    assert problems("a\nb") == ["dest 'a\\nb' contains an unprintable character. Remove it."]
