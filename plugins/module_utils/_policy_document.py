# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Parses IAM policy documents, compares their meaning, and computes their size. Standard library only."""

from __future__ import annotations

import json
import re
import typing as t
import urllib.parse

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import split_arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

Document = Json
UNIQUE_ID = re.compile(r"A(?:IDA|ROA)[A-Z0-9]{12,124}")


def dangling_principals(trust: Document | None) -> list[str]:
    """The unique IDs in a trust policy that replace the ARNs of deleted users and roles.

    Source: IAM User Guide, "AWS JSON policy elements: Principal".
    """
    found = []
    for statement in statements(trust or {}):
        principals = statement.get("Principal")
        if isinstance(principals, dict):
            found += [str(arn) for arn in as_list(principals.get("AWS", [])) if UNIQUE_ID.fullmatch(str(arn))]
    return found


def parse(text: str | Document) -> Document:
    """Parse a document in a form that AWS returns: an object, JSON, or percent-encoded JSON.

    :raises EcrError: if the document does not have the structure of a policy, which the other functions require
    """
    document: object = text
    if isinstance(text, str):
        try:
            document = json.loads(urllib.parse.unquote(text) if text.lstrip().startswith("%") else text)
        except (ValueError, RecursionError):
            document = None
    if not isinstance(document, dict) or not all(map(_has_form, as_list(document.get("Statement", [])))):
        raise EcrError("AWS returned a policy document that is not valid. Correct it in IAM.")
    return document


def _has_form(statement: object) -> bool:
    """Whether a value has the structure of a statement.

    Source: IAM User Guide, "Grammar of the IAM JSON policy language".
    """
    if not isinstance(statement, dict):
        return False
    listed = [statement.get(name, []) for name in ("Action", "NotAction", "Resource", "NotResource")]
    for principals in (statement.get("Principal", {}), statement.get("NotPrincipal", {})):
        listed += principals.values() if isinstance(principals, dict) else [[principals]]
    condition = statement.get("Condition", {})
    blocks: list[object] = list(condition.values()) if isinstance(condition, dict) else [None]
    return (
        isinstance(statement.get("Effect", ""), str)
        and all(isinstance(item, str) for values in listed for item in as_list(values))
        and all(isinstance(block, dict) and all(map(_is_plain, _values(block))) for block in blocks)
    )


def _values(block: Document) -> list[object]:
    return [item for values in block.values() for item in as_list(values)]


def _is_plain(value: object) -> bool:
    return isinstance(value, (str, bool, int, float))


def size(document: Document) -> int:
    """The number of characters that count for the quota of AWS, which ignores white space."""
    return len(re.sub(r"\s", "", text(document)))


def text(document: Document) -> str:
    """The document as JSON for a request."""
    return json.dumps(document, separators=(",", ":"))


def canonical(document: Document) -> frozenset[t.Hashable]:
    """A value that is equal for documents with the same meaning.

    It ignores order, the difference between a single value and a list, `Sid`, the case of actions and condition keys,
    the difference between the ARN of an account root and the account ID, and the difference between the principal `*`
    and the AWS principal `*`.
    """
    return frozenset(canonical_statement(statement) for statement in as_list(document.get("Statement", [])))


def equivalent(document: Document | None, other: Document | None) -> bool:
    """Whether two documents have the same meaning. None is a missing document."""
    if document is None or other is None:
        return document is other
    return canonical(document) == canonical(other)


def common_statements(document: Document, other: Document) -> list[Document]:
    """The statements of `document` that `other` also has, and every Deny statement of `document`.

    A Deny statement stays because its removal would grant access.
    """
    wanted = canonical(other)
    return [
        statement
        for statement in as_list(document.get("Statement", []))
        # IAM never reuses the ID of a deleted principal, so a Deny for that ID has no effect.
        if (statement.get("Effect") == "Deny" and not dangling_principals({"Statement": statement}))
        or canonical_statement(statement) in wanted
    ]


def canonical_statement(statement: Document) -> t.Hashable:
    """A value that is equal for statements with the same meaning."""
    parts: dict[str, t.Hashable] = {}
    for element, value in statement.items():
        if element in ("Action", "NotAction"):
            parts[element] = frozenset(action.lower() for action in as_list(value))
        elif element in ("Principal", "NotPrincipal"):
            parts[element] = _canonical_principal(value)
        elif element == "Condition":
            parts[element] = frozenset(
                (
                    operator,
                    key.lower(),
                    frozenset(str(item).lower() if operator == "Bool" else str(item) for item in as_list(values)),
                )
                for operator, block in value.items()
                for key, values in block.items()
            )
        elif element != "Sid":
            parts[element] = frozenset(str(item) for item in as_list(value))
    return frozenset(parts.items())


def _canonical_principal(value: object) -> t.Hashable:
    if value == "*":
        value = {"AWS": "*"}
    if not isinstance(value, dict):
        return str(value)
    return frozenset(
        (kind, frozenset(_account_of_root(str(item)) for item in as_list(items))) for kind, items in value.items()
    )


def _account_of_root(principal: str) -> str:
    """The account ID for the ARN of an account root; any other principal is unchanged."""
    arn = split_arn(principal)
    return arn.account if arn and principal == arn.identity.root else principal


def statements(document: Document) -> list[Document]:
    """The statements of a document, as a list even if the document has a single statement."""
    return [statement for statement in as_list(document.get("Statement", [])) if isinstance(statement, dict)]


def as_list(value: object) -> list[t.Any]:
    """A value of a document as a list. Documents may have a single value in place of a list."""
    return value if isinstance(value, list) else [value]
