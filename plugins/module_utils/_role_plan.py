# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the writes that change a role and its policy, in a safe order. Standard library only.

The order of the writes guarantees: at no time can a principal read a repository unless the old or the new declaration
allows this principal to read this repository. Therefore the trust policy is first reduced to the statements that both
declarations have. Then the permissions change, and then the trust policy gets the new statements. A new policy is
attached to the role only when both are as declared.
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

#: The maximum number of versions of a managed policy. Source: IAM User Guide, "Versioning IAM policies".
MAXIMUM_VERSIONS = 5
#: A trust policy that admits no principal. It is used while the old and the new declaration have no common statement.
DENY_ALL_TRUST: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


@dataclass(frozen=True)
class RolePlan:
    """The state before and after a run, and the writes between them."""

    before: RoleState
    after: RoleState
    steps: list[Step]

    @property
    def diff(self) -> Json:
        return {"before": self.before.shown(), "after": self.after.shown()}


def plan_role(before: RoleState, after: RoleState) -> RolePlan:
    """The plan for a role and its policy. It has no writes if they are as declared."""
    first, later = _boundary_steps(before, after)
    trust, narrowing, after = _narrow_trust(before, after, bool(later))
    # A new role is created first. If IAM rejects a principal in its trust policy, nothing else was written.
    steps = [*first, *narrowing]
    if not before.role_exists:
        steps.append(CreateRole(after.trust or DENY_ALL_TRUST, after.role_tags, after.settings))
    steps += policy_steps(before, after)
    if before.role_exists:
        steps += [*later, *_settings_steps(before, after)]
        if not _policy_document.equivalent(trust, after.trust):
            steps.append(UpdateTrust(after.trust or DENY_ALL_TRUST))
    if not before.attached:
        steps.append(Attach())
    return RolePlan(before, after, steps)


def _boundary_steps(before: RoleState, after: RoleState) -> tuple[list[Step], list[Step]]:
    """The write of the permissions boundary, either before all other writes or after the permissions.

    A boundary for a role without one can only reduce its permissions, so it is written first. If the caller is not
    allowed to set it, the run fails before any other write.
    """
    boundary = after.permissions_boundary
    if not before.role_exists or boundary is None or boundary == before.permissions_boundary:
        return [], []
    step: list[Step] = [PutBoundary(boundary)]
    return (step, []) if before.permissions_boundary is None else ([], step)


def _interim_trust(old: Document, new: Document, permissions_differ: bool, boundary_differs: bool) -> Document:
    """The trust policy while the permissions and the boundary change."""
    if permissions_differ and boundary_differs:
        # The old permissions with the new boundary, or the reverse, may allow access that neither declaration allows.
        return DENY_ALL_TRUST
    if _policy_document.equivalent(old, new) or not (permissions_differ or boundary_differs):
        return old
    common = _policy_document.common_statements(old, new)
    return {"Version": "2012-10-17", "Statement": common} if common else DENY_ALL_TRUST


def _narrow_trust(
    before: RoleState, after: RoleState, boundary_differs: bool
) -> tuple[Document | None, list[Step], RoleState]:
    """The reduced trust policy, the writes that set it, and the planned state of the role.

    A session of the role remains valid after its principal is removed from the trust policy, and after the policy is
    detached. A removed consumer must not use such a session for the new permissions. So sessions are revoked before the
    trust policy changes, and again afterwards, for sessions that started between the two writes.
    """
    old, new = before.trust, after.trust
    steps: list[Step] = []
    if not (old and new):
        return old, steps, after
    # A deleted user or role cannot assume the role again, but its session may still be valid.
    loses = bool(_policy_document.dangling_principals(old) or _admission.lost_admissions(old, new))
    # If unshare was interrupted, the role may exist without its revocation policy, so old sessions may be valid again.
    returns = not before.attached and not before.revoked and _policy_document.equivalent(old, DENY_ALL_TRUST)
    trust = _interim_trust(old, new, not _same_permissions(before, after), boundary_differs)
    if loses and _policy_document.equivalent(trust, old):
        trust = new
    if loses and not before.revoking:
        steps.append(BeginRevocation())
    if not _policy_document.equivalent(trust, old):
        steps.append(UpdateTrust(trust))
    if loses or before.revoking:
        steps += [RevokeSessions(), EndRevocation()]
    elif returns:
        steps.append(RevokeSessions())
    if loses or before.revoking or returns:
        after = replace(after, revoked=True, revoking=False)
    return trust, steps, after


def _same_permissions(before: RoleState, after: RoleState) -> bool:
    return _policy_document.equivalent(before.permissions, after.permissions)


def policy_steps(before: RoleState, after: RoleState) -> list[Step]:
    """The writes that change the policy to the declared one."""
    permissions = after.permissions or {}
    if not before.policy_exists:
        return [CreatePolicy(permissions, after.policy_tags)]
    added = _added(before.policy_tags, after.policy_tags)
    return [
        *(
            duplicate_versions(before.versions)
            if _same_permissions(before, after)
            else _new_default(before, permissions)
        ),
        *([TagPolicy(added)] if added else []),
    ]


def _new_default(before: RoleState, permissions: Document) -> list[Step]:
    for version in before.versions:
        if version.document is not None and _policy_document.equivalent(version.document, permissions):
            return [SetDefaultVersion(version.identifier), *duplicate_versions(before.versions, version.identifier)]
    steps: list[Step] = []
    if len(before.versions) >= MAXIMUM_VERSIONS:
        oldest = min(
            (version for version in before.versions if not version.is_default),
            key=lambda version: int(version.identifier[1:]),
        )
        steps.append(DeleteVersion(oldest.identifier))
    return [*steps, CreateVersion(permissions)]


def duplicate_versions(versions: t.Sequence[PolicyVersion], default: str | None = None) -> list[DeleteVersion]:
    """The writes that delete versions with the same document as the default version.

    A duplicate is left if the response to a creation is lost and the SDK repeats the request, or after concurrent runs.

    :param default: the default version at the time of these writes; None for the current default version
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
    if (before.revoked or before.revoking) and not _policy_document.equivalent(before.trust, DENY_ALL_TRUST):
        steps.append(
            UpdateTrust(DENY_ALL_TRUST)
        )  # if the run is interrupted, the next share finds this trust policy, and revokes sessions again
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
