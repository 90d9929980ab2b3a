# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Writes the policies of many repositories concurrently, and reads them again."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field

try:
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, error_code, explain
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import message_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Progress
from ansible_collections.crossaccount.ecr.plugins.module_utils._partial_failure import Failures, partial_failure
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, text
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import (
    read_policy,
    rejected,
    statement_elements,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_document import (
    RegistryDocument,
    send_merged,
    unconfirmed,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import REGISTRY
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import (
    AccessStatementPlan,
    policy_name,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._retry import wait_until_consistent
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions

_Policy = t.Optional[Document]
#: The policy immediately before the write, and the written policy.
_Written = tuple[_Policy, _Policy]


@dataclass
class PolicyWriter:
    """Applies a plan. The policies of the repositories are independent documents.

    :param reader: a client of ECR
    :param writer: a client of ECR that sends each request once
    :param merge: the policy of a repository after the merge; the second argument is the name of the repository
    """

    reader: Client
    writer: Client
    plan: AccessStatementPlan
    merge: t.Callable[[_Policy, str], _Policy]
    wait: WaitOptions
    _written: dict[str, _Written] = field(default_factory=dict)
    _failures: Failures = field(default_factory=dict)

    @functools.cached_property
    def _planned(self) -> dict[str, _Policy]:
        """The policy of each repository as the plan has read it."""
        return {change.name: change.before for change in self.plan.changes}

    def write(self, progress: Progress) -> None:
        """Write all policies, and read them again.

        :raises EcrError: if policies could not be written, or another program overwrote them, with the reason for each
        """
        names = [change.name for change in self.plan.changes]
        progress(f"writing the policies of {len(names):,} repositories")
        # If the caller may not write a policy, only one request is sent. Its error is more specific than a list.
        self._written[names[0]] = send_merged(self._document(names[0]), self.wait)
        map_concurrently(self._send, names[1:])
        progress("waiting until ECR returns the policies")
        try:
            wait_until_consistent(self._unconfirmed, self.wait)
        finally:
            self._check(names)

    def _check(self, names: list[str]) -> None:
        if self._failures:
            error = partial_failure(names, self._failures, ["Run again: completed changes are not repeated."])
            error.facts["changed"] = any(before != after for before, after in self._written.values())
            raise error

    def _send(self, name: str) -> None:
        try:
            self._written[name] = send_merged(self._document(name), self.wait)
        except Exception as error:
            self._failures[name] = message_of(error)

    def _unconfirmed(self) -> list[str]:
        """The policies that ECR does not return yet. A policy that another program overwrote is a failure."""
        names = [name for name in self._written if name not in self._failures]
        return [text for found in map_concurrently(self._differences, names) for text in found]

    def _differences(self, name: str) -> list[str]:
        before, after = self._written[name]
        try:
            different = unconfirmed(self._document(name), before, after) if before != after else []
        except Exception as error:
            self._failures[name] = message_of(error)
            return []
        return [f"the {policy_name(name)}"] if different else []

    def _document(self, name: str) -> RegistryDocument[_Policy]:
        return RegistryDocument(
            policy_name(name),
            functools.partial(read_repository_policy, self.reader, name),
            functools.partial(_write, self.writer, name),
            lambda policy: self.merge(policy, name),
            statement_elements,
            (self._planned[name],),
        )


def read_repository_policy(ecr: Client, name: str) -> Document | None:
    """The policy of a repository; None without a policy."""
    policy_text = _ecr.registry_policy(ecr) if name == REGISTRY else _ecr.repository_policy(ecr, name)
    return None if policy_text is None else read_policy(policy_text, policy_name(name))


def _write(ecr: Client, name: str, policy: _Policy) -> None:
    """Replace the policy. Without a statement, it is deleted, because a policy needs at least one."""
    try:
        _request(ecr, name, policy)
    except botocore.exceptions.ClientError as error:
        code = error_code(error)
        if code == "InvalidParameterException":
            raise EcrError(
                f"ECR rejects the {policy_name(name)}: {explain(error)}{rejected(policy)} Each declared user"
                " and role must exist. Correct the consumers."
            ) from None
        if code not in ("RepositoryPolicyNotFoundException", "RegistryPolicyNotFoundException"):
            raise  # otherwise, another program deleted it


def _request(ecr: Client, name: str, policy: _Policy) -> None:
    if name == REGISTRY:
        if policy is None:
            ecr.delete_registry_policy()
        else:
            ecr.put_registry_policy(policyText=text(policy))
    elif policy is None:
        ecr.delete_repository_policy(repositoryName=name)
    else:
        ecr.set_repository_policy(repositoryName=name, policyText=text(policy))
