# SPDX-License-Identifier: GPL-3.0-or-later
"""The files of a pull host: the folder of the wrappers, and the user whose files they are."""

from __future__ import annotations

import os
import pathlib

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _host_files, _safe_folders
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

NEXT = (
    " Only root and the user who runs the module may be able to write to this directory and its parents. Fix the owner"
    " and the mode, or use another directory."
)


def message_of(path: pathlib.Path) -> str:
    with pytest.raises(EcrError) as refused:
        _host_files.safe_folder(str(path))
    return str(refused.value)


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o1777])
def test_folder_of_wrappers_that_others_can_write_to(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, mode: int
) -> None:
    """Wrappers are programs of all users, so a private group is rejected as well."""
    monkeypatch.setattr(_safe_folders, "is_private_group", lambda _gid, _uid: True)
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin").chmod(mode)
    assert message_of(tmp_path / "bin") == (
        f"bin_dir {tmp_path}/bin cannot be used: {tmp_path}/bin is writable by other users (mode {mode:04o}).{NEXT}"
    )


def test_folder_of_wrappers_that_cannot_be_one(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    (tmp_path / "loop").symlink_to("loop")
    (tmp_path / "link").symlink_to("missing/../file")
    for name, problem in (
        ("file", "file is not a directory"),
        ("loop", "loop leads to too many links"),
        ("link", "missing does not exist"),
        ("x" * 300, "x" * 300 + " cannot be read (File name too long)"),
    ):
        path = tmp_path / name
        assert message_of(path) == f"bin_dir {path} cannot be used: {tmp_path}/{problem}.{NEXT}"


def test_user_who_is_not_root_cannot_have_files_of_others(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(EcrError) as caught:
        _host_files.local_account("daemon")
    assert str(caught.value) == "The files of user daemon cannot be written by another user. Set become: true."
