# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of a replication rule, and the limits of AWS for it. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, region_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_rule import Rule, new_rule
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import (
    SELECTION_ARGUMENTS,
    Selection,
)

#: Source of the limits: ECR User Guide, "Private image replication" and "Amazon ECR service quotas". botocore
#: accepts more.
MOST_RULES, MOST_DESTINATIONS = 10, 25
#: The partition of a region by the beginning of its name. Source: the file partitions.json of botocore.
_PARTITIONS = {
    "cn-": "aws-cn",
    "us-gov-": "aws-us-gov",
    "us-iso-": "aws-iso",
    "us-isob-": "aws-iso-b",
    "eu-isoe-": "aws-iso-e",
    "us-isof-": "aws-iso-f",
    "eusc-": "aws-eusc",
}

#: The option for the registries to which a rule replicates.
DESTINATION_ARGUMENTS: Json = {
    "destinations": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"account": {"type": "raw", "required": True}, "region": {"type": "str", "required": True}},
    },
}
RULE_ARGUMENTS: Json = {
    **SELECTION_ARGUMENTS,
    **DESTINATION_ARGUMENTS,
    "delete_replication": {"type": "bool"},
    "adopt": {"type": "bool", "default": False},
    "state": {"type": "str", "choices": ["present", "absent"], "default": "present"},
}


@dataclass(frozen=True)
class RuleDeclaration:
    """A declared rule.

    :param deletes: whether deletions are replicated; None to keep the current setting
    :param adopt: whether the rule replaces other rules that replicate the same repositories
    """

    selection: Selection
    destinations: tuple[Destination, ...]
    deletes: bool | None = None
    adopt: bool = False
    is_present: bool = True

    @classmethod
    def of(cls, params: Json) -> RuleDeclaration:
        """The declaration in the parameters of the module."""
        return cls(
            Selection.of(params),
            tuple(Destination(one["account"], one["region"]) for one in params["destinations"]),
            params["delete_replication"],
            params["adopt"],
            params["state"] == "present",
        )

    def rule(self, deletes: bool) -> Rule:
        """The declared rule."""
        return new_rule(self.selection.prefixes, self.destinations, deletes)

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        yield from self.selection.problems()
        if not self.destinations:
            yield f"{option('destinations')} is empty. Set at least one account and region."
        for place in dict.fromkeys(self.destinations):
            yield from (f"{option('destinations')}: {problem}" for problem in account_problems(place.account))
            yield from region_problems(place.region, "destinations")
            if self.destinations.count(place) > 1:
                yield f"{option('destinations')}: {place} is declared more than once. Keep one entry."
        if len(self.destinations) > MOST_DESTINATIONS:
            yield (
                f"{option('destinations')} has {len(self.destinations)} entries; ECR accepts up to {MOST_DESTINATIONS}"
                " destinations in a registry."
            )

    def problems_in(self, source: Destination) -> t.Iterator[str]:
        """Problems that depend on the registry whose images are replicated."""
        partition = partition_of(source.region)
        for place in dict.fromkeys(self.destinations):
            if place == source:
                yield (
                    f"{option('destinations')}: {place} is the registry of the images. Remove this entry, or use"
                    " the credentials and the region of the registry that has the images."
                )
            elif partition_of(place.region) != partition:
                yield (
                    f"{option('destinations')}: {place} is in partition {partition_of(place.region)}, but the images"
                    f" are in partition {partition}. ECR does not replicate between partitions. Copy the images with"
                    " skopeo instead."
                )


def partition_of(region: str) -> str:
    """The partition of a region."""
    return next((name for start, name in _PARTITIONS.items() if region.startswith(start)), "aws")
