# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the changes of the pull role of one share. Standard library only."""

from __future__ import annotations

import datetime
import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import with_external_ids
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import earlier
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import utc_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration, declared_state
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ends import role_end_problems, with_fixed_ends
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ownership import (
    ownership_problems,
    removal_problems,
    role_warnings,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import (
    RolePlan,
    plan_role,
    plan_role_absent,
    plan_role_narrowed,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_problems import role_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import AttachmentKind, RoleState


@dataclass(frozen=True)
class NewValues:
    """The values of a new role.

    :param external_id: returns a new external ID
    :param now: the current time, from which a declared duration begins
    """

    external_id: t.Callable[[], str]
    now: datetime.datetime


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
        return [consumer.result for consumer in self.declared.consumers]

    @property
    def end_text(self) -> str | None:
        """When the access through the role ends, for the result of a module; None if it does not end."""
        end = earlier(self.declared.end, self.declared.role_end) if self.declared.is_present else None
        return None if end is None else utc_text(end)


def plan_pull_role(
    before: RoleState,
    declared: RoleDeclaration,
    owner: Identity,
    new: NewValues,
    problems: Problems,
    others: t.Sequence[RoleState] = (),
    parties: t.Sequence[str] = (),
) -> PlannedRole:
    """Plan the changes of a role, or its deletion.

    :param others: the other roles of the share; a new role has their external IDs and their end of the share
    :param parties: the party of each consumer of the share; empty for the consumers of this role
    """
    before = _without_own_roles(before, declared)
    trust = {"Statement": [one for state in (before, *others) for one in statements(state.trust or {})]}
    consumers = [consumer.in_partition(owner.partition) for consumer in declared.consumers]
    of_share = () if before.role_exists else parties
    consumers = list(with_external_ids(consumers, owner.partition, trust, new.external_id, of_share))
    declared = replace(declared, consumers=tuple(consumers))
    declared = with_fixed_ends(declared, [state.role_tags for state in (before, *others)], new.now)
    if declared.is_present:
        after = declared_state(before, declared, owner)
        problems.extend(role_problems(before, declared, owner))
        problems.extend(role_end_problems(before, declared, new.now))
        problems.extend(ownership_problems(before, after, declared))
        plan = plan_role_narrowed(before, after) if declared.is_narrowed else plan_role(before, after)
    else:
        problems.extend(removal_problems(before, declared))
        plan = plan_role_absent(before, declared.keep_policy)
    return PlannedRole(declared, plan, tuple(role_warnings(plan, declared)))


def _without_own_roles(before: RoleState, declared: RoleDeclaration) -> RoleState:
    """The state without the attachments of the policy to other roles of this collection, which others did not make."""
    own = {name.lower() for name in declared.policy_roles}
    kept = tuple(
        attachment
        for attachment in before.attachments
        if not (attachment.kind is AttachmentKind.ROLE and attachment.name.lower() in own)
    )
    return replace(before, attachments=kept)
