# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `iam_ecr_cache_role`: reads the role of a cache, plans it, and carries out the plan."""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role_declaration import (
    ROLE_ARGUMENTS,
    CacheRoleDeclaration,
    plan_cache_role,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import REGISTRY_ACCOUNT_ARGUMENT
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_session import registry_session
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_ownership import role_warnings
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_writes import carry_out
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions

CACHE_ROLE_ARGUMENTS: Json = {
    **ROLE_ARGUMENTS,
    **REGISTRY_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


def planned_cache_role(
    session: Session, declared: CacheRoleDeclaration, problems: Problems
) -> tuple[PullRole, RolePlan]:
    """Read the role, and plan it. Nothing is written."""
    registry = arn_of(session.identity["arn"]).identity
    role = PullRole(session.client("iam"), registry, declared.name, declared.policy_name, declared.path)
    return role, plan_cache_role(role.read(), declared, registry, problems)


def cache_role(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, problems = CacheRoleDeclaration.of(module.params), Problems()
    session = registry_session(module, declared.problems())
    declared = replace(declared, region=session.region)
    role, plan = planned_cache_role(session, declared, problems)
    problems.check()

    warn(module, role_warnings(plan, declared))
    if module.check_mode:
        written = [step.name for step in plan.steps]
    else:
        written = carry_out(role, plan, WaitOptions.of(module.params), progress)
    return {
        "changed": bool(plan.steps),
        "account": session.identity["account"],
        "role_arn": role.role_arn,
        "policy_arn": role.policy_arn,
        "trust": plan.after.trust or {},
        "permissions": plan.after.permissions or {},
        "steps": written,
        "diff": plan.diff,
    }
