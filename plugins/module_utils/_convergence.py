# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Compares the state that IAM returns with a plan, despite eventual consistency and retries. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import MAXIMUM_VERSIONS, RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState, lowercase_keys
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    AttachTo,
    CreatePolicy,
    CreateRole,
    CreateVersion,
    DetachFrom,
    Step,
)


def is_transient(reason: str) -> bool:
    """Whether a failure is a server error or throttling, so that the same request may succeed soon.

    :param reason: the error code of AWS, a colon, and its message
    """
    code = reason.partition(":")[0]
    return any(part in code for part in ("Throttl", "TooManyRequests", "RequestLimit", "Internal", "Server", "Service"))


def unmet(plan: RolePlan, current: RoleState) -> list[str]:
    """The parts of an applied plan that IAM does not return yet; empty if IAM returns all of them."""
    after = plan.after
    missing = [
        part
        for part, as_planned in (
            ("the role", current.role_exists == after.role_exists),
            ("the policy", current.policy_exists == after.policy_exists),
            ("the trust", _policy_document.equivalent(current.trust, after.trust)),
            ("the permissions", _policy_document.equivalent(current.permissions, after.permissions)),
            ("the attachment", current.attached == after.attached),
            ("the attachments", _has_attachments(plan, current)),
            ("the end of the revocation", not current.revoking),
            ("the end of access", current.end_policy == after.end_policy),
            ("the role's tags", lowercase_keys(current.role_tags) == lowercase_keys(after.role_tags)),
            ("the policy's tags", lowercase_keys(current.policy_tags) == lowercase_keys(after.policy_tags)),
        )
        if not as_planned
    ]
    if after.role_exists and current.settings != after.settings:
        missing.append("the role's settings")
    return missing


def _has_attachments(plan: RolePlan, current: RoleState) -> bool:
    """Whether the policy is attached to each principal to which the plan attaches it, and to none that it detaches."""
    after, now = {*plan.after.attachments}, {*current.attachments}
    attached = {step.attachment for step in plan.steps if isinstance(step, AttachTo)}
    detached = {step.attachment for step in plan.steps if isinstance(step, DetachFrom)}
    return attached & after <= now and not (detached - after) & now


def already_applied(step: Step, current: RoleState) -> bool | None:
    """Whether this run made a creation that AWS rejected as a duplicate; None if IAM does not return the object yet.

    If the response to a creation is lost, the SDK repeats the request, and AWS rejects the repetition. Another process
    may also have created an object with the same name. The existing object counts as created by this run only if it has
    the tags and the content of `step`.
    """
    if isinstance(step, CreateRole):
        return _is_created_role(step, current) if current.role_exists else None
    if isinstance(step, CreatePolicy):
        return _is_created_policy(step, current) if current.policy_exists else None
    if isinstance(step, CreateVersion):
        if _policy_document.equivalent(current.permissions, step.document):
            return True
        return None if len(current.versions) < MAXIMUM_VERSIONS else False
    return False


def _is_created_role(step: CreateRole, current: RoleState) -> bool:
    return (
        _policy_document.equivalent(current.trust, step.trust)
        and lowercase_keys(step.tags).items() <= lowercase_keys(current.role_tags).items()
        and current.settings == step.settings
    )


def _is_created_policy(step: CreatePolicy, current: RoleState) -> bool:
    return (
        _policy_document.equivalent(current.permissions, step.document)
        and lowercase_keys(step.tags).items() <= lowercase_keys(current.policy_tags).items()
    )
