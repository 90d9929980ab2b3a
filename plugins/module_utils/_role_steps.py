# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The writes of a role plan, as values. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import Attachment, RoleSettings, Tags


@dataclass(frozen=True)
class Step:
    """One write."""

    #: The name of the write in the result of a module.
    name: t.ClassVar[str]
    #: Whether the write is a deletion, which is also complete if the object does not exist.
    is_removal: t.ClassVar[bool] = False
    #: The error code if the object already exists, or has used the last available version of a policy.
    code_if_present: t.ClassVar[str | None] = None


@dataclass(frozen=True)
class CreateRole(Step):
    name = "create_role"
    code_if_present = "EntityAlreadyExists"
    trust: Document
    tags: Tags
    settings: RoleSettings


@dataclass(frozen=True)
class UpdateRole(Step):
    name = "update_role"
    description: str
    max_session_duration: int


@dataclass(frozen=True)
class PutBoundary(Step):
    name = "put_boundary"
    boundary: str


@dataclass(frozen=True)
class UpdateTrust(Step):
    name = "update_trust"
    document: Document


@dataclass(frozen=True)
class TagRole(Step):
    name = "tag_role"
    tags: Tags


@dataclass(frozen=True)
class UntagRole(Step):
    name = "untag_role"
    keys: tuple[str, ...]


@dataclass(frozen=True)
class PutEnd(Step):
    """Write the inline policy that ends the access of the role."""

    name = "put_end"
    document: Document


class DeleteEnd(Step):
    name = "delete_end"
    is_removal = True


class DeleteRole(Step):
    name = "delete_role"
    is_removal = True


class BeginRevocation(Step):
    """Revoke all sessions before the trust policy changes, and mark the revocation as unfinished.

    It must be repeated after the trust policy has changed, because a removed consumer can start a session until then.
    If the run is interrupted, the mark causes the next run to repeat it.
    """

    name = "begin_revocation"


class RevokeSessions(Step):
    """Revoke all sessions that were issued before this time.

    Source: IAM User Guide, "Revoke IAM role temporary security credentials".
    """

    name = "revoke_sessions"


class EndRevocation(Step):
    name = "end_revocation"
    is_removal = True


class DeleteRevocation(Step):
    name = "delete_revocation"
    is_removal = True


@dataclass(frozen=True)
class CreatePolicy(Step):
    name = "create_policy"
    code_if_present = "EntityAlreadyExists"
    document: Document
    tags: Tags


@dataclass(frozen=True)
class CreateVersion(Step):
    name = "create_version"
    code_if_present = "LimitExceeded"
    document: Document


@dataclass(frozen=True)
class SetDefaultVersion(Step):
    name = "set_default_version"
    version: str


@dataclass(frozen=True)
class DeleteVersion(Step):
    name = "delete_version"
    is_removal = True
    version: str


@dataclass(frozen=True)
class TagPolicy(Step):
    name = "tag_policy"
    tags: Tags


class DeletePolicy(Step):
    name = "delete_policy"
    is_removal = True


class Attach(Step):
    name = "attach"


class Detach(Step):
    name = "detach"
    is_removal = True


@dataclass(frozen=True)
class AttachTo(Step):
    """Attach the policy of a tag guard to a user or a role."""

    name = "attach_to"
    attachment: Attachment


@dataclass(frozen=True)
class DetachFrom(Step):
    name = "detach_from"
    is_removal = True
    attachment: Attachment


#: The message about a completed step, by the name of the step.
DONE = {
    "create_role": "the role was created",
    "update_role": "the description and the session duration were set",
    "put_boundary": "the permissions boundary was set",
    "update_trust": "the trust policy was changed",
    "tag_role": "the role was tagged",
    "untag_role": "tags of the role were removed",
    "put_end": "the policy that ends the access was written",
    "delete_end": "the policy that ends the access was deleted",
    "delete_role": "the role was deleted",
    "begin_revocation": "existing sessions of the role were revoked",
    "revoke_sessions": "existing sessions of the role were revoked",
    "end_revocation": "the mark of the revocation was removed",
    "delete_revocation": "the policy that revokes sessions was deleted",
    "create_policy": "the policy was created",
    "create_version": "a version of the policy was created",
    "set_default_version": "a version of the policy became the default",
    "delete_version": "an old version of the policy was deleted",
    "tag_policy": "the policy was tagged",
    "delete_policy": "the policy was deleted",
    "attach": "the policy was attached to the role",
    "detach": "the policy was detached from the role",
    "attach_to": "the policy was attached to a user or a role",
    "detach_from": "the policy was detached from a user, a role or a group",
}
