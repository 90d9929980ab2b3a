# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The access that principals gain and lose by a plan, through all roles. Standard library only."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import (
    ChangeOfAccess,
    Pair,
    Repository,
    Role,
    change_of_access,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import active, without_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ends import end_of_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState

NO_CHANGE = "No access is gained or lost."


@dataclass(frozen=True)
class TagsChange:
    """A repository in a region, with its tags before and after the run."""

    region: str
    name: str
    arn: str
    before: dict[str, str]
    after: dict[str, str]


@dataclass(frozen=True)
class RoleChange:
    """A role before and after the run."""

    name: str
    before: RoleState
    after: RoleState


@dataclass(frozen=True)
class AccessChange:
    """The access gained and lost: `principal`, `repository` and `region` of each change, without duplicates.

    :param lines: the changes as text; a line names at most ten repositories
    :param all_lines: the same with the names of all repositories
    """

    gained: list[dict[str, str]]
    lost: list[dict[str, str]]
    lines: list[str]
    all_lines: list[str]


def access_of(
    roles: t.Sequence[RoleChange],
    repositories: t.Sequence[TagsChange],
    now: datetime.datetime,
    statements: t.Sequence[tuple[str, ChangeOfAccess]] = (),
) -> AccessChange:
    """The change of access through each role and each statement.

    Access through two roles is listed twice, because each has a hand-off.

    :param statements: the changes through statements, each with the name of its share or its Sid, and its policies
    :param now: the current time; a role whose access has ended gives no access
    """
    old = [Repository(change.name, change.arn, change.before) for change in repositories]
    new = [Repository(change.name, change.arn, change.after) for change in repositories]
    changes = [
        *(
            (
                f" through role {role.name}",
                change_of_access(_pulled_by(role.before, now), _pulled_by(role.after, now), old, new),
            )
            for role in roles
        ),
        *((f" through {name}", change) for name, change in statements),
    ]
    several = len({through for through, change in changes if change.lines}) > 1
    lines = sorted(line + (through if several else "") for through, change in changes for line in change.lines)
    all_lines = sorted(line + (through if several else "") for through, change in changes for line in change.all_lines)
    return AccessChange(
        _distinct(pair for _through, change in changes for pair in change.gained),
        _distinct(pair for _through, change in changes for pair in change.lost),
        lines or [NO_CHANGE],
        all_lines or [NO_CHANGE],
    )


def _pulled_by(state: RoleState, now: datetime.datetime) -> Role | None:
    """The role with the end of its access in its trust policy only, where a change of the end is a change of access."""
    if not (state.attached and state.trust and state.permissions):
        return None
    return Role(active(state.trust, end_of_role(state), now), without_end(state.permissions))


def _distinct(pairs: t.Iterable[Pair]) -> list[dict[str, str]]:
    found = {(pair.principal, pair.repository, pair.region) for pair in pairs}
    return [{"principal": pair[0], "repository": pair[1], "region": pair[2]} for pair in sorted(found)]
