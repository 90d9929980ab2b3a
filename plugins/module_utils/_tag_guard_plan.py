# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the writes of a tag guard, and describes them for the user. Standard library only.

The policy is complete before it is attached, and is detached from all principals before it is deleted.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, replace

from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_declaration import with_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import (
    RolePlan,
    plan_role_absent,
    policy_steps,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    OWNERSHIP_TAG,
    Attachment,
    RoleState,
    is_ours,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_steps import AttachTo, DetachFrom, Step
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import PolicyType, exempt_arns, is_deny_only
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import (
    TagGuardDeclaration,
    guard_documents,
)


@dataclass(frozen=True)
class TagGuardPlan:
    """The writes of a guard, and the policies for the administrator of the organization.

    :param writes: the policy and its attachments before and after the run, as a role without a role
    """

    declared: TagGuardDeclaration
    caller: Arn
    writes: RolePlan

    @classmethod
    def empty(cls, declared: TagGuardDeclaration, caller: Arn) -> TagGuardPlan:
        """The plan for a declaration with problems."""
        return cls(declared, caller, RolePlan(RoleState(), RoleState(), []))

    @property
    def policy_arn(self) -> str:
        return self.caller.identity.policy("/", self.declared.name)

    @property
    def documents(self) -> dict[PolicyType, Json]:
        """The policies for the organization; empty if the guard is absent."""
        if not self.declared.is_present:
            return {}
        documents = guard_documents(self.declared, self.caller)
        return {kind: document for kind, document in documents.items() if kind is not PolicyType.MANAGED}

    @property
    def diff(self) -> Json:
        return {"before": _shown(self.writes.before), "after": _shown(self.writes.after)}


def plan_tag_guard(before: RoleState, declared: TagGuardDeclaration, caller: Arn) -> TagGuardPlan:
    """The plan for a guard. It has no writes if the policy and its attachments are as declared."""
    if declared.denies:
        return TagGuardPlan(declared, caller, _present(before, declared, caller))
    # A report does not touch a policy of this name that is not a guard of this collection.
    if declared.is_present and not (is_ours(before.policy_tags) and is_deny_only(before.permissions or {})):
        return TagGuardPlan(declared, caller, RolePlan(before, before, []))
    detached: list[Step] = [DetachFrom(attachment) for attachment in before.attachments]
    return TagGuardPlan(declared, caller, RolePlan(before, RoleState(), [*detached, *plan_role_absent(before).steps]))


def _present(before: RoleState, declared: TagGuardDeclaration, caller: Arn) -> RolePlan:
    document = guard_documents(declared, caller)[PolicyType.MANAGED]
    wanted = tuple(principal.attachment for principal in declared.guarded(caller.identity))
    after = replace(
        before,
        policy_exists=True,
        permissions=before.permissions if _policy_document.equivalent(before.permissions, document) else document,
        policy_tags=with_tags(before.policy_tags, dict([OWNERSHIP_TAG])),
        attachments=wanted,
    )
    steps = policy_steps(before, after)
    steps += [AttachTo(attachment) for attachment in wanted if attachment not in before.attachments]
    steps += [DetachFrom(attachment) for attachment in before.attachments if attachment not in wanted]
    return RolePlan(before, after, steps)


def guard_ownership_problems(plan: TagGuardPlan) -> t.Iterator[str]:
    """Problems with an existing policy that is not a guard, or that this collection did not create."""
    before, declared = plan.writes.before, plan.declared
    if not before.policy_exists or not plan.writes.steps:
        return
    if not is_deny_only(before.permissions or {}):
        yield f"Policy {declared.name} allows actions, so it is not a tag guard. Choose another {option('guard_name')}."
    elif not is_ours(before.policy_tags) and not declared.adopt:
        yield (
            f"Policy {declared.name} exists and is not tagged {'='.join(OWNERSHIP_TAG)}, so this collection did not"
            f" create it. To change it, set {option('adopt')}: true. To keep it, choose another {option('guard_name')}."
        )


def guard_lines(plan: TagGuardPlan, files: t.Sequence[str], check_mode: bool) -> t.Iterator[str]:
    """The guard as text: the policy, its principals, the files, and the next step.

    :param files: the paths of the files
    """
    declared, before, after = plan.declared, plan.writes.before, plan.writes.after
    tags = ", ".join(f"{key}={' or '.join(values)}" for key, values in declared.tag_values.items())
    will = check_mode and plan.writes.steps
    if declared.denies:
        verb = "would deny" if will else "denies"
        yield f"Tag guard: policy {plan.policy_arn} {verb} {tags} to {_named(after.attachments)}"
    elif before.policy_exists and not after.policy_exists:
        yield f"Tag guard: policy {plan.policy_arn} {'would be' if will else 'is'} deleted"
    left = [attachment for attachment in before.attachments if attachment not in after.attachments]
    if left:
        yield f"No longer under the guard: {_named(left)}"
    if declared.is_present:
        account, exempt = plan.caller.account, " and ".join(exempt_arns(plan.caller))
        yield f"For the administrator of the organization, to attach to account {account}: {' and '.join(files)}"
        yield f"These policies deny {tags} to all principals except {exempt}"
        yield f"To remove the guard, set {option('guard')}: absent."
    else:
        yield "The guard of the account is absent. The administrator of the organization can detach the policies there."


def _named(attachments: t.Iterable[Attachment]) -> str:
    return list_text([_label(attachment) for attachment in attachments], every_name=True, noun="principals")


def _label(attachment: Attachment) -> str:
    return f"{attachment.kind.value} {attachment.name}"


def _shown(state: RoleState) -> Json:
    policy = {"permissions": state.permissions, "tags": state.policy_tags}
    return {
        "policy": policy if state.policy_exists else {},
        "attached_to": sorted(map(_label, state.attachments)),
    }
