# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The declaration of replication backfills. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems, region_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option

BACKFILL_ARGUMENTS: Json = {
    "destinations": {
        "type": "list",
        "elements": "dict",
        "required": True,
        "options": {"account": {"type": "raw", "required": True}, "region": {"type": "str", "required": True}},
    },
    "state": {"type": "str", "choices": ["complete", "stopped"], "default": "complete"},
    "force": {"type": "bool", "default": False},
    "wait": {"type": "bool", "default": True},
    "wait_timeout": {"type": "int", "default": 3600},
    "wait_interval": {"type": "float", "default": 5.0},
}


@dataclass(frozen=True)
class BackfillDeclaration:
    """The declared destinations.

    :param force: whether a destination whose newest backfill was successful gets another one
    """

    destinations: tuple[Destination, ...]
    is_stopped: bool = False
    force: bool = False

    @classmethod
    def of(cls, params: Json) -> BackfillDeclaration:
        """The declaration in the parameters of the module."""
        found = tuple(Destination(one["account"], one["region"]) for one in params["destinations"])
        return cls(found, params["state"] == "stopped", params["force"])

    def problems(self) -> t.Iterator[str]:
        """Problems that can be found without a request to AWS."""
        if not self.destinations:
            yield (
                f"{option('destinations')} is empty. Set at least one account and region that the registry replicates"
                " to."
            )
        for destination in self.destinations:
            yield from (f"{option('destinations')}: {problem}" for problem in account_problems(destination.account))
            yield from region_problems(destination.region, "destinations")
        for destination in dict.fromkeys(self.destinations):
            if self.destinations.count(destination) > 1:
                yield f"{option('destinations')}: {destination} is declared more than once. Keep one entry."

    def problems_in(
        self, source: Destination, configured: t.Collection[Destination], is_check: bool
    ) -> t.Iterator[str]:
        """Problems with the destinations, which depend on the registry.

        :param source: the registry whose images are replicated
        :param configured: the destinations in its replication rules
        :param is_check: whether a run in check mode ends before an earlier task has written a rule
        """
        for destination in self.destinations:
            if destination == source:
                yield f"{option('destinations')}: {destination} is the registry of the images. Remove this entry."
            elif not (destination in configured or self.is_stopped or is_check):
                yield missing_rule(source, destination)


def missing_rule(source: Destination, destination: Destination) -> str:
    """The message for a destination that no replication rule contains."""
    return (
        f"No replication rule of {source} contains {destination}. ECR starts a backfill only to a destination of a"
        " rule. Add the rule first."
    )
