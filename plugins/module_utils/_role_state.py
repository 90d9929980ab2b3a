# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The role and its policy as a value: as they are in the account, or as they are declared. Standard library only."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils import _granted_access, _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document

Tags = t.Mapping[str, str]
#: The IAM tag of the roles and policies that this collection created.
OWNERSHIP_TAG = ("managed-by", "crossaccount.ecr")


@dataclass(frozen=True)
class PolicyVersion:
    """A version of the managed policy."""

    identifier: str
    is_default: bool
    document: Document | None = None


@dataclass(frozen=True)
class RoleSettings:
    """What a role has beside its trust and its tags."""

    description: str = ""
    max_session_duration: int = 3600
    permissions_boundary: str | None = None


class AttachmentKind(enum.Enum):
    """What others added to the role, or what they attached its policy to."""

    MANAGED_POLICY = "managed policy"
    INLINE_POLICY = "inline policy"
    INSTANCE_PROFILE = "instance profile"
    ROLE = "role"
    USER = "user"
    GROUP = "group"


@dataclass(frozen=True)
class Attachment:
    """Something that others added to the role, or that they attached its policy to; it blocks a deletion.

    :param name: the ARN of a managed policy, the name of anything else
    """

    kind: AttachmentKind
    name: str

    @property
    def adds_permissions(self) -> bool:
        """Whether sessions of the role can do more because of it."""
        return self.kind in (AttachmentKind.MANAGED_POLICY, AttachmentKind.INLINE_POLICY)

    @property
    def uses_policy(self) -> bool:
        """Whether it has the permissions of the role's policy."""
        return self.kind in (AttachmentKind.ROLE, AttachmentKind.USER, AttachmentKind.GROUP)


@dataclass(frozen=True)
class RoleState:
    """The role and its policy: as they are in the account, or as they are declared."""

    role_exists: bool = False
    policy_exists: bool = False
    path: str = "/"
    description: str = ""
    max_session_duration: int = 3600
    permissions_boundary: str | None = None
    trust: Document | None = None
    permissions: Document | None = None
    attached: bool = False
    role_tags: Tags = field(default_factory=dict)
    policy_tags: Tags = field(default_factory=dict)
    versions: tuple[PolicyVersion, ...] = ()
    #: Whether older sessions were revoked: the role has the inline policy for that.
    revoked: bool = False
    #: Whether a run that removes somebody from the trust did not complete: the role has the inline policy for that.
    revoking: bool = False
    attachments: tuple[Attachment, ...] = ()

    @property
    def settings(self) -> RoleSettings:
        return RoleSettings(self.description, self.max_session_duration, self.permissions_boundary)

    def shown(self) -> Json:
        """What a diff shows."""
        role = {
            "path": self.path,
            "description": self.description,
            "max_session_duration": self.max_session_duration,
            "permissions_boundary": self.permissions_boundary,
            "trust": self.trust,
            "tags": self.role_tags,
        }
        return {
            "role": role if self.role_exists else {},
            "policy": {"permissions": self.permissions, "tags": self.policy_tags} if self.policy_exists else {},
            "attached": self.attached,
        }


def folded(tags: Tags) -> dict[str, str]:
    """The tags in a form that IAM tells apart."""
    return {key.lower(): value for key, value in tags.items()}


def is_ours(tags: Tags) -> bool:
    """Whether a role or a policy with these tags was created by this collection."""
    key, value = OWNERSHIP_TAG
    return folded(tags).get(key) == value


def reaches_beyond_tags(permissions: Document | None) -> bool:
    """Whether a permissions document of others lets a session pull from repositories without the tags it names."""
    return any(
        statement.get("Effect") == "Allow"
        and _policy_document.as_list(statement.get("Action")) != [_policy.TOKEN_ACTION]
        and not _granted_access.granting_tags({"Statement": [statement]})
        for statement in _policy_document.statements(permissions or {})
    )
