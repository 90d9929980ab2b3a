# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads and writes the files of a host with the credential helper. Standard library only.

The files in a home directory are accessed with the rights of its user, so that links in that directory give the user no
further access. The wrappers are accessed with the rights of the process, in a folder that no other user can change.
"""

from __future__ import annotations

import contextlib
import os
import pwd
import stat
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import HostPaths, search_path
from ansible_collections.crossaccount.ecr.plugins.module_utils._docker_config_file import files_before
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, collecting_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._files import expand_home, read_regular, replacing
from ansible_collections.crossaccount.ecr.plugins.module_utils._helper_plan import Change, CurrentFiles
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import Declaration, path_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._safe_folders import Fault, UnsafeError, real_folder

#: The largest accepted size of a configuration file and of a wrapper, in bytes.
LIMIT = 1024 * 1024
#: All users may run a wrapper, and only its owner may change it.
_WRAPPER_MODE = 0o755


@dataclass(frozen=True)
class Wrapper:
    """An existing wrapper.

    :param fault: the owner and the mode if another user can change the wrapper or users cannot run it; otherwise ""
    """

    content: bytes
    fault: str


def local_account(user: str | None) -> pwd.struct_passwd:
    try:
        account = pwd.getpwnam(user) if user else pwd.getpwuid(os.geteuid())
    except KeyError:
        raise EcrError(f"User {user or os.geteuid()} does not exist on this host. Create the user first.") from None
    if os.geteuid() not in (0, account.pw_uid):
        raise EcrError(f"The files of user {user} cannot be written by another user. Set become: true.")
    return account


@contextlib.contextmanager
def acting_as(account: pwd.struct_passwd) -> t.Iterator[None]:
    """Context manager during which the process has only the rights of this user and of the user's groups."""
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


# --- the folder of the wrappers


def safe_folder(path: str) -> str:
    """The real path of a folder for wrappers. The folder and its parents need not exist."""
    try:
        return real_folder(path, sticky=False, private_groups=False)
    except UnsafeError as unsafe:
        problem = _problem(unsafe)
    except OSError as error:
        problem = f"{error.filename} cannot be read ({error.strerror})"
    raise EcrError(
        f"{option('bin_dir')} {path} cannot be used: {problem}. Only root and the user who runs the module may be able"
        " to write to this directory and its parents. Fix the owner and the mode, or use another directory."
    )


def _problem(unsafe: UnsafeError) -> str:
    path = unsafe.path
    facts = {
        Fault.NOT_A_FOLDER: f"{path} is not a directory",
        Fault.MISSING: f"{path} does not exist",
        Fault.LINKS: f"{path} leads to too many links",
    }
    if unsafe.fault in (Fault.OWNER, Fault.LINK_OWNER):
        return f"{path} belongs to the user with ID {unsafe.owner}"
    return facts.get(unsafe.fault) or f"{path} is writable by other users (mode {unsafe.mode})"


def read_wrapper(path: str) -> Wrapper | None:
    """The wrapper in a safe folder. A link is rejected."""
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    except OSError as error:
        raise EcrError(f"{path} cannot be read: {error.strerror}. Fix the cause and run again.") from None
    if not stat.S_ISREG(status.st_mode):
        raise EcrError(f"{path} is not a regular file, so it is not a wrapper of this collection. Remove it.")
    mode, owner = stat.S_IMODE(status.st_mode), status.st_uid
    safe = mode == _WRAPPER_MODE and owner in (0, os.geteuid())
    fault = "" if safe else f"mode {mode:04o}, owned by the user with ID {owner}"
    return Wrapper(read_regular(path, LIMIT, follow=False) or b"", fault)


# --- reading


def paths_of(declared: Declaration, account: pwd.struct_passwd, helper: str | None) -> HostPaths:
    """The declared paths of the files, with `~` expanded to the home of the user.

    :param helper: the path of the helper, if it is installed
    """
    home = expand_home(declared.home, account.pw_dir)
    return HostPaths(
        account.pw_name,
        home,
        expand_home(declared.auth_file, home),
        expand_home(declared.aws_config, home),
        expand_home(declared.aws_credentials, home),
        expand_home(declared.bin_dir, home),
        search_path(helper),
    )


def read_host(
    declared: Declaration, account: pwd.struct_passwd, given: HostPaths, problems: Problems
) -> tuple[HostPaths, CurrentFiles]:
    """The paths without links, and the current files.

    :raises EcrError: with all problems, if a path cannot be used
    """
    _check_paths(given, problems)
    contents: dict[str, bytes | None] = {}
    earlier: dict[str, bytes | None] = {}
    faults = {}
    with acting_as(account):
        auth_file, aws_config = (os.path.realpath(path) for path in (given.auth_file, given.aws_config))
        paths = replace(given, auth_file=auth_file, aws_config=aws_config)
        _check_paths(paths, problems)
        for path in files_before(auth_file, paths.home, account.pw_uid, os.path.realpath):
            with contextlib.suppress(EcrError):  # podman cannot use such a file
                earlier[path] = read_regular(path, LIMIT)
        # The files are read by the original paths, because the target of /proc/self/fd may have no real path.
        for link, path in ((given.aws_config, aws_config), (given.auth_file, auth_file)):
            with collecting_problems(problems):
                contents[path] = read_regular(link, LIMIT)
    with collecting_problems(problems):
        paths = replace(paths, bin_dir=safe_folder(paths.bin_dir))
        for path in map(paths.wrapper, declared.by_host):
            with collecting_problems(problems):
                existing = read_wrapper(path)
                contents[path] = existing.content if existing else None
                if existing and existing.fault:
                    faults[path] = existing.fault
    return paths, CurrentFiles(contents, faults, earlier)


def _check_paths(paths: HostPaths, problems: Problems) -> None:
    unusable = list(path_problems(paths))
    problems.extend(unusable)
    if unusable:
        problems.check()


# --- writing


def write_problems(changes: t.Iterable[Change], account: pwd.struct_passwd) -> t.Iterator[str]:
    """Problems with files that cannot be written."""
    for change in changes:
        with _as_owner(change, account):
            folder = unwritable(change.path)
        if folder:
            yield f"{change.path} cannot be written: {folder} is not a writable directory."


def apply(changes: t.Iterable[Change], account: pwd.struct_passwd) -> None:
    """Write the files in the home as its user, and the wrappers as the user of this process."""
    written: list[Change] = []
    with reporting_changes(written):
        for change in changes:
            with _as_owner(change, account):
                write(change)
            written.append(change)


def _as_owner(change: Change, account: pwd.struct_passwd) -> t.ContextManager[None]:
    return contextlib.nullcontext() if change.program else acting_as(account)


def unwritable(path: str) -> str | None:
    """The parent folder of a file if this process cannot write to it, or None."""
    folder = os.path.dirname(path)
    while not os.path.lexists(folder):
        folder = os.path.dirname(folder)
    allowed = os.path.isdir(folder) and os.access(folder, os.W_OK | os.X_OK, effective_ids=True)
    return None if allowed else folder


def write(change: Change) -> None:
    """Write a file atomically, so that docker and podman read the old or the new content. A link is replaced."""
    if change.content is None:
        os.unlink(change.path)
        return
    former = os.umask(0o022 if change.program else 0o077)
    try:
        os.makedirs(os.path.dirname(change.path), exist_ok=True)
    finally:
        os.umask(former)
    mode = _WRAPPER_MODE if change.program else 0o600
    if not change.program and os.path.exists(change.path):
        mode = os.stat(change.path).st_mode & 0o777
    with replacing(change.path, mode) as file:
        file.write(change.content)
