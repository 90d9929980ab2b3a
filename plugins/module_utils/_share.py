# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shares as they are declared, and the account as it was read. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._declaration import (
    handoff_path_problem,
    handoff_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    name_problems,
    region_problems,
    repository_or_pattern_problems,
    tag_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import (
    RoleDeclaration,
    role_declaration_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState

Options = dict[str, t.Any]
#: A repository tag: its key in lower case, because IAM ignores the case of tag keys, and its value.
Tag = tuple[str, str]

CONSUMER_ARGUMENTS: Options = {
    "account": {"type": "raw", "required": True},
    "principals": {"type": "list", "elements": "str"},
    "external_id": {"type": "str"},
    "allow_no_external_id": {"type": "bool", "default": False},
    "principal_match": {"type": "str", "choices": ["principal", "condition"], "default": "principal"},
    "organization_id": {"type": "str"},
    "require_mfa": {"type": "bool", "default": False},
}
#: How many characters a trust policy may have: by default, and if AWS raised the quota of the account.
TRUST_QUOTA_ARGUMENT: Options = {"trust_policy_quota": {"type": "int", "choices": [2048, 4096], "default": 2048}}
#: A share, or what all shares have in common. An option without a value is taken from there, or from `DEFAULTS`.
SHARE_ARGUMENTS: Options = {
    "role_name": {"type": "str"},
    "state": {"type": "str", "choices": ["present", "absent"]},
    "policy_name": {"type": "str"},
    "repository_tags": {"type": "dict"},
    "repositories": {"type": "list", "elements": "str"},
    "tags": {"type": "dict"},
    "consumers": {"type": "list", "elements": "dict", "options": CONSUMER_ARGUMENTS},
    "access": {"type": "str", "choices": ["pull", "read"]},
    "condition_key": {"type": "str", "choices": ["ecr", "aws"]},
    "path": {"type": "str"},
    "description": {"type": "str"},
    "max_session_duration": {"type": "int"},
    "permissions_boundary": {"type": "str"},
    "exclusive": {"type": "bool"},
    "regions": {"type": "list", "elements": "str"},
    "adopt": {"type": "bool"},
    "denied": {"type": "list", "elements": "str"},
    "images": {"type": "list", "elements": "str"},
    "handoff_path": {"type": "str"},
}
DEFAULTS: Options = {
    "state": "present",
    "access": "read",
    "condition_key": "ecr",
    "path": "/",
    "exclusive": False,
    "adopt": False,
    "denied": [],
    "images": [],
}
#: The options of a share that iam_ecr_pull_role has as well, under the same name.
ROLE_OPTIONS = (
    *("policy_name", "path", "repository_tags", "consumers", "access", "condition_key", "regions", "description"),
    *("max_session_duration", "permissions_boundary", "adopt", "state"),
)
_REQUIRED = ("consumers", "repositories", "repository_tags", "role_name")


@dataclass(frozen=True)
class Share:
    """One share of a declaration.

    :param repositories: names and `fnmatch` patterns
    :param tags: the tags that the repositories get
    :param regions: where the repositories are
    :param exclusive: whether all other repositories lose the tags
    :param handoff: `path`, `denied` and `images`
    """

    role: RoleDeclaration
    repositories: tuple[str, ...]
    tags: dict[str, str]
    regions: tuple[str, ...]
    exclusive: bool = False
    handoff: Options = field(default_factory=dict)
    #: Whether AWS can be asked about it: its names and regions have the form that AWS requires.
    is_valid: bool = True

    @property
    def name(self) -> str:
        return self.role.name

    @property
    def policy_name(self) -> str:
        return self.role.policy_name

    @property
    def is_present(self) -> bool:
        return self.role.is_present

    @property
    def tag_set(self) -> set[Tag]:
        return tag_set(self.tags)


@dataclass(frozen=True)
class Registry:
    """The repositories of one region, as far as they were read.

    :param host: what precedes a repository's name in an image reference; empty if no declared repository exists
    :param repositories: the tags of each repository that was read, by name
    :param names: all repositories; None if they were not listed because no pattern needs them
    :param unknown: why the other repositories that carry a granting tag could not be found; empty if they were
    """

    region: str
    host: str = ""
    repositories: dict[str, dict[str, str]] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    unknown: str = ""


@dataclass(frozen=True)
class Account:
    """What was read from the owner account.

    :param roles: the declared roles by name, as they are
    :param others: the other roles that carry this collection's ownership tag, by name
    :param registries: the registries by region
    :param unknown: what could not be read, and why
    """

    identifier: str
    partition: str
    roles: dict[str, RoleState] = field(default_factory=dict)
    others: dict[str, RoleState] = field(default_factory=dict)
    registries: dict[str, Registry] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()

    @property
    def identity(self) -> Identity:
        return Identity(self.partition, self.identifier)


def tag_set(tags: t.Mapping[str, str]) -> set[Tag]:
    """The tags in a form that IAM tells apart."""
    return {(key.lower(), value) for key, value in tags.items()}


def shares_of(options: Options, region: str, problems: Problems) -> list[Share]:
    """The declared shares; what is wrong with one of them by itself goes to `problems`.

    :param options: those of the module `ecr_share_info`
    :param region: where repositories are if a share does not name regions
    """
    common = _given(options["defaults"])
    declared = [{**DEFAULTS, **common, **_given(share)} for share in options["shares"] or [{}]]
    listed = options["shares"] is not None
    if not declared:
        problems.add("ecr_share_shares is an empty list. Declare at least one share; state: absent ends one.")
    shares = []
    for number, share in enumerate(declared, 1):
        if options["state"] == "absent":
            share["state"] = "absent"
        found = list(_share_problems(share, number if listed else 0))
        for problem in found:
            problems.add(f"Share {share.get('role_name') or number}: {problem}" if len(declared) > 1 else problem)
        if not any(share.get(name) is None for name in _required(share)):
            shares.append(_share(share, options["trust_policy_quota"], region, not found))
    return shares


def _given(options: Options | None) -> Options:
    return {name: value for name, value in (options or {}).items() if value is not None}


def _required(share: Options) -> t.Iterable[str]:
    return (name for name in _REQUIRED if share["state"] == "present" or name != "consumers")


def _share(share: Options, quota: int, region: str, is_valid: bool) -> Share:
    role = {name: share.get(name) for name in ROLE_OPTIONS}
    path = share.get("handoff_path") or None
    return Share(
        role_declaration_of({"name": share["role_name"], "trust_policy_quota": quota, "tags": None, **role}),
        tuple(share["repositories"]),
        share.get("tags") or share["repository_tags"],
        tuple(share.get("regions") or [region]),
        share["exclusive"],
        {"path": path, "denied": share["denied"], "images": share["images"]},
        is_valid,
    )


def _share_problems(share: Options, number: int) -> t.Iterator[str]:
    missing = [name for name in _required(share) if share.get(name) is None]
    if missing and number:
        yield f"missing required arguments: {', '.join(missing)}. Set them in share {number} of ecr_share_shares."
    elif missing:
        names = ", ".join(f"ecr_share_{name}" for name in missing)
        yield f"missing required arguments: {names}. Declare the share, or a list of shares as ecr_share_shares."
    elif share.get("role_name") is not None:
        yield from name_problems(share["role_name"], share.get("policy_name") or share["role_name"], share["path"])
    if share.get("repositories") == []:
        yield "repositories is empty: name at least one repository."
    for name in share.get("repositories") or []:
        yield from repository_or_pattern_problems(name)
    tags = share.get("tags") or share.get("repository_tags") or {}
    for key, value in tags.items():
        if isinstance(value, list) and not share.get("tags"):
            yield f"repository_tags has several values of {key}. Set tags to the one that the repositories get."
        elif share.get("tags"):
            for problem in tag_problems(str(key), value):
                yield f"tags: {problem}"
    for region in share.get("regions") or ():
        yield from region_problems(region)
    if share["state"] == "present":
        yield from handoff_problems(share["images"], share["denied"], share.get("repositories") or [])
        path_problem = handoff_path_problem(share.get("handoff_path") or "")
        if path_problem:
            yield path_problem
