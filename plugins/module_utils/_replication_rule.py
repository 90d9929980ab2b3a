# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The rules of a replication configuration, and which of them replicate the same images. Standard library only.

AWS gives a rule no name. Its prefixes and its destinations identify it.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text

_PREFIX_MATCH = "PREFIX_MATCH"
#: The members of a rule that this file knows. AWS may add others.
_MEMBERS = {"destinations", "repositoryFilters", "deleteReplication"}


@dataclass(frozen=True)
class Rule:
    """A rule.

    :param prefixes: the first parts of the names of the repositories; empty for all repositories
    :param deletes: whether deletions are replicated
    """

    prefixes: tuple[str, ...]
    destinations: tuple[Destination, ...]
    deletes: bool = False

    def request(self) -> Json:
        """The rule for a request. AWS does not replicate deletions if a rule has no `deleteReplication`."""
        filters = [{"filter": prefix, "filterType": _PREFIX_MATCH} for prefix in self.prefixes]
        return {
            "destinations": [{"region": one.region, "registryId": one.account} for one in self.destinations],
            **({"repositoryFilters": filters} if filters else {}),
            **({"deleteReplication": {"enabled": True}} if self.deletes else {}),
        }

    def selects(self, repository: str) -> bool:
        """Whether the rule replicates a repository."""
        return any(map(repository.startswith, self.prefixes or ("",)))

    def is_same(self, other: Rule) -> bool:
        """Whether two rules have the same identity."""
        return self.prefixes == other.prefixes and self.destinations == other.destinations

    def is_part_of(self, other: Rule) -> bool:
        """Whether another rule replicates everything that this rule replicates, in the same way."""
        return (
            self.deletes == other.deletes
            and set(self.destinations) <= set(other.destinations)
            and all(map(other.selects, self.prefixes or ("",)))
        )

    def shared_with(self, other: Rule) -> tuple[Destination, ...]:
        """The destinations to which both rules replicate a repository of the same name."""
        ours, theirs = self.prefixes or ("",), other.prefixes or ("",)
        if not any(one.startswith(two) or two.startswith(one) for one in ours for two in theirs):
            return ()
        return tuple(one for one in self.destinations if one in other.destinations)

    def __str__(self) -> str:
        return f"{names_text(self.prefixes)} to {places_text(self.destinations)}"


def rule_of(reply: Json) -> Rule | None:
    """The rule in a response of AWS; None if it has a form that this collection does not support."""
    filters = reply.get("repositoryFilters") or []
    if not set(reply) <= _MEMBERS or any(one.get("filterType") != _PREFIX_MATCH for one in filters):
        return None
    return new_rule(
        (one["filter"] for one in filters),
        (Destination(one["registryId"], one["region"]) for one in reply["destinations"]),
        bool((reply.get("deleteReplication") or {}).get("enabled")),
    )


def new_rule(prefixes: t.Iterable[str], destinations: t.Iterable[Destination], deletes: bool) -> Rule:
    """A rule whose prefixes and destinations are in the order by which rules are compared."""
    return Rule(tuple(sorted(set(prefixes))), tuple(sorted(set(destinations))), deletes)


def names_text(prefixes: t.Sequence[str]) -> str:
    """The repositories that have one of the prefixes, as a text."""
    if not prefixes:
        return "all repositories"
    return list_text([f"{prefix}*" for prefix in prefixes], noun="prefixes")


def places_text(places: t.Sequence[Destination]) -> str:
    """Destinations as a text."""
    return list_text([str(place) for place in places], noun="destinations")
