# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options of an audit as a value, and their validation. Standard library only."""

from __future__ import annotations

import fnmatch
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, organization_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import (
    repository_tags_of,
    repository_tags_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import (
    SHARE_ARGUMENTS,
    declared_shares,
    share_declaration_problems,
)

#: Repository tags: the alternative values of each key. A repository must have all keys.
SharingTags = t.Mapping[str, t.Sequence[str]]

AUDIT_ARGUMENTS: Json = {
    "repository_tags": {"type": "dict", "default": {}},
    "declared": {"type": "list", "elements": "dict", "options": SHARE_ARGUMENTS, "default": []},
    "trusted_accounts": {"type": "raw", "default": []},
    "trusted_organizations": {"type": "raw", "default": []},
    "tag_setters_max": {"type": "int", "default": 10},
    "unused_days": {"type": "int", "default": 90},
    "ends_within_days": {"type": "int", "default": 14},
}
#: The maximum of the limits: about 100 years.
_MAXIMUM = 36500
_LIMITS = ("tag_setters_max", "unused_days", "ends_within_days")


def is_shared_by(actual: t.Mapping[str, str], tags: SharingTags) -> bool:
    """Whether the tags of a repository have all keys of sharing tags, each with one of its values.

    IAM ignores the case of keys.
    """
    own = {(key.lower(), value) for key, value in actual.items()}
    return all(any((key.lower(), value) in own for value in values) for key, values in tags.items())


@dataclass(frozen=True)
class AuditOptions:
    """The options of an audit.

    :param repository_tags: the sharing tags, in addition to those of the declared shares
    :param declared: the declared shares; empty if no declaration is given
    :param trusted_accounts: accounts of the owner, which findings do not report
    """

    repository_tags: SharingTags = field(default_factory=dict)
    declared: tuple[Share, ...] = ()
    trusted_accounts: frozenset[str] = frozenset()
    trusted_organizations: frozenset[str] = frozenset()
    tag_setters_max: int = 10
    unused_days: int = 90
    ends_within_days: int = 14

    @classmethod
    def of(cls, params: Json, region: str = "") -> AuditOptions:
        """The options of a module.

        :param region: the region of the repositories of a declared share without `regions`; empty for all regions
        """
        return cls(
            repository_tags_of(params["repository_tags"] or {}),
            tuple(declared_shares(_declaration(params["declared"]), region)) if params["declared"] else (),
            frozenset(map(str, _listed(params["trusted_accounts"]))),
            frozenset(map(str, _listed(params["trusted_organizations"]))),
            params["tag_setters_max"],
            params["unused_days"],
            params["ends_within_days"],
        )

    @property
    def sharing_tags(self) -> list[SharingTags]:
        """The tags of each share. A repository is tagged for sharing if it matches one of them."""
        declared: list[SharingTags] = [{key: (value,) for key, value in share.tags.items()} for share in self.present]
        own = [self.repository_tags] if self.repository_tags else []
        return [
            tags for number, tags in enumerate([*own, *declared]) if tags and tags not in [*own, *declared][:number]
        ]

    def is_shared(self, actual: t.Mapping[str, str]) -> bool:
        """Whether a repository with these tags is tagged for sharing."""
        return any(is_shared_by(actual, tags) for tags in self.sharing_tags)

    @property
    def tag_values(self) -> dict[str, list[str]]:
        """All values of each sharing tag, by its key."""
        found: dict[str, list[str]] = {}
        for tags in self.sharing_tags:
            for key, values in tags.items():
                known = found.setdefault(key, [])
                known += [value for value in values if value not in known]
        return found

    @property
    def present(self) -> list[Share]:
        """The declared shares that are not absent."""
        return [share for share in self.declared if share.is_present]

    def declares(self, repository: str, region: str) -> bool:
        """Whether a declared share lists a repository."""
        return any(
            (not share.regions or region in share.regions)
            and any(fnmatch.fnmatchcase(repository, pattern) for pattern in share.repositories)
            for share in self.present
        )


def audit_option_problems(params: Json) -> t.Iterator[str]:
    """Problems with the options of an audit that can be found without a request to AWS.

    :param params: the options of a module with `AUDIT_ARGUMENTS`
    """
    given = {name: params.get(name) for name in AUDIT_ARGUMENTS}
    if given["repository_tags"]:
        yield from repository_tags_problems(given["repository_tags"])
    if given["declared"]:
        declared = share_declaration_problems(_declaration(given["declared"]))
        yield from (f"{option('declared')}: {problem}" for problem in declared)
    for account in _listed(given["trusted_accounts"]):
        yield from (f"{option('trusted_accounts')}: {problem}" for problem in account_problems(account))
    for organization in _listed(given["trusted_organizations"]):
        text = organization if isinstance(organization, str) else repr(organization)
        yield from (f"{option('trusted_organizations')}: {problem}" for problem in organization_problems(text))
    for name in _LIMITS:
        value = given[name]
        if isinstance(value, int) and value < 0:
            yield f"{option(name)} is {value}. Set it to 0 or more."
        elif isinstance(value, int) and value > _MAXIMUM:
            yield f"{option(name)} is {value}. Set it to {_MAXIMUM} or less."


def _declaration(shares: t.Sequence[Json]) -> Json:
    """The options of `ecr_share_info` for a list of shares."""
    return {"shares": list(shares), "defaults": None, "state": "present", "trust_policy_quota": 2048}


def _listed(value: object) -> list[object]:
    """The values of an option that accepts one value or a list."""
    return [] if value is None else list(as_list(value))
