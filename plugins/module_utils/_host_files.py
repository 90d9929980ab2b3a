# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Access to the files of a pull host. Standard library only.

The files in a home are read and written as their user, so that a link in the home gives that user nothing new. The
wrappers are read and written by the process itself, in a folder that no other user can change.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import tempfile
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import read_regular
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_host import WRAPPER_MODE, Change

#: The largest accepted size of a configuration file and of a wrapper, in bytes.
LIMIT = 1024 * 1024
#: The limit of Linux for the links in one path.
_MOST_LINKS = 40
_OTHERS_WRITE = stat.S_IWGRP | stat.S_IWOTH


@dataclass(frozen=True)
class Wrapper:
    """An existing wrapper.

    :param fault: an owner or a mode that lets another user change it or keeps users from running it; "" if none
    """

    content: bytes
    fault: str


def account_of(user: str | None) -> pwd.struct_passwd:
    try:
        account = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EcrError(f"User {user or os.geteuid()} is not known on this host. Create the user first.") from None
    if os.geteuid() not in (0, account.pw_uid):
        raise EcrError(f"The files of user {user} cannot be written by another user. Set become: true.")
    return account


@contextlib.contextmanager
def acting_as(account: pwd.struct_passwd) -> t.Iterator[None]:
    """Within, the process has the rights of this user and of the user's groups, and no others."""
    if os.geteuid() == account.pw_uid:
        yield
        return
    groups, group = os.getgroups(), os.getegid()
    try:
        os.initgroups(account.pw_name, account.pw_gid)
        os.setegid(account.pw_gid)
        os.seteuid(account.pw_uid)
        yield
    finally:
        os.seteuid(0)
        os.setegid(group)
        os.setgroups(groups)


# --- the folder of the wrappers --------------------------------------------------------------------------------------


def folder_problem(path: str, status: os.stat_result, runner: int, last: bool) -> str | None:
    """The reason why a user other than root and the runner can replace what this component of a path leads to.

    A sticky folder protects an existing entry of a safe owner, so it is accepted as a parent. It does not protect names
    that do not exist yet. The bits of the group are the mask of an ACL, so they cover the users of an ACL, too.

    :param last: whether wrappers, or folders for them, are created directly in it
    """
    if status.st_uid not in (0, runner):
        return f"{path} belongs to the user with ID {status.st_uid}"
    if stat.S_ISLNK(status.st_mode):
        return None
    if not stat.S_ISDIR(status.st_mode):
        return f"{path} is not a directory"
    if status.st_mode & _OTHERS_WRITE and (last or not status.st_mode & stat.S_ISVTX):
        return f"{path} is writable by other users (mode {stat.S_IMODE(status.st_mode):04o})"
    return None


def safe_folder(path: str) -> str:
    """The real path of a folder for wrappers. It may be missing, with some of its parents."""
    runner = os.geteuid()
    real, rest, links = "/", path.split("/")[::-1], 0
    try:
        problem = folder_problem(real, os.lstat(real), runner, False)
        while rest and not problem:
            name = rest.pop()
            step = os.path.normpath(os.path.join(real, name))
            try:
                status = os.lstat(step)
            except FileNotFoundError:
                problem = f"{step} does not exist" if ".." in rest else None
                rest.append(name)
                break
            problem = folder_problem(step, status, runner, False)
            if stat.S_ISLNK(status.st_mode):
                links += 1
                target = os.readlink(step)
                real = "/" if target.startswith("/") else real
                rest += target.split("/")[::-1]
                problem = problem or (f"{step} leads to too many links" if links > _MOST_LINKS else None)
            else:
                real = step
        problem = problem or folder_problem(real, os.lstat(real), runner, True)
    except OSError as error:
        problem = f"{error.filename} cannot be read ({error.strerror})"
    if problem:
        raise EcrError(
            f"bin_dir {path} cannot be used: {problem}. Only root and the user who runs the module may be able to write"
            " to this directory and its parents. Fix the owner and the mode, or use another directory."
        )
    return os.path.normpath(os.path.join(real, *rest[::-1]))


def read_wrapper(path: str) -> Wrapper | None:
    """The wrapper in a safe folder. A link is refused, never followed."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EcrError(f"{path} cannot be read: {error.strerror}. Fix the cause and run again.") from None
    if not stat.S_ISREG(status.st_mode):
        raise EcrError(f"{path} is not a regular file, so it is not a wrapper of this collection. Remove it.")
    mode, owner = stat.S_IMODE(status.st_mode), status.st_uid
    safe = mode == WRAPPER_MODE and owner in (0, os.geteuid())
    fault = "" if safe else f"mode {mode:04o}, owned by the user with ID {owner}"
    return Wrapper(read_regular(path, LIMIT, follow=False) or b"", fault)


# --- writing ---------------------------------------------------------------------------------------------------------


def unwritable(path: str) -> str | None:
    """The folder on the way to a file that this process cannot write to, or None."""
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    allowed = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
    return None if allowed else folder


def write(change: Change) -> None:
    """In one step, so that docker and podman read the old file or the new one. A link is replaced, never followed."""
    if change.content is None:
        os.unlink(change.path)
        return
    folder, mode = os.path.dirname(change.path), change.mode
    former = os.umask(0o022 if mode == WRAPPER_MODE else 0o077)
    try:
        os.makedirs(folder, exist_ok=True)
    finally:
        os.umask(former)
    if mode != WRAPPER_MODE and os.path.exists(change.path):
        mode = os.stat(change.path).st_mode & 0o777
    handle, temporary = tempfile.mkstemp(dir=folder, prefix=".incoming-")
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(change.content)
            os.fchmod(handle, mode)
        os.replace(temporary, change.path)
    except BaseException:
        os.unlink(temporary)
        raise
