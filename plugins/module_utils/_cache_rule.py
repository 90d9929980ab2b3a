# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_pull_through_rule`: reads the rules of a registry, plans one of them, writes and validates it."""

from __future__ import annotations

from dataclasses import replace

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_declaration import (
    RULE_ARGUMENTS,
    RuleDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule_plan import (
    CacheRule,
    RulePlan,
    plan_cache_rule,
    rule_differences,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import REGISTRY_ACCOUNT_ARGUMENT
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, error_code
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import may_have_been_sent, message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_session import registry_session
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import read_until, wait_until_consistent
from ansible_collections.crossaccount.ecr.plugins.module_utils._sdk_support import require_operation
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions

PULL_THROUGH_RULE_ARGUMENTS: Json = {
    **RULE_ARGUMENTS,
    **REGISTRY_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


def planned_cache_rule(session: Session, declared: RuleDeclaration) -> RulePlan:
    """Read the rules of the registry, and plan the declared one. Nothing is written."""
    registry = arn_of(session.identity["arn"]).identity
    plan = plan_cache_rule(read_rules(session.client("ecr")), declared, registry.account, session.region)
    return replace(plan, problems=(*declared.problems_in(registry, session.region), *plan.problems))


def pull_through_rule(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, wait, problems = RuleDeclaration.of(module.params), WaitOptions.of(module.params), Problems()
    session = registry_session(module, declared.cache.problems())
    ecr, plan = session.client("ecr"), planned_cache_rule(session, declared)
    problems.extend(plan.problems)
    problems.check()
    warn(module, plan.warnings)

    if plan.is_change and not module.check_mode:
        progress(f"writing pull through cache rule {declared.cache.prefix}")
        if planned_cache_rule(session, declared) != plan:
            raise EcrError(
                "The pull through cache rules of the registry were changed by another program during the run. Nothing"
                " was written. Run again."
            )
        _write(ecr, plan)
        wait_until_consistent(lambda: rule_differences(plan.after, _read_rule(ecr, plan)), wait)
    if plan.after and not module.check_mode:
        _validate(ecr, plan.after, wait, plan.is_change)
    return {
        "changed": plan.is_change,
        "account": session.identity["account"],
        "region": session.region,
        "rule": plan.after.result() if plan.after else {},
        "diff": plan.diff,
    }


def read_rules(ecr: Client) -> list[CacheRule]:
    """All pull through cache rules of the registry."""
    pages = ecr.get_paginator("describe_pull_through_cache_rules").paginate()
    return [CacheRule.of(rule) for page in pages for rule in page["pullThroughCacheRules"]]


def _read_rule(ecr: Client, plan: RulePlan) -> CacheRule | None:
    prefixes = {rule.prefix for rule in (plan.before, plan.after) if rule}
    return next((rule for rule in read_rules(ecr) if rule.prefix in prefixes), None)


def _write(ecr: Client, plan: RulePlan) -> None:
    """Write the rule.

    :raises EcrError: with the fact `changed`: AWS may have applied a request whose response was lost
    """
    try:
        write_rule(ecr, plan)
    except EcrError:
        raise
    except Exception as error:
        changed = may_have_been_sent(error) and _is_changed(ecr, plan)
        raise EcrError(message_of(error), changed=changed) from None


def _is_changed(ecr: Client, plan: RulePlan) -> bool:
    try:
        return _read_rule(ecr, plan) != plan.before
    except Exception:
        return False  # the caller raises the error of the write, which is more specific


def write_rule(ecr: Client, plan: RulePlan) -> None:
    """Create or delete the rule, or change its role."""
    if plan.before and plan.after:
        role = {"ecrRepositoryPrefix": plan.before.prefix, "customRoleArn": plan.after.role_arn}
        require_operation(ecr, "UpdatePullThroughCacheRule", role)
        ecr.update_pull_through_cache_rule(**role)
    elif plan.after:
        _create(ecr, plan)
    elif plan.before:
        _delete(ecr, plan.before)


def _create(ecr: Client, plan: RulePlan) -> None:
    request = plan.after.request() if plan.after else {}
    require_operation(ecr, "CreatePullThroughCacheRule", request)
    try:
        ecr.create_pull_through_cache_rule(**request)
    except botocore.exceptions.ClientError as error:
        # The SDK repeats a request whose response was lost. Then the first request created the rule.
        if error_code(error) != "PullThroughCacheRuleAlreadyExistsException":
            raise
        if rule_differences(plan.after, _read_rule(ecr, plan)):
            raise EcrError(
                f"Pull through cache rule {request['ecrRepositoryPrefix']} was created by another program during the"
                " run, with other settings. Nothing was written. Run again."
            ) from None


def _delete(ecr: Client, rule: CacheRule) -> None:
    try:
        ecr.delete_pull_through_cache_rule(ecrRepositoryPrefix=rule.prefix)
    except botocore.exceptions.ClientError as error:
        # Another program deleted it, or the SDK repeats a request.
        if error_code(error) != "PullThroughCacheRuleNotFoundException":
            raise


def _validate(ecr: Client, rule: CacheRule, wait: WaitOptions, changed: bool) -> None:
    """Let ECR assume the role and reach the upstream registry. A new role may not be usable yet.

    :raises EcrError: if ECR cannot do so until the deadline
    """
    if not rule.role_arn:
        return  # AWS validates only rules whose upstream registry requires authentication
    require_operation(ecr, "ValidatePullThroughCacheRule")
    reply = read_until(
        lambda: ecr.validate_pull_through_cache_rule(ecrRepositoryPrefix=rule.prefix),
        lambda reply: bool(reply.get("isValid")),
        wait,
    )
    if not reply.get("isValid"):
        reason = str(reply.get("failure") or "AWS states no reason").rstrip(".")
        raise EcrError(
            f"Pull through cache rule {rule.prefix} exists, but ECR cannot use it: {reason}. Check that"
            f" {rule.role_arn} exists, that pullthroughcache.ecr.amazonaws.com may assume it without a condition, and"
            f" that the registry policy of {rule.upstream} accepts it.",
            changed=changed,
        )
