# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What AWS does not return yet, and which failed writes count as done. Standard library only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import MAXIMUM_VERSIONS, RolePlan, Step
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import SETTINGS, RoleState, folded


def is_transient(reason: str) -> bool:
    """Whether a failure is one of AWS's own, or of too many calls, so that the same call may work soon.

    :param reason: AWS's error code, and after a colon its message
    """
    code = reason.partition(":")[0]
    return any(part in code for part in ("Throttl", "TooManyRequests", "RequestLimit", "Internal", "Server", "Service"))


def unmet(plan: RolePlan, seen: RoleState) -> list[str]:
    """What IAM does not read back yet of a plan that was carried out; empty when it reads back all of it."""
    after = plan.after
    missing = [
        what
        for what, as_planned in (
            ("the role", seen.role_exists == after.role_exists),
            ("the policy", seen.policy_exists == after.policy_exists),
            ("the trust", _policy_document.equal(seen.trust, after.trust)),
            ("the permissions", _policy_document.equal(seen.permissions, after.permissions)),
            ("the attachment", seen.attached == after.attached),
            ("the end of the revocation", not seen.revoking),
            ("the role's tags", folded(seen.role_tags) == folded(after.role_tags)),
            ("the policy's tags", folded(seen.policy_tags) == folded(after.policy_tags)),
        )
        if not as_planned
    ]
    if after.role_exists and (
        (seen.description, seen.max_session_duration, seen.permissions_boundary)
        != (after.description, after.max_session_duration, after.permissions_boundary)
    ):
        missing.append("the role's settings")
    return missing


#: The writes after which something is gone; that it is gone already is as good.
REMOVALS = ("detach", "delete_revocation", "end_revocation", "delete_role", "delete_version", "delete_policy")
#: With which code AWS refuses a write because what it makes is there, or has taken the last place.
IN_THE_WAY = {
    "create_role": "EntityAlreadyExists",
    "create_policy": "EntityAlreadyExists",
    "create_version": "LimitExceeded",
}


def already_applied(step: Step, seen: RoleState) -> bool | None:
    """Whether what is there now is what `step` was to make, though AWS refused it; None while nothing is seen.

    AWS took a request whose answer was lost, the SDK sent it again, and what it made stood in its way; or somebody
    else made the like, and then it is taken for ours only where it is tagged and has the content of ours.
    """
    said = step.arguments
    if step.call == "create_role":
        if not seen.role_exists:
            return None
        return (
            _policy_document.equal(seen.trust, said["trust"])
            and folded(said["tags"]).items() <= folded(seen.role_tags).items()
            and all(getattr(seen, name) == said[name] for name in SETTINGS)
        )
    if step.call == "create_policy":
        if not seen.policy_exists:
            return None
        return (
            _policy_document.equal(seen.permissions, said["document"])
            and folded(said["tags"]).items() <= folded(seen.policy_tags).items()
        )
    if step.call == "create_version" and not _policy_document.equal(seen.permissions, said["document"]):
        return None if len(seen.versions) < MAXIMUM_VERSIONS else False
    return step.call == "create_version"
