"""What the writes of a role plan do to a role: IAM, as far as the plans need it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import RolePlan, Step
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import PolicyVersion, RoleState


def applied(state: RoleState, step: Step) -> RoleState:
    """The account after one write."""
    said = step.arguments
    if step.call in ("create_policy", "create_version"):
        last = max((int(one.identifier[1:]) for one in state.versions), default=0)
        kept = tuple(replace(one, is_default=False) for one in state.versions)
        assert len(kept) < 5
        new = PolicyVersion(f"v{last + 1}", True, said["document"])
        state = replace(state, policy_exists=True, permissions=said["document"], versions=(new, *kept))
        return replace(state, policy_tags=said["tags"]) if step.call == "create_policy" else state
    if step.call == "set_default_version":
        versions = tuple(replace(one, is_default=one.identifier == said["version"]) for one in state.versions)
        return replace(state, versions=versions, permissions=next(one.document for one in versions if one.is_default))
    if step.call == "delete_version":
        (gone,) = [one for one in state.versions if one.identifier == said["version"]]
        assert not gone.is_default
        return replace(state, versions=tuple(one for one in state.versions if one is not gone))
    if step.call == "create_role":
        assert not state.role_exists
        arguments = {"role_tags": said["tags"], **{name: value for name, value in said.items() if name != "tags"}}
        return replace(state, role_exists=True, **arguments)
    if step.call == "attach":
        assert state.role_exists
        assert state.policy_exists
        return replace(state, attached=True)
    if step.call == "detach":
        return replace(state, attached=False)
    if step.call == "delete_role":
        assert not state.attached
        return RoleState(
            policy_exists=state.policy_exists,
            permissions=state.permissions,
            policy_tags=state.policy_tags,
            versions=state.versions,
        )
    if step.call == "delete_policy":
        assert len(state.versions) <= 1
        return replace(state, policy_exists=False, permissions=None, policy_tags={}, versions=())
    fields: dict[str, dict[str, Any]] = {
        "update_trust": {"trust": said.get("document")},
        "revoke_sessions": {"revoked": True},
        "begin_revocation": {"revoking": True},
        "end_revocation": {"revoking": False},
        "delete_revocation": {"revoked": False},
        "put_boundary": {"permissions_boundary": said.get("boundary")},
        "update_role": said,
        "tag_policy": {"policy_tags": {**state.policy_tags, **said.get("tags", {})}},
        "tag_role": {"role_tags": {**state.role_tags, **said.get("tags", {})}},
    }
    return replace(state, **fields[step.call])


def moments(plan: RolePlan) -> Iterator[RoleState]:
    """The account before the first write and after each."""
    state = plan.before
    yield state
    for step in plan.steps:
        state = applied(state, step)
        yield state
