# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The writes that a plan of a role consists of, as values. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleSettings, Tags


@dataclass(frozen=True)
class Step:
    """One write."""

    #: What the result of a module calls it.
    name: t.ClassVar[str]
    #: Whether something does not exist afterwards, so that it is as good if it does not exist before.
    is_removal: t.ClassVar[bool] = False
    #: The code with which AWS rejects the write if what it creates exists, or has taken the last place.
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


class DeleteRole(Step):
    name = "delete_role"
    is_removal = True


class BeginRevocation(Step):
    """Deny every session that was issued until now, and mark that this is to be repeated once the trust is narrower.

    A principal that assumes the role between the two would keep its session if this run was killed in between.
    """

    name = "begin_revocation"


class RevokeSessions(Step):
    """Deny every session that was issued until now.

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
