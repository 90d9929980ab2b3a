# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_replication_rule`: reads the rules of a registry, merges a rule, and writes them."""

from __future__ import annotations

import functools
import json
import typing as t
from dataclasses import dataclass, replace

try:
    import botocore
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import REGISTRY_ACCOUNT_ARGUMENT
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_document import (
    ONE_ATTEMPT,
    RegistryDocument,
    write_merged,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_session import registry_session
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import (
    RULE_ARGUMENTS,
    RuleDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_plan import (
    MergedRules,
    Rules,
    merge_rule,
    rule_elements,
    rules_of,
    unmatched,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._response import HttpResponse
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions

REPLICATION_RULE_ARGUMENTS: Json = {
    **RULE_ARGUMENTS,
    **REGISTRY_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}


@dataclass(frozen=True)
class RulePlan:
    """The change of a replication configuration.

    :param before: its rules
    :param problems: the reasons for which the merged rules must not be written
    """

    document: RegistryDocument[Rules]
    before: Rules
    merged: MergedRules
    problems: tuple[str, ...]


def plan_rule(session: Session, declared: RuleDeclaration) -> RulePlan:
    """Read the rules of the registry, and merge the declared rule. Nothing is written."""
    document = _document(session, Destination(session.identity["account"], session.region), declared)
    before = document.read()
    merged = merge_rule(before, declared)
    unsupported = _unsupported_problems(session.client("ecr"), merged.rules) if merged.rules != before else ()
    return RulePlan(document, before, merged, (*merged.problems, *unsupported))


def replication_rule(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    declared, wait, problems = RuleDeclaration.of(module.params), WaitOptions.of(module.params), Problems()
    session = registry_session(module, declared.problems())
    source = Destination(session.identity["account"], session.region)
    plan = plan_rule(session, declared)
    problems.extend(declared.problems_in(source))
    problems.extend(plan.problems)
    problems.check()
    warn(module, plan.merged.warnings)

    names = _ecr.repository_names(session.client("ecr")) if declared.is_present else []
    warn(module, unmatched(declared, names))
    before, after = plan.before, plan.merged.rules
    if after != before and not module.check_mode:
        progress(f"writing the {plan.document.name}")
        before, after = write_merged(replace(plan.document, planned=(plan.before,)), wait)
    return {
        "changed": after != before,
        "source": source._asdict(),
        "rule": plan.merged.rule.request() if declared.is_present else {},
        "rules": after,
        "repositories": list(filter(plan.merged.rule.selects, names)),
        "diff": {"before": {"rules": before}, "after": {"rules": after}},
    }


def _document(session: Session, source: Destination, declared: RuleDeclaration) -> RegistryDocument[Rules]:
    reader, writer = session.client("ecr"), session.client("ecr", retries=ONE_ATTEMPT)
    name = f"replication configuration of {source}"
    bodies: list[bytes] = []

    def keep_body(http_response: HttpResponse, **_event: object) -> None:
        bodies.append(http_response.content)

    def read() -> Rules:
        """The rules in the body of the response, because botocore drops members that it does not know."""
        reader.describe_registry()
        return rules_of(json.loads(bodies.pop()).get("replicationConfiguration") or {}, name)

    def merge(rules: Rules) -> Rules:
        merged, problems = merge_rule(rules, declared), Problems()
        problems.extend(merged.problems)
        problems.extend(_unsupported_problems(writer, merged.rules))
        problems.check()
        return merged.rules

    reader.meta.events.register("after-call.ecr.DescribeRegistry", keep_body)
    return RegistryDocument(name, read, functools.partial(_write, writer), merge, rule_elements)


def _write(ecr: Client, rules: Rules) -> None:
    ecr.put_replication_configuration(replicationConfiguration={"rules": rules})


def _unsupported_problems(ecr: Client, rules: Rules) -> t.Iterator[str]:
    """Problems with settings that botocore cannot write, so that a write would remove them from the rules of others."""
    supported = ecr.meta.service_model.shape_for("ReplicationRule").members
    missing = sorted({member for rule in rules for member in rule if member not in supported})
    if missing:
        yield (
            f"botocore {botocore.__version__} does not support {', '.join(missing)} of a replication rule. Install a"
            " newer version of botocore and boto3."
        )
