# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_registry_policy_statement`: reads the policy of a registry, merges a statement, and writes it."""

from __future__ import annotations

import functools
from dataclasses import dataclass

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import REGISTRY_ACCOUNT_ARGUMENT
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, error_code, explain
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, text
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import (
    read_policy,
    rejected,
    statement_elements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_document import (
    ONE_ATTEMPT,
    RegistryDocument,
    write_merged,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import (
    STATEMENT_ARGUMENTS,
    StatementDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_plan import (
    MergedPolicy,
    merge_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_session import registry_session
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions

POLICY_STATEMENT_ARGUMENTS: Json = {
    **STATEMENT_ARGUMENTS,
    **REGISTRY_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


@dataclass(frozen=True)
class StatementPlan:
    """The change of a registry policy.

    :param name: its name in messages
    :param wanted: the declared statement
    """

    name: str
    wanted: Document
    before: Document | None
    merged: MergedPolicy


def plan_statement(session: Session, region: str, declared: StatementDeclaration) -> StatementPlan:
    """Read the policy of the registry, and merge the declared statement. Nothing is written."""
    registry = arn_of(session.identity["arn"]).identity
    name, wanted = f"registry policy of account {registry.account} in {region}", declared.statement(registry, region)
    before = read_registry_policy(session.client("ecr", region), name)
    return StatementPlan(name, wanted, before, merge_statement(before, declared, wanted))


def policy_statement(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, wait, problems = StatementDeclaration.of(module.params), WaitOptions.of(module.params), Problems()
    session = registry_session(module, declared.problems())
    plan = plan_statement(session, session.region, declared)
    problems.extend(declared.problems_in(arn_of(session.identity["arn"]).identity))
    problems.extend(plan.merged.problems)
    problems.check()
    warn(module, plan.merged.warnings)

    before, after = plan.before, plan.merged.policy
    if after != before and not module.check_mode:
        progress(f"writing the {plan.name}")
        before, after = write_merged(_document(session, plan, declared), wait)
    return {
        "changed": after != before,
        "account": session.identity["account"],
        "region": session.region,
        "sid": declared.sid,
        "statement": plan.wanted if declared.is_present else {},
        "policy": after or {},
        "diff": {"before": before or {}, "after": after or {}},
    }


def _document(
    session: Session, plan: StatementPlan, declared: StatementDeclaration
) -> RegistryDocument[Document | None]:
    reader, writer = session.client("ecr"), session.client("ecr", retries=ONE_ATTEMPT)

    def merge(policy: Document | None) -> Document | None:
        merged, problems = merge_statement(policy, declared, plan.wanted), Problems()
        problems.extend(merged.problems)
        problems.check()
        return merged.policy

    return RegistryDocument(
        plan.name,
        functools.partial(read_registry_policy, reader, plan.name),
        functools.partial(_write, writer),
        merge,
        statement_elements,
        (plan.before,),
    )


def read_registry_policy(ecr: Client, name: str) -> Document | None:
    """The policy of a registry; None if it has none.

    :param name: its name in messages
    """
    try:
        return read_policy(ecr.get_registry_policy()["policyText"], name)
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "RegistryPolicyNotFoundException":
            raise
        return None


def _write(ecr: Client, policy: Document | None) -> None:
    """Replace the policy. Without a statement, it is deleted, because a policy needs at least one."""
    try:
        if policy is None:
            ecr.delete_registry_policy()
        else:
            ecr.put_registry_policy(policyText=text(policy))
    except botocore.exceptions.ClientError as error:
        code = error_code(error)
        if code == "InvalidParameterException":
            raise EcrError(f"{explain(error)}{rejected(policy)}") from None
        if code != "RegistryPolicyNotFoundException":  # another program deleted it
            raise
