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

import json
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import (
    Document,
    as_list,
    canonical_statement,
    dangling_principals,
    parse,
    text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_conflict import Elements
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import (
    StatementDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._wildcard import matches_any_case

#: The maximum number of characters of a policy. Source: ECR API Reference, PutRegistryPolicy, policyText.
MOST_CHARACTERS = 10240
_VERSION = "2012-10-17"


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


def read_policy(policy_text: str, name: str) -> Document:
    """The policy of a registry.

    :param name: the name of the policy in messages
    :raises EcrError: if it is not a policy, so that a merge could lose a part of it
    """
    try:
        document = json.loads(policy_text, object_pairs_hook=_without_duplicates)
        listed = as_list(parse(document)["Statement"])
    except (ValueError, KeyError, RecursionError, EcrError):
        listed = [None]
    if not all(isinstance(statement, dict) for statement in listed):
        raise EcrError(
            f"The {name} is not a valid policy. Nothing was written, because a part of it could be lost. Correct it in"
            " the console of ECR, and run again."
        )
    return t.cast(Document, document)


def _without_duplicates(pairs: list[tuple[str, object]]) -> Document:
    """An object of JSON.

    :raises ValueError: if it has a key more than once
    """
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError
    return found


def merge_statement(policy: Document | None, declared: StatementDeclaration, wanted: Document) -> MergedPolicy:
    """Add, change or remove the declared statement.

    :param policy: None if the registry has no policy
    :param wanted: the declared statement
    """
    statements = as_list(policy["Statement"]) if policy else []
    same = [number for number, one in enumerate(statements) if one.get("Sid") == declared.sid]
    is_foreign = not all(_is_ours(statements[number], declared, wanted) for number in same)
    problems = [_foreign(declared)] if is_foreign and not declared.adopt else []
    others = [one for number, one in enumerate(statements) if number not in same]
    warnings = tuple(_warnings(others, declared, wanted))
    expected = [_meaning(wanted)] if declared.is_present else []
    if [_meaning(statements[number]) for number in same] == expected:
        return MergedPolicy(policy, (), warnings)
    position = same[0] if same else len(statements)
    added = [wanted] if declared.is_present else []
    listed = [*statements[:position], *added, *(one for one in statements[position:] if one.get("Sid") != declared.sid)]
    merged = {**(policy or {"Version": _VERSION}), "Statement": listed} if listed else None
    problems += _length_problems(merged) if merged and declared.is_present else []
    return MergedPolicy(merged, tuple(problems), warnings)


def _length_problems(policy: Document) -> t.Iterator[str]:
    length = len(text(policy))
    if length > MOST_CHARACTERS:
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
    return (
        bool(actions) and actions <= set(map(str.lower, declared.actions)) and _meaning(without) == _meaning(expected)
    )


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


def rejected(policy: Document | None) -> str:
    """A further sentence if AWS rejects the policy: the principals that do not exist, which AWS may not accept."""
    dangling = dangling_principals(policy)
    if not dangling:
        return ""
    return (
        f" The policy has the unique IDs of deleted users or roles: {', '.join(dangling)}. Remove them from the other"
        " statements."
    )


def statement_elements(policy: Document | None) -> Elements:
    """The statements, each with a text. Statements with the same Sid and the same meaning are equal."""
    listed = as_list(policy["Statement"]) if policy else []
    return {
        _meaning(statement): f"the statement {statement.get('Sid') or json.dumps(statement, sort_keys=True)}"
        for statement in listed
    }


def _meaning(statement: Document) -> t.Hashable:
    return json.dumps(statement.get("Sid")), canonical_statement(statement)
