# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The two accounts of a replication, and what their registries have."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, collecting_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_acceptance import not_accepted_names
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import read_registry_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import partition_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_images import (
    ImageRow,
    Inventory,
    compare_copies,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_preflight import Preflight
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_proof import pulls, subjects_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import (
    add_referrers,
    in_enabled_region,
    read_inventory,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_report import not_accepted, not_created
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import (
    ReplicationRequest,
    consumer_parameters,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of


class _ConsumerModule:
    """The module with the credentials of the consumer account."""

    def __init__(self, module: Module) -> None:
        self.params, self.check_mode = consumer_parameters(module.params), module.check_mode
        self.warn = module.warn


@dataclass(frozen=True)
class Sides:
    """The sessions of the run.

    :param owner: None if the run has no credentials of the owner account
    :param consumer: None if the run has no credentials of the consumer account
    """

    declared: ReplicationRequest
    owner: Session | None
    consumer: Session | None

    @property
    def first(self) -> Session:
        """The session whose region is the region of the images."""
        return self.owner or t.cast(Session, self.consumer)

    @property
    def region(self) -> str:
        """The region of the images."""
        return self.first.region

    @property
    def destinations(self) -> tuple[Destination, ...]:
        return self.declared.destinations(self.region)

    @property
    def reachable(self) -> list[Destination]:
        """The destinations in the partition of the images."""
        return [one for one in self.destinations if partition_of(one.region) == partition_of(self.region)]

    @property
    def source(self) -> Destination:
        """The registry of the images."""
        return Destination(str(self.declared.owner), self.region)

    def read(self, problems: Problems) -> tuple[Inventory, list[ImageRow]]:
        """The images of the owner account, and their states. Registries that cannot be read are problems."""
        if not self.owner:
            return {}, []
        places = self.reachable if self.consumer else []
        # boto3 does not create two clients of a session at the same time.
        registries = [(self.source, self.owner.client("ecr"))]
        registries += [(place, t.cast(Session, self.consumer).client("ecr", place.region)) for place in places]
        found = map_concurrently(lambda registry: self._inventory(*registry, problems), registries)
        if not problems.found:
            problems.extend(self._creation_problems(found[0], dict(zip(places, found[1:]))))
        subjects = subjects_of(self.declared.references, found[0])
        source, *copies = [add_referrers(ecr, one, subjects) for (_place, ecr), one in zip(registries, found)]
        return source, compare_copies(source, dict(zip(places, copies)))

    def _creation_problems(self, source: Inventory, copies: t.Mapping[Destination, Inventory]) -> t.Iterator[str]:
        """The destinations that lack repositories which replication may not create."""
        for place, inventory in copies.items() if self.declared.needs_repositories else ():
            missing = sorted({*source} - {*inventory})
            if missing:
                yield not_created(place, missing)

    def pulls(self, source: Inventory) -> list[Json]:
        """The images that the consumer account pulls from each destination."""
        return pulls(self.declared.references, source, self.reachable) if self.owner and self.consumer else []

    def _inventory(self, place: Destination, ecr: Client, problems: Problems) -> Inventory:
        selects = self.declared.rule(self.region).rule(False).selects
        with collecting_problems(problems), in_enabled_region(place):
            return read_inventory(ecr, selects)
        return {}

    def acceptance_problems(self, names: t.Sequence[str]) -> t.Iterator[str]:
        """The destinations whose registry policy does not accept the images."""
        if not self.consumer:
            return
        registry = arn_of(self.consumer.identity["arn"]).identity
        source = Identity(registry.partition, self.declared.owner)
        for place in self.destinations:
            policy = read_registry_policy(self.consumer.client("ecr", place.region), f"registry policy of {place}")
            actions = self.declared.statement.written_actions
            refused = not_accepted_names(policy, source, registry, place.region, names, actions)
            if refused:
                yield not_accepted(place, self.declared.owner, actions, refused)

    def preflight(self, problems: Problems, repositories: t.Sequence[str]) -> Preflight:
        """The planned changes.

        :param repositories: the existing repositories that are selected
        """
        planned = Preflight(self.declared, problems)
        if self.owner:
            planned.plan_owner(self.owner, repositories)
        for place in self.reachable if self.consumer else ():
            planned.plan_consumer(t.cast(Session, self.consumer), place)
        return planned


def open_sides(module: Module, declared: ReplicationRequest) -> Sides:
    """The sessions, each of the declared account."""
    owner = session_of(module) if declared.has_owner else None
    consumer = session_of(_ConsumerModule(module)) if declared.has_consumer else None
    declared.check_credentials(
        owner.identity["account"] if owner else None, consumer.identity["account"] if consumer else None
    )
    return Sides(declared, owner, consumer)
