# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Simulates the writes of statements in their order, and finds policies that are too long. Standard library only.

Each phase is complete for all shares before the next phase begins:

1. remove statements;
2. replace statements by shorter ones;
3. add statements, and replace statements by longer ones;
4. remove the statements of an earlier mode of a share. They keep its access until the new mode gives it.

A phase only shortens policies, or only lengthens them. So the third phase leaves the longest policies, and whether one
of them exceeds the limit of ECR does not depend on the order of the declaration.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, text
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import merge, too_long
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import PolicyChange
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share

REMOVED, SHORTENED, LENGTHENED, ENDED = PHASES = range(4)
#: The policies after a run, by the region and the name of the repository.
Documents = dict[tuple[str, str], t.Optional[Document]]


@dataclass
class RegionalStatements:
    """The changes of the policies of one region by one share.

    :param wanted: the declared statements
    :param selected: the repositories that have the statements after the run
    :param names: the repositories whose policies were read
    :param is_former: whether the statements are those of an earlier mode of a present share
    :param invalid: problems with policies that are not valid
    """

    share: Share
    region: str
    declared: AccessDeclaration
    wanted: t.Sequence[Document]
    selected: t.Collection[str]
    names: t.Collection[str]
    is_former: bool
    changes: list[PolicyChange]
    invalid: list[str]

    def __post_init__(self) -> None:
        self._phases = {change.name: self._phase(change) for change in self.changes}

    def _phase(self, change: PolicyChange) -> int:
        if change.name not in self.selected:
            return ENDED if self.is_former else REMOVED
        return LENGTHENED if _length(change.after) > _length(change.before) else SHORTENED

    def names_in(self, phase: int) -> tuple[str, ...]:
        """The repositories whose policies change in a phase."""
        return tuple(change.name for change in self.changes if self._phases[change.name] == phase)

    def run(self, phase: int, documents: Documents) -> None:
        """Apply the changes of a phase to the policies that the earlier changes of the run leave."""
        for number, change in enumerate(self.changes):
            if self._phases[change.name] != phase:
                continue
            place = self.region, change.name
            if place in documents:
                before = documents[place]
                wanted = self.wanted if change.name in self.selected else ()
                change = PolicyChange(change.name, before, merge(before, self.declared.is_own, wanted))
                self.changes[number] = change
            documents[place] = change.after


def run_in_order(planned: t.Sequence[RegionalStatements]) -> Documents:
    """Replace the changes of each share by those of a run of all shares. Return the policies after the run."""
    documents: Documents = {}
    for phase in PHASES:
        for one in planned:
            one.run(phase, documents)
    return documents


def late_ending_problems(planned: t.Sequence[RegionalStatements], after: Documents) -> t.Iterator[str]:
    """A further sentence about policies that are too long only because a share changes its mode in the same run."""
    long = {(one.region, change.name) for one in planned for change in one.changes if too_long(change.after)}
    for one in planned:
        names = [name for name in one.names_in(ENDED) if (one.region, name) in long]
        names = [name for name in names if not too_long(after[one.region, name])]
        if names:
            place = "the registry policy" if one.declared.in_registry else f"the policy of {list_text(names)}"
            yield (
                f"Share {one.share.label} changes its mode, so its earlier statement in {place} in {one.region} is"
                " removed after other statements are added. Without this statement, the policy would not be too long."
                f" Run with share {one.share.label} only, and then with all shares."
            )


def _length(policy: Document | None) -> int:
    return len(text(policy)) if policy else 0
