# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a hand-off on the control node."""

from __future__ import annotations

import pathlib

import pytest
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _handoff_files


@pytest.mark.parametrize("path", ["missing/handoff.yml", "missing/deeper/handoff.yml"])
def test_missing_folder_is_a_warning_in_check_mode(tmp_path: pathlib.Path, path: str) -> None:
    declared = str(tmp_path / path)
    names = [declared.removesuffix(".yml")]
    assert list(_handoff_files.handoff_file_problems(declared, names, check_mode=True)) == []
    assert f"{declared} does not exist." in _handoff_files.missing_folder_warning(declared)
    (problem,) = _handoff_files.handoff_file_problems(declared, names, check_mode=False)
    assert f"{declared} does not exist. Create it first." in problem


@pytest.mark.parametrize("check_mode", [False, True])
def test_folder_that_no_task_can_create_is_a_problem(tmp_path: pathlib.Path, check_mode: bool) -> None:
    (tmp_path / "file").touch()
    declared = str(tmp_path / "file/handoff.yml")
    (problem,) = _handoff_files.handoff_file_problems(declared, [str(tmp_path / "file/handoff")], check_mode)
    assert "does not exist" in problem
    assert _handoff_files.missing_folder_warning(declared) == ""


def test_file_of_a_form_must_be_replaceable(tmp_path: pathlib.Path) -> None:
    (tmp_path / "handoff.docker.sh").mkdir()
    declared, names = str(tmp_path / "handoff.yml"), [str(tmp_path / "handoff")]
    assert list(_handoff_files.handoff_file_problems(declared, names, check_mode=True)) == []
    (problem,) = _handoff_files.handoff_file_problems(declared, names, True, [".aws_cli.ini", ".docker.sh"])
    assert problem.startswith(f"{names[0]}.docker.sh exists and is not a regular file")


@pytest.mark.parametrize("check_mode", [False, True])
def test_existing_directory_has_no_problem(tmp_path: pathlib.Path, check_mode: bool) -> None:
    declared = str(tmp_path / "handoff.yml")
    assert list(_handoff_files.handoff_file_problems(declared, [str(tmp_path / "handoff")], check_mode)) == []
    assert _handoff_files.missing_folder_warning(declared) == ""
