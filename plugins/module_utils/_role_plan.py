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

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_narrowing import (
    DENY_ALL_TRUST,
    boundary_steps,
    narrow_trust,
    new_end_steps,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    END_TAGS,
    PolicyVersion,
    RoleState,
    Tags,
    lowercase_keys,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    Attach,
    CreatePolicy,
    CreateRole,
    CreateVersion,
    DeleteEnd,
    DeletePolicy,
    DeleteRevocation,
    DeleteRole,
    DeleteVersion,
    Detach,
    EndRevocation,
    SetDefaultVersion,
    Step,
    TagPolicy,
    TagRole,
    UntagRole,
    UpdateRole,
    UpdateTrust,
)

#: The maximum number of versions of a managed policy. Source: IAM User Guide, "Versioning IAM policies".
MAXIMUM_VERSIONS = 5


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
    first, later = boundary_steps(before, after)
    trust, narrowing, after = narrow_trust(before, after, bool(later))
    # A new role is created first. If IAM rejects a principal in its trust policy, nothing else was written.
    steps = [*first, *narrowing]
    if not before.role_exists:
        steps.append(CreateRole(after.trust or DENY_ALL_TRUST, after.role_tags, after.settings))
    ending, extending = new_end_steps(before, after)
    steps += [*_end_tag_steps(before, after), *ending, *policy_steps(before, after), *extending]
    if before.role_exists:
        steps += [*later, *_settings_steps(before, after)]
        if not _policy_document.equivalent(trust, after.trust):
            steps.append(UpdateTrust(after.trust or DENY_ALL_TRUST))
    if before.end_policy is not None and after.end_policy is None:
        steps.append(DeleteEnd())
    if not before.attached:
        steps.append(Attach())
    return RolePlan(before, after, steps)


def plan_role_narrowed(before: RoleState, after: RoleState) -> RolePlan:
    """The writes of `plan_role` that give no access, and the state of the role after them.

    Roles with one policy are narrowed before the first of them changes the policy. A new role is created without its
    policy. So it has the external IDs and the fixed ends of a role that the run deletes next.
    """
    if not before.role_exists:
        policy = {part: getattr(before, part) for part in ("policy_exists", "permissions", "policy_tags", "versions")}
        created = replace(after, attached=False, end_policy=None, **policy)
        return RolePlan(before, created, [CreateRole(after.trust or DENY_ALL_TRUST, after.role_tags, after.settings)])
    first, later = boundary_steps(before, after)
    trust, narrowing, planned = narrow_trust(before, after, bool(later))
    ends, _extending = new_end_steps(before, after)
    narrowed = replace(
        before,
        trust=trust,
        permissions_boundary=after.permissions_boundary if first else before.permissions_boundary,
        end_policy=after.end_policy if ends else before.end_policy,
        revoked=planned.revoked,
        revoking=planned.revoking,
    )
    return RolePlan(before, narrowed, [*first, *narrowing, *ends])


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
    changed = _added(before.role_tags, after.role_tags)
    added = {key: value for key, value in changed.items() if key not in END_TAGS}
    kept = lowercase_keys(after.role_tags)
    removed = tuple(key for key in before.role_tags if key.lower() not in kept)
    steps += [TagRole(added)] if added else []
    return [*steps, UntagRole(removed)] if removed else steps


def _end_tag_steps(before: RoleState, after: RoleState) -> list[Step]:
    """The write of the fixed ends, before the writes that use them, so that a later run finds the same ends."""
    added = {key: value for key, value in _added(before.role_tags, after.role_tags).items() if key in END_TAGS}
    return [TagRole(added)] if before.role_exists and added else []


def _added(before: Tags, after: Tags) -> Tags:
    return {key: value for key, value in after.items() if before.get(key) != value}


def plan_role_absent(before: RoleState, keep_policy: bool = False) -> RolePlan:
    """The writes that delete the role and its policy.

    :param keep_policy: whether other roles use the policy
    """
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
    if before.end_policy is not None:
        steps.append(DeleteEnd())
    if before.role_exists:
        steps.append(DeleteRole())
    if keep_policy:
        return RolePlan(
            before,
            RoleState(
                policy_exists=before.policy_exists, permissions=before.permissions, policy_tags=before.policy_tags
            ),
            steps,
        )
    steps += [DeleteVersion(version.identifier) for version in before.versions if not version.is_default]
    if before.policy_exists:
        steps.append(DeletePolicy())
    return RolePlan(before, RoleState(), steps)
