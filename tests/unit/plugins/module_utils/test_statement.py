"""The statements of a policy document, and what IAM would not accept."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Scope,
    covers_action,
    read,
)

ACTION, RESOURCE = {"Action": "ecr:BatchGetImage"}, {"Resource": "*"}
PRINCIPAL = {"Principal": {"AWS": "222222222222"}}
VERSION = "2012-10-17"


def document(*elements: dict[str, Any]) -> dict[str, Any]:
    statement = {"Effect": "Allow"}
    for one in elements:
        statement |= one
    return {"Version": VERSION, "Statement": [statement]}


@pytest.mark.parametrize(
    ("elements", "of_a_resource", "reason"),
    [
        ([ACTION], False, "it lacks an Action or a Resource"),
        ([RESOURCE], False, "it lacks an Action or a Resource"),
        ([PRINCIPAL, RESOURCE], True, "it lacks an Action or a Resource"),
        ([ACTION, RESOURCE, PRINCIPAL], False, "an identity policy has no Principal"),
        ([ACTION, RESOURCE, {"NotPrincipal": "*"}], False, "an identity policy has no Principal"),
        ([ACTION], True, "it must have one Principal"),
        ([ACTION, PRINCIPAL, {"NotPrincipal": "*"}], True, "it must have one Principal"),
        ([ACTION, RESOURCE, {"NotAction": "s3:*"}], False, "it has both Action and NotAction"),
        ([ACTION, RESOURCE, {"NotResource": "arn:x"}], False, "it has both Resource and NotResource"),
        ([RESOURCE, {"Action": [1]}], False, "its Action is not text"),
        ([ACTION, {"NotResource": None}], False, "its NotResource is not text"),
        ([ACTION, RESOURCE, {"Effect": "allow"}], False, "its Effect is neither Allow nor Deny"),
        ([ACTION, RESOURCE, {"Actions": "*"}], False, "it is not an object with the elements of a statement"),
    ],
)
def test_a_statement_that_iam_would_not_accept(
    elements: list[dict[str, Any]], of_a_resource: bool, reason: str
) -> None:
    with pytest.raises(MalformedPolicyError) as raised:
        read(document(*elements), "the policy", of_a_resource)
    assert str(raised.value) == f"statement 1 of the policy cannot be read: {reason}"


def test_the_elements_of_a_statement() -> None:
    (one,) = read(document(ACTION, {"NotResource": ["arn:x", "arn:y"]}), "the policy", False)
    assert one.actions == Scope(("ecr:BatchGetImage",), False)
    assert one.resources == Scope(("arn:x", "arn:y"), True)
    assert (one.names, one.condition, one.variables) == (None, (), True)
    (other,) = read({**document(ACTION, PRINCIPAL), "Version": "2008-10-17"}, "the policy", True)
    assert (other.resources, other.variables) == (None, False)


def test_a_policy_may_have_one_statement_without_a_list_and_a_version_may_be_left_out() -> None:
    (statement,) = document(ACTION, RESOURCE)["Statement"]
    (one,) = read({"Statement": statement}, "the policy", False)
    assert (one.place, one.variables) == ("statement 1 of the policy", False)
    named = {"Statement": [statement, {**statement, "Sid": "Mine"}]}
    assert read(named, "the policy", False)[1].place == "statement 2 (Mine) of the policy"


@pytest.mark.parametrize(
    ("element", "action", "covered"),
    [
        ({"Action": "ecr:Batch*"}, "ECR:batchgetimage", True),
        ({"Action": ["s3:*", "ecr:*"]}, "ecr:BatchGetImage", True),
        ({"Action": "s3:*"}, "ecr:BatchGetImage", False),
        ({"NotAction": "s3:*"}, "ecr:BatchGetImage", True),
        ({"NotAction": ["s3:*", "ecr:*"]}, "ecr:BatchGetImage", False),
    ],
)
def test_the_actions_that_a_statement_covers(element: dict[str, Any], action: str, covered: bool) -> None:
    (one,) = read(document(element, RESOURCE), "the policy", False)
    assert covers_action(one, action).holds is covered
