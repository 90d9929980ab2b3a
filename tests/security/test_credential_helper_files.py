# SPDX-License-Identifier: GPL-3.0-or-later
"""Finding 12: a local user attacks `ecr_credential_helper_config`, which runs as root with become.

The user owns the home and whatever root puts under it. The wrappers are programs that other users run.
"""

from __future__ import annotations

import json
import os
import pathlib
import pwd
import shutil
import socket
import stat
import subprocess
import tempfile
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _host_files
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._helper_plan import Change

from tests.support.control import BIN
from tests.support.paths import ROOT

pytestmark = pytest.mark.engine  # root

MODULE = "ansible_collections.crossaccount.ecr.plugins.modules.ecr_credential_helper_config"
REGISTRY = "111111111111.dkr.ecr.ap-northeast-1.amazonaws.com"
NAME = f"docker-credential-ecr-pull-nobody-{REGISTRY}"
SECRET = "root:$6$QVdTOnRva2Vu:20228:0:99999:7:::"
#: A module that reads without a limit ends at this limit, and the host keeps its memory.
MEMORY = 1_500_000_000
GROUP = 54321  # a supplementary group of root
USER = pwd.getpwnam("nobody")


class Host:
    """A home of the user `nobody`, and a folder of root.

    :param bin: a folder for wrappers that only root can change
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder, self.home, self.root, self.bin = folder, folder / "nobody", folder / "root", folder / "bin"
        self.owned_by_user(self.home)
        self.root.mkdir(mode=0o700)
        self.bin.mkdir()
        self.output = ""

    def owned_by_user(self, path: pathlib.Path) -> pathlib.Path:
        path.mkdir(exist_ok=True)
        os.chown(path, USER.pw_uid, USER.pw_gid)
        return path

    def file_of_root(self, name: str = "shadow", mode: int = 0o640) -> pathlib.Path:
        path = self.root / name
        path.write_text(SECRET)
        path.chmod(mode)
        return path

    def module(self, **options: Any) -> dict[str, Any]:
        """The result of the module. It shows a diff, ends in time, and has no traceback."""
        given = {"user": "nobody", "home": str(self.home), "bin_dir": str(self.bin), "require_helper": False, **options}
        role_arn = "arn:aws:iam::111111111111:role/allow_ecr_release"
        given["registries"] = [{"registry": REGISTRY, "role_arn": role_arn, "source_profile": "default"}]
        command = ["prlimit", f"--as={MEMORY}", "setpriv", f"--groups={GROUP}", str(BIN / "python"), "-m", MODULE]
        environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT / ".venv/collections"),
            "PLACE": str(self.folder),
            "HOME": str(self.root),
        }
        typed = json.dumps({"ANSIBLE_MODULE_ARGS": {**given, "_ansible_diff": True}})
        ran = subprocess.run(
            command, input=typed, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )
        self.output = ran.stdout + ran.stderr
        assert "Traceback" not in self.output, self.output
        result: dict[str, Any] = json.loads(ran.stdout)
        return result

    def refused(self, **options: Any) -> str:
        """The message of a run that fails, writes nothing, and shows nothing of root's files."""
        before = self.tree()
        result = self.module(**options)
        assert result.get("failed") is True, result
        assert self.tree() == before
        assert SECRET not in self.output
        return str(result["msg"])

    def tree(self) -> dict[str, tuple[int, int, bytes]]:
        """The owner, the mode and the content of everything below the folder."""
        found = {}
        for path in self.folder.rglob("*"):
            status = path.lstat()
            small = path.is_file() and not path.is_symlink() and status.st_size < 100_000
            found[str(path)] = (status.st_uid, status.st_mode, path.read_bytes() if small else b"")
        return found


@pytest.fixture
def host() -> Iterator[Host]:
    """Every user may enter the folder. pytest's own folders are for root only."""
    with tempfile.TemporaryDirectory() as name:
        folder = pathlib.Path(name)
        folder.chmod(0o755)
        yield Host(folder)


# --- bin_dir ---------------------------------------------------------------------------------------------------------

STATES = pytest.mark.parametrize("state", ["present", "absent"])


