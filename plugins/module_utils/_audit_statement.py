# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""A statement of an audited document: its actions, the end of the access that it grants, and its text. Standard library
only.
"""

from __future__ import annotations

import datetime
import functools
import json
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._condition import ALL
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr_actions import REGISTRY_ACTIONS, REPOSITORY_ACTIONS
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Scope, Statement
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

#: Actions through which a role uses ECR, itself or through a further role.
ACTIONS_OF_ECR = (*REPOSITORY_ACTIONS, *REGISTRY_ACTIONS, "sts:AssumeRole")
#: The actions that admit a caller to a role.
ASSUME_ACTIONS = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
#: The operators with which an Allow ends at a time, and those with which a Deny begins.
UNTIL = ("datelessthan", "datelessthanequals", "numericlessthan", "numericlessthanequals")
FROM = ("dategreaterthan", "dategreaterthanequals", "numericgreaterthan", "numericgreaterthanequals")
#: The keys of the time of a request.
TIME_KEYS = ("aws:currenttime", "aws:epochtime")
_SECRET_KEY, _MASK = "sts:externalid", "(external ID)"


@dataclass(frozen=True)
class AuditedStatement:
    """A statement of a document.

    :param number: its position, from 1
    :param raw: as AWS returned it
    """

    number: int
    parsed: Statement
    raw: Json

    @property
    def label(self) -> str:
        """The Sid, or the number of a statement without one."""
        return str(self.raw.get("Sid") or self.number)

    @property
    def is_allow(self) -> bool:
        return self.parsed.effect == "Allow"

    @property
    def end(self) -> datetime.datetime | None:
        """The time at which its condition ends access; None if access does not end.

        An Allow ends with the first of its conditions. A Deny begins with the last of them, if all are on the time.
        """
        # The values of a condition are alternatives.
        if self.is_allow:
            return min((max(times) for times in self._times(UNTIL)), default=None)
        begins = [min(times) for times in self._times(FROM)]
        return max(begins) if begins and len(begins) == len(self.parsed.condition) else None

    def _times(self, operators: t.Collection[str]) -> t.Iterator[list[datetime.datetime]]:
        """The times of each condition on the time with one of the operators."""
        for check in self.parsed.condition:
            if (
                check.key.lower() in TIME_KEYS
                and check.base in operators
                and not check.if_exists
                and check.quantifier != ALL
            ):
                times = [time for time in map(date_of, check.values) if time]
                if times and len(times) == len(check.values):
                    yield times

    def has_ended(self, now: datetime.datetime) -> bool:
        return self.end is not None and self.end <= now

    def covered(self, actions: t.Iterable[str]) -> list[str]:
        """Those of the actions that the statement covers."""
        covered = _covered(self.parsed.actions)
        return [action for action in actions if action in covered]


@functools.lru_cache(maxsize=1024)
def _covered(scope: Scope) -> frozenset[str]:
    """The actions of the findings that an Action or NotAction element covers. Many statements have equal elements."""
    return frozenset(
        action
        for action in (*ACTIONS_OF_ECR, *ASSUME_ACTIONS)
        if any(matches_any_case(pattern, action) for pattern in scope.patterns) != scope.excluded
    )


def statement_json(raw: Json) -> str:
    """A statement as JSON, without external IDs."""
    condition = raw.get("Condition")
    if isinstance(condition, dict):
        masked = {
            operator: {key: _MASK if key.lower() == _SECRET_KEY else value for key, value in block.items()}
            if isinstance(block, dict) and not operator.lower().endswith("null")
            else block
            for operator, block in condition.items()
        }
        raw = {**raw, "Condition": masked}
    return json.dumps(raw)
