# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Protects roles and policies that others created, and reports what others added to them. Standard library only."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import RoleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    RoleState,
    is_ours,
)


def ownership_problems(before: RoleState, after: RoleState, declared: RoleDeclaration) -> t.Iterator[str]:
    """Problems with an existing role or policy that lacks the ownership tag and differs from the declaration."""
    if declared.adopt:
        return
    for label, exists, tags, old, new in (
        (f"Role {declared.name}", before.role_exists, before.role_tags, before.trust, after.trust),
        (
            f"Policy {declared.policy_name}",
            before.policy_exists,
            before.policy_tags,
            before.permissions,
            after.permissions,
        ),
    ):
        if exists and not is_ours(tags, declared.ownership) and not _policy_document.equivalent(old, new):
            yield (
                f"{label} exists, is not tagged {'='.join(declared.ownership)}, and differs from the declaration."
                f" To change it, set {option('adopt')}: true. To keep it, choose another {option('name')}."
            )


def removal_problems(before: RoleState, declared: RoleDeclaration) -> t.Iterator[str]:
    """Problems with the deletion of a role or policy that others created, or to which others attached something.

    A policy that is kept has none.
    """
    deletes_policy = not declared.keep_policy
    for label, exists, tags in (
        (f"Role {declared.name}", before.role_exists, before.role_tags),
        (f"Policy {declared.policy_name}", before.policy_exists and deletes_policy, before.policy_tags),
    ):
        if exists and not is_ours(tags, declared.ownership) and not declared.adopt:
            yield (
                f"{label} is not tagged {'='.join(declared.ownership)}, so this collection did not create it."
                f" To delete it, set {option('adopt')}: true."
            )
    for attachment in before.attachments:
        if deletes_policy or not attachment.uses_policy:
            yield f"{attachment_text(attachment, declared)}. Remove it first. Nothing was changed."


def role_warnings(plan: RolePlan, declared: RoleDeclaration) -> t.Iterator[str]:
    """Warnings about a plan before it is applied."""
    before = plan.before
    if not plan.after.role_exists:
        return
    dangling = _policy_document.dangling_principals(before.trust)
    if dangling and plan.steps:
        names = ", ".join(dangling)
        yield f"The trust policy of {declared.name} names deleted users or roles: {names}. They are replaced."
    users = [attachment_text(attachment, declared) for attachment in before.attachments if attachment.uses_policy]
    if users and plan.steps:
        yield f"{'; '.join(users)}. Others attached it, so their access changes with the policy."
    added = [attachment_text(attachment, declared) for attachment in before.attachments if attachment.adds_permissions]
    if added:
        yield f"{'; '.join(added)}. Others added it, so the role allows more than the declaration."


def attachment_text(attachment: Attachment, declared: RoleDeclaration) -> str:
    """The description of an attachment for the user."""
    role, name = f"Role {declared.name}", attachment.name
    if attachment.kind is AttachmentKind.MANAGED_POLICY:
        return f"{role} has policy {name} attached"
    if attachment.kind is AttachmentKind.INLINE_POLICY:
        return f"{role} has the inline policy {name}"
    if attachment.kind is AttachmentKind.INSTANCE_PROFILE:
        return f"{role} is in instance profile {name}"
    return f"Policy {declared.policy_name} is attached to {attachment.kind.value} {name}"
