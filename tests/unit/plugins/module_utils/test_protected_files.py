# SPDX-License-Identifier: GPL-3.0-or-later
"""Only root and the current user may be able to change a file that is to be trusted. The tests run as any user."""

from __future__ import annotations

import hashlib
import os
import pathlib
import stat
from collections.abc import Callable

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _protected_files, _safe_folders
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

ME = os.geteuid()
STRANGER = 54321


def status(mode: int, uid: int = ME, gid: int = 7) -> os.stat_result:
    return os.stat_result((mode, 0, 0, 1, uid, gid, 0, 0, 0, 0))


def message_of(call: object, *arguments: object) -> str:
    with pytest.raises(EcrError) as caught:
        call(*arguments)  # type: ignore[operator]
    return str(caught.value)


# --- paths


def test_path_without_links(tmp_path: pathlib.Path) -> None:
    for path in ("new", "new/deep/er", "./new", "a/../new", "new/"):
        assert _protected_files.safe_path(f"{tmp_path}/{path}") == os.path.abspath(f"{tmp_path}/{path}")
    assert _protected_files.safe_path("/") == "/"
    assert _protected_files.safe_path("//x") == "/x"


def test_own_links_above_are_followed(tmp_path: pathlib.Path) -> None:
    real = tmp_path / "real"
    (real / "inner").mkdir(parents=True)
    (tmp_path / "absolute").symlink_to(real)
    (tmp_path / "relative").symlink_to("./real/inner/..")
    (tmp_path / "chain").symlink_to("absolute/inner")
    (tmp_path / "dangling").symlink_to("later/./missing")
    for path, found in (
        ("absolute/image", "real/image"),
        ("relative/image", "real/image"),
        ("chain/image", "real/inner/image"),
        ("dangling/image", "later/missing/image"),
        ("absolute", "absolute"),  # the last name is not followed
    ):
        assert _protected_files.safe_path(f"{tmp_path}/{path}") == f"{tmp_path}/{found}"


def test_endless_links_are_rejected(tmp_path: pathlib.Path) -> None:
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert "is a symbolic link of user" in message_of(_protected_files.safe_path, f"{tmp_path}/a/image")


def test_link_of_another_user_is_rejected(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """In a folder with the sticky bit, any user can create a link to a folder of root."""
    real, link = tmp_path / "real", tmp_path / "link"
    real.mkdir()
    link.symlink_to(real)
    lstat = os.lstat

    def foreign(path: str) -> os.stat_result:
        found = lstat(path)
        return status(found.st_mode, STRANGER) if path == str(link) else found

    monkeypatch.setattr(os, "lstat", foreign)
    assert message_of(_protected_files.safe_path, f"{link}/image") == (
        f"{link} is a symbolic link of user 54321. Choose a dest without links."
    )


@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_folder_above_that_is_open_to_all_is_rejected(tmp_path: pathlib.Path, mode: int) -> None:
    above = tmp_path / "above"
    (above / "inner").mkdir(parents=True)
    above.chmod(mode)
    assert message_of(_protected_files.safe_path, f"{above}/inner/image") == (
        f"{above} can be changed by every user (mode {mode:04o}). Run chmod go-w {above}, or choose another dest."
    )
    above.chmod(mode | stat.S_ISVTX)
    assert _protected_files.safe_path(f"{above}/inner/image") == f"{above}/inner/image"


def test_file_above_is_rejected(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("")
    assert message_of(_protected_files.safe_path, f"{tmp_path}/file/image") == (
        f"{tmp_path}/file is not a directory. Remove it, or choose another dest."
    )


# --- files


def open_to_all(path: pathlib.Path) -> None:
    path.touch()
    path.chmod(0o666)


@pytest.mark.parametrize(
    ("make", "found"),
    [
        (lambda path: path.symlink_to("/etc/passwd"), "is a symbolic link"),
        (os.mkfifo, "is not a regular file"),
        (pathlib.Path.mkdir, "is not a regular file"),
        (open_to_all, "can be changed by every user (mode 0666)"),
    ],
    ids=["link", "pipe", "folder", "mode"],
)
def test_only_regular_files_are_opened(
    tmp_path: pathlib.Path, make: Callable[[pathlib.Path], None], found: str
) -> None:
    path = tmp_path / "file"
    make(path)
    assert f"{path} {found}" in message_of(_protected_files.open_file, str(path))
    assert f"{path} {found}" in message_of(_protected_files.has_content, str(path), "", 0)


def test_missing_file(tmp_path: pathlib.Path) -> None:
    path = str(tmp_path / "file")
    with pytest.raises(FileNotFoundError):
        _protected_files.open_file(path)
    assert not _protected_files.has_content(path, "", 0)
    assert _protected_files.read_file(path, 5) is None


def test_link_that_replaces_the_file_meanwhile_is_not_followed(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "file"
    path.symlink_to("/etc/passwd")
    monkeypatch.setattr(_protected_files, "check_file", lambda _path: None)
    with pytest.raises(OSError, match="Too many"):  # ELOOP or EMLINK
        _protected_files.open_file(str(path))


def test_content(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    path.write_bytes(b"x" * 3_000_000)
    digest = "sha256:" + hashlib.sha256(b"x" * 3_000_000).hexdigest()
    assert _protected_files.has_content(str(path), digest, 3_000_000)
    assert not _protected_files.has_content(str(path), digest, 2_999_999)
    assert not _protected_files.has_content(str(path), "sha256:" + "0" * 64, 3_000_000)
    assert _protected_files.read_file(str(path), 3_000_000) == path.read_bytes()
    assert message_of(_protected_files.read_file, str(path), 2_999_999) == (
        f"{path} has more than 2999999 bytes. Choose another dest."
    )


@pytest.mark.parametrize(("mode", "rejected"), [(0o644, False), (0o664, True)])
def test_access_control_list_is_rejected_if_the_group_may_write(
    tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch, mode: int, rejected: bool
) -> None:
    path = tmp_path / "file"
    path.write_text("")
    path.chmod(mode)
    monkeypatch.setattr(_safe_folders, "is_private_group", lambda _gid, _uid: True)
    monkeypatch.setattr(os, "listxattr", lambda _path: ["system.posix_acl_access"], raising=False)
    if rejected:
        assert "has an access control list" in message_of(_protected_files.check_file, str(path))
    else:
        _protected_files.check_file(str(path))


# --- new ones


def test_folders_are_not_created_through_a_link(tmp_path: pathlib.Path) -> None:
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "link").symlink_to("elsewhere")
    message_of(_protected_files.make_folders, f"{tmp_path}/link/a/b")
    assert list((tmp_path / "elsewhere").iterdir()) == []
    _protected_files.make_folders(f"{tmp_path}/a/b")
    _protected_files.make_folders(f"{tmp_path}/a/b")
    assert (tmp_path / "a/b").is_dir()
