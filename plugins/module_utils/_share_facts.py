# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The facts about a share after the run, and the options of its hand-off. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_policy import consumer_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import PlannedRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_statements import (
    StatementStep,
    declared_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_tags import ShareState, TagChanges


class RegionalRepositories(t.NamedTuple):
    """The repositories of a share in one region.

    :param host: the registry host; empty if no declared repository exists in the region
    :param tags: the tags of each repository after the run, by its name
    """

    region: str
    host: str
    names: tuple[str, ...]
    tags: t.Mapping[str, t.Mapping[str, str]]

    @property
    def result(self) -> Json:
        repositories = [{"name": name} for name in self.names]
        return {"region": self.region, "registry": self.host, "repositories": repositories}

    @property
    def tagged(self) -> Json:
        """The same as a result of `ecr_repository_tag`."""
        repositories = [{"name": name, "tags": self.tags.get(name)} for name in self.names]
        return {**self.result, "repositories": repositories}


@dataclass(frozen=True)
class ShareFacts:
    """The facts about a share after the run.

    :param changed: whether the run changes the role or the tags of the repositories
    """

    share: Share
    role: PlannedRole
    account: str
    role_arn: str
    policy_arn: str
    sid: str
    consumer_policy: Json
    places: tuple[RegionalRepositories, ...]
    changed: bool

    @property
    def result(self) -> Json:
        """The facts that the role `ecr_share` returns."""
        after = self.role.plan.after
        return {
            "id": self.role_arn or self.sid,
            "role_name": self.share.name,
            "mode": self.share.mode,
            "sid": self.sid,
            "state": "present" if self.share.is_present else "absent",
            "role_arn": self.role_arn,
            "policy_arn": self.policy_arn,
            "account": self.account,
            "changed": self.changed,
            "consumers": self.role.consumers,
            "expires": self.role.end_text,
            "permissions": after.permissions or {} if self.share.has_role else {},
            "trust": after.trust or {},
            "consumer_policy": self.consumer_policy,
            "regions": [place.result for place in self.places],
        }

    @property
    def handoff(self) -> Json:
        """The options of `ecr_handoff`; empty for an absent share."""
        share = self.share
        if not share.is_present or share.is_unchanged:
            return {}
        return {
            "path": share.handoff.path,
            "forms": list(share.handoff.forms),
            "denied": list(share.handoff.denied),
            "images": [str(image) for image in share.handoff.images],
            "role": {
                "role_arn": self.role_arn,
                "account": self.account,
                "consumers": _recipients(self.role.consumers),
                "expires": self.role.end_text,
                "mode": share.mode,
                "sid": self.sid or None,
            },
            "tagged": [place.tagged for place in self.places],
            "repository_tags": share.role.repository_tags,
            "repositories": list(share.repositories),
            "access": share.role.access,
            "share_changed": self.changed,
        }


def facts_of(
    shared: ShareState, number: int, role: PlannedRole, tags: TagChanges, statements: t.Sequence[StatementStep]
) -> ShareFacts:
    """The facts about a share after the run.

    :param number: the index of the share in the declaration
    """
    share, account = shared.shares[number], shared.account
    changed = {place for step in (*tags.untag, *tags.tag) for place in step.places}
    has_changed_statement = any(step.share is share for step in statements)
    places = []
    for region in share.regions:
        registry = account.registries.get(region)
        names = tuple(sorted(shared.selection[number, region]))
        after = {name: tags.after[region, name] for name in names if (region, name) in tags.after}
        places.append(RegionalRepositories(region, registry.host if registry else "", names, after))
    return ShareFacts(
        share,
        role,
        account.identity.account,
        account.identity.role(share.role.path, share.name) if share.has_role else "",
        account.identity.policy(share.role.path, share.policy_name) if share.has_role else "",
        "" if share.has_role else declared_statement(share).sid,
        {} if share.has_role or not share.is_present else _consumer_policy(share, places, account.identity),
        tuple(places),
        has_changed_statement
        or bool(role.plan.steps or changed & {(place.region, name) for place in places for name in place.names}),
    )


def _consumer_policy(share: Share, places: t.Sequence[RegionalRepositories], owner: Identity) -> Json:
    arns = [owner.repository(place.region, name) for place in places for name in place.names]
    return consumer_policy(arns, share.role.access)


def _recipients(consumers: t.Sequence[Json]) -> list[Json]:
    """The consumers that get a hand-off. A service, such as AWS Lambda, reads none."""
    return [consumer for consumer in consumers if consumer["account"] or consumer["organization_id"]]


def handoffs_of(facts: t.Sequence[ShareFacts]) -> list[Json]:
    """The options of `ecr_handoff` for each share. A single hand-off also has the name of an artifact."""
    found = [share.handoff for share in facts]
    given = [handoff for handoff in found if handoff]
    if len(given) == 1 and len(given[0]["role"]["consumers"]) * len(given[0]["tagged"]) == 1:
        given[0]["artifact"] = "ecr_share_handoff"
    return found
