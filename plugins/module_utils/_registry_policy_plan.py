# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Merges a declared statement into the policy of a registry. Standard library only.

AWS replaces the whole policy with each write. So a merge keeps every other statement and every other element as AWS
returned it. The Sid identifies the statement. A statement with this Sid that accepts no replication, or accepts it from
another account, is replaced or removed only with `adopt`, because another program wrote it. The same is true for the
statement of a cache.
"""

from __future__ import annotations

import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, as_list
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_merge import (
    MOST_CHARACTERS,
    listed_statements,
    meaning,
    merge,
    own_statements,
    too_long,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import (
    StatementDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case


@dataclass(frozen=True)
class MergedPolicy:
    """The result of a merge.

    :param policy: the policy after the merge; None if no statement is left; the same as before if nothing changes
    :param problems: the reasons for which the merge must not be written
    :param warnings: facts about other statements
    """

    policy: Document | None
    problems: tuple[str, ...]
    warnings: tuple[str, ...]


def merge_statement(policy: Document | None, declared: StatementDeclaration, wanted: Document) -> MergedPolicy:
    """Add, change or remove the declared statement.

    :param policy: None if the registry has no policy
    :param wanted: the declared statement
    """
    others = [one for one in listed_statements(policy) if one.get("Sid") != declared.sid]
    warnings = tuple(_warnings(others, declared, wanted))

    def is_own(sid: object) -> bool:
        return sid == declared.sid

    merged = merge(policy, is_own, [wanted] if declared.is_present else [])
    if merged is policy:
        return MergedPolicy(policy, (), warnings)
    is_foreign = not all(_is_ours(one, declared, wanted) for one in own_statements(policy, is_own))
    problems = [_foreign(declared)] if is_foreign and not declared.adopt else []
    problems += _length_problems(merged) if declared.is_present else []
    return MergedPolicy(merged, tuple(problems), warnings)


def _length_problems(policy: Document | None) -> t.Iterator[str]:
    length = too_long(policy)
    if length:
        yield (
            f"The registry policy would have {length:,} characters; ECR accepts up to {MOST_CHARACTERS:,}. Declare"
            f" fewer or shorter {option('prefixes')}, or remove another statement."
        )


def _foreign(declared: StatementDeclaration) -> str:
    return (
        f"Statement {declared.sid} of the registry policy is not one that accepts {declared.subject}. Set"
        f" {option('adopt')} to true to manage it anyway, which ends what it allows now, or declare another"
        f" {option('sid')}."
    )


def _is_ours(statement: Document, declared: StatementDeclaration, wanted: Document) -> bool:
    """Whether a statement only accepts what is declared, for the same principal."""
    actions = {str(action).lower() for action in as_list(statement.get("Action", []))}
    without = {name: value for name, value in statement.items() if name not in ("Action", "Resource")}
    expected = {name: value for name, value in wanted.items() if name not in ("Action", "Resource")}
    return bool(actions) and actions <= set(map(str.lower, declared.actions)) and meaning(without) == meaning(expected)


def _warnings(others: list[Document], declared: StatementDeclaration, wanted: Document) -> t.Iterator[str]:
    """Other statements that also decide about the images."""
    root = wanted["Principal"]["AWS"]
    for statement in others:
        named = statement.get("Principal", {})
        principals = as_list(named.get("AWS", []) if isinstance(named, dict) else named)
        actions = map(str, as_list(statement.get("Action", [])))
        decides = {root, declared.source, "*"} & set(principals) and any(
            matches_any_case(action, declared.actions[0]) for action in actions
        )
        label = f"Statement {statement.get('Sid') or 'without a Sid'} of the registry policy"
        if decides and statement.get("Effect") == "Deny":
            yield f"{label} may deny {declared.subject}. This run does not change it."
        elif decides and not declared.is_present:
            yield f"{label} still accepts {declared.subject}. This run does not change it."
