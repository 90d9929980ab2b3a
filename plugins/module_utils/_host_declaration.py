# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a host with the credential helper, and its validation. Standard library only.

Source of the pattern of registry hosts: amazon-ecr-credential-helper 0.12.
"""

from __future__ import annotations

import re
import typing as t
from dataclasses import asdict, dataclass, fields

from ansible_collections.crossaccount.ecr.plugins.module_utils._credential_helper import HELPER, HostPaths
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import assume_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

_CREDENTIALS: Json = {
    "role_session_name": {"type": "str"},
    "credential_source": {"type": "str", "choices": ["Ec2InstanceMetadata", "EcsContainer"]},
    "source_profile": {"type": "str"},
}
_REGISTRY: Json = {
    "registry": {"type": "str", "required": True},
    "role_arn": {"type": "str"},
    "external_id": {"type": "str"},
    **_CREDENTIALS,
}
ARGUMENTS: Json = {
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
    "registries": {"type": "list", "elements": "dict", "default": [], "options": _REGISTRY},
    "share": {"type": "dict"},
    "credentials": {"type": "dict", "options": _CREDENTIALS},
    "user": {"type": "str"},
    "home": {"type": "str"},
    "auth_file": {"type": "str"},
    "aws_config": {"type": "str"},
    "aws_credentials": {"type": "str"},
    "bin_dir": {"type": "str", "default": "/usr/local/bin"},
    "require_helper": {"type": "bool"},
}
_HOST = re.compile(
    r"([0-9]{12})\.dkr[.-]ecr(?:-fips)?\.[a-z]{2,}(?:-[a-z]+)+-[0-9]{1,2}\."
    r"(?:amazonaws\.(?:com|com\.cn|eu)|on\.(?:aws|amazonwebservices\.com\.cn)"
    r"|sc2s\.sgov\.gov|c2s\.ic\.gov|cloud\.adc-e\.uk|csp\.hci\.ic\.gov)"
)
_PROFILE = re.compile(r"[^\s\[\]#;](?:[^\r\n\[\]]*[^\s\[\]])?")


@dataclass(frozen=True)
class Source:
    """A registry, its pull role, and the source of the credentials that assume the role."""

    registry: str = ""
    role_arn: str = ""
    external_id: str | None = None
    role_session_name: str | None = None
    credential_source: str | None = None
    source_profile: str | None = None

    def profile(self) -> dict[str, str]:
        """The keys of the profile."""
        return {key: value for key, value in asdict(self).items() if value and key != "registry"}


@dataclass(frozen=True)
class Declaration:
    """The options of the module. The paths may begin with `~`."""

    present: bool
    sources: tuple[Source, ...]
    require_helper: bool
    user: str | None
    home: str
    auth_file: str
    aws_config: str
    aws_credentials: str
    bin_dir: str

    @property
    def by_host(self) -> dict[str, Source]:
        """The registries by host, without invalid hosts."""
        return {source.registry: source for source in self.sources if _HOST.fullmatch(source.registry)}


def declaration_of(options: Json, check_mode: bool = False) -> Declaration:
    """The declaration in the options of the module."""
    require_helper = options["require_helper"]
    shared = _shared(options["share"] or {}, options["credentials"] or {})
    return Declaration(
        present=options["state"] == "present",
        sources=tuple(_source(entry) for entry in [*options["registries"], *shared]),
        require_helper=not check_mode if require_helper is None else require_helper,
        user=options["user"],
        home=options["home"] or "~",
        auth_file=options["auth_file"] or "~/.docker/config.json",
        aws_config=options["aws_config"] or "~/.aws/config",
        aws_credentials=options["aws_credentials"] or "~/.aws/credentials",
        bin_dir=options["bin_dir"],
    )


def _shared(share: Json, credentials: Json) -> t.Iterator[Json]:
    """The registry of the share in a hand-off, with the consumer's own options from `credentials`."""
    if share.get("mode"):
        raise EcrError(
            f"The share has ecr_pull_mode {share['mode']}, so no role is assumed. The host pulls with its own identity,"
            " which amazon-ecr-credential-helper uses without this configuration. Remove the hand-off."
        )
    if "role_arn" in share:  # the result of a skipped task has no role_arn
        of_owner = {key: share.get(key) for key in ("role_arn", "external_id")}
        yield {**of_owner, "registry": share.get("registry_host") or share.get("registry"), **credentials}


def _source(entry: Json) -> Source:
    keys = [field.name for field in fields(Source)]
    return Source(**{key: entry[key] for key in keys if entry.get(key) is not None})


# --- validation


def host_declaration_problems(declared: Declaration, helper: str | None) -> t.Iterator[str]:
    """Problems with the declaration.

    :param helper: the path of the helper, if it is installed
    """
    if not declared.sources:
        yield f"{option('registries')} is empty: list at least one registry."
    roles: dict[str, list[str]] = {}
    for source in declared.sources:
        roles.setdefault(source.registry, []).append(source.role_arn)
        yield from source_problems(source, declared.present)
    for host, several in roles.items():
        if declared.present and len(several) > 1:
            yield (
                f"Registry {host} has {len(several)} entries, with {' and '.join(several)}. docker and podman accept"
                " one helper for each registry. Keep one entry."
            )
    if declared.present and declared.require_helper and not helper:
        yield (
            f"{HELPER} is not installed (no such program in PATH). Install the package amazon-ecr-credential-helper, or"
            " set ecr_credential_helper_install: true in the role ecr_credential_helper."
        )


def source_problems(source: Source, present: bool) -> t.Iterator[str]:
    """Problems with one registry.

    :param present: whether the registry is to be configured, which requires its role
    """
    named = _HOST.fullmatch(source.registry)
    if not named:
        yield (
            f"Registry {source.registry!r} is not an ECR registry, such as"
            " 111111111111.dkr.ecr.ap-northeast-1.amazonaws.com. Set only the host name, without https:// and"
            " repository."
        )
    if present:
        problems = _role_problems(source, named and named[1])
        yield from (f"Registry {source.registry}: {problem}" for problem in problems)


def _role_problems(source: Source, account: str | None) -> t.Iterator[str]:
    role_arn, profile = source.role_arn, source.source_profile
    yield from assume_problems(role_arn, source.external_id, source.role_session_name or "unnamed")
    if account and role_arn.startswith("arn:") and f"::{account}:role/" not in role_arn:
        yield f"{role_arn} is a role of another account. The pull role is in the account that owns the registry."
    if bool(source.credential_source) == bool(profile):
        yield "set exactly one of credential_source and source_profile. The role is assumed with these credentials."
    if profile and not _PROFILE.fullmatch(profile):
        yield f"source_profile {profile!r} is not the name of a profile."


def path_problems(paths: HostPaths) -> t.Iterator[str]:
    """Problems with the declared paths and with the targets of links in them."""
    for name, path in asdict(paths).items():
        if name not in ("user", "search_path") and (not path.startswith("/") or not path.isprintable()):
            yield (
                f"{option(name)} {path!r} must be an absolute path of printable characters, or begin with ~/."
                " Environment variables are not expanded."
            )
