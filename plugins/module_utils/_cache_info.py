# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The module `ecr_cache_info`: plans every change of a cache in both accounts, so that all problems are known before
the first write.
"""

from __future__ import annotations

import contextlib
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import ASSUME_ROLE_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_request import (
    CACHE_REQUEST_ARGUMENTS,
    CacheRequest,
    upstream_parameters,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role import planned_cache_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_rule import planned_cache_rule
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import RegistryAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, no_progress, warn
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import plan_statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import in_enabled_region
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session, session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_preflight import plan_owned_template
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WAIT_ARGUMENTS, WaitOptions, wait_problems

CACHE_INFO_ARGUMENTS: Json = {**CACHE_REQUEST_ARGUMENTS, **ASSUME_ROLE_ARGUMENTS, **WAIT_ARGUMENTS}


class _UpstreamModule:
    """The module with the credentials of the upstream account."""

    def __init__(self, module: Module) -> None:
        self.params, self.check_mode, self.warn = upstream_parameters(module.params), module.check_mode, module.warn


@dataclass
class _Preflight:
    """The planned changes.

    :ivar problems: the reasons for which a change cannot be made
    :ivar role_arn: of the role of the cache; empty without the credentials of its account
    :ivar region: of the upstream registry; empty if it is unknown
    :ivar templates: the template to write or to delete, with the options of its module
    """

    declared: CacheRequest
    problems: Problems = field(default_factory=Problems)
    warnings: list[str] = field(default_factory=list)
    role_arn: str = ""
    region: str = ""
    templates: list[Json] = field(default_factory=list)

    @contextlib.contextmanager
    def collecting(self, account: object, region: str = "") -> t.Iterator[None]:
        """Requests to an account. Their errors are problems, because other requests may find further problems.

        :param region: of the registry; empty for other requests
        """
        try:
            with in_enabled_region(Destination(str(account), region)) if region else contextlib.nullcontext():
                yield
        except Exception as error:
            self.problems.add(f"Account {account}: {message_of(error)}")

    def open(self, module: Module, account: RegistryAccount) -> Session | None:
        """A session in the declared account; None if it cannot be used."""
        with self.collecting(account.declared):
            session = session_of(module)
            account.check(session.identity["account"])
            return session
        return None

    def plan_consumer(self, session: Session) -> None:
        """Plan the role, the template and the rule of the account that caches."""
        registry = arn_of(session.identity["arn"]).identity
        place, rule = Destination(registry.account, session.region), self.declared.rule(registry)
        self.role_arn, self.region = str(rule.role_arn), rule.cache.region_in(session.region)
        with self.collecting(place.account):
            planned_cache_role(session, self.declared.role_in(session.region), self.problems)
        if self.declared.plans_template:
            with self.collecting(*place):
                planned = plan_owned_template(session, place, self.declared.template, self.declared.role.adopt)
                self.problems.extend(planned.problems)
                self.warnings += planned.warnings if self.declared.has_template else ()
                self.templates += [planned.options] if planned.options else []
        with self.collecting(*place):
            self.problems.extend(planned_cache_rule(session, rule).problems)

    def plan_owner(self, session: Session) -> None:
        """Plan the statement of the upstream account."""
        registry = arn_of(session.identity["arn"]).identity
        self.region = self.region or session.region
        with self.collecting(registry.account, self.region):
            self.problems.extend(self.declared.statement.problems_in(registry))
            self.problems.extend(plan_statement(session, self.region, self.declared.statement).merged.problems)


def cache_info(module: Module, progress: Progress = no_progress) -> Json:
    """The result of the module."""
    declared, problems = CacheRequest.of(module.params), Problems()
    problems.extend(dict.fromkeys((*declared.problems(), *wait_problems(WaitOptions.of(module.params)))))
    problems.check()
    planned = _Preflight(declared)
    consumer = planned.open(module, declared.account) if declared.has_consumer else None
    owner = planned.open(_UpstreamModule(module), declared.upstream) if declared.has_owner else None
    if consumer:
        planned.plan_consumer(consumer)
    if owner:
        planned.plan_owner(owner)
    problems.extend(dict.fromkeys(planned.problems.found))
    problems.check()
    warn(module, planned.warnings)
    return {
        "changed": False,
        "role_arn": planned.role_arn,
        "upstream_region": planned.region,
        "templates": planned.templates,
        **declared.result(),
    }
