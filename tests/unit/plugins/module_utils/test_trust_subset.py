# SPDX-License-Identifier: GPL-3.0-or-later
"""Which statements of a trust policy are known to admit no more than others."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._admission import admissions, split_by_principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement, read_statements
from ansible_collections.crossaccount.ecr.plugins.module_utils._trust_subset import is_still_admitted, is_subset

ONE, TWO = "222222222222", "333333333333"
ROOT, USER, SESSION = f"arn:aws:iam::{ONE}:root", f"arn:aws:iam::{ONE}:user/a", f"arn:aws:sts::{ONE}:assumed-role/r/s"
ROLE = f"arn:aws:iam::{ONE}:role/ci/r"


def statement(**elements: Any) -> Statement:
    """A trust statement; `C` is its Condition, `P` its Principal."""
    parts = {"Effect": "Allow", "Principal": elements.pop("P", {"AWS": ROOT}), "Action": "sts:AssumeRole"}
    if "NotPrincipal" in elements:
        del parts["Principal"]
    if "NotAction" in elements:
        del parts["Action"]
    if "C" in elements:
        parts["Condition"] = elements.pop("C")
    document = {"Version": elements.pop("Version", "2012-10-17"), "Statement": {**parts, **elements}}
    return read_statements(document, "the trust policy", True)[0]


def document(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


def in_unit(*patterns: str) -> dict[str, Any]:
    return {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": list(patterns)}}


PRINCIPAL_ACCOUNT = {"StringEquals": {"aws:PrincipalAccount": ONE}}
PRINCIPALS = [
    ({"AWS": ROOT}, {"AWS": ONE}, True),
    ({"AWS": ONE}, {"AWS": ROOT}, True),
    ({"AWS": USER}, {"AWS": ONE}, True),
    ({"AWS": SESSION}, {"AWS": ONE}, True),
    ({"AWS": ONE}, {"AWS": USER}, False),
    ({"AWS": ONE}, {"AWS": TWO}, False),
    ({"AWS": USER}, {"AWS": TWO}, False),
    ({"AWS": USER}, {"AWS": [TWO, USER]}, True),
    ({"AWS": [TWO, USER]}, {"AWS": USER}, False),
    ({"AWS": ONE}, "*", True),
    ("*", {"AWS": "*"}, True),
    ("*", {"AWS": ONE}, False),
    ({"Service": "ec2.amazonaws.com"}, "*", False),
    ({"Service": "ec2.amazonaws.com"}, {"Service": "ec2.amazonaws.com"}, True),
    ({"Service": "ec2.amazonaws.com"}, {"Service": "ecs.amazonaws.com"}, False),
    ({"Federated": "x"}, {"AWS": "x"}, False),
    ({"AWS": "AIDAEXAMPLEEXAMPLE123"}, {"AWS": ONE}, False),
    ({"AWS": "AIDAEXAMPLEEXAMPLE123"}, {"AWS": "AIDAEXAMPLEEXAMPLE123"}, True),
]


@pytest.mark.parametrize(("old", "new", "within"), PRINCIPALS)
def test_principals(old: Any, new: Any, within: bool) -> None:
    assert is_subset(statement(P=old), statement(P=new)) is within


@pytest.mark.parametrize(
    ("old", "new", "within"),
    [
        ({"Action": "sts:assumerole"}, {"Action": "sts:AssumeRole"}, True),
        ({"Action": "sts:AssumeRole"}, {"Action": "sts:*"}, True),
        ({"Action": "sts:*"}, {"Action": "sts:AssumeRole"}, False),
        ({"Action": "sts:*"}, {"Action": "sts:?"}, False),
        ({"Action": "sts:*"}, {"Action": "*"}, True),
        ({"Action": ["sts:AssumeRole", "sts:TagSession"]}, {"Action": "sts:AssumeRole"}, False),
        ({"Action": "sts:AssumeRole"}, {"NotAction": "iam:*"}, True),
        ({"Action": "sts:AssumeRole"}, {"NotAction": "sts:*"}, False),
        ({"Action": "sts:Assume*"}, {"NotAction": "sts:TagSession"}, False),
        ({"NotAction": ["iam:*", "ecr:*"]}, {"NotAction": "iam:Get*"}, True),
        ({"NotAction": "iam:Get*"}, {"NotAction": "iam:*"}, False),
        ({"NotAction": "iam:*"}, {"Action": "sts:*"}, False),
        ({"NotAction": "iam:*"}, {"Action": "*"}, True),
        ({}, {"Resource": "*"}, True),
        ({}, {"Resource": "arn:x"}, False),
        ({"Resource": "arn:x"}, {}, True),
        ({"NotPrincipal": {"AWS": [ONE, TWO]}}, {"NotPrincipal": {"AWS": ONE}}, True),
        ({"NotPrincipal": {"AWS": ONE}}, {"NotPrincipal": {"AWS": [ONE, TWO]}}, False),
        ({"NotPrincipal": {"AWS": ONE}}, {"NotPrincipal": {"AWS": ONE}}, True),
        # Which principals a NotPrincipal admits is not known, so nothing follows from their names.
        ({"NotPrincipal": {"AWS": ONE}}, {"NotPrincipal": {"AWS": ONE}, "C": PRINCIPAL_ACCOUNT}, False),
        ({"NotPrincipal": {"AWS": ONE}}, {"P": "*"}, False),
        ({}, {"NotPrincipal": {"AWS": TWO}}, False),
    ],
)
def test_elements(old: dict[str, Any], new: dict[str, Any], within: bool) -> None:
    assert is_subset(statement(**old), statement(**new)) is within


A, B = {"StringEquals": {"sts:ExternalId": "a"}}, {"StringEquals": {"sts:ExternalId": "b"}}
IP = "aws:SourceIp"


@pytest.mark.parametrize(
    ("old", "new", "within"),
    [
        (A, {}, True),
        ({}, A, False),
        (A, A, True),
        (A, B, False),
        (A, {"stringequals": {"STS:externalid": ["b", "a"]}}, True),
        ({"StringEquals": {"sts:ExternalId": ["a", "b"]}}, A, False),
        ({**A, "IpAddress": {IP: "10.0.0.0/8"}}, A, True),
        (A, {**A, "IpAddress": {IP: "10.0.0.0/8"}}, False),
        (A, {"StringLike": {"sts:ExternalId": "*"}}, True),
        (A, {"StringLike": {"sts:ExternalId": "a?"}}, False),
        ({"StringLike": {"sts:ExternalId": "a*"}}, {"StringLike": {"sts:ExternalId": "*"}}, True),
        ({"StringLike": {"k": "*"}}, {"StringLike": {"k": "a*"}}, False),
        ({"StringLike": {"k": "a*"}}, {"StringLike": {"k": "a?"}}, False),
        ({"StringNotLike": {"k": "a*"}}, {"StringNotLike": {"k": "ab*"}}, True),
        ({"StringNotLike": {"k": "ab*"}}, {"StringNotLike": {"k": "a*"}}, False),
        (in_unit("o-a/r-b/ou-c/ou-d/*"), in_unit("o-a/r-b/ou-c/*"), True),
        (in_unit("o-a/r-b/ou-c/*"), in_unit("o-a/r-b/ou-c/ou-d/*"), False),
        (in_unit("o-a/r-b/ou-c/*"), in_unit("o-a/r-b/ou-cc/*"), False),
        (in_unit("o-a/r-b/ou-c/*"), {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-a/*"}}, False),
        ({"StringLike": {"sts:ExternalId": "a*"}}, {"StringEquals": {"sts:ExternalId": "a*"}}, False),
        ({"StringEquals": {"sts:ExternalId": "a*"}}, {"StringLike": {"sts:ExternalId": "a*"}}, True),
        ({"StringLike": {"sts:ExternalId": "a"}}, A, True),
        ({"StringLike": {"k": "a*"}}, {"StringLike": {"k": ["a*", "b"]}}, True),
        ({"ArnLike": {"k": "arn:*"}}, {"ArnEquals": {"k": "arn:*"}}, True),
        ({"ArnEquals": {"k": "arn:*"}}, {"ArnLike": {"k": "arn:*"}}, True),
        (A, {"StringEqualsIgnoreCase": {"sts:ExternalId": "A"}}, True),
        ({"StringEqualsIgnoreCase": {"sts:ExternalId": "A"}}, A, False),
        (A, {"StringEqualsIfExists": {"sts:ExternalId": "a"}}, True),
        ({"StringEqualsIfExists": {"sts:ExternalId": "a"}}, A, False),
        ({"ForAllValues:StringEquals": {"sts:ExternalId": "a"}}, A, False),
        ({"ForAnyValue:StringEquals": {"sts:ExternalId": "a"}}, A, False),
        ({"StringNotEquals": {"k": ["a", "b"]}}, {"StringNotEquals": {"k": "a"}}, True),
        ({"StringNotEquals": {"k": "a"}}, {"StringNotEquals": {"k": ["a", "b"]}}, False),
        ({"StringNotLike": {"k": "a*"}}, {"StringNotEquals": {"k": "ab"}}, True),
        ({"StringNotEquals": {"k": "ab"}}, {"StringNotLike": {"k": "a*"}}, False),
        ({"StringNotEquals": {"k": "a"}}, {"StringEquals": {"k": "b"}}, False),
        ({"StringEquals": {"k": "b"}}, {"StringNotEquals": {"k": "a"}}, False),  # true, and undecided
        ({"IpAddress": {IP: "10.1.0.0/16"}}, {"IpAddress": {IP: "10.0.0.0/8"}}, True),
        ({"IpAddress": {IP: "10.0.0.0/8"}}, {"IpAddress": {IP: "10.1.0.0/16"}}, False),
        ({"IpAddress": {IP: ["10.0.0.0/8", "::1"]}}, {"IpAddress": {IP: "10.0.0.0/8"}}, False),
        ({"IpAddress": {IP: "10.0.0.0/8"}}, {"IpAddress": {IP: "::/0"}}, False),
        ({"IpAddress": {IP: "odd"}}, {"IpAddress": {IP: "10.0.0.0/8"}}, False),
        ({"NotIpAddress": {IP: "10.0.0.0/8"}}, {"NotIpAddress": {IP: "10.1.0.0/16"}}, True),
        ({"NotIpAddress": {IP: "10.1.0.0/16"}}, {"NotIpAddress": {IP: "10.0.0.0/8"}}, False),
        ({"Bool": {"k": "true"}}, {"Bool": {"k": True}}, True),
        ({"Bool": {"k": "true"}}, {"Bool": {"k": "false"}}, False),
        ({"DateLessThan": {"k": "2026-01-01"}}, {"DateLessThan": {"k": "2027-01-01"}}, True),
        ({"DateLessThan": {"k": "2027-01-01"}}, {"DateLessThan": {"k": "2026-01-01"}}, False),
        ({"DateLessThan": {"k": "2026-01-01"}}, {"DateGreaterThan": {"k": "2025-01-01"}}, False),
        ({"DateLessThan": {"k": "2026-01-01"}}, {"DateLessThan": {"k": "2026-01-01T00:00:00Z"}}, True),
        ({"DateGreaterThan": {"k": "2026-01-01"}}, {"DateGreaterThan": {"k": "2025-01-01"}}, True),
        ({"NumericLessThanEquals": {"k": "3600"}}, {"NumericLessThanEquals": {"k": "900"}}, False),
        ({"NumericLessThanEquals": {"k": "900"}}, {"NumericLessThanEquals": {"k": "3600"}}, True),
        ({"NumericEquals": {"k": "1"}}, {"NumericEquals": {"k": "1.0"}}, True),
        ({"NumericGreaterThan": {"k": "odd"}}, {"NumericGreaterThan": {"k": "odder"}}, False),
        ({"Null": {"k": "true"}}, {"Null": {"k": True}}, True),
        ({"Null": {"k": "true"}}, {"Null": {"k": "false"}}, False),
        ({"StringMatches": {"k": "a"}}, {"StringMatches": {"k": "a"}}, True),
        ({"StringMatches": {"k": "a"}}, {"StringMatches": {"k": ["a", "b"]}}, False),
        ({"StringEquals": {"k": "${aws:username}"}}, {"StringEquals": {"k": "${aws:username}"}}, True),
        ({"StringEquals": {"k": "${aws:username}"}}, {"StringLike": {"k": "*"}}, False),
        ({"StringEquals": {"k": "a"}}, {"StringEquals": {"k": "${aws:username}"}}, False),
    ],
)
def test_conditions(old: dict[str, Any], new: dict[str, Any], within: bool) -> None:
    assert is_subset(statement(C=old), statement(C=new)) is within


def test_variables_are_other_text_in_the_older_version() -> None:
    condition = {"StringEquals": {"k": "${aws:username}"}}
    assert not is_subset(statement(C=condition), statement(C=condition, Version="2008-10-17"))


@pytest.mark.parametrize(
    ("principal", "condition", "within"),
    [
        (USER, {"ArnEquals": {"aws:PrincipalArn": [USER, ROLE]}}, True),
        (USER, {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{ONE}:user/*"}}, True),
        (USER, {"ArnNotEquals": {"aws:PrincipalArn": ROLE}}, True),
        (USER, {"ArnNotEquals": {"aws:PrincipalArn": USER}}, False),
        (USER, {"StringEquals": {"aws:PrincipalAccount": ONE}}, True),
        (ROOT, {"ArnEquals": {"aws:PrincipalArn": USER}}, False),
        (ROLE, {"ArnEquals": {"aws:PrincipalArn": ROLE}}, True),
        # The ARN of a session lacks the path of its role, so its role is not known.
        (SESSION, {"ArnNotEquals": {"aws:PrincipalArn": USER}}, False),
        (SESSION, {"StringEquals": {"aws:PrincipalAccount": ONE}}, True),
    ],
)
def test_a_condition_on_the_principal_follows_from_its_name(
    principal: str, condition: dict[str, Any], within: bool
) -> None:
    assert is_subset(statement(P={"AWS": principal}), statement(C=condition)) is within


ALLOW = {"Effect": "Allow", "Principal": {"AWS": USER}, "Action": "sts:AssumeRole"}


@pytest.mark.parametrize(
    ("denial", "kept"),
    [
        ({"Principal": "*"}, False),
        ({"Principal": {"AWS": ONE}}, False),
        ({"Principal": {"AWS": TWO}}, True),
        ({"Principal": {"AWS": USER}, "Action": "sts:TagSession"}, True),
        ({"Principal": {"AWS": USER}, "Condition": {"Bool": {"aws:SecureTransport": "false"}}}, False),
        ({"NotPrincipal": {"AWS": [USER, ROOT]}}, True),
        ({"Principal": "*", "Condition": {"ArnNotEquals": {"aws:PrincipalArn": USER}}}, True),
    ],
)
def test_a_new_denial_takes_access_away(denial: dict[str, Any], kept: bool) -> None:
    denying = {"Effect": "Deny", "Action": "sts:*", **denial}
    (old,) = read_statements(document(ALLOW), "the trust policy", True)
    assert is_still_admitted(old, document(denying, ALLOW)) is kept
    assert is_still_admitted(old, document(denying, ALLOW), document(ALLOW, denying))  # it existed
    assert not is_still_admitted(old, document(denying))


@pytest.mark.parametrize("new", [{}, {"Statement": []}, {"Statement": [{**ALLOW, "Effect": "Maybe"}]}])
def test_unreadable_or_empty_trust_keeps_nothing(new: dict[str, Any]) -> None:
    (old,) = read_statements(document(ALLOW), "the trust policy", True)
    assert not is_still_admitted(old, new)
    assert not is_still_admitted(old, document(ALLOW), new) or new == {"Statement": []}


def test_new_denial_with_not_principal_affects_any_principal() -> None:
    old = statement(NotPrincipal={"AWS": ONE})
    allow = {"Effect": "Allow", "NotPrincipal": {"AWS": ONE}, "Action": "sts:AssumeRole"}
    deny = {"Effect": "Deny", "Principal": {"AWS": TWO}, "Action": "sts:AssumeRole"}
    assert is_still_admitted(old, document(allow))
    assert not is_still_admitted(old, document(allow, deny))


def test_a_statement_is_split_by_its_principals() -> None:
    both = statement(P={"AWS": [ROOT, TWO], "Service": "ec2.amazonaws.com"})
    assert [statement.names.listed for statement in split_by_principal(both) if statement.names] == [
        (("AWS", ONE),),
        (("AWS", TWO),),
        (("Service", "ec2.amazonaws.com"),),
    ]
    by_condition = statement(C={"ArnEquals": {"aws:PrincipalArn": [USER, ROLE]}, **A})
    assert split_by_principal(by_condition) == split_by_principal(statement(P={"AWS": [USER, ROLE]}, C=A))
    for operator in ("ForAllValues:ArnEquals", "ForAnyValue:ArnEquals", "ArnEqualsIfExists", "ArnNotEquals"):
        condition = {operator: {"aws:PrincipalArn": USER}}
        assert split_by_principal(statement(C=condition))[0].condition == statement(C=condition).condition
    other_account = statement(C={"ArnEquals": {"aws:PrincipalArn": f"arn:aws:iam::{TWO}:user/a"}})
    assert split_by_principal(other_account)[0].condition == other_account.condition
    assert admissions(
        document({**ALLOW, "Principal": {"AWS": ROOT}, "Condition": {"ArnEquals": {"aws:PrincipalArn": USER}}})
    )
