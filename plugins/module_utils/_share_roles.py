# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The pull role of one share: from its declared options to the plan of its changes. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _consumers, _names
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import (
    RolePlan,
    plan_role,
    plan_role_absent,
    role_warnings,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    RoleState,
    declare_role,
    ownership_problems,
)

Options = dict[str, t.Any]


@dataclass(frozen=True)
class PlannedRole:
    """A pull role with the changes that its declaration requires.

    :param options: those of `iam_ecr_pull_role`, with the external ID in the place of each `generate`
    """

    options: Options
    plan: RolePlan
    warnings: tuple[str, ...] = ()

    @property
    def consumers(self) -> list[Options]:
        """The consumers, each with the external ID that its trust statement has."""
        return [
            {"account": one["account"], "principals": one.get("principals") or [], "external_id": one["external_id"]}
            for one in self.options["consumers"]
        ]


def plan_pull_role(
    before: RoleState, options: Options, partition: str, account: str, make_id: t.Callable[[], str], problems: Problems
) -> PlannedRole:
    """The changes that make a role as its options declare it, or that delete it.

    :param options: the options of `iam_ecr_pull_role`
    :param make_id: makes a new external ID
    """
    name, policy_name = options["name"], options["policy_name"] or options["name"]
    listed = options["consumers"] or []
    declared = [{"external_id": None, **one, "account": _names.account_of(one["account"], partition)} for one in listed]
    resolved = {**options, "consumers": _consumers.resolve_external_ids(declared, partition, before.trust, make_id)}
    if options["state"] == "present":
        after = declare_role(before, resolved, partition, account, problems)
        if not options["adopt"]:
            for problem in ownership_problems(before, after, name, policy_name):
                problems.add(problem)
        plan = plan_role(before, after)
    else:
        plan = plan_role_absent(before, name, policy_name, problems, options["adopt"])
    return PlannedRole(resolved, plan, tuple(role_warnings(plan, name, policy_name)))
