"""Bounded reads, expanded paths, and the directories in which a wrapper is safe."""

from __future__ import annotations

import os
import pathlib
import pwd
import stat

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import expand_home, read_regular
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_files import folder_problem, safe_folder

DIRECTORY, LINK, FILE = stat.S_IFDIR, stat.S_IFLNK, stat.S_IFREG
RUNNER, OTHER = 1000, 1001


def status(kind: int, mode: int, owner: int) -> os.stat_result:
    return os.stat_result((kind | mode, 0, 0, 1, owner, owner, 0, 0, 0, 0))


@pytest.mark.parametrize(
    ("kind", "mode", "owner", "last", "problem"),
    [
        (DIRECTORY, 0o755, 0, True, None),
        (DIRECTORY, 0o700, RUNNER, True, None),
        (DIRECTORY, 0o1777, 0, False, None),
        (LINK, 0o777, 0, False, None),
        (LINK, 0o777, RUNNER, False, None),
        (DIRECTORY, 0o1777, 0, True, "/x is writable by other users (mode 1777)"),
        (DIRECTORY, 0o2775, 0, True, "/x is writable by other users (mode 2775)"),
        (DIRECTORY, 0o775, 0, False, "/x is writable by other users (mode 0775)"),
        (DIRECTORY, 0o702, RUNNER, False, "/x is writable by other users (mode 0702)"),
        (DIRECTORY, 0o755, OTHER, False, "/x belongs to the user with ID 1001"),
        (DIRECTORY, 0o1755, OTHER, False, "/x belongs to the user with ID 1001"),
        (LINK, 0o777, OTHER, False, "/x belongs to the user with ID 1001"),
        (FILE, 0o755, 0, False, "/x is not a directory"),
        (stat.S_IFIFO, 0o600, 0, True, "/x is not a directory"),
    ],
)
def test_folder_problem(kind: int, mode: int, owner: int, last: bool, problem: str | None) -> None:
    assert folder_problem("/x", status(kind, mode, owner), RUNNER, last) == problem


@pytest.mark.parametrize("path", ["a/b", "a/../a/b", "a//./b/", "to_b", "absolute", "a/b/c/d"])
def test_safe_folder_is_real_path(tmp_path: pathlib.Path, path: str) -> None:
    (tmp_path / "a/b").mkdir(parents=True, mode=0o755)
    (tmp_path / "to_b").symlink_to("a/b")
    (tmp_path / "absolute").symlink_to(tmp_path / "to_b")
    for folder in (tmp_path / "a", tmp_path / "a/b"):
        folder.chmod(0o755)
    assert safe_folder(f"{tmp_path}/{path}") == os.path.realpath(tmp_path / path)


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
