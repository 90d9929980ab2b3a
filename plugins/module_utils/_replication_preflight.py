# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans every change of a replication in both accounts, so that all problems are known before the first write."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_run import require_backfill
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, collecting_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import plan_statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_configuration import plan_rule
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_plan import unmatched
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_reads import in_enabled_region
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import ReplicationRequest
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_templates import unused_templates
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import Session
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_preflight import plan_owned_template


class Preflight:
    """The planned changes.

    :ivar problems: the reasons for which a change cannot be made
    :ivar changes_rule: whether the rule is written or removed
    :ivar deletes: whether the rule replicates deletions; the setting may be the one of the current rule
    :ivar statements: the destinations whose statement is written or removed
    :ivar templates: the templates to write or to delete, each with its region and the options of its module
    """

    def __init__(self, declared: ReplicationRequest, problems: Problems) -> None:
        self.declared, self.problems = declared, problems
        self.warnings: list[str] = []
        self.changes_rule = False
        self.deletes = bool(declared.deletes)
        self.statements: list[Destination] = []
        self.templates: list[Json] = []

    def plan_owner(self, owner: Session, repositories: t.Sequence[str]) -> None:
        """Plan the rule.

        :param repositories: the existing repositories that are selected
        """
        rule = self.declared.rule(owner.region)
        plan = plan_rule(owner, rule)
        self.problems.extend(plan.problems)
        self.changes_rule = plan.merged.rules != plan.before
        self.deletes = plan.merged.rule.deletes
        self.warnings += [*plan.merged.warnings, *unmatched(rule, repositories)]
        if self.declared.is_present and self.declared.backfill and self.changes_rule:
            with collecting_problems(self.problems):
                require_backfill(owner.client("ecr"))
        if self.declared.is_present:
            self.warnings += unused_templates(self.declared.templates, repositories)

    def plan_consumer(self, consumer: Session, place: Destination) -> None:
        """Plan the statement and the templates of a destination."""
        with collecting_problems(self.problems), in_enabled_region(place):
            self._plan_registry(consumer, place)

    def _plan_registry(self, consumer: Session, place: Destination) -> None:
        plan = plan_statement(consumer, place.region, self.declared.statement)
        merged = plan.merged
        self.statements += [place] if merged.policy != plan.before else []
        self.problems.extend(f"{place}: {problem}" for problem in merged.problems)
        self.warnings += merged.warnings
        for template in self.declared.templates:
            planned = plan_owned_template(consumer, place, template, self.declared.adopt)
            self.problems.extend(planned.problems)
            self.warnings += planned.warnings
            self.templates += [planned.options] if planned.options else []
