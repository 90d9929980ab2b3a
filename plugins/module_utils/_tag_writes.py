# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Changes the tags of repositories in batches, retries transient failures, and reports all other failures."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils import _tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._convergence import is_transient
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import CALLER, read_denial
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import may_have_been_sent, message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._partial_failure import Failures, partial_failure
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import backoff, wait_until_consistent
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_discovery import tags_or_none
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import TAGGING_BATCH, TagChange, TagPlan
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

Progress = t.Callable[[str], None]
#: The message for a repository that was deleted during the run.
DELETED = "It was deleted during this run. Create it again, or remove it from the declaration."


@dataclass(frozen=True)
class TagWriter:
    """Applies a plan.

    :param tagging: a client of the tagging API
    :param ecr: a client of ECR, which confirms the changes
    """

    tagging: Client
    ecr: Client
    plan: TagPlan
    wait: WaitOptions

    def write(self, progress: Progress = lambda _text: None) -> None:
        """Apply all changes.

        :raises EcrError: if repositories could not be changed, with the reason for each
        """
        failures: Failures = {}
        batches = self.plan.batches()
        for number, batch in enumerate(batches):
            progress(f"{number * TAGGING_BATCH:,} of {len(self.plan.changes):,} repositories")
            try:
                failures.update(self._change(batch))
            except Exception as error:
                if number == 0:
                    raise  # nothing was written
                failures.update({change.name: message_of(error) for rest in batches[number:] for change in rest})
                break
        if failures:
            names = [change.name for change in self.plan.changes]
            raise partial_failure(names, failures, _advice(self.plan, failures))

    def wait_until_confirmed(self, progress: Progress = lambda _text: None) -> None:
        """Wait until ECR returns the written tags."""
        progress("waiting until ECR returns the tags")
        try:
            wait_until_consistent(self.unconfirmed, self.wait)
        except Exception as error:
            if isinstance(error, EcrError) and "changed" in error.facts:
                raise
            reason = f"The tags were changed, but ECR cannot return them: {message_of(error)}"
            raise EcrError(reason, changed=True) from None

    def _change(self, batch: list[TagChange]) -> Failures:
        """Change the tags of up to 20 repositories, retry transient failures, and return the remaining failures."""
        left, has_responded = batch, False
        failures: Failures = {}
        names = {change.arn: change.name for change in batch}
        for _number in backoff(self.wait):
            try:
                reasons = self._send(left)
                has_responded = True
                for change in left:
                    failures.pop(change.name, None)
                failures.update({names.get(arn, arn): reason for arn, reason in reasons.items()})
                self._confirm([change for change in left if change.name in failures], failures)
            except Exception as error:
                if not has_responded and not self._is_applied(left, failures, error):
                    raise
                break
            left = [change for change in left if is_transient(failures.get(change.name, ""))]
            if not left:
                break
        return failures

    def _is_applied(self, batch: list[TagChange], failures: Failures, error: Exception) -> bool:
        """Whether AWS applied changes although its response was lost. The other changes are added to `failures`."""
        if not may_have_been_sent(error):
            return False
        found = dict.fromkeys((change.name for change in batch), message_of(error))
        try:
            self._confirm(batch, found)
        except Exception:
            return False  # the caller raises the error of the write, which is more specific
        failures.update(found)
        return len(found) < len(batch)

    def _send(self, batch: list[TagChange]) -> dict[str, str]:
        """Send one request, and return the reason for each ARN that failed."""
        arns = [change.arn for change in batch]
        if self.plan.is_present:
            return _tagging.tag(self.tagging, arns, self.plan.tags)
        return _tagging.untag(self.tagging, arns, batch[0].removed)

    def _confirm(self, batch: list[TagChange], failures: Failures) -> None:
        """Remove failures of changes that ECR returns. AWS may apply a change although its response is an error."""
        for change in batch:
            tags = tags_or_none(self.ecr, change.arn)
            if self.plan.is_done(change, tags):
                del failures[change.name]
            elif tags is None:
                failures[change.name] = DELETED

    def unconfirmed(self) -> list[str]:
        """The changes that ECR does not return yet.

        :raises EcrError: if a repository that should have the tags was deleted
        """
        found = map_concurrently(lambda change: tags_or_none(self.ecr, change.arn), self.plan.changes)
        left = [(change, tags) for change, tags in zip(self.plan.changes, found) if not self.plan.is_done(change, tags)]
        deleted = [change.name for change, tags in left if tags is None]
        if deleted:
            raise EcrError(f"Repository {', '.join(deleted)}: {DELETED}", changed=True)
        return [f"the tags of {change.name}" for change, _tags in left]


def _advice(plan: TagPlan, failures: Failures) -> t.Iterator[str]:
    """The next step for each denied action."""
    for reason in failures.values():
        if reason.startswith("AccessDenied"):
            # The tagging API calls ECR for each repository with the permissions of the caller.
            action = "ecr:TagResource" if plan.is_present else "ecr:UntagResource"
            allow = f"Allow {action} on these repositories to the caller, or use other credentials."
            denial = read_denial(reason, CALLER)
            yield allow if denial.is_missing_permission else denial.advice(CALLER)
