# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the changes of the files on a host with the credential helper. Standard library only.

Each registry has one profile (the role to assume, and the source of the credentials), one wrapper, and one entry of
`credHelpers` that names the wrapper.
"""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_config_file import merge_profiles
from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import (
    HostPaths,
    former_entry,
    merge_wrapper,
    wrapper,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._docker_config_file import (
    helpers_of,
    login_warnings,
    merge_helpers,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._host_declaration import Declaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import NAME_PREFIX, MergedFile
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option


@dataclass(frozen=True)
class CurrentFiles:
    """The current files on the host.

    :param contents: the content of each file by its path, without the files that could not be read
    :param faults: the owner and the mode of each wrapper that must be rewritten because they are not safe
    :param earlier: the contents of the files that podman and skopeo read before the file with `credHelpers`
    """

    contents: t.Mapping[str, bytes | None]
    faults: t.Mapping[str, str]
    earlier: t.Mapping[str, bytes | None]


@dataclass(frozen=True)
class Change:
    """A change of a file.

    :param content: the new content; None to delete the file
    :param program: whether the file is a wrapper, which all users may run and only its owner may change
    """

    path: str
    content: bytes | None
    program: bool
    before: str
    after: str

    def diff(self) -> dict[str, str]:
        """The diff of this collection's entries. The other entries of these files may contain keys and tokens."""
        before, after = printable(self.before), printable(self.after)
        return {"before_header": self.path, "after_header": self.path, "before": before, "after": after}


@dataclass(frozen=True)
class Plan:
    """The changes in the order of the writes. A file is written before an entry that names it."""

    changes: tuple[Change, ...]
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def plan_host(declared: Declaration, paths: HostPaths, found: CurrentFiles) -> Plan:
    """The plan of all files that must change."""
    entries = helpers_of(found.contents.get(paths.auth_file), declared.by_host)
    formers: dict[str, str | None] = {}
    for host in declared.by_host:
        foreign = host in entries and entries[host] != paths.helper(host)
        kept = former_entry(found.contents.get(paths.wrapper(host)), paths, host)
        formers[host] = entries[host] if foreign else kept if host in entries else None
    changes, problems = [], []
    for path, program, merge in _merges(declared, paths, found, entries, formers):
        if path not in found.contents:
            continue  # it could not be read, which is already reported
        content = found.contents[path]
        try:
            merged = merge(content)
        except EcrError as error:
            problems.append(f"{path} {error} It was left as it is.")
            continue
        if merged.content != content or path in found.faults:
            changes.append(Change(path, merged.content, program, merged.before, merged.after))
    warnings = tuple(_warnings(declared, paths, found, entries)) if declared.present else ()
    return Plan(tuple(changes if declared.present else changes[::-1]), tuple(problems), warnings)


_Merge = t.Callable[[t.Optional[bytes]], MergedFile]


def _merges(
    declared: Declaration,
    paths: HostPaths,
    found: CurrentFiles,
    entries: t.Mapping[str, str],
    formers: t.Mapping[str, str | None],
) -> t.Iterator[tuple[str, bool, _Merge]]:
    """Each file, whether it is a program, and the function that merges its content."""
    hosts = declared.by_host
    profiles = {
        f"profile {NAME_PREFIX}{host}": source.profile() if declared.present else {} for host, source in hosts.items()
    }
    yield paths.aws_config, False, lambda content: merge_profiles(content, profiles)
    for host in hosts:
        path = paths.wrapper(host)
        text = wrapper(paths, host, formers[host]) if declared.present else None
        fault = found.faults.get(path, "")
        yield path, True, functools.partial(merge_wrapper, wanted=text, fault=fault, paths=paths, host=host)
    helpers = {
        host: paths.helper(host) if declared.present else formers[host]
        for host in hosts
        if declared.present or entries.get(host) == paths.helper(host)
    }
    yield paths.auth_file, False, lambda content: merge_helpers(content, helpers)


def _warnings(
    declared: Declaration, paths: HostPaths, found: CurrentFiles, entries: t.Mapping[str, str]
) -> t.Iterator[str]:
    for host, helper in entries.items():
        if helper != paths.helper(host):
            yield (
                f"{paths.auth_file} names the helper {helper!r} for {host}. {paths.helper(host)} replaces it, and"
                f" {option('state')}: absent restores it."
            )
    content = found.contents.get(paths.auth_file)
    yield from login_warnings(found.earlier, paths.auth_file, content, declared.by_host)
