# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The statements of a share in a repository policy or in the registry policy. Standard library only.

The consumers with the same conditions have one statement, because all conditions of a statement apply to all of its
principals. A share whose consumers all have the same conditions, or none, therefore has exactly one statement.

The Sid is derived from the name of the share. It ends with a hash of the name, so that no other program creates a
statement with this Sid, and two shares with similar names have different Sids. IAM ignores the case of names, and so
does the Sid. A further statement of the same share has a number after the Sid.
"""

from __future__ import annotations

import hashlib
import json
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy import ACTIONS, trust_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, as_list, statements

#: The first part of the Sid of each statement of this collection.
_PREFIX, _NUMBER = "CrossaccountEcr", "Part"
#: The Sid of a statement of any share.
_SID = re.compile(f"{_PREFIX}[A-Za-z0-9]*[0-9a-f]{{8}}({_NUMBER}[0-9]+)?")
#: The operators and the keys of all conditions that this file writes, in lower case.
_CONDITIONS = {
    ("stringequals", "aws:principalorgid"),
    ("foranyvalue:stringlike", "aws:principalorgpaths"),
    ("bool", "aws:multifactorauthpresent"),
    ("arnequals", "aws:principalarn"),
    ("arnlike", "aws:sourcearn"),
    ("stringequals", "aws:sourceaccount"),
}
_TAG_CONDITION = re.compile(r"(ecr|aws):resourcetag/.+")
_ELEMENTS = {"Sid", "Effect", "Principal", "Action", "Condition", "Resource"}


def sid_of(share: str) -> str:
    """The Sid of the first statement of a share.

    Source of its characters: IAM User Guide, "IAM JSON policy elements: Sid".
    """
    name = share.lower()
    words = "".join(word.capitalize() for word in re.findall("[a-z0-9]+", name))
    return f"{_PREFIX}{words}{hashlib.sha256(name.encode()).hexdigest()[:8]}"


def is_sid_of(share: str) -> t.Callable[[object], bool]:
    """A function that returns whether a Sid is that of a statement of the share."""
    return is_sid_like(sid_of(share))


def is_sid_like(first: str) -> t.Callable[[object], bool]:
    """A function that returns whether a Sid is that of a statement of a share.

    :param first: the Sid of the first statement of the share
    """
    pattern = re.compile(f"{re.escape(first)}({_NUMBER}[0-9]+)?")
    return lambda sid: isinstance(sid, str) and bool(pattern.fullmatch(sid))


def access_statements(
    partition: str,
    share: str,
    consumers: t.Sequence[Consumer],
    access: str,
    resources: t.Sequence[str] = (),
    tag_condition: t.Mapping[str, str | list[str]] | None = None,
) -> list[Document]:
    """The statements that allow the consumers to pull.

    :param access: `pull` or `read`
    :param resources: the ARNs of the repositories in the policy of a registry; empty for the policy of a repository
    :param tag_condition: the condition keys and values of the tags that a repository must have
    """
    groups: dict[str, tuple[Document, dict[str, set[str]]]] = {}
    for consumer in consumers:
        principal, condition = _principal_and_condition(partition, consumer)
        if tag_condition:
            same = {**condition.get("StringEquals", {}), **tag_condition}
            condition = {**condition, "StringEquals": same}
        _condition, principals = groups.setdefault(json.dumps(condition), (condition, {}))
        for kind, named in principal.items():
            principals.setdefault(kind, set()).update(as_list(named))
    listed = []
    for number, (_key, (condition, principals)) in enumerate(sorted(groups.items()), 1):
        statement: Document = {
            "Sid": sid_of(share) + (f"{_NUMBER}{number}" if number > 1 else ""),
            "Effect": "Allow",
            "Principal": {kind: _one_or_list(named) for kind, named in principals.items()},
            "Action": sorted(ACTIONS[access]),
        }
        if resources:
            statement["Resource"] = _one_or_list(resources)
        listed.append({**statement, "Condition": condition} if condition else statement)
    return listed


def _principal_and_condition(partition: str, consumer: Consumer) -> tuple[Document, Document]:
    """The principals of a consumer, and the conditions that apply to them."""
    if consumer.service is None:
        (statement,) = trust_document(partition, [consumer])["Statement"]
        return statement["Principal"], statement.get("Condition", {})
    condition = {}
    if consumer.source_arns:
        condition["ArnLike"] = {"aws:SourceArn": _one_or_list(consumer.source_arns)}
    if consumer.source_accounts:
        condition["StringEquals"] = {"aws:SourceAccount": _one_or_list(consumer.source_accounts)}
    return {"Service": consumer.service}, condition


def _one_or_list(values: t.Collection[str]) -> str | list[str]:
    return next(iter(values)) if len(values) == 1 else sorted(values)


def has_known_form(statement: Document) -> bool:
    """Whether a statement has the form of those of this file. Its principals and values may be others.

    Anything else with the Sid of a share was changed by another program.
    """
    actions = {str(action).lower() for action in as_list(statement.get("Action", []))}
    condition = statement.get("Condition", {})
    keys = {(operator.lower(), key.lower()) for operator, block in condition.items() for key in block}
    return (
        statement.keys() <= _ELEMENTS
        and statement.get("Effect") == "Allow"
        and any(actions == {action.lower() for action in listed} for listed in ACTIONS.values())
        and all(pair in _CONDITIONS or _is_tag_condition(*pair) for pair in keys)
    )


def _is_tag_condition(operator: str, key: str) -> bool:
    return operator == "stringequals" and bool(_TAG_CONDITION.fullmatch(key))


def statements_of_shares(policy: Document | None) -> dict[str, Document]:
    """The statements in a policy that give access for shares, by their Sids.

    :param policy: None without a policy
    """
    return {
        statement["Sid"]: statement
        for statement in statements(policy or {})
        if statement.get("Effect") == "Allow" and _SID.fullmatch(str(statement.get("Sid")))
    }


def permissions_of_shares(policy: Document | None) -> dict[str, Document]:
    """The permissions that the statements of shares in a policy give, by their Sids.

    :param policy: None without a policy
    """
    return {sid: _permissions(statement) for sid, statement in statements_of_shares(policy).items()}


def _permissions(statement: Document) -> Document:
    """The permissions that a statement gives. Its conditions on other keys than tags select the consumers."""
    given = {key: value for key, value in statement.items() if key not in ("Sid", "Principal", "NotPrincipal")}
    given["Condition"] = _tag_conditions(statement.get("Condition"))
    return {"Version": "2012-10-17", "Statement": [given]}


def _tag_conditions(condition: object) -> Document:
    """The conditions on tags of a repository."""
    found = {
        operator: {key: value for key, value in keys.items() if _TAG_CONDITION.fullmatch(key.lower())}
        for operator, keys in (condition.items() if isinstance(condition, dict) else ())
        if isinstance(keys, dict)
    }
    return {operator: keys for operator, keys in found.items() if keys}
