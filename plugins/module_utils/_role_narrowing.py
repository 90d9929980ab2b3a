# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the writes that reduce the access through a role before its permissions change. Standard library only.

The end of access needs no reduction of the trust policy. The permissions of a role have either the old or the new end,
so at each time before and after a write, the old or the new declaration allows the access. Therefore the end of a
statement is ignored when two trust policies are compared, and a new end does not interrupt the consumers.
"""

from __future__ import annotations

from dataclasses import replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _admission, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._end_condition import end_in_policy, without_end
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import (
    BeginRevocation,
    EndRevocation,
    PutBoundary,
    PutEnd,
    RevokeSessions,
    Step,
    UpdateTrust,
)

#: A trust policy that admits no principal. It is used while the old and the new declaration have no common statement.
DENY_ALL_TRUST: Document = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}


def boundary_steps(before: RoleState, after: RoleState) -> tuple[list[Step], list[Step]]:
    """The write of the permissions boundary, either before all other writes or after the permissions.

    A boundary for a role without one can only reduce its permissions, so it is written first. If the caller is not
    allowed to set it, the run fails before any other write.
    """
    boundary = after.permissions_boundary
    if not before.role_exists or boundary is None or boundary == before.permissions_boundary:
        return [], []
    step: list[Step] = [PutBoundary(boundary)]
    return (step, []) if before.permissions_boundary is None else ([], step)


def _common_trust(old: Document, new: Document) -> Document:
    """The statements of the old trust policy that the new one also has, whatever their ends are."""
    unlimited = without_end(new)
    common = [
        statement
        for statement in _policy_document.statements(old)
        if _policy_document.common_statements(without_end({"Statement": [statement]}), unlimited)
    ]
    return {"Version": "2012-10-17", "Statement": common} if common else DENY_ALL_TRUST


def narrow_trust(
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
    # The old permissions with the new boundary, or the reverse, may allow access that neither declaration allows.
    is_mixed = boundary_differs and not _same_limits(before, after)
    # A deleted user or role cannot assume the role again, but its session may still be valid.
    loses = bool(
        _policy_document.dangling_principals(old) or _admission.lost_admissions(without_end(old), without_end(new))
    )
    # If unshare was interrupted, the role may exist without its revocation policy, so old sessions may be valid again.
    returns = not before.attached and not before.revoked and _policy_document.equivalent(old, DENY_ALL_TRUST)
    trust = old
    if is_mixed:
        trust = DENY_ALL_TRUST
        loses = loses or not _policy_document.equivalent(old, trust)
    elif loses:
        # A new principal must not use the old permissions, the old boundary or an old end.
        is_same = _same_limits(before, after) and not boundary_differs
        trust = new if is_same else _common_trust(old, new)
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


def _same_limits(before: RoleState, after: RoleState) -> bool:
    """Whether the permissions and both ends remain."""
    same = _policy_document.equivalent(before.permissions, after.permissions)
    return same and before.end_policy == after.end_policy


def new_end_steps(before: RoleState, after: RoleState) -> tuple[list[Step], list[Step]]:
    """The write of the role's own end, either before the permissions change or afterwards.

    An earlier end precedes the new permissions, which may have a later end. A later end follows them. Otherwise a
    principal could use the old permissions until the new end.
    """
    if after.end_policy is None or before.end_policy == after.end_policy:
        return [], []
    step: list[Step] = [PutEnd(after.end_policy)]
    old, new = end_in_policy(before.end_policy), end_in_policy(after.end_policy)
    return ([], step) if old and new and old < new else (step, [])
