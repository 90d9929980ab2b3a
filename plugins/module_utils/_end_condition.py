# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The end of access as conditions of policy documents. Standard library only.

The end of a share is a condition on `aws:CurrentTime` in each statement of the trust policy and of the managed policy.
Roles with one managed policy may have different ends, so the earlier end of one role is an inline policy of this role.
The permissions end the access of a session that started before the end. AWS evaluates them at each request, also at a
request with an ECR token.

Source: IAM User Guide, "AWS global condition context keys", and "AWS: Allows access based on date and time".
"""

from __future__ import annotations

import datetime

from ansible_collections.crossaccount.ecr.plugins.module_utils._end_date import utc_text
from ansible_collections.crossaccount.ecr.plugins.module_utils._operators import date_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._policy_document import Document, as_list, statements

_OPERATOR, _KEY = "DateLessThan", "aws:CurrentTime"
_VERSION = "2012-10-17"


def with_end(document: Document, end: datetime.datetime | None) -> Document:
    """The document with an end in each Allow statement.

    :param end: None for no end
    """
    if end is None:
        return document
    return {**document, "Statement": [_ending(statement, end) for statement in statements(document)]}


def _ending(statement: Document, end: datetime.datetime) -> Document:
    if statement.get("Effect") != "Allow":
        return statement
    condition = statement.get("Condition", {})
    limited = {**condition, _OPERATOR: {**condition.get(_OPERATOR, {}), _KEY: utc_text(end)}}
    return {**statement, "Condition": limited}


def without_end(document: Document) -> Document:
    """The document without the ends that `with_end` adds."""
    return {**document, "Statement": [_unlimited(statement) for statement in statements(document)]}


def _unlimited(statement: Document) -> Document:
    block = statement.get("Condition", {}).get(_OPERATOR, {})
    if not any(key.lower() == _KEY.lower() for key in block):
        return statement
    rest = {key: value for key, value in block.items() if key.lower() != _KEY.lower()}
    condition = {operator: block for operator, block in statement["Condition"].items() if operator != _OPERATOR}
    condition.update({_OPERATOR: rest} if rest else {})
    unlimited = {element: value for element, value in statement.items() if element != "Condition"}
    return {**unlimited, "Condition": condition} if condition else unlimited


def end_in(document: Document | None) -> datetime.datetime | None:
    """The latest end of the Allow statements of a document; None if one of them has no end."""
    ends = [_end_of(statement) for statement in statements(document or {}) if statement.get("Effect") == "Allow"]
    known = [end for end in ends if end is not None]
    return max(known) if known and len(known) == len(ends) else None


def _end_of(statement: Document) -> datetime.datetime | None:
    block = statement.get("Condition", {}).get(_OPERATOR, {})
    values = [str(item) for key, value in block.items() if key.lower() == _KEY.lower() for item in as_list(value)]
    times = [time for time in map(date_of, values) if time is not None]
    return max(times) if times and len(times) == len(values) else None


def active(trust: Document, limit: datetime.datetime | None, now: datetime.datetime) -> Document:
    """The statements of a trust policy that admit a principal now, each with the end of its access.

    :param limit: the end of the permissions of the role; None for no end
    """
    found = []
    for statement in statements(trust):
        if statement.get("Effect") != "Allow":
            found.append(statement)
            continue
        end = earlier(_end_of(statement), limit)
        if end is None or end > now:
            found.append(statement if end is None else _ending(_unlimited(statement), end))
    return {**trust, "Statement": found}


def earlier(*ends: datetime.datetime | None) -> datetime.datetime | None:
    """The earliest end; None if there is no end."""
    return min((end for end in ends if end is not None), default=None)


def end_policy(end: datetime.datetime) -> Document:
    """The inline policy that ends the access of one role."""
    condition = {"DateGreaterThanEquals": {_KEY: utc_text(end)}}
    return {
        "Version": _VERSION,
        "Statement": [{"Sid": "EndOfAccess", "Effect": "Deny", "Action": "*", "Resource": "*", "Condition": condition}],
    }


def end_in_policy(document: Document | None) -> datetime.datetime | None:
    """The end in an inline policy that `end_policy` returned; None for another document."""
    if document is None:
        return None
    for statement in statements(document):
        value = statement.get("Condition", {}).get("DateGreaterThanEquals", {}).get(_KEY)
        end = date_of(str(value)) if isinstance(value, str) else None
        if end is not None and [statement] == statements(end_policy(end)):
            return end
    return None
