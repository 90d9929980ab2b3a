# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The wrapper of amazon-ecr-credential-helper for one registry and one user. Standard library only.

The helper reads its profile from an environment variable, so all registries would use one profile. The wrapper sets the
profile for each registry (awslabs/amazon-ecr-credential-helper#249). cron, systemd and sudo start docker with another
HOME and PATH, so the wrapper also sets the path of every file and the search path.
"""

from __future__ import annotations

import json
import os
import re
import shlex
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._docker_config_file import HELPER_NAME
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import NAME_PREFIX, MergedFile
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

HELPER = "docker-credential-ecr-login"
#: The variables that take precedence over the profile in the AWS SDK for Go, so that the role would not be assumed.
CREDENTIAL_VARIABLES = (
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
#: The standard directories of programs on Linux. The PATH of cron has only two of them.
_FOLDERS = ("/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin")
#: One shell word, as shlex.quote() writes it.
_QUOTED = r"(?:[\w@%+=:,./-]|'[^'\n]*'|\"'\")+"
_UNKNOWN = "\0"


@dataclass(frozen=True)
class HostPaths:
    """The paths of one user's files.

    :param search_path: the directories of programs that the wrapper adds after those of the environment
    """

    user: str
    home: str
    auth_file: str
    aws_config: str
    aws_credentials: str
    bin_dir: str
    search_path: str = ":".join(_FOLDERS)

    def helper(self, registry: str) -> str:
        """The value in `credHelpers`. It includes the user, because all users share the directory of the wrappers."""
        return f"{NAME_PREFIX}{self.user}-{registry}"

    def wrapper(self, registry: str) -> str:
        return f"{self.bin_dir}/docker-credential-{self.helper(registry)}"


def search_path(helper: str | None) -> str:
    """The search path of a wrapper.

    :param helper: the path of the helper, if it is installed
    """
    folder = os.path.dirname(helper or "")
    usable = folder.startswith("/") and folder.isprintable() and ":" not in folder
    return ":".join([*_FOLDERS, *([folder] if usable and folder not in _FOLDERS else [])])


def wrapper(paths: HostPaths, host: str, former: str | None) -> str:
    """The program that docker and podman run for this registry, as this user.

    :param former: the user's own entry of `credHelpers`, which state=absent restores
    """
    return f"""{_head(paths.user, host)}{_record(paths, former)}\
# Credentials in the environment take precedence over the profile, so the role would not be assumed.
unset {" ".join(CREDENTIAL_VARIABLES)}
# cron, systemd and sudo set other values, or none.
HOME={shlex.quote(paths.home)}
PATH="${{PATH:+$PATH:}}"{shlex.quote(paths.search_path)}
AWS_CONFIG_FILE={shlex.quote(paths.aws_config)}
AWS_SHARED_CREDENTIALS_FILE={shlex.quote(paths.aws_credentials)}
AWS_PROFILE={NAME_PREFIX}{host}
# The cache finds a token by its session. Each session is new, so the cache would only grow.
AWS_ECR_DISABLE_CACHE=true
export HOME PATH AWS_CONFIG_FILE AWS_SHARED_CREDENTIALS_FILE AWS_PROFILE AWS_ECR_DISABLE_CACHE
exec {HELPER} "$@"
"""


def _head(user: str, host: str) -> str:
    """The lines that identify a wrapper of this user and this registry."""
    return f"#!/bin/sh\n# {host} for the user {user}. Written by crossaccount.ecr.ecr_credential_helper_config.\n"


def _record(paths: HostPaths, former: str | None) -> str:
    """The line that stores the former entry. It is stored here because docker and podman remove unknown keys."""
    return f"# Former entry of credHelpers in {shlex.quote(paths.auth_file)}: {json.dumps(former)}\n"


def former_entry(content: bytes | None, paths: HostPaths, host: str) -> str | None:
    """The user's former entry of `credHelpers` that a wrapper stores for this file, or None."""
    before = _head(paths.user, host) + _record(paths, None).removesuffix("null\n")
    form = rf'{re.escape(before)}"({HELPER_NAME.pattern})"\n'
    found = re.match(form, (content or b"").decode("utf-8", "replace"), re.ASCII)
    return found[1] if found else None


def merge_wrapper(content: bytes | None, wanted: str | None, fault: str, paths: HostPaths, host: str) -> MergedFile:
    """The merged wrapper. Its diff shows the former wrapper only if this collection could have written that text.

    :param fault: the owner and the mode of the file if they are not safe; otherwise empty
    :raises EcrError: with a message that begins after the path of the file
    """
    before = f"# {fault}\n" if fault else ""
    if content is not None:
        former = content.decode("utf-8", "replace")
        if not former.startswith(_head(paths.user, host)):
            raise EcrError(f"was not written by this collection. Remove it, or use another {option('bin_dir')}.")
        ours = _form(paths.user, host).fullmatch(former)
        before += former if ours else f"# A former or edited wrapper of {len(content)} bytes, which is not shown.\n"
    return MergedFile(wanted.encode() if wanted else None, before, wanted or "")


def _form(user: str, host: str) -> re.Pattern[str]:
    """A pattern that matches every text that `wrapper` can return for this user and this registry."""
    unknown = HostPaths(user, *[_UNKNOWN] * 6)
    head, _line, tail = wrapper(unknown, host, None).partition(_record(unknown, None))
    record = rf"# Former entry of credHelpers in {_QUOTED}: (?:null|\"{HELPER_NAME.pattern}\")\n"
    rest = _QUOTED.join(re.escape(part) for part in tail.split(shlex.quote(_UNKNOWN)))
    return re.compile(re.escape(head) + record + rest)
