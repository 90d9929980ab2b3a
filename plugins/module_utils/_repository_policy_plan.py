# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Plans the statement of a share in the policies of many repositories. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import has_known_form
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._list_text import NAMED, list_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import (
    MOST_CHARACTERS,
    merge,
    own_statements,
    read_policy,
    too_long,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import (
    REGISTRY,
    AccessDeclaration,
)


@dataclass(frozen=True)
class PolicyChange:
    """The change of the policy of one repository. None is a missing policy."""

    name: str
    before: Document | None
    after: Document | None


@dataclass(frozen=True)
class AccessStatementPlan:
    """The changes of policies, and the reasons for which nothing must be written.

    :param unchanged: the repositories whose policies do not change
    """

    changes: tuple[PolicyChange, ...]
    unchanged: tuple[str, ...]
    problems: tuple[str, ...]
    diff: Json

    def result(self, selected: t.Collection[str]) -> list[Json]:
        """The repositories whose policies were read, in the order of their names.

        :param selected: those that have the statements after the run
        """
        changed = {change.name for change in self.changes}
        return [
            {"name": name, "changed": name in changed, "state": "present" if name in selected else "absent"}
            for name in sorted([*changed, *self.unchanged])
            if name != REGISTRY
        ]


def policy_name(repository: str) -> str:
    """The name of a policy in messages."""
    return "registry policy" if repository == REGISTRY else f"policy of repository {repository}"


def merged(policy: Document | None, declared: AccessDeclaration, wanted: t.Sequence[Document]) -> Document | None:
    """The policy after the merge.

    :raises EcrError: if the merge must not be written
    """
    after = merge(policy, declared.is_own, wanted)
    if after is not policy and not declared.adopt and _has_foreign(policy, declared):
        raise EcrError(_foreign(declared, "the policy"))
    if wanted and too_long(after):
        raise EcrError(_too_long(["the repository"]))
    return after


def plan_statements(
    policies: t.Mapping[str, str | None],
    selected: t.Collection[str],
    declared: AccessDeclaration,
    wanted: t.Sequence[Document],
) -> AccessStatementPlan:
    """Plan the policies of the repositories.

    :param policies: the text of the policy of each repository that was read; None without a policy
    :param selected: the repositories that have the statements; the others lose them
    :param wanted: the declared statements
    """
    changes, invalid = changed_policies(policies, selected, declared, wanted)
    return plan_of_changes(changes, invalid, policies, selected, declared)


def changed_policies(
    policies: t.Mapping[str, str | None],
    selected: t.Collection[str],
    declared: AccessDeclaration,
    wanted: t.Sequence[Document],
) -> tuple[list[PolicyChange], list[str]]:
    """The changes of the policies, and the problems with policies that are not valid. The same parameters."""
    changes: list[PolicyChange] = []
    invalid: list[str] = []
    for name, policy_text in sorted(policies.items()):
        try:
            before = None if policy_text is None else read_policy(policy_text, policy_name(name))
        except EcrError as error:
            invalid += [str(error)] if name in selected or declared.sid in str(policy_text) else []
            continue
        after = merge(before, declared.is_own, wanted if name in selected else ())
        if after is not before:
            changes.append(PolicyChange(name, before, after))
    return changes, invalid


def plan_of_changes(
    changes: t.Sequence[PolicyChange],
    invalid: t.Sequence[str],
    names: t.Iterable[str],
    selected: t.Collection[str],
    declared: AccessDeclaration,
) -> AccessStatementPlan:
    """The plan that makes the changes.

    :param invalid: the problems with policies that are not valid
    :param names: the repositories whose policies were read
    """
    foreign = [change.name for change in changes if not declared.adopt and _has_foreign(change.before, declared)]
    long = [
        f"{'the registry policy' if change.name == REGISTRY else change.name} ({too_long(change.after):,})"
        for change in changes
        if change.name in selected and too_long(change.after)
    ]
    place = "the registry policy" if declared.in_registry else f"the policy of {list_text(foreign)}"
    problems = [*invalid, *([_foreign(declared, place)] if foreign else []), *([_too_long(long)] if long else [])]
    unchanged = tuple(sorted({*names} - {change.name for change in changes}))
    return AccessStatementPlan(tuple(changes), unchanged, tuple(problems), _diff(changes, declared))


def tags_text(tags: t.Mapping[str, t.Sequence[str]]) -> str:
    """The text for tags with alternative values."""
    return ", ".join(f"{key}={' or '.join(values)}" for key, values in tags.items())


def no_repository_warning(declared: AccessDeclaration, selected: t.Sequence[str], region: str) -> t.Iterator[str]:
    """A warning if no repository has the declared tags."""
    if declared.tags is not None and declared.is_present and not selected and not declared.in_registry:
        yield (
            f"No repository in {region} has {tags_text(declared.tags)}, so no policy has the statement. Tag a"
            " repository, and run again."
        )


def _has_foreign(policy: Document | None, declared: AccessDeclaration) -> bool:
    return not all(map(has_known_form, own_statements(policy, declared.is_own)))


def _foreign(declared: AccessDeclaration, place: str) -> str:
    return (
        f"Statement {declared.sid} in {place} is not one that this collection writes: another"
        f" program changed it. Set {option('adopt')} to true to replace or remove it, which ends what it allows now."
    )


def _too_long(repositories: t.Sequence[str]) -> str:
    return (
        f"The policy would exceed {MOST_CHARACTERS:,} characters, the limit of ECR: {list_text(repositories)}. Declare"
        f" fewer {option('consumers')}, such as an organization, or remove other statements."
    )


def _diff(changes: t.Sequence[PolicyChange], declared: AccessDeclaration) -> Json:
    """The changes in the format of Ansible's diff. Many changes are shown in groups, with the own statements only."""
    if len(changes) <= NAMED:
        return {
            "before": {change.name: change.before or {} for change in changes},
            "after": {change.name: change.after or {} for change in changes},
        }
    groups: dict[tuple[str, str], tuple[list[str], list[Document], list[Document]]] = {}
    for change in changes:
        before, after = (own_statements(policy, declared.is_own) for policy in (change.before, change.after))
        group = groups.setdefault((str(before), str(after)), ([], before, after))
        group[0].append(change.name)
    return {
        "before": {list_text(names): before for names, before, _after in groups.values()},
        "after": {list_text(names): after for names, _before, after in groups.values()},
    }
