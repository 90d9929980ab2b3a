# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The access that remains after shares change or end, through other access paths. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import is_sid_like
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_policies import REGISTRY_POLICY, REPOSITORY_POLICY
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_report import ALWAYS_HIDDEN
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_text import pull_lines
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import NAMED

#: A region and the name of a repository.
Place = tuple[str, str]
Pair = tuple[Json, Json]


def affected_places(plan: Json) -> frozenset[Place]:
    """The repositories of the shares, and those that a principal loses.

    :param plan: the result of `ecr_share_info`
    """
    lost = {(pair["region"], pair["repository"]) for pair in plan["access_lost"]}
    regions = [region for share in plan["shares"] for region in share["regions"]]
    return frozenset(lost | {(region["region"], one["name"]) for region in regions for one in region["repositories"]})


@dataclass(frozen=True)
class _Shared:
    """The changes of a plan of shares.

    :param roles: the ARNs of the roles
    :param sids: the Sids of the shares without a role. A further statement of a share has a number after the Sid
    :param places: the repositories of the shares, and those that a principal loses
    :param removed: the tags that each repository loses, as the condition of an access path
    """

    roles: frozenset[str]
    sids: tuple[str, ...]
    places: frozenset[Place]
    removed: frozenset[tuple[Place, str]]

    @classmethod
    def of(cls, plan: Json) -> _Shared:
        removed = {
            ((step["region"], name), f"tag {key}={value}")
            for step in plan["untag"]
            for name in step["names"]
            for key, value in step["tags"].items()
        }
        roles = frozenset(share["role_arn"] for share in plan["shares"] if share["role_arn"])
        sids = tuple(share["sid"] for share in plan["shares"] if share.get("sid"))
        return cls(roles, sids, affected_places(plan), frozenset(removed))

    def leaves(self, path: Json, place: Place) -> bool:
        """Whether a pull through an access path is still possible after the run."""
        ends = any((place, condition) in self.removed for condition in path["conditions"])
        is_own = path.get("role") in self.roles or self._has_statement(path)
        return "pull" in path["actions"] and not (is_own or ends)

    def _has_statement(self, path: Json) -> bool:
        """Whether the statement of an access path is one of the shares."""
        of_resource = path["document"] in (REPOSITORY_POLICY, REGISTRY_POLICY)
        return of_resource and any(is_sid_like(sid)(path.get("statement")) for sid in self.sids)


def other_paths(plan: Json, audit: Json) -> list[Pair]:
    """The access to repositories of the shares that is not through a role of the shares.

    :param plan: the result of `ecr_share_info`
    :param audit: the report of the account before the run
    :returns: rows of the report, each with one of the paths through which a pull is allowed or unknown
    """
    shared = _Shared.of(plan)
    return [
        (row, path)
        for row in audit["access"]
        if (row["region"], row["repository"]) in shared.places
        for path in row["paths"]
        if shared.leaves(path, (row["region"], row["repository"]))
    ]


def kept_access(plan: Json, audit: Json) -> list[str]:
    """One line for each principal that can pull from a repository of the shares through another access path."""
    several = len({region for region, _name in affected_places(plan)}) > 1
    return pull_lines(other_paths(plan, audit), "still pulls", "may still pull", several=several)


def unchecked(result: Json) -> t.Iterator[str]:
    """One line for each part of the account that could not be read, so that access through it is not listed.

    :param result: the result of `ecr_audit_info`; without a report if the module failed
    """
    if "audit" not in result:
        reason = str(result.get("msg") or "no reason was given").splitlines()[0]
        yield f"not checked: whether access remains through another path: {reason}"
    always = {unseen.what for unseen in ALWAYS_HIDDEN}
    denied = [one for one in result.get("audit", {}).get("not_seen", ()) if one["what"] not in always]
    yield from (f"not checked: {one['what']}: {one['why']}" for one in denied[:NAMED])
    if len(denied) > NAMED:
        yield f"not checked: {len(denied) - NAMED:,} more facts that AWS denies"