def test_diff_of_link_in_user_bin_dir_shows_root_file(host: Host) -> None:
    """A link to /etc/shadow in the place of a wrapper: the diff shows the file."""
    shadow, folder = host.file_of_root(), host.owned_by_user(host.home / "bin")
    (folder / NAME).symlink_to(shadow)
    message = host.refused(bin_dir=str(folder))
    # The home is the first component that the user can change.
    assert f"bin_dir {folder} cannot be used: {host.home} belongs to the user with ID {USER.pw_uid}." in message


def test_bin_dir_is_link_to_root_directory(host: Host) -> None:
    """~/bin is a link: root writes a wrapper into a directory that the user cannot write to."""
    (host.home / "bin").symlink_to(host.root)
    assert "belongs to the user with ID" in host.refused(bin_dir=str(host.home / "bin"))


def test_absent_unlinks_in_root_directory_behind_user_link(host: Host) -> None:
    """~/bin is a link: state absent unlinks a file in a directory of root."""
    (host.home / "bin").symlink_to(host.root)
    host.file_of_root(NAME)
    assert "belongs to the user with ID" in host.refused(bin_dir=str(host.home / "bin"), state="absent")


def test_bin_dir_of_root_under_user_directory(host: Host) -> None:
    """The user renames root's directory and puts another in its place."""
    folder = host.owned_by_user(host.folder / "opt") / "bin"
    folder.mkdir()
    assert f"{host.folder}/opt belongs to the user with ID {USER.pw_uid}." in host.refused(bin_dir=str(folder))


@pytest.mark.parametrize("mode", [0o775, 0o757, 0o777, 0o1777])
@pytest.mark.parametrize("name", ["bin", "bin/missing/bin"])
def test_bin_dir_is_writable_by_others(host: Host, mode: int, name: str) -> None:
    """A group or all users can write to the directory of the wrappers. The sticky bit does not protect a new name."""
    host.bin.chmod(mode)
    message = host.refused(bin_dir=str(host.folder / name))
    assert f"{host.bin} is writable by other users (mode {mode:04o})." in message


@pytest.mark.parametrize("mode", [0o775, 0o777])
def test_parent_of_bin_dir_is_writable_by_others(host: Host, mode: int) -> None:
    """A group or all users can replace the directory of the wrappers."""
    (host.bin / "a/b").mkdir(parents=True)
    host.bin.chmod(mode)
    message = host.refused(bin_dir=str(host.bin / "a/b"))
    assert f"{host.bin} is writable by other users (mode {mode:04o})." in message


def test_entry_of_user_in_sticky_parent(host: Host) -> None:
    """In a directory such as /tmp, the user keeps the right to replace an own entry."""
    host.bin.chmod(0o1777)
    folder = host.owned_by_user(host.bin / "mine")
    assert f"{folder} belongs to the user with ID {USER.pw_uid}." in host.refused(bin_dir=str(folder))
    folder.rmdir()
    folder.symlink_to(host.root)
    os.lchown(folder, USER.pw_uid, USER.pw_gid)
    assert f"{folder} belongs to the user with ID {USER.pw_uid}." in host.refused(bin_dir=str(folder))


@pytest.mark.parametrize("suffix", ["", "/missing", "/../bin"])
def test_link_of_root_leads_through_user_link(host: Host, suffix: str) -> None:
    """The first link and the last directory belong to root. The user redirects the link between them."""
    (host.home / "hop").symlink_to(host.bin)
    (host.folder / "link").symlink_to(f"nobody/hop{suffix}")
    message = host.refused(bin_dir=str(host.folder / "link"))
    assert f"{host.home} belongs to the user with ID {USER.pw_uid}." in message


def test_parent_components_after_missing_directory(host: Host) -> None:
    """A path that leaves a missing directory with .. is not checked as it is used."""
    (host.folder / "link").symlink_to("bin/missing/../../nobody/bin")
    assert f"{host.bin}/missing does not exist." in host.refused(bin_dir=str(host.folder / "link"))


