"""Reads of regular files, with a limit."""

from __future__ import annotations

import os
import pathlib
import socket

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import read_regular


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
def test_what_is_not_a_regular_file_is_rejected_at_once(tmp_path: pathlib.Path, kind: str) -> None:
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
