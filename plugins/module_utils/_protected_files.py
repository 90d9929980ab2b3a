# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Files that only root and the current user can change. Standard library only.

A verified file stays verified only if nobody else can replace it. As sshd does with StrictModes, every folder from `/`
down to the file is checked, from the top: once a folder is known to be safe, its entries cannot be exchanged.
"""

from __future__ import annotations

import functools
import grp
import hashlib
import os
import pwd
import secrets
import shlex
import stat
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError

#: The first part of the name of a file that is not complete yet.
INCOMING = ".incoming-"
_CHUNK = 1024 * 1024
_LINKS = 40  # as Linux: path_resolution(7)
_ACL = "system.posix_acl_access"


@functools.cache
def is_private(gid: int, uid: int) -> bool:
    """Whether a group is the private group of a user: the same name, and only root and the current user as members.

    With the umask 002 that goes with such groups, a user's own folders have mode 0775.
    """
    try:
        group, owner = grp.getgrgid(gid), pwd.getpwuid(uid)
        members = {pwd.getpwnam(name).pw_uid for name in group.gr_mem}
    except KeyError:
        return False
    members.update(account.pw_uid for account in pwd.getpwall() if account.pw_gid == gid)
    return owner.pw_gid == gid and owner.pw_name == group.gr_name and members <= {0, os.geteuid()}


def problem(path: str, status: os.stat_result, parent: bool = False) -> str | None:
    """Why another user could change a file or folder, with the next step; or None.

    :param parent: only one entry of this folder matters, which the sticky bit protects
    """
    if status.st_uid not in (0, os.geteuid()):
        return (
            f"{path} belongs to user {status.st_uid}, who can change it. Choose a dest that only root and user"
            f" {os.geteuid()} can change."
        )
    if parent and status.st_mode & stat.S_ISVTX:
        return None
    mode = f"{stat.S_IMODE(status.st_mode):04o}"
    if status.st_mode & stat.S_IWOTH:
        who = "every user"
    elif status.st_mode & stat.S_IWGRP and not is_private(status.st_gid, status.st_uid):
        who = f"group {status.st_gid}"
    else:
        return None
    return f"{path} can be changed by {who} (mode {mode}). Run chmod go-w {shlex.quote(path)}, or choose another dest."


def _checked(path: str, folder: bool, parent: bool = False) -> os.stat_result | None:
    """The status of a file or folder that nobody else can change; None if it does not exist.

    :raises EcrError: if it is a link, not of the expected type, or another user can change it
    """
    try:
        status = os.lstat(path)
    except FileNotFoundError:
        return None
    if stat.S_ISLNK(status.st_mode):
        raise EcrError(f"{path} is a symbolic link. Remove it, or choose a dest without links.")
    if not (stat.S_ISDIR if folder else stat.S_ISREG)(status.st_mode):
        raise EcrError(f"{path} is not a {'folder' if folder else 'regular file'}. Remove it, or choose another dest.")
    found = problem(path, status, parent)
    if found:
        raise EcrError(found)
    protected = parent and status.st_mode & stat.S_ISVTX
    if status.st_mode & stat.S_IWGRP and not protected and _has_acl(path):
        raise EcrError(
            f"{path} has an access control list that may let other users change it. Run setfacl -b"
            f" {shlex.quote(path)}, or choose another dest."
        )
    return status


def _has_acl(path: str) -> bool:
    """Whether the group's bits may stand for other users. A file system without ACLs has none."""
    try:
        return hasattr(os, "listxattr") and _ACL in os.listxattr(path)
    except OSError:
        return False


def safe_path(path: str) -> str:
    """The absolute path to use for `path`, without links; every folder above it is checked, `path` itself is not.

    A link in a folder above is followed if it belongs to root or the current user, such as /var/run.

    :raises EcrError: if another user could put something else in its place
    """
    *names, last = os.path.abspath(path).split(os.sep)[1:]
    current, links = os.sep, 0
    _checked(current, folder=True, parent=True)
    while names:
        name = names.pop(0)
        if name in ("", "."):
            continue
        if name == "..":
            current = os.path.dirname(current)
            continue
        step = os.path.join(current, name)
        if os.path.islink(step):
            links += 1
            owner = os.lstat(step).st_uid
            if owner not in (0, os.geteuid()) or links > _LINKS:
                raise EcrError(f"{step} is a symbolic link of user {owner}. Choose a dest without links.")
            target = os.readlink(step)
            current = os.sep if os.path.isabs(target) else current
            names = [*target.split(os.sep), *names]
        elif _checked(step, folder=True, parent=True):
            current = step
        else:
            current = os.path.normpath(os.path.join(step, *names))
            break
    return os.path.join(current, last) if last else current


def check_entries(folder: str, folders: t.Sequence[str], files: t.Sequence[str]) -> None:
    """Check a folder and what is in it, as far as it exists. The folders above it are known to be safe.

    :raises EcrError: if one is a link, not of the expected type, or another user can change it
    """
    for name in ("", *folders):
        _checked(os.path.join(folder, name) if name else folder, folder=True)
    for name in files:
        check_file(os.path.join(folder, name))


def check_file(path: str) -> None:
    """Check a file if it exists. The folders above it are known to be safe.

    :raises EcrError: if it is a link or a device, or another user can change it
    """
    _checked(path, folder=False)


def open_file(path: str) -> t.BinaryIO:
    """Open a regular file for reading, if nobody else can change it. The folders above it are known to be safe.

    :raises EcrError: if it is a link or a device, or another user can change it
    :raises FileNotFoundError: if it does not exist
    """
    check_file(path)
    return os.fdopen(os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC), "rb")


def read_file(path: str, limit: int) -> bytes | None:
    """The content of such a file, None if it does not exist.

    :raises EcrError: also if it has more than `limit` bytes
    """
    try:
        with open_file(path) as file:
            content = file.read(limit + 1)
    except FileNotFoundError:
        return None
    if len(content) > limit:
        raise EcrError(f"{path} has more than {limit} bytes. Choose another dest.")
    return content


def digest_of_stream(stream: t.IO[bytes]) -> str:
    """The digest of everything that is left in a stream, which needs little memory."""
    hasher, chunk = hashlib.sha256(), memoryview(bytearray(_CHUNK))
    while length := stream.readinto(chunk):  # type: ignore[attr-defined]
        hasher.update(chunk[:length])
    return "sha256:" + hasher.hexdigest()


def has_content(path: str, digest: str, size: int) -> bool:
    """Whether a file exists and has this content, by its digest."""
    try:
        with open_file(path) as file:
            return os.fstat(file.fileno()).st_size == size and digest_of_stream(file) == digest
    except FileNotFoundError:
        return False


def new_file(folder: str | os.PathLike[str]) -> tuple[int, str]:
    """Create a file with a name of its own; its handle and path. Its mode follows the umask.

    A umask that lets other users write is not followed so far: they could change what was verified.
    """
    path = os.path.join(folder, INCOMING + secrets.token_hex(8))
    handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC, 0o666)
    _close_to_others(path)
    return handle, path


def make_folders(path: str) -> None:
    """Create a folder and the folders above it, as far as they do not exist. Their modes follow the umask likewise."""
    if _checked(path, folder=True, parent=True) is None:
        make_folders(os.path.dirname(path))
        try:
            os.mkdir(path)
        except FileExistsError:
            return  # another pull was faster
        _close_to_others(path)


def _close_to_others(path: str) -> None:
    status = os.lstat(path)
    if problem(path, status):
        os.chmod(path, stat.S_IMODE(status.st_mode) & ~0o022)