def test_bin_dir_is_not_a_directory(host: Host) -> None:
    """A FIFO, a file, or a loop of links in the place of the directory."""
    os.mkfifo(host.folder / "fifo")
    assert f"{host.folder}/fifo is not a directory." in host.refused(bin_dir=str(host.folder / "fifo"))
    (host.folder / "loop").symlink_to("loop")
    assert "leads to too many links" in host.refused(bin_dir=str(host.folder / "loop"))
    assert "cannot be read (File name too long)" in host.refused(bin_dir="/" + "x" * 300)


def test_link_of_root_to_safe_bin_dir_is_resolved(host: Host) -> None:
    """Not an attack: /bin is a link to usr/bin on most hosts."""
    (host.folder / "link").symlink_to("bin/new")
    assert host.module(bin_dir=str(host.folder / "link"))["changed"] is True
    assert [(path.name, path.stat().st_mode & 0o7777) for path in (host.bin / "new").iterdir()] == [(NAME, 0o755)]
    assert (host.bin / "new").stat().st_mode & 0o7777 == 0o755


def test_bin_dir_of_user_who_runs_module(host: Host, monkeypatch: pytest.MonkeyPatch) -> None:
    """Not an attack: without become, a user has the wrappers in the home."""
    folder = host.owned_by_user(host.home / "bin")
    monkeypatch.setattr(os, "geteuid", lambda: USER.pw_uid)
    assert _host_files.safe_folder(str(folder)) == str(folder)
    folder.chmod(0o775)
    with pytest.raises(EcrError, match="is writable by other users"):
        _host_files.safe_folder(str(folder))


# --- wrappers --------------------------------------------------------------------------------------------------------


@STATES
@pytest.mark.parametrize("target", ["shadow", "missing", "directory", "/dev/zero"])
def test_link_in_place_of_wrapper(host: Host, target: str, state: str) -> None:
    """A link in the place of the wrapper is followed: it is read, and its target's mode is taken."""
    host.file_of_root()
    (host.root / "directory").mkdir()
    (host.bin / NAME).symlink_to(host.root / target)
    message = host.refused(state=state)
    assert f"{host.bin / NAME} is not a regular file, so it is not a wrapper of this collection. Remove it." in message


@STATES
@pytest.mark.parametrize("hard_link", [True, False])
def test_foreign_file_in_place_of_wrapper(host: Host, state: str, hard_link: bool) -> None:
    """A hard link to a file of root, or another file: the diff shows it, and it is replaced or removed."""
    shadow = host.file_of_root()
    if hard_link:
        os.link(shadow, host.bin / NAME)
    else:
        shutil.copy(shadow, host.bin / NAME)
    assert f"{host.bin / NAME} was not written by this collection." in host.refused(state=state)


def test_wrapper_with_secret_below_our_header_is_not_shown(host: Host) -> None:
    """Others added lines to a wrapper: the diff shows them."""
    assert host.module()["changed"] is True
    wrapper = host.bin / NAME
    text = wrapper.read_text()
    wrapper.write_text(f"{text}export TOKEN='{SECRET}'\n")
    assert host.module()["changed"] is True
    assert wrapper.read_text() == text
    assert SECRET not in host.output


@pytest.mark.parametrize("mode", [0o777, 0o640, 0o4755, 0o775])
def test_mode_of_existing_wrapper_is_repaired(host: Host, mode: int) -> None:
    """A wrapper with mode 0777 stays so, and every user can change what other users run."""
    assert host.module()["changed"] is True
    (host.bin / NAME).chmod(mode)
    repaired = host.module()
    assert [entry["before_header"] for entry in repaired["diff"]] == [str(host.bin / NAME)]
    assert repaired["diff"][0]["before"].startswith(f"# mode {mode:04o}, owned by the user with ID 0\n")
    assert (host.bin / NAME).stat().st_mode & 0o7777 == 0o755
    assert host.module()["changed"] is False


def test_owner_of_existing_wrapper_is_repaired(host: Host) -> None:
    """A wrapper that belongs to the user stays so, and the user can change what other users run."""
    assert host.module()["changed"] is True
    os.chown(host.bin / NAME, USER.pw_uid, USER.pw_gid)
    assert host.module()["changed"] is True
    assert (host.bin / NAME).owner() == "root"


