# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of a policy document, and whether one of them applies to a request."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import (
    MalformedPolicyError,
    Request,
    Scope,
    applies,
    covers_action,
    read_statements,
)

from tests.unit.callers import CALLERS, ONE, OWNER

REPOSITORY = f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release"
STATEMENT = {"Effect": "Allow", "Action": "*", "Resource": "*"}


def document(**elements: Any) -> dict[str, Any]:
    """A policy with one statement; None removes an element."""
    statement = {name: value for name, value in {**STATEMENT, **elements}.items() if value is not None}
    return {"Version": "2012-10-17", "Statement": [statement]}


def does_apply(policy: Any, context: Context | None = None) -> bool | None:
    (statement,) = read_statements(policy, "a policy", False)
    return applies(
        statement, Request("ecr:BatchGetImage", REPOSITORY, ONE, CALLERS["user"], context or Context())
    ).holds


@pytest.mark.parametrize(
    ("elements", "applied"),
    [
        ({"Action": "ECR:batchgetimage"}, True),
        ({"Action": ["ecr:Get*", "ecr:Batch?etImage"]}, True),
        ({"Action": "[e]cr:*"}, False),
        ({"Action": []}, False),
        ({"Action": None, "NotAction": "iam:*"}, True),
        ({"Action": None, "NotAction": ["iam:*", "ecr:*image"]}, False),
        ({"Resource": REPOSITORY}, True),
        ({"Resource": REPOSITORY.upper()}, False),
        ({"Resource": "arn:aws:ecr:*:repository/*"}, True),
        ({"Resource": "*release"}, None),
        ({"Resource": "arn:aws:ecr:eu-west-1:${aws:missing, '111111111111'}:repository/release"}, True),
        ({"Resource": "${aws:missing}*"}, False),
        ({"Resource": "${aws:username"}, None),
        ({"Resource": None, "NotResource": REPOSITORY}, False),
        ({"Resource": None, "NotResource": "arn:aws:s3:::*"}, True),
        ({"Resource": None, "NotResource": "*release"}, None),
    ],
)
def test_the_elements_of_a_statement(elements: dict[str, Any], applied: bool | None) -> None:
    assert does_apply(document(**elements)) is applied


def test_variables_are_text_in_the_older_version() -> None:
    policy, context = document(Condition={"StringEquals": {"a": "${*}"}}), Context.of({"a": ["${*}"]})
    assert does_apply(policy, context) is False
    for older in ({**policy, "Version": "2008-10-17"}, {"Statement": policy["Statement"]}):
        assert does_apply(older, context) is True


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "allow"},
        {"Effect": ["Allow"]},
        {"Action": 1},
        {"Action": [["ecr:*"]]},
        {"NotAction": "ecr:*"},
        {"Resource": [None]},
        {"NotResource": "*"},
        {"Principal": "*"},
        {"Condition": "odd"},
        {"Comment": "odd"},
    ],
)
def test_a_statement_that_iam_rejects_is_an_error_that_names_it(changed: dict[str, Any]) -> None:
    with pytest.raises(MalformedPolicyError, match=r"^statement 1 \(Mine\) of a policy cannot be read: "):
        read_statements(document(Sid="Mine", **changed), "a policy", False)


@pytest.mark.parametrize("policy", [None, 1, [], "x", {"Version": "2020-01-01", "Statement": []}])
def test_invalid_policy_is_an_error(policy: Any) -> None:
    with pytest.raises(MalformedPolicyError, match=r"^a policy "):
        read_statements(policy, "a policy", False)


PRINCIPAL = {"AWS": ONE}


@pytest.mark.parametrize(
    ("changed", "of_a_resource", "reason"),
    [
        ({"Resource": None}, False, "it lacks an Action or a Resource"),
        ({"Action": None}, False, "it lacks an Action or a Resource"),
        ({"Action": None, "Principal": PRINCIPAL}, True, "it lacks an Action or a Resource"),
        ({"NotPrincipal": "*"}, False, "an identity policy has no Principal"),
        ({}, True, "it must have one Principal"),
        ({"Principal": PRINCIPAL, "NotPrincipal": "*"}, True, "it must have one Principal"),
        ({"Resource": None, "NotResource": 1}, False, "its NotResource is not text"),
    ],
)
def test_the_reason_why_iam_rejects_a_statement(changed: dict[str, Any], of_a_resource: bool, reason: str) -> None:
    with pytest.raises(MalformedPolicyError) as raised:
        read_statements(document(**changed), "a policy", of_a_resource)
    assert str(raised.value) == f"statement 1 of a policy cannot be read: {reason}"


def test_a_statement_as_a_value() -> None:
    (statement,) = read_statements(document(Resource=None, NotResource=["arn:x", "arn:y"]), "a policy", False)
    assert (statement.actions, statement.resources) == (Scope(("*",)), Scope(("arn:x", "arn:y"), True))
    assert (statement.names, statement.condition, statement.variables) == (None, (), True)
    (other,) = read_statements(document(Resource=None, Principal=PRINCIPAL), "a policy", True)
    assert other.resources is None


def test_a_policy_may_have_one_statement_without_a_list() -> None:
    (statement,) = document()["Statement"]
    (parsed,) = read_statements({"Statement": statement}, "a policy", False)
    assert (parsed.place, parsed.variables) == ("statement 1 of a policy", False)
    two = {"Statement": [statement, {**statement, "Sid": "Mine"}]}
    assert read_statements(two, "a policy", False)[1].place == "statement 2 (Mine) of a policy"


@pytest.mark.parametrize(
    ("element", "covered"),
    [
        ({"Action": "ECR:batch*"}, True),
        ({"Action": ["s3:*", "ecr:*"]}, True),
        ({"Action": "s3:*"}, False),
        ({"Action": None, "NotAction": "s3:*"}, True),
        ({"Action": None, "NotAction": ["s3:*", "ecr:*"]}, False),
    ],
)
def test_the_actions_that_a_statement_covers(element: dict[str, Any], covered: bool) -> None:
    (statement,) = read_statements(document(**element), "a policy", False)
    assert covers_action(statement, "ecr:BatchGetImage").holds is covered
