# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The plan of a role: before, after, and the writes between them in their order. Standard library only.

The order of the writes keeps one rule: at no moment may a principal read a repository unless the old or the new
declaration allows exactly that pair. So the trust is narrowed to what both declarations have, then the permissions
change, then the trust is widened; and a role is attached to its policy only when both are as declared.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _admission, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import PolicyVersion, RoleState, Tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    Attach,
    BeginRevocation,
    CreatePolicy,
    CreateRole,
    CreateVersion,
    DeletePolicy,
    DeleteRevocation,
    DeleteRole,
    DeleteVersion,
    Detach,
    EndRevocation,
    PutBoundary,
    RevokeSessions,
    SetDefaultVersion,
    Step,
    TagPolicy,
    TagRole,
    UpdateRole,
    UpdateTrust,
)

#: IAM User Guide, "Versioning IAM policies": at most five versions of a policy.
MAXIMUM_VERSIONS = 5
#: Nobody: the trust while nothing is common to the old and the new declaration.
NOBODY: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class RolePlan:
    """Before, after, and the writes between."""

    before: RoleState
    after: RoleState
    steps: list[Step]

    @property
    def diff(self) -> Json:
        return {"before": self.before.shown(), "after": self.after.shown()}


def plan_role(before: RoleState, after: RoleState) -> RolePlan:
    """The writes that make the role and its policy as declared; none if they are."""
    first, later = _boundary_steps(before, after)
    trust, narrowing, after = _narrow_trust(before, after, bool(later))
    # A new role comes first: IAM may refuse a principal in its trust, and then nothing was written.
    steps = [*first, *narrowing]
    if not before.role_exists:
        steps.append(CreateRole(after.trust or NOBODY, after.role_tags, after.settings))
    steps += _policy_steps(before, after)
    if before.role_exists:
        steps += [*later, *_settings_steps(before, after)]
        if not _policy_document.equal(trust, after.trust):
            steps.append(UpdateTrust(after.trust or NOBODY))
    if not before.attached:
        steps.append(Attach())
    return RolePlan(before, after, steps)


def _boundary_steps(before: RoleState, after: RoleState) -> tuple[list[Step], list[Step]]:
    """The write of another boundary: as the first write, or after the permissions.

    A first boundary only narrows what the role can do, so no other write has to come before it. A caller that may not
    set it fails here, and nothing is written.
    """
    boundary = after.permissions_boundary
    if not before.role_exists or boundary is None or boundary == before.permissions_boundary:
        return [], []
    step: list[Step] = [PutBoundary(boundary)]
    return (step, []) if before.permissions_boundary is None else ([], step)


def _interim_trust(old: Document, new: Document, permissions_differ: bool, boundary_differs: bool) -> Document:
    """The trust while permissions and boundary change."""
    if permissions_differ and boundary_differs:
        # The old of the one with the new of the other may reach what neither declaration does.
        return NOBODY
    if _policy_document.equal(old, new) or not (permissions_differ or boundary_differs):
        return old
    common = _policy_document.common_statements(old, new)
    return {"Version": "2012-10-17", "Statement": common} if common else NOBODY


def _narrow_trust(
    before: RoleState, after: RoleState, boundary_differs: bool
) -> tuple[Document | None, list[Step], RoleState]:
    """The trust after the first writes, these writes, and the role as it is to be.

    Sessions outlive the trust that let them in, and the attachment: who is no longer declared must not see what comes
    next. So sessions are revoked before the trust changes, and afterwards, for who came in meanwhile.
    """
    old, new = before.trust, after.trust
    steps: list[Step] = []
    if not (old and new):
        return old, steps, after
    # A user or role that was deleted cannot come in again, but its session may still be valid.
    loses = bool(_policy_document.dangling_principals(old) or _admission.lost(old, new))
    # If an unshare was killed, the role exists without its revocation: the sessions from before may still be valid.
    returns = not before.attached and not before.revoked and _policy_document.equal(old, NOBODY)
    trust = _interim_trust(old, new, not _same_permissions(before, after), boundary_differs)
    if loses and _policy_document.equal(trust, old):
        trust = new
    if loses and not before.revoking:
        steps.append(BeginRevocation())
    if not _policy_document.equal(trust, old):
        steps.append(UpdateTrust(trust))
    if loses or before.revoking:
        steps += [RevokeSessions(), EndRevocation()]
    elif returns:
        steps.append(RevokeSessions())
    if loses or before.revoking or returns:
        after = replace(after, revoked=True, revoking=False)
    return trust, steps, after


def _same_permissions(before: RoleState, after: RoleState) -> bool:
    return _policy_document.equal(before.permissions, after.permissions)


def _policy_steps(before: RoleState, after: RoleState) -> list[Step]:
    """The writes that make the policy as declared."""
    permissions = after.permissions or {}
    if not before.policy_exists:
        return [CreatePolicy(permissions, after.policy_tags)]
    added = _added(before.policy_tags, after.policy_tags)
    return [
        *(surplus(before.versions) if _same_permissions(before, after) else _new_default(before, permissions)),
        *([TagPolicy(added)] if added else []),
    ]


def _new_default(before: RoleState, permissions: Document) -> list[Step]:
    for version in before.versions:
        if version.document is not None and _policy_document.equal(version.document, permissions):
            return [SetDefaultVersion(version.identifier), *surplus(before.versions, version.identifier)]
    steps: list[Step] = []
    if len(before.versions) >= MAXIMUM_VERSIONS:
        oldest = min(
            (version for version in before.versions if not version.is_default),
            key=lambda version: int(version.identifier[1:]),
        )
        steps.append(DeleteVersion(oldest.identifier))
    return [*steps, CreateVersion(permissions)]


def surplus(versions: t.Sequence[PolicyVersion], default: str | None = None) -> list[DeleteVersion]:
    """The writes that remove versions with the very document of the default one.

    A creation that was sent twice leaves one, since the first answer was lost; so do two runs at once.

    :param default: the version that is the default one by then; None for the one that is
    """
    kept = next(
        (version for version in versions if (version.identifier == default if default else version.is_default)), None
    )
    return [
        DeleteVersion(version.identifier)
        for version in versions
        if kept and version is not kept and version.document is not None and version.document == kept.document
    ]


def _settings_steps(before: RoleState, after: RoleState) -> list[Step]:
    steps: list[Step] = []
    if (before.description, before.max_session_duration) != (after.description, after.max_session_duration):
        steps.append(UpdateRole(after.description, after.max_session_duration))
    added = _added(before.role_tags, after.role_tags)
    return [*steps, TagRole(added)] if added else steps


def _added(before: Tags, after: Tags) -> Tags:
    return {key: value for key, value in after.items() if before.get(key) != value}


def plan_role_absent(before: RoleState) -> RolePlan:
    """The writes that delete the role and its policy."""
    steps: list[Step] = []
    if before.attached:
        steps.append(Detach())
    if (before.revoked or before.revoking) and not _policy_document.equal(before.trust, NOBODY):
        steps.append(UpdateTrust(NOBODY))  # after a killed run, this tells the next share to revoke again
    if before.revoked:
        steps.append(DeleteRevocation())
    if before.revoking:
        steps.append(EndRevocation())
    if before.role_exists:
        steps.append(DeleteRole())
    steps += [DeleteVersion(version.identifier) for version in before.versions if not version.is_default]
    if before.policy_exists:
        steps.append(DeletePolicy())
    return RolePlan(before, RoleState(), steps)