@STATES
def test_fifo_in_place_of_wrapper(host: Host, state: str) -> None:
    """A FIFO in the place of the wrapper: the module waits for a writer."""
    os.mkfifo(host.bin / NAME)
    assert f"{host.bin / NAME} is not a regular file" in host.refused(state=state)


# --- files in the home -----------------------------------------------------------------------------------------------

FILES = pytest.mark.parametrize("name", [".docker/config.json", ".aws/config"])


def place(host: Host, name: str) -> pathlib.Path:
    host.owned_by_user((host.home / name).parent)
    return host.home / name


@FILES
def test_fifo_in_home(host: Host, name: str) -> None:
    """A FIFO in the place of a configuration file: the module waits for a writer."""
    os.mkfifo(place(host, name))
    os.chown(host.home / name, USER.pw_uid, USER.pw_gid)
    assert f"{host.home / name} is not a regular file. Remove it or replace it" in host.refused()


@FILES
@pytest.mark.parametrize("target", ["/dev/zero", "/dev/full", "/dev/tty", "/dev/stdin", "/usr", "/proc/self/fd/1"])
def test_link_in_home_to_what_is_not_a_file(host: Host, name: str, target: str) -> None:
    """A link to a device: the module reads until the memory is full."""
    place(host, name).symlink_to(target)
    host.refused()


@FILES
def test_socket_in_home(host: Host, name: str) -> None:
    """A socket in the place of a configuration file."""
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(place(host, name)))
        os.chown(host.home / name, USER.pw_uid, USER.pw_gid)
        assert f"{host.home / name} is not a regular file." in host.refused()


@FILES
@pytest.mark.parametrize("size", [2**30, 2**40, 2**20 + 1])
def test_huge_file_in_home(host: Host, name: str, size: int) -> None:
    """A sparse file costs the user nothing, and the host its memory."""
    place(host, name).touch()
    os.truncate(host.home / name, size)
    os.chown(host.home / name, USER.pw_uid, USER.pw_gid)
    assert f"{host.home / name} is larger than the limit of 1048576 bytes." in host.refused()


@pytest.mark.parametrize("folder", [".docker", ".aws"])
def test_fifo_in_place_of_directory_in_home(host: Host, folder: str) -> None:
    """A FIFO in the place of a directory."""
    os.mkfifo(host.home / folder)
    assert f"cannot be written: {host.home / folder} is not a writable directory." in host.refused()


def test_fifo_that_podman_reads_first(host: Host) -> None:
    """The module also reads the files that podman reads before ours: a FIFO there makes it wait."""
    host.owned_by_user(host.home / ".config")
    os.mkfifo(place(host, ".config/containers/auth.json"))
    os.chown(host.home / ".config/containers/auth.json", USER.pw_uid, USER.pw_gid)
    assert host.module()["changed"] is True


@pytest.mark.parametrize("target", ["shadow", "new"])
@FILES
def test_link_in_home_to_file_of_root(host: Host, name: str, target: str) -> None:
    """A link from the home into a directory of root is neither read nor written. (This attack failed before.)"""
    host.file_of_root()
    place(host, name).symlink_to(host.root / target)
    host.refused()


def test_home_changes_after_the_check(host: Host) -> None:
    """After the check, the user replaces a directory of the home with a link. (This attack failed before.)"""
    (host.home / ".docker").symlink_to(host.root)
    before = host.tree()
    with pytest.raises(PermissionError), _host_files.acting_as(USER):
        _host_files.write(Change(str(host.home / ".docker/config.json"), b"{}", False, "", ""))
    assert (os.geteuid(), host.tree()) == (0, before)


def test_write_replaces_link(host: Host) -> None:
    """A write to the path of a link replaces the link, and its target keeps its content and mode."""
    shadow = host.file_of_root(mode=0o666)
    (host.bin / NAME).symlink_to(shadow)
    _host_files.write(Change(str(host.bin / NAME), b"#!/bin/sh", True, "", ""))
    assert (shadow.read_text(), shadow.stat().st_mode & 0o7777) == (SECRET, 0o666)
    status = (host.bin / NAME).lstat()
    assert (stat.S_ISREG(status.st_mode), stat.S_IMODE(status.st_mode)) == (True, 0o755)


