# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Applies the plan of a role, and waits until AWS returns the written state."""

from __future__ import annotations

import typing as t

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _role_steps as steps
from ansible_collections.crossaccount.ecr.plugins.module_utils._convergence import already_applied, unmet
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import may_have_been_sent, message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_attachments import attach_policy, detach_policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import (
    NotConfirmedError,
    read_until,
    wait_until_consistent,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, duplicate_versions
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

#: The method for each type of step. The parameters differ, so tests check that they match the types.
_Write = t.Callable[[PullRole, t.Any], None]
WRITES: dict[type[steps.Step], _Write] = {
    steps.CreateRole: lambda role, step: role.create_role(step.trust, step.tags, step.settings),
    steps.UpdateRole: lambda role, step: role.update_role(step.description, step.max_session_duration),
    steps.PutBoundary: lambda role, step: role.put_boundary(step.boundary),
    steps.UpdateTrust: lambda role, step: role.update_trust(step.document),
    steps.TagRole: lambda role, step: role.tag_role(step.tags),
    steps.UntagRole: lambda role, step: role.untag_role(step.keys),
    steps.PutEnd: lambda role, step: role.put_end(step.document),
    steps.DeleteEnd: lambda role, _step: role.delete_end(),
    steps.DeleteRole: lambda role, _step: role.delete_role(),
    steps.BeginRevocation: lambda role, _step: role.begin_revocation(),
    steps.RevokeSessions: lambda role, _step: role.revoke_sessions(),
    steps.EndRevocation: lambda role, _step: role.end_revocation(),
    steps.DeleteRevocation: lambda role, _step: role.delete_revocation(),
    steps.CreatePolicy: lambda role, step: role.create_policy(step.document, step.tags),
    steps.CreateVersion: lambda role, step: role.create_version(step.document),
    steps.SetDefaultVersion: lambda role, step: role.set_default_version(step.version),
    steps.DeleteVersion: lambda role, step: role.delete_version(step.version),
    steps.TagPolicy: lambda role, step: role.tag_policy(step.tags),
    steps.DeletePolicy: lambda role, _step: role.delete_policy(),
    steps.Attach: lambda role, _step: role.attach(),
    steps.Detach: lambda role, _step: role.detach(),
    steps.AttachTo: lambda role, step: attach_policy(role.client, role.policy_arn, step.attachment),
    steps.DetachFrom: lambda role, step: detach_policy(role.client, role.policy_arn, step.attachment),
}


class CreatedByOthersError(EcrError):
    """AWS rejected a creation because another process created an object with the same name during this run."""


def carry_out(role: PullRole, plan: RolePlan, wait: WaitOptions, progress: t.Callable[[str], None]) -> list[str]:
    """Apply a plan, and return the names of the writes.

    :param wait: `wait`, `wait_timeout` and `wait_interval`
    :raises EcrError: at the first write that fails, with the writes that succeeded before it
    """
    written: list[str] = []
    try:
        if plan.steps:
            _write(role, plan.steps, wait, written)
            progress("waiting until AWS returns what was written")
            _write(role, duplicate_versions(_read_back(role, plan, wait).versions), wait, written)
    except NotConfirmedError as error:
        raise EcrError(str(error), **error.facts, steps=written) from None
    except Exception as error:
        is_open = may_have_been_sent(error) and not isinstance(error, CreatedByOthersError)
        raise EcrError(
            f"{message_of(error).rstrip('.')}. Completed before that: {_completed(written)}. Run again: completed"
            " changes are not repeated.",
            changed=bool(written) or (is_open and _differs(role, plan)),
            steps=written,
        ) from None
    return written


def _completed(written: list[str]) -> str:
    return ", ".join(dict.fromkeys(steps.DONE[name] for name in written)) or "nothing"


def _differs(role: PullRole, plan: RolePlan) -> bool:
    """Whether AWS applied a write although its response was lost."""
    try:
        return role.read() != plan.before
    except Exception:
        return False  # the caller raises the error of the write, which is more specific


def _write(role: PullRole, listed: t.Sequence[steps.Step], wait: WaitOptions, written: list[str]) -> None:
    """Apply the writes in order, and add them to `written`."""
    for step in listed:
        try:
            WRITES[type(step)](role, step)
        except botocore.exceptions.ClientError as error:
            if not _is_done(role, step, error, wait):
                raise
        written.append(step.name)


def _is_done(role: PullRole, step: steps.Step, error: Exception, wait: WaitOptions) -> bool:
    """Whether AWS applied a write that failed, for example because its response was lost.

    :raises CreatedByOthersError: if another process created the role or the policy
    """
    code = error_code(error)
    if code == "NoSuchEntity" and step.is_removal:
        return True
    applied = None
    if code == step.code_if_present:
        try:
            current = read_until(role.read, lambda state: already_applied(step, state) is not None, wait)
            applied = already_applied(step, current)
        except Exception:
            return False  # the caller raises the error of the write, which is more specific
    if applied is not False or isinstance(step, steps.CreateVersion):
        return bool(applied)
    label = f"Role {role.name}" if isinstance(step, steps.CreateRole) else f"Policy {role.policy_name}"
    raise CreatedByOthersError(
        f"{label} did not exist when this run began. Now it exists, but not as declared: someone else created it."
    ) from None


def _read_back(role: PullRole, plan: RolePlan, wait: WaitOptions) -> RoleState:
    """Wait until AWS returns the planned state, and return that state."""
    current = RoleState()

    def missing() -> list[str]:
        nonlocal current
        current = role.read()
        return unmet(plan, current)

    wait_until_consistent(missing, wait)
    return current
