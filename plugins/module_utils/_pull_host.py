# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What a host that pulls for years has in its files, merged into what is there. Standard library only.

For each registry there is one profile (the role to assume, and from which credentials), one wrapper, and one entry of
`credHelpers` that names the wrapper. amazon-ecr-credential-helper takes its profile from the environment, which is one
for the whole process; the wrapper makes it one for each registry (awslabs/amazon-ecr-credential-helper#249).

Sources: config.json and credHelpers, docker/cli `cli/config`; the order of files, containers-auth.json(5); the profile,
AWS SDKs and Tools Reference Guide, "Assume role credential provider"; registry hosts, the pattern of
amazon-ecr-credential-helper 0.12.
"""

from __future__ import annotations

import configparser
import functools
import json
import re
import shlex
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import assume_problems

HELPER = "docker-credential-ecr-login"
#: Users run a wrapper, and only its owner changes it.
WRAPPER_MODE = 0o755
#: What names of profiles and wrappers begin with.
_OURS = "ecr-pull-"
#: The keys of our profiles that we set; others in there are left alone.
_KEYS = ("role_arn", "external_id", "role_session_name", "credential_source", "source_profile")
#: What would go before the profile in the SDK for Go, so that the role would not be assumed.
_IN_THE_WAY = (
    "AWS_ACCESS_KEY_ID",
    "AWS_ACCESS_KEY",
    "AWS_SECRET_ACCESS_KEY",
    "AWS_SECRET_KEY",
    "AWS_SESSION_TOKEN",
    "AWS_WEB_IDENTITY_TOKEN_FILE",
)
_HOST = re.compile(
    r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}\."
    r"(?:amazonaws\.(?:com|com\.cn|eu)|on\.(?:aws|amazonwebservices\.com\.cn)"
    r"|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
#: What a diff shows of the former values of our entries.
_HELPER_NAME, _ONE_LINE = re.compile(r"\S{1,300}"), re.compile(r"[^\r\n]{0,1300}")
#: One word of the shell, as shlex.quote() writes it.
_QUOTED = r"(?:[\w@%+=:,./-]|'[^'\n]*'|\"'\")+"
_PROFILE = re.compile(r"[^\s\[\]#;](?:[^\r\n\[\]]*[^\s\[\]])?")

Sections = dict[str, dict[str, str]]
#: The content of a file, which is None where there is no file; and what a diff may show of it before and after.
Merged = tuple[t.Optional[bytes], str, str]


@dataclass(frozen=True)
class Change:
    """A file that is to have another content, or to go where that is None."""

    path: str
    content: bytes | None
    mode: int
    before: str
    after: str

    def diff(self) -> dict[str, str]:
        """The entries of this collection only. The rest of these files holds keys and tokens."""
        before, after = printable(self.before), printable(self.after)
        return {"before_header": self.path, "after_header": self.path, "before": before, "after": after}


@dataclass(frozen=True)
class Places:
    """The files of one user."""

    user: str
    auth_file: str
    aws_config: str
    bin_dir: str

    def helper(self, registry: str) -> str:
        """What `credHelpers` names; each user has wrappers of their own in a folder that all share."""
        return f"{_OURS}{self.user}-{registry}"

    def wrapper(self, registry: str) -> str:
        return f"{self.bin_dir}/docker-credential-{self.helper(registry)}"


def path_problems(paths: dict[str, str]) -> t.Iterator[str]:
    """The paths that cannot be used, whether given as an option or found behind a link."""
    for name, path in paths.items():
        if not path.startswith("/") or not path.isprintable():
            yield (
                f"{name} {path!r} must be an absolute path of printable characters, or begin with ~/. Environment"
                " variables are not expanded."
            )


def registry_problems(registries: list[dict[str, t.Any]], present: bool) -> t.Iterator[str]:
    """What is wrong with the declared registries.

    :param present: whether they are to be set up, which needs their roles
    """
    if not registries:
        yield "registries is empty: name at least one registry."
    roles: dict[str, list[str]] = {}
    for entry in registries:
        host = entry["registry"]
        roles.setdefault(host, []).append(str(entry.get("role_arn")))
        named = _HOST.fullmatch(host)
        if not named:
            yield (
                f"Registry {host!r} is no ECR registry, such as 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com. Give"
                " its host alone, without https:// and repository."
            )
        if present:
            yield from (f"Registry {host}: {problem}" for problem in _role_problems(entry, named and named[1]))
    for host, several in roles.items():
        if present and len(several) > 1:
            yield (
                f"Registry {host} has {len(several)} entries, with {' and '.join(several)}. docker and podman know one"
                " helper for a registry: keep one entry."
            )


def _role_problems(entry: dict[str, t.Any], account: str | None) -> t.Iterator[str]:
    role_arn, source, profile = (entry.get(key) or "" for key in ("role_arn", "credential_source", "source_profile"))
    yield from assume_problems(role_arn, entry.get("external_id"), entry.get("role_session_name") or "unnamed")
    if account and role_arn.startswith("arn:") and f"::{account}:role/" not in role_arn:
        yield f"{role_arn} is a role of another account. The pull role is of the account that owns the registry."
    if bool(source) == bool(profile):
        yield "give credential_source or source_profile, and not both: the role is assumed with these credentials."
    if profile and not _PROFILE.fullmatch(profile):
        yield f"source_profile {profile!r} is not the name of a profile."


def plan(
    registries: list[dict[str, t.Any]],
    present: bool,
    places: Places,
    found: dict[str, bytes | None],
    faults: dict[str, str],
    problems: Problems,
) -> list[Change]:
    """Every file that has to change, in the order of the writes: no entry names a file that does not exist yet.

    :param found: the content of each file
    :param faults: the owner and the mode of each wrapper that has to be written again even if its content is right
    """
    hosts = hosts_of(registries)
    profiles = {
        f"profile {_OURS}{host}": {key: entry[key] for key in _KEYS if present and entry.get(key)}
        for host, entry in hosts.items()
    }
    helpers = {host: places.helper(host) for host in hosts}
    changes = []

    def change(path: str, mode: int, merge: t.Callable[[bytes | None], Merged]) -> None:
        try:
            content, before, after = merge(found[path])
        except EcrError as error:
            problems.add(f"{path} {error} It was left as it is.")
            return
        if content != found[path] or path in faults:
            changes.append(Change(path, content, mode, before, after))

    change(places.aws_config, 0o600, lambda content: merge_profiles(content, profiles))
    for host in hosts:
        path = places.wrapper(host)
        change(path, WRAPPER_MODE, functools.partial(_merge_wrapper, places, host, present, faults.get(path, "")))
    change(places.auth_file, 0o600, lambda content: merge_helpers(content, helpers, present))
    return changes if present else changes[::-1]


def hosts_of(registries: list[dict[str, t.Any]]) -> dict[str, dict[str, t.Any]]:
    """The entries by host, without those whose host is wrong."""
    return {entry["registry"]: entry for entry in registries if _HOST.fullmatch(entry["registry"])}


def _merge_wrapper(places: Places, host: str, present: bool, fault: str, content: bytes | None) -> Merged:
    """The wrapper, or None. A diff shows a former wrapper only as far as it is the text that this version writes."""
    wanted = wrapper(places, host) if present else None
    before = ""
    if content is not None:
        former = content.decode("utf-8", "replace")
        if not former.startswith(_wrapper_head(places, host)):
            raise EcrError("was not written by this collection. Remove it, or use another bin_dir.")
        fixed = wrapper(replace(places, aws_config="\0"), host).split("'\0'")
        ours = re.fullmatch(_QUOTED.join(map(re.escape, fixed)), former)
        before = former if ours else f"# A former or edited wrapper of {len(content)} bytes, which is not shown.\n"
    return wanted.encode() if wanted else None, (f"# {fault}\n" if fault else "") + before, wanted or ""


def _wrapper_head(places: Places, host: str) -> str:
    """The lines by which a wrapper of this user and this registry is recognized."""
    return f"#!/bin/sh\n# {host} for the user {places.user}. Written by crossaccount.ecr.ecr_pull_host_config.\n"


def wrapper(places: Places, host: str) -> str:
    """The program that docker and podman run for this registry, as this user."""
    return f"""{_wrapper_head(places, host)}\
# Credentials in the environment take precedence over the profile, so the role would not be assumed.
unset {" ".join(_IN_THE_WAY)}
AWS_CONFIG_FILE={shlex.quote(places.aws_config)}
AWS_PROFILE={_OURS}{host}
# The cache finds a token by its session. Each session is new, so the cache would only grow.
AWS_ECR_DISABLE_CACHE=true
export AWS_CONFIG_FILE AWS_PROFILE AWS_ECR_DISABLE_CACHE
exec {HELPER} "$@"
"""


# --- docker's config.json, podman's auth.json ------------------------------------------------------------------------


def parse_auth_file(content: bytes | None) -> dict[str, t.Any]:
    """The document; {} for no file and for an empty one, as docker takes it.

    :raises EcrError: a message to go after the path
    """
    try:
        document = json.loads(content) if content and content.strip() else {}
    except ValueError as error:  # its message has a position, and nothing of the content
        raise EcrError(f"is not JSON ({error}).") from None
    except RecursionError:
        raise EcrError("is not JSON that can be read (nested too deep).") from None
    if not isinstance(document, dict):
        raise EcrError("is JSON, but not an object.")
    for key in ("auths", "credHelpers"):
        if not isinstance(document.get(key) or {}, dict):
            raise EcrError(f"has {key} that is not an object.")
    return document


def merge_helpers(content: bytes | None, helpers: dict[str, str], present: bool) -> Merged:
    """The content with these entries of `credHelpers`, or without them."""
    document = parse_auth_file(content)
    before = document.get("credHelpers") or {}
    if present:
        after = {**before, **helpers}
    else:
        after = {host: helper for host, helper in before.items() if helpers.get(host) != helper}
    if after != before:
        document["credHelpers"] = after
        if not after:
            del document["credHelpers"]
        content = (json.dumps(document, indent="\t") + "\n").encode() if document else None
    return content, _shown_helpers(before, helpers), _shown_helpers(after, helpers)


def _shown_helpers(entries: dict[str, t.Any], ours: t.Iterable[str]) -> str:
    shown = {host: _shown(entries[host], _HELPER_NAME) for host in ours if host in entries}
    return json.dumps({"credHelpers": shown}, indent=4) + "\n"


def _shown(value: t.Any, form: re.Pattern[str]) -> str:
    """A value of one of our entries for a diff. Others may have put anything in its place."""
    return value if isinstance(value, str) and form.fullmatch(value) else "(not shown)"


def logins(content: bytes | None, hosts: list[str]) -> list[str]:
    """Whose credentials for these registries lie in a file: the keys of `auths`, never what stands under them."""
    try:
        document = parse_auth_file(content)
    except EcrError:
        return []  # its engine says so by itself
    return [key for key in document.get("auths") or {} if _host_of(key) in hosts]


def _host_of(key: str) -> str:
    """Keys are hosts, URLs as older versions of docker wrote them, and, for podman, repositories."""
    return re.sub(r"^https?://", "", key).partition("/")[0]


def login_warnings(
    places: Places, earlier: dict[str, bytes | None], found: dict[str, bytes | None], hosts: list[str]
) -> t.Iterator[str]:
    """A warning for each login that is in the helper's way.

    :param earlier: the files that podman and skopeo read before ours
    """
    for path, content in earlier.items():
        for key in logins(content, hosts):
            yield printable(
                f"{path} has a login for {key}, which takes precedence over the helper for podman and skopeo, even"
                f" after it expires. Remove it: podman logout --authfile {shlex.quote(path)} {shlex.quote(key)}"
            )
    for key in logins(found[places.auth_file], hosts):
        yield printable(
            f"{places.auth_file} has a login for {key}, which docker uses if the helper fails, so that docker does not"
            " report the helper's error. Remove that entry of auths from the file."
        )


# --- the AWS configuration -------------------------------------------------------------------------------------------


def merge_profiles(content: bytes | None, profiles: Sections) -> Merged:
    """The content with our keys of these sections as given, and nothing else changed."""
    text = _decoded(content)
    before = _parsed(text)
    for section, wanted in profiles.items():
        if _our_part(before, section) != wanted:
            text = _replaced(text, section, wanted)
    after = _parsed(text)
    if _foreign_part(after, profiles) != _foreign_part(before, profiles) or any(
        _our_part(after, section) != wanted for section, wanted in profiles.items()
    ):
        raise EcrError(f"has one of {', '.join(profiles)} in a form that cannot be merged. Remove it by hand.")
    merged = text.encode() if text or content == b"" else None
    return merged, _shown_profiles(before, profiles), _shown_profiles(after, profiles)


def _decoded(content: bytes | None) -> str:
    try:
        return (content or b"").decode()
    except UnicodeDecodeError as error:
        raise EcrError(f"is not a text in UTF-8 (byte {error.start}).") from None


def _parsed(text: str) -> Sections:
    """Read as botocore reads it. The parser's messages quote lines, which may hold keys: only their number is said."""
    parser = configparser.RawConfigParser(default_section="\0")
    try:
        parser.read_string(text)
    except configparser.Error as error:
        number = getattr(error, "lineno", None) or getattr(error, "errors", [("?",)])[0][0]
        raise EcrError(f"is not an AWS configuration file (line {number}).") from None
    return {section: dict(parser.items(section)) for section in parser.sections()}


def _our_part(sections: Sections, section: str) -> dict[str, str]:
    return {key: value for key, value in sections.get(section, {}).items() if key in _KEYS}


def _foreign_part(sections: Sections, ours: t.Iterable[str]) -> Sections:
    parts = {
        section: {key: value for key, value in values.items() if section not in ours or key not in _KEYS}
        for section, values in sections.items()
    }
    return {section: values for section, values in parts.items() if values or section not in ours}


def _shown_profiles(sections: Sections, ours: t.Iterable[str]) -> str:
    parts = {section: _our_part(sections, section) for section in ours}
    return "".join(
        _written(section, {key: _shown(value, _ONE_LINE) for key, value in part.items()})
        for section, part in parts.items()
        if part
    )


def _written(section: str, values: dict[str, str]) -> str:
    return "\n".join([f"[{section}]", *(f"{key} = {value}" for key, value in values.items())]) + "\n"


def _replaced(text: str, section: str, wanted: dict[str, str]) -> str:
    """The text with our keys of one section replaced; line by line, so that comments and order stay."""
    lines = text.split("\n")
    headers = [number for number, line in enumerate(lines) if line.startswith("[")]
    start = next((one for one in headers if lines[one].startswith(f"[{section}]")), None)
    if start is None:
        ending = "" if not text or text.endswith("\n") else "\n"
        return text + ending + ("\n" if text else "") + _written(section, wanted)
    end = next((one for one in headers if one > start), len(lines))
    kept, ours = [], False
    for line in lines[start + 1 : end]:
        if not line[:1].isspace():  # else it goes on with the value before it
            ours = re.split("[=:]", line)[0].strip().lower() in _KEYS
        if not ours:
            kept.append(line)
    if wanted:
        kept = [*_written(section, wanted).split("\n")[:-1], *kept]
    elif any(line.strip() and line.strip()[0] not in "#;" for line in kept):
        kept = [lines[start], *kept]
    elif start and not lines[start - 1]:
        start -= 1  # the empty line that was put before the section
    return "\n".join([*lines[:start], *kept, *lines[end:]])
