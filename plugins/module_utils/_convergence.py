# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""What AWS does not return yet, and which failed writes count as done. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import MAXIMUM_VERSIONS, RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState, folded
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    CreatePolicy,
    CreateRole,
    CreateVersion,
    Step,
)


def is_transient(reason: str) -> bool:
    """Whether a failure is one of AWS's own, or of too many calls, so that the same call may work soon.

    :param reason: AWS's error code, and after a colon its message
    """
    code = reason.partition(":")[0]
    return any(part in code for part in ("Throttl", "TooManyRequests", "RequestLimit", "Internal", "Server", "Service"))


def unmet(plan: RolePlan, seen: RoleState) -> list[str]:
    """What IAM does not read back yet of a plan that was carried out; empty when it reads back all of it."""
    after = plan.after
    missing = [
        what
        for what, as_planned in (
            ("the role", seen.role_exists == after.role_exists),
            ("the policy", seen.policy_exists == after.policy_exists),
            ("the trust", _policy_document.equal(seen.trust, after.trust)),
            ("the permissions", _policy_document.equal(seen.permissions, after.permissions)),
            ("the attachment", seen.attached == after.attached),
            ("the end of the revocation", not seen.revoking),
            ("the role's tags", folded(seen.role_tags) == folded(after.role_tags)),
            ("the policy's tags", folded(seen.policy_tags) == folded(after.policy_tags)),
        )
        if not as_planned
    ]
    if after.role_exists and seen.settings != after.settings:
        missing.append("the role's settings")
    return missing


def already_applied(step: Step, seen: RoleState) -> bool | None:
    """Whether what exists now is what `step` was to create, although AWS rejected it; None while nothing is seen.

    Either AWS carried out a request whose answer was lost, and rejected the second request of the SDK because of what
    the first one had created. Or somebody else created the like. Then it counts as ours only if it has our tags and
    our content.
    """
    if isinstance(step, CreateRole):
        return _is_created_role(step, seen) if seen.role_exists else None
    if isinstance(step, CreatePolicy):
        return _is_created_policy(step, seen) if seen.policy_exists else None
    if isinstance(step, CreateVersion):
        if _policy_document.equal(seen.permissions, step.document):
            return True
        return None if len(seen.versions) < MAXIMUM_VERSIONS else False
    return False


def _is_created_role(step: CreateRole, seen: RoleState) -> bool:
    return (
        _policy_document.equal(seen.trust, step.trust)
        and folded(step.tags).items() <= folded(seen.role_tags).items()
        and seen.settings == step.settings
    )


def _is_created_policy(step: CreatePolicy, seen: RoleState) -> bool:
    return (
        _policy_document.equal(seen.permissions, step.document)
        and folded(step.tags).items() <= folded(seen.policy_tags).items()
    )
