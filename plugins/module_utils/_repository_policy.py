# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_repository_policy_statement`: selects repositories, reads their policies, and merges a statement."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    OWNER_ACCOUNT_ARGUMENT,
    OwnerAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_document import ONE_ATTEMPT
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import (
    ACCESS_STATEMENT_ARGUMENTS,
    REGISTRY,
    AccessDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import (
    AccessStatementPlan,
    merged,
    no_repository_warning,
    plan_statements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_reads import repository_policies
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_writes import PolicyWriter
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import confirmed_removal
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_discovery import discover, tags_of_each
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import (
    has_every_tag,
    missing_repository_problems,
    select,
    unmatched_pattern_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

REPOSITORY_POLICY_ARGUMENTS: Json = {
    **ACCESS_STATEMENT_ARGUMENTS,
    **OWNER_ACCOUNT_ARGUMENT,
    **ASSUME_ROLE_ARGUMENTS,
    **WAIT_ARGUMENTS,
}
REPOSITORY_POLICY_RULES: Json = {"required_if": [("state", "present", ("consumers",))]}


@dataclass(frozen=True)
class _Found:
    """The repositories of a declaration.

    :param selected: the names that the declaration selects
    :param policies: the text of the policy of each repository that exists; None without a policy
    :param known: the names of all repositories, if they were listed
    """

    selected: tuple[str, ...]
    policies: dict[str, str | None]
    known: tuple[str, ...]

    def problems(self, declared: AccessDeclaration, account: str, region: str) -> t.Iterator[str]:
        """Problems with repositories that do not exist. If the statement is removed, they are as declared."""
        if declared.is_present:
            yield from unmatched_pattern_problems(declared.names, self.known)
            missing = [name for name in self.selected if name not in self.policies]
            yield from missing_repository_problems(missing, account, region, self.known)


def repository_policy_statement(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module.

    :param progress: receives the current activity
    """
    params, problems = module.params, Problems()
    declared, wait, account = AccessDeclaration.of(params), WaitOptions.of(params), OwnerAccount.of(params)
    problems.extend(declared.problems())
    problems.extend(account.problems())
    problems.extend(wait_problems(wait))
    session = session_of(module)
    if not any(account.problems()):
        account.check(session.identity["account"])
    owner = arn_of(session.identity["arn"]).identity
    problems.extend(declared.problems_in(owner))
    problems.check()

    wanted = declared.statements(owner, session.region)

    def read_and_plan() -> tuple[_Found, AccessStatementPlan]:
        found = _read(session, owner, declared, wait)
        return found, plan_statements(found.policies, {*found.selected}, declared, wanted)

    found, plan = (
        read_and_plan()
        if declared.is_present
        else confirmed_removal(read_and_plan, lambda one: not one[1].unchanged, wait)
    )
    selected = {*found.selected}
    problems.extend(found.problems(declared, owner.account, session.region))
    problems.extend(plan.problems)
    problems.check()
    warn(module, no_repository_warning(declared, found.selected, session.region))
    if plan.changes and not module.check_mode:
        reader, writer = session.client("ecr"), session.client("ecr", retries=ONE_ATTEMPT)
        PolicyWriter(
            reader, writer, plan, lambda old, name: merged(old, declared, wanted if name in selected else ()), wait
        ).write(progress)
    return {
        "changed": bool(plan.changes),
        "region": session.region,
        "sid": declared.sid,
        "statements": wanted,
        "repositories": plan.result(selected if declared.is_present else ()),
        "diff": plan.diff,
    }


def _read(session: Session, owner: Identity, declared: AccessDeclaration, wait: WaitOptions) -> _Found:
    """Read the policies of the selected repositories; those of all repositories for an exclusive declaration."""
    ecr = session.client("ecr")
    if declared.in_registry:
        return _Found((REGISTRY,), {REGISTRY: _ecr.registry_policy(ecr)}, ())
    known = tuple(_ecr.repository_names(ecr)) if declared.lists_all else ()
    selected = tuple(_selected(session, ecr, owner, declared, wait, known))
    policies = repository_policies(ecr, [*selected, *(known if declared.is_exclusive else ())])
    return _Found(selected, policies, known)


def _selected(
    session: Session,
    ecr: Client,
    owner: Identity,
    declared: AccessDeclaration,
    wait: WaitOptions,
    known: t.Sequence[str],
) -> list[str]:
    """The names of the repositories that the declaration selects."""
    if declared.tags is None:
        return select(declared.names, known)
    pairs = [(key, value) for key, values in declared.tags.items() for value in values]
    names, tagged = discover(session.client("resourcegroupstaggingapi"), ecr, pairs)
    prefix = owner.repository(session.region, "")
    tags = tags_of_each(ecr, prefix, names, names if tagged else (), pairs, wait)
    return [name for name, found in tags.items() if found is not None and has_every_tag(found, declared.tags)]
