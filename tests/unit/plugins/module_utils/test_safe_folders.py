# SPDX-License-Identifier: GPL-3.0-or-later
"""The rule for what another user can change: owner, mode and links of each folder of a path."""

from __future__ import annotations

import os
import pathlib
import stat

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _safe_folders
from ansible_collections.crossaccount.ecr.plugins.module_utils._safe_folders import (
    Fault,
    UnsafeError,
    fault_of,
    real_folder,
)

DIRECTORY, LINK, FILE, FIFO = stat.S_IFDIR, stat.S_IFLNK, stat.S_IFREG, stat.S_IFIFO
ME = os.geteuid()
STRANGER = 54321


def status(mode: int, uid: int = ME, kind: int = DIRECTORY) -> os.stat_result:
    return os.stat_result((kind | mode, 0, 0, 1, uid, 7, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("kind", "mode", "uid", "sticky", "private", "fault"),
    [
        (DIRECTORY, 0o755, ME, False, False, None),
        (DIRECTORY, 0o755, 0, False, False, None),
        (DIRECTORY, 0o755, STRANGER, False, True, Fault.OWNER),
        (DIRECTORY, 0o1755, STRANGER, True, True, Fault.OWNER),
        (DIRECTORY, 0o1777, STRANGER, True, True, Fault.OWNER),
        (DIRECTORY, 0o775, ME, False, True, None),
        (DIRECTORY, 0o775, ME, False, False, Fault.GROUP),
        (DIRECTORY, 0o2775, 0, False, False, Fault.GROUP),
        (DIRECTORY, 0o775, ME, True, False, Fault.GROUP),
        (DIRECTORY, 0o1775, ME, True, False, None),
        (DIRECTORY, 0o1775, ME, False, False, Fault.GROUP),
        (DIRECTORY, 0o702, ME, False, False, Fault.EVERYONE),
        (DIRECTORY, 0o757, ME, False, True, Fault.EVERYONE),
        (DIRECTORY, 0o777, 0, True, True, Fault.EVERYONE),
        (DIRECTORY, 0o1777, 0, True, False, None),
        (DIRECTORY, 0o1777, 0, False, True, Fault.EVERYONE),
        (LINK, 0o777, 0, False, False, None),
        (LINK, 0o777, ME, False, False, None),
        (LINK, 0o777, STRANGER, False, False, Fault.LINK_OWNER),
        (FILE, 0o666, ME, False, False, Fault.EVERYONE),
        (FILE, 0o755, 0, False, False, None),
    ],
)
def test_files_that_another_user_can_change(
    monkeypatch: pytest.MonkeyPatch, kind: int, mode: int, uid: int, sticky: bool, private: bool, fault: Fault | None
) -> None:
    monkeypatch.setattr(_safe_folders, "is_private_group", lambda _gid, _uid: True)
    assert fault_of("/x", status(mode, uid, kind), sticky, private_groups=private) is fault


@pytest.mark.parametrize(("mode", "fault"), [(0o755, None), (0o775, Fault.ACL), (0o1775, Fault.ACL)])
def test_access_control_list_matters_if_the_group_may_write(
    monkeypatch: pytest.MonkeyPatch, mode: int, fault: Fault | None
) -> None:
    monkeypatch.setattr(_safe_folders, "is_private_group", lambda _gid, _uid: True)
    monkeypatch.setattr(os, "listxattr", lambda _path: ["system.posix_acl_access"], raising=False)
    assert fault_of("/x", status(mode), private_groups=True) is fault


class Accounts:
    """An account database: users by name with uid and primary group, groups with name and listed members."""

    def __init__(self, patch: pytest.MonkeyPatch) -> None:
        self.users = {"root": (0, 0), "me": (ME or 1000, 1000)}
        self.groups: dict[int, tuple[str, list[str]]] = {0: ("root", []), 1000: ("me", []), 100: ("users", [])}
        patch.setattr(_safe_folders, "grp", self)
        patch.setattr(_safe_folders, "pwd", self)
        patch.setattr(os, "geteuid", lambda: ME or 1000)
        _safe_folders.is_private_group.cache_clear()

    def getgrgid(self, gid: int) -> object:
        name, members = self.groups[gid]
        return type("group", (), {"gr_name": name, "gr_mem": members})

    def _account(self, name: str) -> object:
        uid, gid = self.users[name]
        return type("account", (), {"pw_name": name, "pw_uid": uid, "pw_gid": gid})

    getpwnam = _account

    def getpwuid(self, uid: int) -> object:
        return self._account({number: name for name, (number, _gid) in self.users.items()}[uid])

    def getpwall(self) -> list[object]:
        return [self._account(name) for name in self.users]


@pytest.fixture
def accounts(monkeypatch: pytest.MonkeyPatch) -> Accounts:
    return Accounts(monkeypatch)


def test_private_group(accounts: Accounts) -> None:
    me = accounts.users["me"][0]
    assert _safe_folders.is_private_group(1000, me)
    assert _safe_folders.is_private_group(0, 0)
    assert not _safe_folders.is_private_group(100, me)  # not the primary group
    assert not _safe_folders.is_private_group(1000, 0)  # of another user than the owner
    assert not _safe_folders.is_private_group(55, me)  # unknown
    assert not _safe_folders.is_private_group(1000, STRANGER)


@pytest.mark.parametrize("how", ["listed", "primary", "unknown", "renamed"])
def test_group_with_another_member_is_not_private(accounts: Accounts, how: str) -> None:
    if how == "listed":
        accounts.users["other"] = (STRANGER, 100)
    if how in ("listed", "unknown"):
        accounts.groups[1000] = ("me", ["root", "other"])
    if how == "primary":
        accounts.users["other"] = (STRANGER, 1000)
    if how == "renamed":
        accounts.groups[1000] = ("staff", [])
    assert not _safe_folders.is_private_group(1000, accounts.users["me"][0])


# --- paths


@pytest.mark.parametrize("path", ["a/b", "a/../a/b", "a//./b/", "to_b", "absolute", "chain/b", "a/b/c/d", "dangling"])
def test_real_folder_is_the_real_path(tmp_path: pathlib.Path, path: str) -> None:
    (tmp_path / "a/b").mkdir(parents=True, mode=0o755)
    (tmp_path / "to_b").symlink_to("a/b")
    (tmp_path / "absolute").symlink_to(tmp_path / "to_b")
    (tmp_path / "chain").symlink_to("./a/b/..")
    (tmp_path / "dangling").symlink_to("later/./missing")
    for folder in (tmp_path / "a", tmp_path / "a/b"):
        folder.chmod(0o755)
    assert real_folder(f"{tmp_path}/{path}", sticky=False, private_groups=False) == os.path.realpath(tmp_path / path)


@pytest.mark.parametrize("path", ["/", "//", "/.", "/../"])
def test_the_root_is_safe(path: str) -> None:
    assert real_folder(path, sticky=False, private_groups=False) == "/"


def fault_at(path: pathlib.Path | str, sticky: bool = False) -> tuple[Fault, str]:
    with pytest.raises(UnsafeError) as unsafe:
        real_folder(str(path), sticky=sticky, private_groups=True)
    return unsafe.value.fault, unsafe.value.path


@pytest.mark.parametrize("mode", [0o757, 0o777])
def test_folder_that_is_open_to_all_is_unsafe(tmp_path: pathlib.Path, mode: int) -> None:
    above = tmp_path / "above"
    (above / "inner").mkdir(parents=True)
    above.chmod(mode)
    assert fault_at(above / "inner") == fault_at(above / "missing") == (Fault.EVERYONE, str(above))
    above.chmod(mode | stat.S_ISVTX)
    assert real_folder(f"{above}/inner", sticky=False, private_groups=True) == f"{above}/inner"
    # A name that does not exist yet is not protected by the sticky bit, except for the one entry that matters.
    assert fault_at(above / "missing") == (Fault.EVERYONE, str(above))
    assert real_folder(f"{above}/missing", sticky=True, private_groups=True) == f"{above}/missing"


def test_folders_behind_a_link_are_checked(tmp_path: pathlib.Path) -> None:
    (tmp_path / "open/bin").mkdir(parents=True)
    (tmp_path / "open").chmod(0o777)
    (tmp_path / "link").symlink_to("open/bin")
    (tmp_path / "beyond").symlink_to("missing/../open/bin")
    assert fault_at(tmp_path / "link") == (Fault.EVERYONE, f"{tmp_path}/open")
    # Nothing after a missing folder is checked, so the path must not leave it.
    assert fault_at(tmp_path / "beyond") == (Fault.MISSING, f"{tmp_path}/missing")


def test_path_that_is_not_a_directory(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").touch()
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert fault_at(tmp_path / "file/x") == (Fault.NOT_A_FOLDER, f"{tmp_path}/file")
    assert fault_at(tmp_path / "fifo") == (Fault.NOT_A_FOLDER, f"{tmp_path}/fifo")
    assert fault_at(tmp_path / "a")[0] is Fault.LINKS
