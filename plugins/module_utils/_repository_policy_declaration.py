# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of the statement of a share on many repositories, and its validation. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_consumers import access_consumer_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import (
    access_statements,
    is_sid_of,
    sid_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer, consumer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import (
    is_pattern,
    repository_or_pattern_problems,
    share_name_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._parties import consumer_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import (
    repository_tags_of,
    repository_tags_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import CONSUMER_ARGUMENTS

#: The registry policy in a list of repositories whose policies have statements.
REGISTRY = "*"
ACCESS_STATEMENT_ARGUMENTS: Json = {
    "name": {"type": "str", "required": True},
    "policy": {"type": "str", "choices": ["repository", "registry"], "default": "repository"},
    "names": {"type": "list", "elements": "str"},
    "repository_tags": {"type": "dict"},
    "exclusive": {"type": "bool", "default": False},
    "consumers": {"type": "list", "elements": "dict", "options": CONSUMER_ARGUMENTS},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class AccessDeclaration:
    """The statement of a share, and the repositories whose policies have it.

    :param name: the name of the share
    :param names: names and `fnmatch` patterns of repositories; empty to select them by tag
    :param tags: the alternative values of each tag key; a repository must have all keys
    :param tag_problems: problems with the declared tags
    :param is_exclusive: whether the statement is removed from all other repositories
    :param in_registry: whether the registry policy has the statement, for all repositories with the tags
    :param adopt: whether a statement with the Sid of the share is replaced or removed although it has another form
    """

    name: str
    names: tuple[str, ...] = ()
    tags: t.Mapping[str, tuple[str, ...]] | None = None
    tag_problems: tuple[str, ...] = ()
    is_exclusive: bool = False
    consumers: tuple[Consumer, ...] = ()
    access: str = "read"
    adopt: bool = False
    is_present: bool = True
    in_registry: bool = False

    @classmethod
    def of(cls, params: Json) -> AccessDeclaration:
        """The declaration in the parameters of the module."""
        tags = params["repository_tags"]
        return cls(
            params["name"],
            tuple(params["names"] or ()),
            None if tags is None else repository_tags_of(tags),
            () if tags is None else tuple(repository_tags_problems(tags)),
            params["exclusive"],
            tuple(map(consumer_of, params["consumers"] or ())),
            params["access"],
            params["adopt"],
            params["state"] == "present",
            params["policy"] == "registry",
        )

    @property
    def sid(self) -> str:
        return sid_of(self.name)

    @property
    def is_own(self) -> t.Callable[[object], bool]:
        """A function that returns whether a Sid is that of a statement of the share."""
        return is_sid_of(self.name)

    @property
    def lists_all(self) -> bool:
        """Whether the names of all repositories are required."""
        return self.is_exclusive or any(map(is_pattern, self.names))

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        yield from share_name_problems(self.name)
        if self.in_registry:
            yield from self._registry_problems()
        elif bool(self.names) == (self.tags is not None):
            yield f"Set either {option('names')} or {option('repository_tags')}, to select the repositories."
        for name in self.names:
            yield from repository_or_pattern_problems(name)
        yield from self.tag_problems
        if self.is_exclusive and not self.is_present:
            yield (
                "exclusive keeps the statement on the selected repositories only, so it needs state: present. To"
                ' remove the statement from every repository, set names: ["*"].'
            )

    def _registry_problems(self) -> t.Iterator[str]:
        if self.names or self.is_exclusive or (self.is_present and self.tags is None):
            yield (
                "policy: registry needs repository_tags, and excludes names and exclusive, because the statement"
                " applies to all repositories that have the tags."
            )

    def problems_in(self, owner: Identity) -> t.Iterator[str]:
        """Problems with the consumers, which depend on the account of the repositories."""
        if self.is_present:
            consumers = self._consumers_in(owner)
            yield from access_consumer_problems(consumers, owner.partition)
            yield from consumer_problems(consumers, owner.account)

    def statements(self, owner: Identity, region: str) -> list[Document]:
        """The statements in the policy of each selected repository, or of the registry; empty if they are removed."""
        resources = [owner.repository(region, "*")] if self.in_registry else []
        tags = self.tags if self.in_registry and self.tags else {}
        condition = {f"ecr:ResourceTag/{key}": list(values) for key, values in tags.items()}
        if not self.is_present:
            return []
        consumers = self._consumers_in(owner)
        return access_statements(owner.partition, self.name, consumers, self.access, resources, condition)

    def _consumers_in(self, owner: Identity) -> list[Consumer]:
        """The consumers with normalized account IDs, as in a share with a role."""
        return [consumer.in_partition(owner.partition) for consumer in self.consumers]
