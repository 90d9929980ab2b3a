# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `iam_ecr_tag_guard`: reads the policy and the principals of a guard, and carries out its plan."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, is_denied
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam import PullRole
from ansible_collections.crossaccount.ecr.plugins.module_utils._iam_reads import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import AttachmentKind, RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_writes import carry_out
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import (
    PolicyType,
    file_name,
    file_text,
    sharing_templates,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import (
    ExistingPrincipal,
    GuardedPrincipal,
    TagGuardDeclaration,
    existence_problems,
    guard_name_problems,
    tag_guard_of,
    tag_guard_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_plan import (
    TagGuardPlan,
    guard_lines,
    guard_ownership_problems,
    plan_tag_guard,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

TAG_GUARD_ARGUMENTS: Json = {
    "guard_name": {"type": "str", "default": "deny_ecr_sharing_tag"},
    "guard": {"type": "str", "choices": ["report", "deny", "absent"], "default": "report"},
    "repository_tags": {"type": "dict"},
    "principals": {"type": "list", "elements": "str"},
    "dest": {"type": "str", "default": "."},
    "regions": {"type": "list", "elements": "str"},
    "adopt": {"type": "bool", "default": False},
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


class GuardPolicy(PullRole):
    """The managed policy of a guard and its attachments. It has no role of its own."""

    def __init__(self, client: Client, owner: Identity, name: str) -> None:
        super().__init__(client, owner, "", name, "/")

    def read(self) -> RoleState:
        """The current state of the policy and its attachments."""
        return self.consistent(self.policy)

    def principal(self, guarded: GuardedPrincipal) -> ExistingPrincipal | None:
        """The user or the role with the name of a declared principal."""
        kind, name = guarded.attachment.kind, guarded.attachment.name
        get = self.client.get_user if kind is AttachmentKind.USER else self.client.get_role
        reply = self._or_none(get, **{f"{kind.value.title()}Name": name})
        if reply is None:
            return None
        found = reply[kind.value.title()]
        return ExistingPrincipal(found["Arn"], {tag["Key"]: tag["Value"] for tag in found.get("Tags", [])})


def tag_guard(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, declared_owner, wait, problems = (
        tag_guard_of(module.params),
        OwnerAccount.of(module.params),
        WaitOptions.of(module.params),
        Problems(),
    )
    owner_problems = list(declared_owner.problems())
    problems.extend([*owner_problems, *wait_problems(wait)])
    session = session_of(module)
    if not owner_problems:
        declared_owner.check(session.identity["account"])
    plan = read_tag_guard(module, session, declared, problems)
    problems.check()
    warn(module, _template_warnings(session, declared) if declared.is_present else ())

    steps = [step.name for step in plan.writes.steps]
    if not module.check_mode:
        steps = carry_out(
            GuardPolicy(session.client("iam"), plan.caller.identity, declared.name), plan.writes, wait, progress
        )
    files = [_file(plan, kind, document) for kind, document in plan.documents.items()]
    return {
        "changed": bool(plan.writes.steps),
        "account": plan.caller.account,
        "policy_arn": plan.policy_arn if plan.writes.after.policy_exists else "",
        "attached_to": [f"{one.kind.value}/{one.name}" for one in plan.writes.after.attachments],
        "files": files,
        "steps": steps,
        "lines": list(guard_lines(plan, [file["path"] for file in files], module.check_mode)),
        "diff": plan.diff,
    }


def _file(plan: TagGuardPlan, kind: PolicyType, document: Json) -> Json:
    path = os.path.join(plan.declared.dest, file_name(plan.declared.name, plan.caller.account, kind))
    return {"type": kind.value, "path": path, "text": file_text(document, kind)}


def read_tag_guard(module: Module, session: Session, declared: TagGuardDeclaration, problems: Problems) -> TagGuardPlan:
    """The plan for a guard. A plan with problems must not be applied.

    :param problems: receives all problems
    """
    caller = arn_of(session.identity["arn"])
    problems.extend(tag_guard_problems(declared, caller))
    if any(guard_name_problems(declared)):
        return TagGuardPlan.empty(declared, caller)
    policy = GuardPolicy(session.client("iam"), caller.identity, declared.name)
    guarded = declared.guarded(caller.identity) if declared.is_present else []
    before = RoleState()
    try:
        before = policy.read()
    except Exception as error:
        if declared.denies or not declared.is_present or not is_denied(error):
            raise
        warn(module, [f"Whether policy {policy.policy_arn} exists is unknown, so it is kept: {message_of(error)}"])
    existing = dict(zip((one.resource for one in guarded), map_concurrently(policy.principal, guarded)))
    problems.extend(existence_problems(guarded, existing, caller.identity))
    plan = plan_tag_guard(before, declared, caller)
    problems.extend(guard_ownership_problems(plan))
    return plan


def _template_warnings(session: Session, declared: TagGuardDeclaration) -> t.Iterator[str]:
    """Warnings about creation templates, through which a principal under the guard could still create the tags."""
    for region in declared.regions or (session.region,):
        pages = session.client("ecr", region).get_paginator("describe_repository_creation_templates").paginate()
        try:
            templates = [template for page in pages for template in page["repositoryCreationTemplates"]]
            prefixes = sharing_templates(templates, declared.tag_values)
        except Exception as error:
            reason = message_of(error)
            yield f"Whether a repository creation template in {region} sets a sharing tag is unknown: {reason}"
            continue
        for prefix in prefixes:
            yield (
                f"Repository creation template {prefix} in {region} sets a sharing tag, so each new repository that it"
                " matches is shared, regardless of who causes ECR to create the repository. The guard cannot prevent"
                " this. Remove the tag from the template."
            )
