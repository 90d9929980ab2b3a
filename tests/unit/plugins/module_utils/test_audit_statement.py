# SPDX-License-Identifier: GPL-3.0-or-later
"""A statement of an audited document."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_documents import audited
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_statement import AuditedStatement, statement_json

from tests.unit.estates import NOW, allows, days, estate, role, time_text


def statement(condition: dict[str, Any] | None = None, **more: Any) -> AuditedStatement:
    [role_of_it] = audited(
        estate(role(policy=[allows(**more), {**allows(condition=condition), "Sid": "Second"}]))
    ).roles
    return role_of_it.policies[0].statements[1]


def at(number: int, operator: str = "DateLessThan", key: str = "aws:CurrentTime") -> dict[str, Any]:
    return {operator: {key: time_text(days(number))}}


@pytest.mark.parametrize(
    ("condition", "end"),
    [
        (None, None),
        (at(5), 5),
        (at(5, "DateLessThanEquals", "AWS:currenttime"), 5),
        ({"DateLessThan": {"aws:EpochTime": str(int(days(5).timestamp()))}}, 5),
        ({"NumericLessThan": {"aws:EpochTime": int(days(5).timestamp())}}, 5),
        ({**at(5), **at(3, "DateLessThanEquals")}, 3),
        ({"DateLessThan": {"aws:CurrentTime": [time_text(days(3)), time_text(days(5))]}}, 5),
        ({"DateLessThan": {"aws:CurrentTime": [time_text(days(3)), "never"]}}, None),
        ({"DateLessThan": {"aws:CurrentTime": []}}, None),
        (at(5, "DateGreaterThan"), None),
        (at(5, "DateNotEquals"), None),
        (at(5, "DateLessThanIfExists"), None),
        (at(5, "ForAllValues:DateLessThan"), None),
        (at(5, "ForAnyValue:DateLessThan"), 5),
        (at(5, "DateLessThan", "aws:TokenIssueTime"), None),
    ],
)
def test_end_of_a_statement(condition: dict[str, Any] | None, end: int | None) -> None:
    assert statement(condition).end == (None if end is None else days(end))


@pytest.mark.parametrize(
    ("condition", "begin"),
    [
        (None, None),
        (at(5, "DateGreaterThan"), 5),
        (at(5, "DateGreaterThanEquals"), 5),
        ({**at(5, "DateGreaterThan"), **at(3, "DateGreaterThanEquals")}, 5),
        ({"DateGreaterThan": {"aws:CurrentTime": [time_text(days(3)), time_text(days(5))]}}, 3),
        ({**at(5, "DateGreaterThan"), "Bool": {"aws:SecureTransport": "true"}}, None),
        ({"Bool": {"aws:SecureTransport": "true"}}, None),
        (at(5, "DateLessThan"), None),
    ],
)
def test_a_deny_ends_access_when_it_begins(condition: dict[str, Any] | None, begin: int | None) -> None:
    denied = {**allows(condition=condition), "Effect": "Deny"}
    [one] = audited(estate(role(policy=[denied]))).roles[0].policies[0].statements
    assert one.end == (None if begin is None else days(begin))


def test_statement_has_ended_at_its_end() -> None:
    assert statement(at(0)).has_ended(NOW)
    assert not statement(at(1)).has_ended(NOW)
    assert not statement().has_ended(NOW)


@pytest.mark.parametrize(
    ("given", "covered"),
    [
        ({"Action": "ecr:Put*"}, ["ecr:PutImage"]),
        ({"Action": ["ECR:putimage", "sts:*"]}, ["ecr:PutImage", "sts:AssumeRoleWithSAML"]),
        ({"NotAction": "ecr:Put*"}, ["ecr:BatchGetImage", "sts:AssumeRoleWithSAML"]),
        ({"Action": "s3:*"}, []),
    ],
)
def test_covered_actions(given: dict[str, Any], covered: list[str]) -> None:
    [one] = audited(estate(role(policy=[{**given, "Resource": "*"}]))).roles[0].policies[0].statements
    assert one.covered(["ecr:PutImage", "ecr:BatchGetImage", "sts:AssumeRoleWithSAML"]) == covered


def test_label_is_the_sid_or_the_number() -> None:
    [role_of_it] = audited(estate(role(policy=[allows(), allows(Sid="Second"), allows(Sid="")]))).roles
    assert [one.label for one in role_of_it.policies[0].statements] == ["1", "Second", "3"]


@pytest.mark.parametrize(
    ("condition", "shown"),
    [
        (
            {"StringEquals": {"sts:ExternalId": "secret", "a": "b"}},
            {"StringEquals": {"sts:ExternalId": "(external ID)", "a": "b"}},
        ),
        ({"StringLike": {"STS:externalid": ["secret"]}}, {"StringLike": {"STS:externalid": "(external ID)"}}),
        ({"Null": {"sts:ExternalId": "true"}}, {"Null": {"sts:ExternalId": "true"}}),
    ],
)
def test_json_of_a_statement_masks_external_ids(condition: dict[str, Any], shown: dict[str, Any]) -> None:
    assert json.loads(statement_json({"Effect": "Allow", "Condition": condition}))["Condition"] == shown


def test_json_of_a_statement_is_ascii() -> None:
    assert statement_json({"Sid": "\u202eé"}).isascii()
