# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A class of repositories for which an audit evaluates requests once. Standard library only."""

from __future__ import annotations

import functools
import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_ends import has_time
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import Access, Attempt, combined
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import Repository
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import Layer


@dataclass(frozen=True)
class Target:
    """A class of repositories.

    :param repository: one of them, for which requests are evaluated
    :param resource: the statements of the repository policy and of the registry policy
    :param registry_policy: those of the registry policy
    :param template: the name of the creation template; empty for repositories that exist
    """

    repository: Repository
    resource: Layer
    registry_policy: Layer
    template: str
    members: t.Sequence[Repository]
    _access: dict[str, Access] = field(default_factory=dict, compare=False)

    @functools.cached_property
    def timed(self) -> Layer:
        """The statements of `resource` with a condition on the time."""
        return Layer(tuple(statement for statement in self.resource.statements if has_time(statement)))

    def cached(self, principal: str, attempts: t.Sequence[Attempt]) -> Access:
        """The access through these attempts, computed once for each principal."""
        if principal not in self._access:
            self._access[principal] = combined(attempts)
        return self._access[principal]
