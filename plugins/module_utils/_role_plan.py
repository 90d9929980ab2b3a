# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""What has to change, as values: before, after, and the writes between them in order. Standard library only.

The order of the writes keeps one rule: at no moment may a principal read a repository unless the old or the new
declaration allows exactly that pair. So the trust is narrowed to what both declarations have, then the permissions
change, then the trust is widened; and a role is attached to its policy only when both are as declared.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _admission, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    OWNERSHIP_TAG,
    PolicyVersion,
    RoleState,
    is_ours,
)

#: IAM User Guide, "Versioning IAM policies": at most five versions of a policy.
MAXIMUM_VERSIONS = 5


@dataclass(frozen=True)
class Step:
    """One write: a function of `_iam` and its arguments."""

    call: str
    arguments: dict[str, t.Any]


@dataclass(frozen=True)
class RolePlan:
    """Before, after, and the writes between."""

    before: RoleState
    after: RoleState
    steps: list[Step]

    @property
    def diff(self) -> dict[str, t.Any]:
        return {"before": self.before.shown(), "after": self.after.shown()}


#: Nobody: what stands in the trust while nothing is common to the old and the new declaration.
NOBODY = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Deny", "Principal": {"AWS": "*"}, "Action": "sts:AssumeRole"}],
}
#: Deny every session that was issued until now. IAM User Guide, "Revoke IAM role temporary security credentials".
REVOKE = Step("revoke_sessions", {})
#: The same, and a mark that this is to be done once more when the trust is narrower: whoever comes in before that would
#: keep the session if this run were killed in between, and the next run would know nothing of it.
BEGIN_REVOCATION, END_REVOCATION = Step("begin_revocation", {}), Step("end_revocation", {})


def plan_role(before: RoleState, after: RoleState) -> RolePlan:
    """The writes that make the role and its policy as declared; none where they are."""
    steps: list[Step] = []
    trust_differs = not _policy_document.equal(before.trust, after.trust)
    permissions_differ = not _policy_document.equal(before.permissions, after.permissions)

    boundary_differs = after.permissions_boundary not in (None, before.permissions_boundary)
    put_boundary = Step("put_boundary", {"boundary": after.permissions_boundary})
    if before.role_exists and boundary_differs and before.permissions_boundary is None:
        # A first boundary only narrows what the role can do, so no other write has to come before it. A caller that may
        # not set it fails here, and nothing is written.
        steps.append(put_boundary)
        boundary_differs = False

    trust = before.trust
    if before.trust and after.trust:
        if permissions_differ and boundary_differs:
            # The old of the one with the new of the other may reach what neither declaration does.
            trust = NOBODY
        elif trust_differs and (permissions_differ or boundary_differs):
            common = _policy_document.common_statements(before.trust, after.trust)
            trust = {"Version": "2012-10-17", "Statement": common} if common else NOBODY
        # Sessions outlive the trust that let them in, and the attachment: who is no longer declared must not see what
        # comes next. Before the trust changes, and afterwards, for who came in meanwhile.
        # A user or role that was deleted cannot come in again, but its session may still be valid.
        deleted = _policy_document.dangling_principals(before.trust)
        loses = bool(deleted or _admission.lost(before.trust, after.trust))
        # Where an unshare was killed, the role is there and its revocation is gone: who was dropped before that is out.
        returns = not before.attached and not before.revoked and _policy_document.equal(before.trust, NOBODY)
        if loses or before.revoking or returns:
            after = replace(after, revoked=True, revoking=False)
        if loses and not before.revoking:
            steps.append(BEGIN_REVOCATION)
        if loses and _policy_document.equal(trust, before.trust):
            trust = after.trust
        if not _policy_document.equal(trust, before.trust):
            steps.append(Step("update_trust", {"document": trust}))
        if loses or before.revoking:
            steps += [REVOKE, END_REVOCATION]
        elif returns:
            steps.append(REVOKE)

    # A new role comes first: IAM may refuse a principal in its trust, and then nothing was written.
    if not before.role_exists:
        arguments = {
            "trust": after.trust,
            "tags": after.role_tags,
            "description": after.description,
            "max_session_duration": after.max_session_duration,
            "permissions_boundary": after.permissions_boundary,
        }
        steps.append(Step("create_role", arguments))
    if not before.policy_exists:
        steps.append(Step("create_policy", {"document": after.permissions, "tags": after.policy_tags}))
    else:
        steps += _new_permissions(before, after) if permissions_differ else surplus(before.versions)
        steps += _new_tags("tag_policy", before.policy_tags, after.policy_tags)

    if before.role_exists:
        if boundary_differs:
            steps.append(put_boundary)
        if (before.description, before.max_session_duration) != (after.description, after.max_session_duration):
            settings = {"description": after.description, "max_session_duration": after.max_session_duration}
            steps.append(Step("update_role", settings))
        steps += _new_tags("tag_role", before.role_tags, after.role_tags)
    if before.role_exists and not _policy_document.equal(trust, after.trust):
        steps.append(Step("update_trust", {"document": after.trust}))
    if not before.attached:
        steps.append(Step("attach", {}))
    return RolePlan(before, after, steps)


