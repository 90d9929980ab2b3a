# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Merges the statements of a module into the policy of a registry or of a repository. Standard library only.

AWS replaces the whole policy with each write. So a merge keeps every other statement and every other element as AWS
returned it. The Sid identifies a statement.
"""

from __future__ import annotations

import json
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import (
    Document,
    as_list,
    canonical_statement,
    dangling_principals,
    parse,
    text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_conflict import Elements

#: The maximum number of characters of a policy. Source: ECR API Reference, PutRegistryPolicy and SetRepositoryPolicy,
#: policyText.
MOST_CHARACTERS = 10240
_VERSION = "2012-10-17"


def read_policy(policy_text: str, name: str) -> Document:
    """The policy of a registry or a repository.

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


def listed_statements(policy: Document | None) -> list[Document]:
    """The statements of a policy; empty without a policy."""
    return as_list(policy["Statement"]) if policy else []


def own_statements(policy: Document | None, is_own: t.Callable[[object], bool]) -> list[Document]:
    """The statements that a module manages.

    :param is_own: whether a Sid is one of the module's
    """
    return [one for one in listed_statements(policy) if is_own(one.get("Sid"))]


def merge(policy: Document | None, is_own: t.Callable[[object], bool], wanted: t.Sequence[Document]) -> Document | None:
    """The policy after the merge; None if no statement is left; the same object if nothing changes.

    :param policy: None without a policy
    :param is_own: whether a Sid is one of the module's, so that its statement is replaced
    :param wanted: the statements of the module; empty to remove them
    """
    own = own_statements(policy, is_own)
    if len(own) == len(wanted) and {*map(meaning, own)} == {*map(meaning, wanted)}:
        return policy
    statements = listed_statements(policy)
    position = next((number for number, one in enumerate(statements) if is_own(one.get("Sid"))), len(statements))
    after = [one for one in statements[position:] if not is_own(one.get("Sid"))]
    listed = [*statements[:position], *wanted, *after]
    return {**(policy or {"Version": _VERSION}), "Statement": listed} if listed else None


def too_long(policy: Document | None) -> int:
    """The number of characters of a policy that ECR would reject; 0 for any other policy."""
    length = len(text(policy)) if policy else 0
    return length if length > MOST_CHARACTERS else 0


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
    return {
        meaning(statement): f"the statement {statement.get('Sid') or json.dumps(statement, sort_keys=True)}"
        for statement in listed_statements(policy)
    }


def meaning(statement: Document) -> t.Hashable:
    """A value that is equal for statements with the same Sid and the same meaning."""
    return json.dumps(statement.get("Sid")), canonical_statement(statement)
