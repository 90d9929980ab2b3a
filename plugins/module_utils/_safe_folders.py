# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Finds folders and files that users other than root and the current user can change. Standard library only.

Like sshd with StrictModes, the rule checks every folder of a path, from `/` downward. No other user can replace the
entries of a folder that has passed the check.
"""

from __future__ import annotations

import enum
import functools
import grp
import os
import pwd
import stat

_MOST_LINKS = 40  # the limit of Linux, see path_resolution(7)
_ACL = "system.posix_acl_access"


class Fault(enum.Enum):
    """The reason why a path is not safe."""

    OWNER = enum.auto()
    LINK_OWNER = enum.auto()
    EVERYONE = enum.auto()
    GROUP = enum.auto()
    ACL = enum.auto()
    NOT_A_FOLDER = enum.auto()
    MISSING = enum.auto()
    LINKS = enum.auto()


class UnsafeError(Exception):
    """A component of a path is not safe. The caller writes the message, because the next step depends on the caller."""

    def __init__(self, fault: Fault, path: str, status: os.stat_result) -> None:
        super().__init__(path)
        self.fault, self.path = fault, path
        self.owner, self.group, self.mode = status.st_uid, status.st_gid, f"{stat.S_IMODE(status.st_mode):04o}"


@functools.cache
def is_private_group(gid: int, uid: int) -> bool:
    """Whether a group is the private group of a user: it has the user's name, and no members except that user and root.

    Distributions with private groups set the umask 002, so the folders of a user have mode 0775.
    """
    try:
        group, owner = grp.getgrgid(gid), pwd.getpwuid(uid)
        members = {pwd.getpwnam(name).pw_uid for name in group.gr_mem}
    except KeyError:
        return False
    members.update(account.pw_uid for account in pwd.getpwall() if account.pw_gid == gid)
    return owner.pw_gid == gid and owner.pw_name == group.gr_name and members <= {0, os.geteuid()}


def _has_acl(path: str) -> bool:
    """Whether a path has an ACL, so that its group bits may grant access to other users."""
    try:
        return hasattr(os, "listxattr") and _ACL in os.listxattr(path)
    except OSError:
        return False


def fault_of(path: str, status: os.stat_result, sticky: bool = False, private_groups: bool = False) -> Fault | None:
    """The reason why another user can change a file, a folder or a link, or None.

    :param sticky: whether the sticky bit is sufficient. It protects an existing entry of a safe owner, but not a name
        that does not exist yet
    :param private_groups: whether the private group of the owner may have write access
    """
    link = stat.S_ISLNK(status.st_mode)
    if status.st_uid not in (0, os.geteuid()):
        return Fault.LINK_OWNER if link else Fault.OWNER
    if link or (sticky and status.st_mode & stat.S_ISVTX):
        return None
    if status.st_mode & stat.S_IWOTH:
        return Fault.EVERYONE
    if not status.st_mode & stat.S_IWGRP:
        return None
    # The group bits are the mask of an ACL, so they include the users in the ACL.
    if not (private_groups and is_private_group(status.st_gid, status.st_uid)):
        return Fault.GROUP
    return Fault.ACL if _has_acl(path) else None


def real_folder(path: str, sticky: bool, private_groups: bool) -> str:
    """The real path of a safe folder. The folder and its parents need not exist.

    Links of root and of the current user are followed, and the folders in their targets are checked as well.

    :param path: an absolute path
    :param sticky: whether the sticky bit is sufficient for the folder itself, as it is for its parents
    :param private_groups: as in `fault_of`
    :raises UnsafeError: if another user can replace the folder
    """
    real, names, links = os.sep, path.split(os.sep)[::-1], 0
    while names:
        name = names.pop()
        step = os.path.normpath(os.path.join(real, name))
        try:
            status = os.lstat(step)
        except FileNotFoundError:
            if ".." in names:
                raise UnsafeError(Fault.MISSING, step, os.lstat(real)) from None
            names.append(name)
            break
        _check(step, status, True, private_groups)
        if stat.S_ISLNK(status.st_mode):
            links += 1
            if links > _MOST_LINKS:
                raise UnsafeError(Fault.LINKS, step, status)
            target = os.readlink(step)
            real = os.sep if os.path.isabs(target) else real
            names += target.split(os.sep)[::-1]
        else:
            real = step
    _check(real, os.lstat(real), sticky, private_groups)
    return os.path.normpath(os.path.join(real, *names[::-1]))


def _check(path: str, status: os.stat_result, sticky: bool, private_groups: bool) -> None:
    fault = fault_of(path, status, sticky, private_groups)
    if not fault and not stat.S_ISDIR(status.st_mode) and not stat.S_ISLNK(status.st_mode):
        fault = Fault.NOT_A_FOLDER
    if fault:
        raise UnsafeError(fault, path, status)
