# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads of regular files, with a limit; writes in one step; paths with `~`."""

from __future__ import annotations

import os
import pathlib
import pwd
import socket
import stat

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import (
    INCOMING,
    expand_home,
    new_file,
    read_regular,
    replacing,
)


def test_a_regular_file(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    file.write_bytes(b"12345")
    assert read_regular(str(file), 5) == b"12345"
    file.write_bytes(b"")
    assert read_regular(str(file), 0) == b""
    link = tmp_path / "link"
    link.symlink_to(file)
    assert read_regular(str(link), 5) == b""


def test_a_missing_file(tmp_path: pathlib.Path) -> None:
    assert read_regular(str(tmp_path / "none"), 5) is None
    (tmp_path / "file").touch()
    assert read_regular(str(tmp_path / "file/none"), 5) is None


@pytest.mark.parametrize("kind", ["fifo", "folder", "socket", "zero", "null", "terminal"])
def test_special_file_is_rejected_at_once(tmp_path: pathlib.Path, kind: str) -> None:
    path = tmp_path / "x"
    if kind == "fifo":
        os.mkfifo(path)
    elif kind == "folder":
        path.mkdir()
    elif kind == "socket":
        with socket.socket(socket.AF_UNIX) as server:
            server.bind(str(path))
    else:
        path = pathlib.Path({"zero": "/dev/zero", "null": "/dev/null", "terminal": "/dev/ptmx"}[kind])
    with pytest.raises(EcrError, match=r"is not a regular file\. Remove it"):
        read_regular(str(path), 5)


def test_a_file_over_the_limit(tmp_path: pathlib.Path) -> None:
    file = tmp_path / "file"
    with file.open("wb") as sparse:
        sparse.truncate(1 << 40)
    with pytest.raises(EcrError, match=r"is larger than the limit of 5 bytes\."):
        read_regular(str(file), 5)


def test_a_file_that_reports_no_size_is_read() -> None:
    assert read_regular("/proc/self/status", 1 << 20)
    with pytest.raises(EcrError, match=r"is larger than the limit of 5 bytes\."):
        read_regular("/proc/self/status", 5)


def test_read_regular_has_limit(tmp_path: pathlib.Path) -> None:
    path = tmp_path / "file"
    assert read_regular(str(path), 4) is None
    assert read_regular(str(path / "below"), 4) is None
    path.write_bytes(b"1234")
    assert read_regular(str(path), 4) == b"1234"
    assert read_regular(str(path / "below"), 4) is None
    with pytest.raises(EcrError) as large:
        read_regular(str(path), 3)
    assert str(large.value) == f"{path} is larger than the limit of 3 bytes. Check that it is the right file."
    with pytest.raises(EcrError, match="is larger than the limit of 3 bytes"):
        read_regular("/proc/self/maps", 3)  # which has the size 0


def test_read_regular_refuses_other_types(tmp_path: pathlib.Path) -> None:
    os.mkfifo(tmp_path / "fifo")
    (tmp_path / "link").symlink_to("fifo")
    for path in (tmp_path / "fifo", tmp_path / "link", tmp_path, pathlib.Path("/dev/zero")):
        with pytest.raises(EcrError) as refused:
            read_regular(str(path), 3)
        assert str(refused.value) == f"{path} is not a regular file. Remove it or replace it with a regular file."


def test_read_regular_follows_no_link_if_told(tmp_path: pathlib.Path) -> None:
    (tmp_path / "file").write_text("x")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(str(tmp_path / "link"), 3) == b"x"
    with pytest.raises(EcrError, match="link cannot be read: Too many levels of symbolic links"):
        read_regular(str(tmp_path / "link"), 3, follow=False)


@pytest.mark.parametrize(
    ("path", "expanded"),
    [
        ("~", "/home/a"),
        ("~/x", "/home/a/x"),
        ("~root/x", f"{pwd.getpwnam('root').pw_dir}/x"),
        ("$HOME/x", "$HOME/x"),
        ("${HOME}/~/x", "${HOME}/~/x"),
        ("x/~", "x/~"),
    ],
)
def test_only_home_is_expanded(path: str, expanded: str, monkeypatch: pytest.MonkeyPatch) -> None:
    assert expand_home(path, "/home/a") == expanded
    monkeypatch.setenv("HOME", "/home/a")
    assert expand_home(path) == expanded


# --- writes


def mode_of(path: pathlib.Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def test_new_files_have_unique_names(tmp_path: pathlib.Path) -> None:
    paths = set()
    for _number in range(20):
        handle, path = new_file(str(tmp_path), 0o600)
        os.close(handle)
        paths.add(path)
    assert len(paths) == 20
    assert all(os.path.basename(path).startswith(INCOMING) for path in paths)


@pytest.mark.parametrize(
    ("mode", "umask", "expected"),
    [(0o600, 0o000, 0o600), (0o755, 0o077, 0o755), (None, 0o027, 0o640), (None, 0o000, 0o644)],
)
def test_a_file_is_replaced_with_its_mode(tmp_path: pathlib.Path, mode: int | None, umask: int, expected: int) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    before = os.umask(umask)
    try:
        with replacing(path, mode) as file:
            file.write(b"new")
            assert path.read_text() == "old"
    finally:
        os.umask(before)
    assert (path.read_text(), mode_of(path), os.listdir(tmp_path)) == ("new", expected, ["file"])


def test_a_file_of_one_user_is_never_open_to_others(tmp_path: pathlib.Path) -> None:
    """The content may be secret, even while it is not complete."""
    before = os.umask(0)
    try:
        with replacing(tmp_path / "file", 0o640):
            (temporary,) = tmp_path.iterdir()
            assert mode_of(temporary) == 0o600
    finally:
        os.umask(before)


@pytest.mark.parametrize("error", [ValueError, KeyboardInterrupt])
def test_an_error_keeps_the_old_file(tmp_path: pathlib.Path, error: type[BaseException]) -> None:
    path = tmp_path / "file"
    path.write_text("old")

    def fail() -> None:
        with replacing(path, 0o600) as file:
            file.write(b"new")
            raise error

    with pytest.raises(error):
        fail()
    assert (path.read_text(), os.listdir(tmp_path)) == ("old", ["file"])


def test_a_link_is_replaced_and_not_followed(tmp_path: pathlib.Path) -> None:
    (tmp_path / "target").write_text("old")
    (tmp_path / "link").symlink_to("target")
    with replacing(tmp_path / "link", 0o600) as file:
        file.write(b"new")
    assert not (tmp_path / "link").is_symlink()
    assert ((tmp_path / "link").read_text(), (tmp_path / "target").read_text()) == ("new", "old")
