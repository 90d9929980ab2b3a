# SPDX-License-Identifier: GPL-3.0-or-later
"""The principals outside an account that a statement reaches."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_options import AuditOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_parties import (
    dangling_ids,
    is_trusted,
    outside_parties,
    parties_text,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Statement, read_statements

from tests.unit.estates import CONSUMER, ORGANIZATION, OTHER, OWNER, admits, document, estate, grants

USER = f"arn:aws:iam::{CONSUMER}:user/puller"
ROLE_OF_CONSUMER = f"arn:aws:iam::{CONSUMER}:role/deploy"
PROVIDER = f"arn:aws:iam::{OWNER}:saml-provider/directory"
ELSEWHERE = "o-anotherorgid"


def parsed(*statements: dict[str, Any]) -> list[Statement]:
    return read_statements(document(*statements), "the policy", True)


def reached(*statements: dict[str, Any], **options: Any) -> list[tuple[str, str, str]]:
    """The kind, the value and the account of each party of the first statement."""
    first, *others = parsed(*statements)
    account = estate(organization=ORGANIZATION, members=frozenset({OWNER, OTHER}))
    given: dict[str, Any] = {name: frozenset(values) for name, values in options.items()}
    found = outside_parties(first, others, account, AuditOptions(**given))
    return [(party.kind, party.value, party.account) for party in found]


def limited(key: str, *values: str, operator: str = "StringEquals") -> dict[str, Any]:
    return admits("*", {operator: {key: list(values)}})


@pytest.mark.parametrize(
    ("statement", "parties"),
    [
        (admits(CONSUMER), [("account", CONSUMER, CONSUMER)]),
        (admits(f"arn:aws-cn:iam::{CONSUMER}:root"), [("account", CONSUMER, CONSUMER)]),
        (admits([USER, OWNER]), [("principal", USER, CONSUMER)]),
        (
            admits(f"arn:aws:sts::{CONSUMER}:assumed-role/deploy/s"),
            [
                ("principal", f"arn:aws:sts::{CONSUMER}:assumed-role/deploy/s", CONSUMER),
            ],
        ),
        (admits({"Federated": PROVIDER}), [("federated", PROVIDER, "")]),
        (admits({"Service": "ec2.amazonaws.com"}), []),
        (admits("AIDACKCEVSQ6C2EXAMPLE"), []),
        (admits(f"arn:aws:iam::{OWNER}:user/own"), []),
        (admits("*"), [("everyone", "*", "")]),
        (admits(CONSUMER, {"ArnEquals": {"aws:PrincipalArn": USER}}), [("principal", USER, CONSUMER)]),
        (
            limited("aws:PrincipalAccount", CONSUMER, OTHER),
            [("account", CONSUMER, CONSUMER), ("account", OTHER, OTHER)],
        ),
        (limited("AWS:principalaccount", CONSUMER), [("account", CONSUMER, CONSUMER)]),
        (limited("aws:PrincipalAccount", OWNER), []),
        (limited("aws:PrincipalAccount", "*", operator="StringLike"), [("everyone", "*", "")]),
        (limited("aws:PrincipalAccount", CONSUMER, "2222*", operator="StringLike"), [("everyone", "*", "")]),
        (limited("aws:PrincipalAccount"), [("everyone", "*", "")]),
        (limited("aws:PrincipalOrgID", ORGANIZATION), [("organization", ORGANIZATION, "")]),
        (
            limited("aws:PrincipalOrgID", ORGANIZATION, operator="ForAnyValue:StringEquals"),
            [
                ("organization", ORGANIZATION, ""),
            ],
        ),
        (limited("aws:PrincipalOrgID", ORGANIZATION, operator="ForAllValues:StringEquals"), [("everyone", "*", "")]),
        (limited("aws:SourceOrgID", ORGANIZATION), [("organization", ORGANIZATION, "")]),
        (
            limited("aws:PrincipalOrgPaths", f"{ORGANIZATION}/r-1/*", operator="ForAnyValue:StringLike"),
            [
                ("organization", ORGANIZATION, ""),
            ],
        ),
        (limited("aws:PrincipalArn", f"{ROLE_OF_CONSUMER}*", operator="ArnLike"), [("account", CONSUMER, CONSUMER)]),
        (limited("aws:SourceArn", "arn:aws:s3:::bucket", operator="ArnLike"), [("everyone", "*", "")]),
        (limited("aws:PrincipalTag/account", CONSUMER), [("everyone", "*", "")]),
        (
            admits("*", {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION, "aws:PrincipalAccount": CONSUMER}}),
            [("account", CONSUMER, CONSUMER)],
        ),
        ({"NotPrincipal": {"AWS": CONSUMER}, "Action": "sts:AssumeRole"}, [("everyone", "*", "")]),
        (
            {
                **limited("aws:PrincipalOrgID", ORGANIZATION),
                "NotPrincipal": {"AWS": CONSUMER},
                "Principal": None,
            },
            [("organization", ORGANIZATION, "")],
        ),
    ],
)
def test_parties_of_a_statement(statement: dict[str, Any], parties: list[tuple[str, str, str]]) -> None:
    assert reached({name: value for name, value in statement.items() if value is not None}) == parties


@pytest.mark.parametrize(
    ("deny", "parties"),
    [
        (limited("aws:PrincipalOrgID", ORGANIZATION, operator="StringNotEquals"), [("organization", ORGANIZATION, "")]),
        (
            limited("aws:PrincipalOrgID", ORGANIZATION, operator="StringNotEqualsIfExists"),
            [
                ("organization", ORGANIZATION, ""),
            ],
        ),
        (limited("aws:PrincipalAccount", CONSUMER, operator="StringNotLike"), [("account", CONSUMER, CONSUMER)]),
        (limited("aws:PrincipalArn", USER, operator="ArnNotEquals"), [("account", CONSUMER, CONSUMER)]),
        (limited("aws:SourceAccount", CONSUMER, operator="StringNotEquals"), [("account", CONSUMER, CONSUMER)]),
        (
            admits(
                "*",
                {
                    "StringNotEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION},
                    "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
                },
            ),
            [("organization", ORGANIZATION, "")],
        ),
        (
            {**limited("aws:PrincipalOrgID", ORGANIZATION, operator="StringNotEquals"), "Action": "*"},
            [
                ("organization", ORGANIZATION, ""),
            ],
        ),
        (
            {**limited("aws:PrincipalOrgID", ORGANIZATION, operator="StringNotEquals"), "Action": "sts:*"},
            [
                ("organization", ORGANIZATION, ""),
            ],
        ),
        (
            {**limited("aws:PrincipalOrgID", ORGANIZATION, operator="StringNotEquals"), "Action": "sts:TagSession"},
            [("everyone", "*", "")],
        ),
        (limited("aws:PrincipalOrgID", ORGANIZATION), [("everyone", "*", "")]),
        (limited("aws:PrincipalOrgID", "o-*", operator="StringNotLike"), [("everyone", "*", "")]),
        (limited("aws:PrincipalArn", "arn:aws:iam::*:role/x", operator="ArnNotLike"), [("everyone", "*", "")]),
        (limited("aws:PrincipalOrgID", ORGANIZATION, operator="ForAnyValue:StringNotEquals"), [("everyone", "*", "")]),
        (
            admits(
                "*",
                {
                    "StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION},
                    "IpAddress": {"aws:SourceIp": "192.0.2.0/24"},
                },
            ),
            [("everyone", "*", "")],
        ),
        (
            admits(
                "*",
                {
                    "StringNotEquals": {"aws:PrincipalAccount": CONSUMER},
                    "ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/x"},
                },
            ),
            [("everyone", "*", "")],
        ),
        (
            admits(CONSUMER, {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}),
            [("everyone", "*", "")],
        ),
    ],
)
def test_deny_that_exempts_some_limits_everyone(deny: dict[str, Any], parties: list[tuple[str, str, str]]) -> None:
    assert reached(admits("*"), {**deny, "Effect": "Deny"}) == parties


def test_deny_with_two_keys_exempts_both() -> None:
    condition = {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION, "aws:PrincipalAccount": CONSUMER}}
    expected = [("organization", ORGANIZATION, ""), ("account", CONSUMER, CONSUMER)]
    assert reached(admits("*"), {**admits("*", condition), "Effect": "Deny"}) == expected


def test_deny_for_some_resources_does_not_limit_the_others() -> None:
    deny = {**limited("aws:PrincipalOrgID", ORGANIZATION, operator="StringNotEquals"), "Effect": "Deny", "Action": "*"}
    allow = grants("*", Resource="arn:aws:ecr:eu-west-1:111111111111:repository/*")
    assert reached(allow, {**deny, "Resource": "*"}) == [("organization", ORGANIZATION, "")]
    assert reached(allow, {**deny, "Resource": "arn:aws:ecr:*:*:repository/a"}) == [("everyone", "*", "")]
    two = {**allow, "Resource": ["arn:aws:ecr:*:*:repository/a", "arn:aws:ecr:*:*:repository/b"]}
    assert reached(two, {**deny, "Resource": "arn:aws:ecr:*:*:repository/a"}) == [("everyone", "*", "")]


@pytest.mark.parametrize(
    ("statement", "options"),
    [
        (admits(USER), {"trusted_accounts": {CONSUMER}}),
        (admits(OTHER), {"trusted_organizations": {ORGANIZATION}}),
        (limited("aws:PrincipalOrgID", ELSEWHERE), {"trusted_organizations": {ELSEWHERE}}),
        (admits(CONSUMER, {"StringEquals": {"aws:PrincipalOrgID": ELSEWHERE}}), {"trusted_organizations": {ELSEWHERE}}),
        (limited("aws:PrincipalAccount", OWNER, CONSUMER), {"trusted_accounts": {CONSUMER}}),
    ],
)
def test_trusted_parties_are_excluded(statement: dict[str, Any], options: dict[str, Any]) -> None:
    assert reached(statement)
    assert reached(statement, **options) == []


@pytest.mark.parametrize(
    ("statement", "options"),
    [
        (admits(USER), {"trusted_accounts": {OTHER}, "trusted_organizations": {ORGANIZATION}}),
        (admits("*"), {"trusted_accounts": {CONSUMER}, "trusted_organizations": {ORGANIZATION}}),
        (limited("aws:PrincipalOrgID", ORGANIZATION, ELSEWHERE), {"trusted_organizations": {"o-x"}}),
        (admits({"Federated": PROVIDER}), {"trusted_accounts": {OWNER}}),
        (
            admits(CONSUMER, {"StringEqualsIfExists": {"aws:PrincipalOrgID": ELSEWHERE}}),
            {"trusted_organizations": {ELSEWHERE}},
        ),
    ],
)
def test_other_parties_are_not_trusted(statement: dict[str, Any], options: dict[str, Any]) -> None:
    assert reached(statement, **options) == reached(statement)


def test_one_of_several_organizations_is_trusted() -> None:
    both = limited("aws:PrincipalOrgID", ORGANIZATION, ELSEWHERE)
    assert reached(both, trusted_organizations={ELSEWHERE}) == [("organization", ORGANIZATION, "")]


def test_members_are_trusted_only_if_the_organization_is_known() -> None:
    options = AuditOptions(trusted_organizations=frozenset({ORGANIZATION}))
    assert is_trusted(OTHER, "", estate(organization=ORGANIZATION, members=frozenset({OTHER})), options)
    assert not is_trusted(OTHER, "", estate(organization=ORGANIZATION), options)
    assert not is_trusted(OTHER, "", estate(organization=ELSEWHERE, members=frozenset({OTHER})), options)


def test_texts_of_parties() -> None:
    many = admits([CONSUMER, USER, OTHER, "444444444444", "555555555555", CONSUMER])
    [statement] = parsed(many)
    found = outside_parties(statement, [], estate(), AuditOptions())
    assert parties_text(found[:2]) == f"account {CONSUMER}, {USER}"
    assert parties_text(found) == f"account {CONSUMER}, {USER}, account {OTHER} and 2 more"
    [statement] = parsed(admits({"Federated": PROVIDER, "AWS": "*"}))
    texts = {party.text for party in outside_parties(statement, [], estate(), AuditOptions())}
    assert texts == {f"identity provider {PROVIDER}", "every AWS account"}


def test_dangling_ids_of_a_statement() -> None:
    [statement] = parsed(admits(["AIDACKCEVSQ6C2EXAMPLE", CONSUMER, "AROACKCEVSQ6C2EXAMPLE", "AKIACKCEVSQ6C2EXAMPLE"]))
    assert dangling_ids(statement) == ["AIDACKCEVSQ6C2EXAMPLE", "AROACKCEVSQ6C2EXAMPLE"]
