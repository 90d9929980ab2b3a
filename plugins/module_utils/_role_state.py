# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The state of a pull role and its policy, either current or planned. Standard library only."""

from __future__ import annotations

import enum
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils import _granted_access, _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document

Tags = t.Mapping[str, str]
#: The IAM tag of the pull roles and their policies that this collection created.
OWNERSHIP_TAG = ("managed-by", "crossaccount.ecr")
#: The same for the roles of caches, which no share, revocation or guard must treat as pull roles.
CACHE_OWNERSHIP_TAG = ("managed-by", "crossaccount.ecr-cache")
#: The key of the IAM tag of a role that serves one consumer of a share. Its value is the declared name of the share.
SHARE_TAG = "crossaccount.ecr-share"
#: The keys of the IAM tags with the fixed end of a share and of a single role, if they are declared as durations.
END_TAG, ROLE_END_TAG = END_TAGS = ("crossaccount.ecr-expires", "crossaccount.ecr-role-expires")


@dataclass(frozen=True)
class PolicyVersion:
    """A version of the managed policy."""

    identifier: str
    is_default: bool
    document: Document | None = None


@dataclass(frozen=True)
class RoleSettings:
    """The settings of a role, without its trust policy and its tags."""

    description: str = ""
    max_session_duration: int = 3600
    permissions_boundary: str | None = None


class AttachmentKind(enum.Enum):
    """The kind of an attachment."""

    MANAGED_POLICY = "managed policy"
    INLINE_POLICY = "inline policy"
    INSTANCE_PROFILE = "instance profile"
    ROLE = "role"
    USER = "user"
    GROUP = "group"


@dataclass(frozen=True)
class Attachment:
    """A policy or an instance profile that others added to the role, or an identity to which they attached its policy.

    IAM does not delete a role or a policy with attachments.

    :param name: the ARN of a managed policy; the name of any other object
    """

    kind: AttachmentKind
    name: str

    @property
    def adds_permissions(self) -> bool:
        """Whether the attachment may grant permissions to the role."""
        return self.kind in (AttachmentKind.MANAGED_POLICY, AttachmentKind.INLINE_POLICY)

    @property
    def uses_policy(self) -> bool:
        """Whether the policy of the role is attached to this identity."""
        return self.kind in (AttachmentKind.ROLE, AttachmentKind.USER, AttachmentKind.GROUP)


@dataclass(frozen=True)
class RoleState:
    """The state of a role and its policy, either current or planned."""

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
    #: Whether the role has the inline policy that revokes older sessions.
    revoked: bool = False
    #: Whether the role has the inline policy of an unfinished revocation: a run that removes consumers did not
    #: complete.
    revoking: bool = False
    #: The inline policy that ends the access of this role; None if the role does not have it.
    end_policy: Document | None = None
    attachments: tuple[Attachment, ...] = ()
    #: The name of the only policy that is attached to the role; empty if it was not needed.
    policy_name: str = ""

    @property
    def settings(self) -> RoleSettings:
        return RoleSettings(self.description, self.max_session_duration, self.permissions_boundary)

    def shown(self) -> Json:
        """The state in the form for a diff."""
        role = {
            "path": self.path,
            "description": self.description,
            "max_session_duration": self.max_session_duration,
            "permissions_boundary": self.permissions_boundary,
            "trust": self.trust,
            "tags": self.role_tags,
            **({"end": self.end_policy} if self.end_policy else {}),
        }
        return {
            "role": role if self.role_exists else {},
            "policy": {"permissions": self.permissions, "tags": self.policy_tags} if self.policy_exists else {},
            "attached": self.attached,
        }


def lowercase_keys(tags: Tags) -> dict[str, str]:
    """The tags with keys in lower case, because IAM ignores the case of keys."""
    return {key.lower(): value for key, value in tags.items()}


def is_ours(tags: Tags, ownership: tuple[str, str] = OWNERSHIP_TAG) -> bool:
    """Whether the tags include an ownership tag of this collection."""
    key, value = ownership
    return lowercase_keys(tags).get(key) == value


def reaches_beyond_tags(permissions: Document | None) -> bool:
    """Whether a permissions document may allow a pull from repositories that do not have the tags in its conditions."""
    return any(
        statement.get("Effect") == "Allow"
        and _policy_document.as_list(statement.get("Action")) != [_policy.TOKEN_ACTION]
        and not _granted_access.granting_tags({"Statement": [statement]})
        for statement in _policy_document.statements(permissions or {})
    )