@FILES
def test_link_in_home_to_file_of_root_s_group(host: Host, name: str) -> None:
    """A supplementary group of root gives the user nothing. (This attack failed before.)"""
    shadow = host.folder / "shadow"
    shadow.write_text(SECRET)
    os.chown(shadow, 0, GROUP)
    shadow.chmod(0o640)
    place(host, name).symlink_to(shadow)
    assert f"{host.home / name} cannot be read: Permission denied." in host.refused()


def test_link_in_home_to_name_that_is_not_text(host: Host) -> None:
    """The path behind the link goes into the wrapper: a name that is not UTF-8 causes a traceback."""
    (host.home / ".aws").symlink_to(os.fsdecode(b"\xff"))
    assert f"aws_config '{host.home}/\\udcff/config' must be an absolute path" in host.refused()


def test_line_break_in_home_reaches_no_wrapper(host: Host) -> None:
    """A path with a line break is refused before it becomes a part of a program."""
    (host.home / ".aws").symlink_to("a\n#!/bin/sh")
    assert "must be an absolute path of printable characters" in host.refused()


def test_diff_shows_no_foreign_lines_of_our_profile(host: Host) -> None:
    """Lines that continue a value of our profile are shown by the diff."""
    config = place(host, ".aws/config")
    config.write_text(f"[profile ecr-pull-{REGISTRY}]\nrole_arn = x\n  aws_secret_access_key = {SECRET}\n")
    os.chown(config, USER.pw_uid, USER.pw_gid)
    assert host.module()["changed"] is True
    assert SECRET not in host.output


# --- path options ----------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("option", ["home", "bin_dir", "auth_file", "aws_config", "aws_credentials"])
def test_environment_variable_in_path_is_not_expanded(host: Host, option: str) -> None:
    """The environment of the module's process decides where root writes."""
    message = host.refused(**{option: "$PLACE/x"})
    assert f"{option} '$PLACE/x' must be an absolute path" in message
    assert str(host.folder / "x") not in message


def test_record_of_a_former_entry_shows_no_secret(host: Host) -> None:
    """Every user can read a wrapper, so it keeps only an entry that has the form of a helper's name."""
    config = place(host, ".docker/config.json")
    config.write_text(json.dumps({"credHelpers": {REGISTRY: SECRET}}))
    os.chown(config, USER.pw_uid, USER.pw_gid)
    message = host.refused()
    assert f"{config} has an entry of credHelpers for {REGISTRY} that is not the name of a helper." in message


@pytest.mark.parametrize("umask", [0o000, 0o022])
def test_new_file_in_home_is_never_open_to_others(host: Host, umask: int) -> None:
    """While the file is written, another user opens it and reads the tokens."""
    config = place(host, ".docker/config.json")
    config.write_text(json.dumps({"auths": {"a": {"auth": "x"}}}))
    config.chmod(0o600)
    os.chown(config, USER.pw_uid, USER.pw_gid)
    modes = []
    fdopen, former = os.fdopen, os.umask(umask)

    def noted(handle: int, *arguments: Any) -> Any:
        modes.append(os.fstat(handle).st_mode & 0o777)
        return fdopen(handle, *arguments)

    try:
        with pytest.MonkeyPatch.context() as patch, _host_files.acting_as(USER):
            patch.setattr(os, "fdopen", noted)
            _host_files.write(Change(str(config), b"{}", False, "", ""))
    finally:
        os.umask(former)
    assert (modes, config.stat().st_mode & 0o777) == ([0o600], 0o600)


def test_tilde_is_home_of_user(host: Host) -> None:
    """`~` means the home of the user whose files these are, not the home of root."""
    done = host.module(auth_file="~/auth.json", aws_config="~/aws")
    assert done["files"] == [str(host.home / "aws"), str(host.bin / NAME), str(host.home / "auth.json")]