def _new_permissions(before: RoleState, after: RoleState) -> list[Step]:
    for version in before.versions:
        if version.document is not None and _policy_document.equal(version.document, after.permissions):
            return [
                Step("set_default_version", {"version": version.identifier}),
                *surplus(before.versions, version.identifier),
            ]
    steps = []
    if len(before.versions) >= MAXIMUM_VERSIONS:
        oldest = min((one for one in before.versions if not one.is_default), key=lambda one: int(one.identifier[1:]))
        steps.append(Step("delete_version", {"version": oldest.identifier}))
    return [*steps, Step("create_version", {"document": after.permissions})]


def surplus(versions: t.Sequence[PolicyVersion], default: str | None = None) -> list[Step]:
    """The writes that remove versions with the very document of the default one.

    A creation that was sent twice leaves one, since the first answer was lost; so do two runs at once.

    :param default: the version that is the default one by then; None for the one that is
    """
    kept = next((one for one in versions if (one.identifier == default if default else one.is_default)), None)
    return [
        Step("delete_version", {"version": one.identifier})
        for one in versions
        if kept and one is not kept and one.document is not None and one.document == kept.document
    ]


def _new_tags(call: str, before: dict[str, str], after: dict[str, str]) -> list[Step]:
    added = {key: value for key, value in after.items() if before.get(key) != value}
    return [Step(call, {"tags": added})] if added else []


def plan_role_absent(
    before: RoleState, name: str, policy_name: str, problems: Problems, adopt: bool = False
) -> RolePlan:
    """The writes that remove the role and its policy; refused where others made them or hang on to them."""
    key, value = OWNERSHIP_TAG
    for what, exists, tags in (
        (f"Role {name}", before.role_exists, before.role_tags),
        (f"Policy {policy_name}", before.policy_exists, before.policy_tags),
    ):
        if exists and not is_ours(tags) and not adopt:
            problems.add(
                f"{what} is not tagged {key}={value}, so this collection did not make it."
                " If it is yours to delete, say adopt: true."
            )
    for foreign in before.foreign:
        problems.add(f"{foreign}. Remove that first; nothing else was touched.")
    steps = []
    if before.attached:
        steps.append(Step("detach", {}))
    if (before.revoked or before.revoking) and not _policy_document.equal(before.trust, NOBODY):
        steps.append(Step("update_trust", {"document": NOBODY}))  # tells a share after a killed run to revoke again
    if before.revoked:
        steps.append(Step("delete_revocation", {}))
    if before.revoking:
        steps.append(END_REVOCATION)
    if before.role_exists:
        steps.append(Step("delete_role", {}))
    for version in before.versions:
        if not version.is_default:
            steps.append(Step("delete_version", {"version": version.identifier}))
    if before.policy_exists:
        steps.append(Step("delete_policy", {}))
    return RolePlan(before, RoleState(), steps)


def role_warnings(plan: RolePlan, name: str, policy_name: str) -> list[str]:
    """What a user should know of a plan before it is carried out, though it is no error."""
    before, found = plan.before, []
    dangling = _policy_document.dangling_principals(before.trust)
    if dangling and plan.steps:
        found.append(f"The trust of {name} named deleted users or roles: {', '.join(dangling)}. They are replaced.")
    if not plan.after.role_exists:
        return found
    elsewhere = [one for one in before.foreign if one.startswith(f"Policy {policy_name} ")]
    if elsewhere and plan.steps:
        found.append(f"{'; '.join(elsewhere)}. Others attached it: what they may read changes with it.")
    added = [one for one in before.foreign if one not in elsewhere and " has " in one]
    if added:
        found.append(f"{'; '.join(added)}. Others added it: what it allows comes on top of what is declared.")
    return found
