# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Edits the entries of `credHelpers` in docker's config.json or podman's auth.json. Standard library only.

Edits keep every other byte of the file. docker and podman are written in Go, whose JSON decoder ignores the case of
member names and merges objects with the same name.

Sources: docker/cli `cli/config/configfile`; containers-auth.json(5); `encoding/json` of Go.
"""

from __future__ import annotations

import json
import re
import shlex
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._merged_file import (
    NAME_PREFIX,
    MergedFile,
    decoded,
    shown_if_valid,
)

#: The name of a helper after docker-credential-. With an empty name, docker uses the logins in the file.
HELPER_NAME = re.compile(r"(?:\w[\w.+@-]{0,299})?", re.ASCII)
#: The keys of an entry of `auths` that hold credentials.
_CREDENTIALS = ("auth", "username", "password", "identitytoken", "registrytoken")
_WHITE = " \t\r\n"
_SPACE = re.compile(f"[{_WHITE}]*")
_value_at = json.JSONDecoder().raw_decode


class _Member(t.NamedTuple):
    """A member of an object in a text, with the offsets of its name, its value, and its end."""

    name: str
    value: object
    start: int
    at: int
    end: int


def merge_helpers(content: bytes | None, wanted: t.Mapping[str, str | None]) -> MergedFile:
    """The content with these entries of `credHelpers`.

    :param wanted: the helper of each host; None to remove the entry
    :raises EcrError: with a message that begins after the path of the file
    """
    text = _checked(content)
    before = _entries(text)
    for host, helper in wanted.items():
        if host in before and not _is_helper(before[host]):
            raise EcrError(f"has an entry of credHelpers for {host} that is not the name of a helper. Remove it.")
        if helper is None:
            text = _without(text, host) if text and host in before else text
        elif before.get(host) != helper:
            text = _with(text, host, helper)
    merged = None if text is None else text.encode()
    return MergedFile(merged, _shown_helpers(before, wanted), _shown_helpers(_entries(text), wanted))


def helpers_of(content: bytes | None, hosts: t.Iterable[str]) -> dict[str, str]:
    """The helpers in a file for these hosts; {} if the file is not valid, which `merge_helpers` reports."""
    try:
        entries = _entries(_checked(content))
    except EcrError:
        return {}
    return {host: entry for host in hosts if isinstance(entry := entries.get(host), str) and _is_helper(entry)}


def _is_helper(entry: object) -> bool:
    return isinstance(entry, str) and bool(HELPER_NAME.fullmatch(entry))


def _shown_helpers(entries: t.Mapping[str, object], ours: t.Iterable[str]) -> str:
    listed = {host: shown_if_valid(entries[host], HELPER_NAME) for host in ours if host in entries}
    return json.dumps({"credHelpers": listed}, indent=4) + "\n"


# --- reading


def _checked(content: bytes | None) -> str | None:
    """The text of a file that can be merged. docker accepts an empty file."""
    text = decoded(content)
    if text is None or not text.strip(_WHITE):
        return text
    try:
        document = json.loads(text)
    except ValueError as error:  # the message has a position, but no content
        raise EcrError(f"is not JSON ({error}).") from None
    except RecursionError:
        raise EcrError("is not JSON that can be read (nested too deep).") from None
    if not isinstance(document, dict):
        raise EcrError("is JSON, but not an object.")
    for key in ("auths", "credHelpers"):
        if any(not isinstance(member.value, (dict, type(None))) for member in _named(text, key)):
            raise EcrError(f"has {key} that is not an object.")
    helpers = _named(text, "credHelpers")
    names = [member.name for helper in helpers if helper.value is not None for member in _members(text, helper.at)]
    if len(helpers) > 1 or len(names) > len(set(names)):
        raise EcrError("has credHelpers, or a registry in credHelpers, more than once. Keep one of them.")
    return text


def _members(text: str, at: int) -> list[_Member]:
    """The members of the object at an offset of a valid JSON text. A name may occur several times."""
    found = []
    at = _after_space(text, at + 1)
    while text[at] != "}":
        name, colon = _value_at(text, at)
        start = _after_space(text, _after_space(text, colon) + 1)
        value, end = _value_at(text, start)
        found.append(_Member(name, value, at, start, end))
        at = _after_space(text, end)
        at = _after_space(text, at + 1) if text[at] == "," else at
    return found


def _after_space(text: str, at: int) -> int:
    found = _SPACE.match(text, at)
    return found.end() if found else at


def _named(text: str | None, name: str) -> list[_Member]:
    """The members of the document that docker and podman treat as `name`."""
    members = _members(text, text.index("{")) if text and text.strip(_WHITE) else []
    return [member for member in members if member.name.casefold() == name.casefold()]


def _entries(text: str | None) -> dict[str, object]:
    return {host: entry for member in _named(text, "credHelpers") for host, entry in _object(member.value).items()}


def _object(value: object) -> dict[str, object]:
    return value if isinstance(value, dict) else {}


# --- editing
#
# An object that this collection creates has a line break before its first member. A member that is added to an empty
# object of the user has none. So `_without` can restore `{}`, and delete an object or a file of this collection.


def _with(text: str | None, host: str, helper: str) -> str:
    created = f"{{\n\t\t{json.dumps(host)}: {json.dumps(helper)}\n\t}}"
    if text is None or not text.strip(_WHITE):
        before = "" if text is None else text + "\n"
        return f'{before}{{\n\t"credHelpers": {created}\n}}\n'
    helpers = next((member for member in _named(text, "credHelpers") if member.value is not None), None)
    if helpers is not None:
        return _set(text, helpers.at, host, json.dumps(helper))
    name = next((member.name for member in _named(text, "credHelpers")), "credHelpers")  # its value is null
    return _set(text, text.index("{"), name, created)


def _without(text: str, host: str) -> str | None:
    (helpers,) = _named(text, "credHelpers")
    root = text.index("{")
    less = _removed(text, helpers.at, host)
    if less is None:
        less = _removed(text, root, helpers.name)
    if less is None:
        return text[: root - 1] if root else None
    return less


def _set(text: str, at: int, name: str, value: str) -> str:
    """The text after a member of the object at an offset is set."""
    members = _members(text, at)
    for member in members:
        if member.name == name:
            return text[: member.at] + value + text[member.end :]
    added = f"{json.dumps(name)}: {value}"
    if not members:
        return text[: at + 1] + added + text[at + 1 :]
    last = members[-1]
    indent = text[len(text[: last.start].rstrip(_WHITE)) : last.start]
    return f"{text[: last.end]},{indent}{added}{text[last.end :]}"


def _removed(text: str, at: int, name: str) -> str | None:
    """The text after a member of the object at an offset is removed; None if this collection created the object."""
    members = _members(text, at)
    number = [member.name for member in members].index(name)
    member = members[number]
    if number:
        return text[: members[number - 1].end] + text[member.end :]
    if len(members) > 1:
        return text[: member.start] + text[members[1].start :]
    return text[: member.start] + text[member.end :] if member.start == at + 1 else None


# --- logins


def files_before(auth_file: str, home: str, uid: int, real: t.Callable[[str], str]) -> list[str]:
    """The files that podman and skopeo read before `auth_file`. Source: containers-auth.json(5).

    :param real: the path without links of a path
    """
    order = [
        f"/run/user/{uid}/containers/auth.json",
        f"/run/containers/{uid}/auth.json",
        f"{home}/.config/containers/auth.json",
        f"{home}/.docker/config.json",
    ]
    resolved = [real(path) for path in order]
    return order[: resolved.index(auth_file)] if auth_file in resolved else []


def logins(content: bytes | None, hosts: t.Collection[str]) -> list[str]:
    """The keys of `auths` that have credentials for these registries. The credentials are never returned."""
    try:
        members = _named(_checked(content), "auths")
    except EcrError:
        return []  # docker and podman report it
    auths = {key: entry for member in members for key, entry in _object(member.value).items()}
    return [key for key, entry in auths.items() if _host_of(key) in hosts and _has_credentials(entry)]


def _has_credentials(entry: object) -> bool:
    """Whether an entry of `auths` contains credentials. The entry of a login in a credential store is empty."""
    return any(value for key, value in _object(entry).items() if key.casefold() in _CREDENTIALS)


def _host_of(key: str) -> str:
    """The host in a key of `auths`: a host, a URL (from older versions of docker), or a repository (from podman)."""
    return re.sub(r"^https?://", "", key).partition("/")[0]


def login_warnings(
    earlier: t.Mapping[str, bytes | None], auth_file: str, content: bytes | None, hosts: t.Collection[str]
) -> t.Iterator[str]:
    """A warning for each login, and for each helper in an earlier file, that takes precedence over the helper.

    :param earlier: the files that podman and skopeo read before `auth_file`
    """
    for path, text in earlier.items():
        for key in logins(text, hosts):
            yield printable(
                f"{path} has a login for {key}, which takes precedence over the helper for podman and skopeo, even"
                f" after it expires. Remove it: podman logout --authfile {shlex.quote(path)} {shlex.quote(key)}"
            )
        for host, helper in helpers_of(text, hosts).items():
            if helper and not helper.startswith(NAME_PREFIX):
                yield printable(
                    f"{path} names the helper {helper!r} for {host}, which takes precedence for podman and skopeo."
                    " Remove that entry of credHelpers from the file."
                )
    for key in logins(content, hosts):
        yield printable(
            f"{auth_file} has a login for {key}, which docker uses if the helper fails, so that docker does not"
            " report the helper's error. Remove that entry of auths from the file."
        )
