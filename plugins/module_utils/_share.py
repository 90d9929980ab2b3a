# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declared shares, and the current state of the owner account, as values. Standard library only."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import Reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState

#: The modes of a share: its consumers get access through a role, or through policies.
ROLE, REPOSITORY_POLICY, REGISTRY_POLICY = "role", "repository_policy", "registry_policy"
#: A repository tag: its key in lower case, because IAM ignores the case of tag keys, and its value.
Tag = tuple[str, str]


@dataclass(frozen=True)
class DeclaredHandoff:
    """The options of a share for its hand-off.

    :param path: the path of the file; None for no hand-off
    :param forms: the files for other tools
    """

    path: str | None = None
    denied: tuple[str, ...] = ()
    images: tuple[Reference, ...] = ()
    forms: tuple[str, ...] = ()


@dataclass(frozen=True)
class Share:
    """One declared share, without invalid names and tags, so that all of its values can be used in requests to AWS.

    :param repositories: names and `fnmatch` patterns
    :param tags: the tags of the repositories
    :param regions: the regions of the repositories
    :param exclusive: whether the tags are removed from all other repositories
    :param is_named: whether the names of the role and its policy are valid
    :param missing: the required options that are missing
    :param declared_name: the name in the declaration, if the role is the one of a single consumer
    :param is_unchanged: whether the run does not change the share
    :param mode: in a policy mode, `role` only has the name, the consumers, the tags and the access of the share
    """

    role: RoleDeclaration
    repositories: tuple[str, ...]
    tags: dict[str, str]
    regions: tuple[str, ...]
    exclusive: bool = False
    handoff: DeclaredHandoff = DeclaredHandoff()
    is_named: bool = True
    missing: tuple[str, ...] = ()
    declared_name: str = ""
    is_unchanged: bool = False
    mode: str = ROLE

    @property
    def has_role(self) -> bool:
        return self.mode == ROLE

    @property
    def label(self) -> str:
        """The name of the share in messages: that of its declaration."""
        return self.declared_name or self.name

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
class RegistryState:
    """The current state of the registry in one region.

    :param host: the registry host in image references; empty if no declared repository exists
    :param repositories: the tags of each repository that was read, by its name
    :param names: the names of all repositories; None if they were not listed because no pattern requires it
    :param policies: the texts of the policies of all repositories, None without a policy; empty if no share needs them.
        The key `*` is the registry policy
    :param unread: the reason why policies could not be read that may have statements of an earlier mode
    :param unknown: the reason why other repositories with a granting tag could not be found; empty if they were found
    """

    region: str
    host: str = ""
    repositories: dict[str, dict[str, str]] = field(default_factory=dict)
    names: tuple[str, ...] | None = None
    unknown: str = ""
    policies: dict[str, str | None] = field(default_factory=dict)
    unread: str = ""


@dataclass(frozen=True)
class Account:
    """The current state of the owner account.

    :param roles: the declared roles by name
    :param others: the other roles with this collection's ownership tag, by name
    :param registries: the registries by region
    :param unknown: messages about state that could not be read
    :param now: the time of the read
    """

    identity: Identity
    now: datetime.datetime
    roles: dict[str, RoleState] = field(default_factory=dict)
    others: dict[str, RoleState] = field(default_factory=dict)
    registries: dict[str, RegistryState] = field(default_factory=dict)
    unknown: tuple[str, ...] = ()


def tag_set(tags: t.Mapping[str, str]) -> set[Tag]:
    """The tags as a set, with keys in lower case because IAM ignores the case of keys."""
    return {(key.lower(), value) for key, value in tags.items()}
