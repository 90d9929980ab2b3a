# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the changes of the pull role of one share. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import with_external_ids
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import (
    RoleDeclaration,
    declared_state,
    role_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ownership import (
    ownership_problems,
    removal_problems,
    role_warnings,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import (
    RolePlan,
    plan_role,
    plan_role_absent,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState


@dataclass(frozen=True)
class PlannedRole:
    """A pull role, and the plan for its declaration.

    :param declared: the declaration, with each `generate` replaced by an external ID
    """

    declared: RoleDeclaration
    plan: RolePlan
    warnings: tuple[str, ...] = ()

    @property
    def consumers(self) -> list[Json]:
        """The consumers, each with the external ID in its trust statement, for the result of a module."""
        return [
            {"account": consumer.account, "principals": list(consumer.principals), "external_id": consumer.external_id}
            for consumer in self.declared.consumers
        ]


def plan_pull_role(
    before: RoleState, declared: RoleDeclaration, owner: Identity, make_id: t.Callable[[], str], problems: Problems
) -> PlannedRole:
    """Plan the changes of a role, or its deletion.

    :param make_id: returns a new external ID
    """
    consumers = [consumer.in_partition(owner.partition) for consumer in declared.consumers]
    declared = replace(declared, consumers=with_external_ids(consumers, owner.partition, before.trust, make_id))
    if declared.is_present:
        after = declared_state(before, declared, owner)
        problems.extend(role_problems(before, declared, owner))
        problems.extend(ownership_problems(before, after, declared))
        plan = plan_role(before, after)
    else:
        problems.extend(removal_problems(before, declared))
        plan = plan_role_absent(before)
    return PlannedRole(declared, plan, tuple(role_warnings(plan, declared)))
