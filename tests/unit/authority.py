# SPDX-License-Identifier: GPL-3.0-or-later
"""A small judge of policy documents, written apart from the collection: it rejects elements that it does not
support."""

from __future__ import annotations

import fnmatch
from dataclasses import dataclass
from typing import Any

Document = dict[str, Any]


@dataclass(frozen=True)
class Caller:
    """The caller of the role, and the keys of its request."""

    arn: str
    external_id: str | None = None
    organization: str | None = None
    mfa: bool = False
    #: The entity path of the account in its organization.
    path: str | None = None
    #: Whether the session is to have session tags.
    tagged: bool = False

    @property
    def account(self) -> str:
        return self.arn.split(":")[4]


def listed(value: Any) -> list[Any]:
    return value if isinstance(value, list) else [value]


#: A time before each end, in the format of AWS.
EARLY = "2000-01-01T00:00:00Z"


def reads(document: Document, action: str, resource: str, tags: dict[str, str], now: str = EARLY) -> bool:
    """Whether the permissions document allows `action` on a resource with `tags`."""
    context = {f"{prefix}:resourcetag/{key.lower()}": value for prefix in ("ecr", "aws") for key, value in tags.items()}
    context["aws:currenttime"] = now
    return _decide(
        [
            item
            for item in listed(document["Statement"])
            if any(fnmatch.fnmatchcase(action.lower(), pattern.lower()) for pattern in listed(item["Action"]))
            and any(fnmatch.fnmatchcase(resource, pattern) for pattern in listed(item["Resource"]))
        ],
        context,
    )


def assumes(document: Document, caller: Caller, now: str = EARLY) -> bool:
    """Whether the trust document lets the caller become the role."""
    context = {"aws:principalarn": caller.arn, "aws:multifactorauthpresent": str(caller.mfa).lower()}
    context["aws:currenttime"] = now
    if caller.external_id is not None:
        context["sts:externalid"] = caller.external_id
    if caller.organization is not None:
        context["aws:principalorgid"] = caller.organization
    if caller.path is not None:
        context["aws:principalorgpaths"] = caller.path
    prefix = caller.arn.partition(":iam:")[0]
    names = {"*", caller.arn, caller.account, f"{prefix}:iam::{caller.account}:root"}
    statements = [item for item in listed(document["Statement"]) if names & set(listed(item["Principal"]["AWS"]))]
    return all(
        _decide([item for item in statements if action in listed(item["Action"])], context)
        for action in ("sts:AssumeRole", *(["sts:TagSession"] if caller.tagged else []))
    )


def _decide(statements: list[Document], context: dict[str, str]) -> bool:
    effects = {statement["Effect"] for statement in statements if _holds(statement.get("Condition", {}), context)}
    assert effects <= {"Allow", "Deny"}
    return effects == {"Allow"}


def _holds(condition: dict[str, dict[str, Any]], context: dict[str, str]) -> bool:
    for operator, block in condition.items():
        known = ("StringEquals", "ForAnyValue:StringLike", "ArnEquals", "Bool", "DateLessThan", "DateGreaterThanEquals")
        assert operator in known, f"{operator} is not judged here"
        for key, values in block.items():
            actual = context.get(key.lower())
            if actual is None or not any(_equal(operator, actual, value) for value in listed(values)):
                return False
    return True


def _equal(operator: str, actual: str, declared: str) -> bool:
    if operator.startswith("Date"):  # times in one format have the order of their texts
        assert declared.endswith("Z")
        return actual < declared if operator == "DateLessThan" else actual >= declared
    is_pattern = operator in ("ArnEquals", "ForAnyValue:StringLike")
    return fnmatch.fnmatchcase(actual, declared) if is_pattern else actual == declared
