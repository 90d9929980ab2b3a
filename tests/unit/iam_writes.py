# SPDX-License-Identifier: GPL-3.0-or-later
"""The effect of the writes of a role plan on a role: IAM, as far as the plans need it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import asdict, replace
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils import _role_steps as steps
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import PolicyVersion, RoleState


def applied(state: RoleState, step: steps.Step) -> RoleState:
    """The account after one write."""
    return WRITES[type(step)](state, step)


def _create_role(state: RoleState, step: steps.CreateRole) -> RoleState:
    assert not state.role_exists
    return replace(state, role_exists=True, trust=step.trust, role_tags=step.tags, **asdict(step.settings))


def _delete_role(state: RoleState, _step: steps.DeleteRole) -> RoleState:
    assert not state.attached
    return RoleState(
        policy_exists=state.policy_exists,
        permissions=state.permissions,
        policy_tags=state.policy_tags,
        versions=state.versions,
    )


def _create_version(state: RoleState, step: steps.CreatePolicy | steps.CreateVersion) -> RoleState:
    last = max((int(version.identifier[1:]) for version in state.versions), default=0)
    kept = tuple(replace(version, is_default=False) for version in state.versions)
    assert len(kept) < 5
    new = PolicyVersion(f"v{last + 1}", True, step.document)
    state = replace(state, policy_exists=True, permissions=step.document, versions=(new, *kept))
    return replace(state, policy_tags=step.tags) if isinstance(step, steps.CreatePolicy) else state


def _set_default_version(state: RoleState, step: steps.SetDefaultVersion) -> RoleState:
    versions = tuple(replace(version, is_default=version.identifier == step.version) for version in state.versions)
    return replace(
        state, versions=versions, permissions=next(version.document for version in versions if version.is_default)
    )


def _delete_version(state: RoleState, step: steps.DeleteVersion) -> RoleState:
    (gone,) = [version for version in state.versions if version.identifier == step.version]
    assert not gone.is_default
    return replace(state, versions=tuple(version for version in state.versions if version is not gone))


def _delete_policy(state: RoleState, _step: steps.DeletePolicy) -> RoleState:
    assert len(state.versions) <= 1
    assert not state.attachments
    return replace(state, policy_exists=False, permissions=None, policy_tags={}, versions=())


def _attach(state: RoleState, _step: steps.Attach) -> RoleState:
    assert state.role_exists
    assert state.policy_exists
    return replace(state, attached=True)


def _attach_to(state: RoleState, step: steps.AttachTo) -> RoleState:
    assert state.policy_exists
    return replace(state, attachments=(*state.attachments, step.attachment))


def _detach_from(state: RoleState, step: steps.DetachFrom) -> RoleState:
    return replace(state, attachments=tuple(one for one in state.attachments if one != step.attachment))


WRITES: dict[type[steps.Step], Callable[[RoleState, Any], RoleState]] = {
    steps.CreateRole: _create_role,
    steps.UpdateRole: lambda state, step: replace(state, **asdict(step)),
    steps.PutBoundary: lambda state, step: replace(state, permissions_boundary=step.boundary),
    steps.UpdateTrust: lambda state, step: replace(state, trust=step.document),
    steps.TagRole: lambda state, step: replace(state, role_tags={**state.role_tags, **step.tags}),
    steps.UntagRole: lambda state, step: replace(
        state, role_tags={key: value for key, value in state.role_tags.items() if key not in step.keys}
    ),
    steps.PutEnd: lambda state, step: replace(state, end_policy=step.document),
    steps.DeleteEnd: lambda state, _step: replace(state, end_policy=None),
    steps.DeleteRole: _delete_role,
    steps.BeginRevocation: lambda state, _step: replace(state, revoking=True),
    steps.RevokeSessions: lambda state, _step: replace(state, revoked=True),
    steps.EndRevocation: lambda state, _step: replace(state, revoking=False),
    steps.DeleteRevocation: lambda state, _step: replace(state, revoked=False),
    steps.CreatePolicy: _create_version,
    steps.CreateVersion: _create_version,
    steps.SetDefaultVersion: _set_default_version,
    steps.DeleteVersion: _delete_version,
    steps.TagPolicy: lambda state, step: replace(state, policy_tags={**state.policy_tags, **step.tags}),
    steps.DeletePolicy: _delete_policy,
    steps.Attach: _attach,
    steps.Detach: lambda state, _step: replace(state, attached=False),
    steps.AttachTo: _attach_to,
    steps.DetachFrom: _detach_from,
}


def moments(plan: RolePlan) -> Iterator[RoleState]:
    """The account before the first write and after each."""
    state = plan.before
    yield state
    for step in plan.steps:
        state = applied(state, step)
        yield state
