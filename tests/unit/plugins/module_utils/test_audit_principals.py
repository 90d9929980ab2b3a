# SPDX-License-Identifier: GPL-3.0-or-later
"""The principals outside an account that its policies name, each with its representative and its context keys."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_principals import (
    Outsider,
    account_outsider,
    everyone,
    outsiders,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import read_statements

from tests.unit.audited_estates import CONSUMER, OTHER, OWNER, PULLER, document, estate, root, trust

OF_OTHER = {"StringEquals": {"aws:PrincipalAccount": OTHER}}


@pytest.mark.parametrize(
    ("statement", "names"),
    [
        # A condition names further principals only if the statement reaches several.
        (trust(PULLER, OF_OTHER), [PULLER]),
        (trust({"Service": "lambda.amazonaws.com"}, OF_OTHER), ["lambda.amazonaws.com"]),
        (trust(root(CONSUMER), OF_OTHER), [root(CONSUMER), root(OTHER)]),
        (trust("*", OF_OTHER), [root(OTHER), "*"]),
        (trust({"AWS": "*"}, OF_OTHER), [root(OTHER), "*"]),
        (trust("*", {"StringNotEquals": {"aws:PrincipalAccount": OTHER}}), [root(OTHER), "*"]),
        (trust("*", {"StringEquals": {"aws:PrincipalAccount": "${aws:username}"}}), ["*"]),
        (trust("*", {"StringEquals": {"aws:PrincipalOrgID": "${aws:username}"}}), ["*"]),
        (trust("*", {"StringEquals": {"aws:PrincipalTag/team": OTHER}}), ["*"]),
        (trust("*", {"StringEquals": {"aws:PrincipalArn": root(OTHER)}}), [root(OTHER), "*"]),
        (trust("*", {"StringLike": {"aws:PrincipalAccount": "3333*"}}), ["3333*", "*"]),
        (trust("*", {"StringLike": {"aws:PrincipalAccount": "*"}}), ["*"]),
        (
            trust("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::${aws:ResourceTag/a}:role/ci"}}),
            ["arn:aws:iam::*:role/ci", "*"],
        ),
        (trust("*", {"StringLike": {"aws:PrincipalAccount": "3-*"}}), ["*"]),
        (trust("*", {"Bool": {"aws:PrincipalIsAWSService": "true"}}), ["*.amazonaws.com", "*"]),
        (trust("*", {"StringEquals": {"aws:SourceAccount": OWNER}}), ["*.amazonaws.com", "*"]),
        (trust("*", {"StringEquals": {"aws:PrincipalServiceName": "a.amazonaws.com"}}), ["a.amazonaws.com", "*"]),
        (trust("*", Action="sts:AssumeRoleWithWebIdentity"), ["arn:aws:iam::*:oidc-provider/*", "*"]),
        (trust("*", Action=["sts:AssumeRole", "sts:assumerolewithsaml"]), ["arn:aws:iam::*:saml-provider/*", "*"]),
        ({**trust("*", {"Bool": {"aws:PrincipalIsAWSService": "false"}}), "Effect": "Deny"}, []),
        (trust("*", {"NumericEquals": {"aws:PrincipalAccount": OTHER}}), ["*"]),
        (trust("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{OWNER}:role/*"}}), ["*"]),
        ({**trust("*", OF_OTHER), "Effect": "Deny"}, [root(OTHER)]),
        (trust(root(OWNER)), []),
        ({"NotPrincipal": {"AWS": PULLER}, "Action": "sts:AssumeRole"}, [PULLER, "*"]),
        ({"NotPrincipal": {"AWS": PULLER}, "Action": "sts:AssumeRole", "Effect": "Deny"}, [PULLER]),
        (
            {"NotPrincipal": {"AWS": PULLER}, "Action": "sts:AssumeRole", "Condition": OF_OTHER},
            [root(OTHER), PULLER, "*"],
        ),
        (trust("AIDAEXAMPLEEXAMPLE123"), []),  # the unique ID of a deleted principal
    ],
)
def test_principals_that_an_audit_evaluates(statement: dict[str, Any], names: list[str]) -> None:
    statements = read_statements(document(statement), "the trust policy", True)
    assert [outsider.name for outsider in outsiders([statements], estate())] == names


TO_CI = "arn:aws:iam::*:role/ci"


@pytest.mark.parametrize(
    ("pattern", "representative"),
    [
        (TO_CI, "arn:aws:iam::000000000000:role/ci"),
        (f"arn:aws:iam::{CONSUMER}:role/*", f"arn:aws:iam::{CONSUMER}:role/x"),
        (f"arn:aws:iam::{CONSUMER}:user/a?c", f"arn:aws:iam::{CONSUMER}:user/axc"),
        (f"arn:aws:iam::{CONSUMER}:*", f"arn:aws:iam::{CONSUMER}:user/x"),
        (f"arn:aws:*::{CONSUMER}:role/ci", f"arn:aws:iam::{CONSUMER}:role/ci"),
        (f"arn:*:iam:*:{CONSUMER}:role/ci", f"arn:aws:iam::{CONSUMER}:role/ci"),
        (f"arn:a?s:iam::{CONSUMER}:role/ci", f"arn:aws:iam::{CONSUMER}:role/ci"),
        (f"arn:aws-cn:iam::{CONSUMER}:role/ci", f"arn:aws-cn:iam::{CONSUMER}:role/ci"),
        (f"arn:aws:sts::{CONSUMER}:assumed-role/job/*", f"arn:aws:iam::{CONSUMER}:role/job"),
        (f"arn:aws:iam::{CONSUMER}:role/a:b/ci", f"arn:aws:iam::{CONSUMER}:role/a:b/ci"),
        # No user, role or session has such an ARN.
        (f"arn:aws:s3::{CONSUMER}:role/ci", None),
        (f"arn:aws:iam:eu-west-1:{CONSUMER}:role/ci", None),
        ("arn:aws:iam::2222*:role/ci", "arn:aws:iam::222200000000:role/ci"),
        ("arn:aws:iam::2222*:root", "arn:aws:iam::222200000000:root"),
        ("arn:aws:iam::22222222222?:root", "arn:aws:iam::222222222220:root"),
        ("arn:aws-cn:iam::2222????????:r*t", "arn:aws-cn:iam::222200000000:role/xt"),
        ("arn:aws:iam::2222*:*", "arn:aws:iam::222200000000:user/x"),
        ("arn:aws:iam::*5?:r*", "arn:aws:iam::000000000050:role/x"),
        ("arn:aws:iam::????:role/ci", None),
        ("arn:aws:iam::????:root", None),
        ("arn:aws:iam::a*:root", None),
        ("*:role/ci", "arn:aws:iam::000000000000:role/ci"),
        ("*role/ci-*", "arn:aws:iam::000000000000:role/ci-x"),
        ("*/AWSReservedSSO_*", "arn:aws:iam::000000000000:user/AWSReservedSSO_x"),
        ("*:2222*:role/ci", "arn:aws:iam::222200000000:role/ci"),
        ("arn:aws", None),
        (f"arn:aws:iam::{CONSUMER}", None),
        ("*", None),
    ],
)
def test_a_pattern_of_arns_has_a_representative(pattern: str, representative: str | None) -> None:
    statement = trust("*", {"ArnLike": {"aws:PrincipalArn": pattern}})
    found = {one.name: one for one in outsiders([read_statements(document(statement), "a policy", True)], estate())}
    assert found.keys() == ({"*"} if representative is None else {pattern, "*"})
    if representative:
        assert found[pattern].context["aws:PrincipalArn"] == (representative,)


@pytest.mark.parametrize(
    ("principal", "pattern", "limit", "names"),
    [
        (root(CONSUMER), TO_CI, {}, [TO_CI.replace("*", CONSUMER), TO_CI]),
        ("*", TO_CI, OF_OTHER, [TO_CI.replace("*", OTHER), TO_CI]),
        ("*", TO_CI, {"StringEquals": {"aws:PrincipalTag/owner": OTHER}}, [TO_CI]),
        ({"AWS": [root(CONSUMER), root(OTHER)]}, "arn:aws:iam::2222????2222:role/ci", {},
         [TO_CI.replace("*", CONSUMER)]),
    ],
)  # fmt: skip
def test_a_pattern_of_accounts_names_those_of_the_statement(
    principal: Any, pattern: str, limit: dict[str, Any], names: list[str]
) -> None:
    statement = trust(principal, {"ArnLike": {"aws:PrincipalArn": pattern}, **limit})
    found = outsiders([read_statements(document(statement), "a policy", True)], estate())
    assert sorted(one.name for one in found if ":role/" in one.name) == sorted(names)


def outsider(statement: dict[str, Any], **more: Any) -> Outsider:
    """The first principal that a statement names."""
    return outsiders([read_statements(document(statement), "a policy", True)], estate(**more))[0]


def test_an_identity_policy_names_no_principals() -> None:
    assert outsiders([read_statements(document({"Action": "*", "Resource": "*"}), "a policy", False)], estate()) == []


SESSION = f"arn:aws:sts::{CONSUMER}:assumed-role/ci/job"


@pytest.mark.parametrize(
    ("arn", "principal", "context"),
    [
        (
            f"arn:aws:iam::{CONSUMER}:user/team/a",
            Principal("AWS", f"arn:aws:iam::{CONSUMER}:user/team/a", CONSUMER),
            {"aws:PrincipalArn": (f"arn:aws:iam::{CONSUMER}:user/team/a",), "aws:username": ("a",)},
        ),
        (
            f"arn:aws-cn:iam::{CONSUMER}:role/team/ci",
            Principal(
                "AWS",
                f"arn:aws-cn:sts::{CONSUMER}:assumed-role/ci/any-other-principal",
                CONSUMER,
                f"arn:aws-cn:iam::{CONSUMER}:role/team/ci",
            ),
            {"aws:PrincipalArn": (f"arn:aws-cn:iam::{CONSUMER}:role/team/ci",)},
        ),
        (
            SESSION,
            Principal("AWS", SESSION, CONSUMER, f"arn:aws:iam::{CONSUMER}:role/ci"),
            {"aws:PrincipalArn": (f"arn:aws:iam::{CONSUMER}:role/ci",)},
        ),
    ],
)
def test_a_named_principal_represents_itself(arn: str, principal: Principal, context: dict[str, Any]) -> None:
    found = outsider(trust(arn))
    assert (found.name, found.kind, found.account) == (arn, "principal", CONSUMER)
    assert (found.principal, found.context) == (principal, context)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [("Service", "lambda.amazonaws.com", "service"), ("Federated", "accounts.google.com", "federated")],
)
def test_services_and_identity_providers(kind: str, value: str, expected: str) -> None:
    found = outsider(trust({kind: value}))
    assert (found, found.account) == (Outsider(value, expected, Principal(kind, value)), "")


def test_representatives_are_in_the_partition_of_the_account() -> None:
    china = replace(estate(), identity=Identity("aws-cn", OWNER))
    found = account_outsider(CONSUMER, china)
    assert (found.name, found.kind) == (f"arn:aws-cn:iam::{CONSUMER}:root", "account")
    assert found.principal.name == f"arn:aws-cn:iam::{CONSUMER}:user/any-other-principal"
    anyone = everyone(china)
    assert (anyone.name, anyone.kind, anyone.account, anyone.is_of_any_account) == ("*", "everyone", "", True)
    assert anyone.principal.name == "arn:aws-cn:iam::000000000000:user/any-other-principal"
    assert anyone.context == {
        "aws:PrincipalOrgID": ("another organization",),
        "aws:PrincipalOrgPaths": ("another organization/",),
    }


@pytest.mark.parametrize(
    ("condition", "context"),
    [
        (
            {"StringEquals": {"aws:PrincipalOrgID": "o-1"}},
            {"aws:PrincipalOrgID": ("o-1",), "aws:PrincipalOrgPaths": ("o-1/another unit/",)},
        ),
        (
            {"StringLike": {"aws:PrincipalOrgID": "o-*"}},
            {"aws:PrincipalOrgID": ("o-x",), "aws:PrincipalOrgPaths": ("o-x/another unit/",)},
        ),
        (
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-?/*"}},
            {"aws:PrincipalOrgID": ("o-1",), "aws:PrincipalOrgPaths": ("o-1/r-x/x",)},
        ),
        (
            {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "*/ou-1/*"}},
            {"aws:PrincipalOrgPaths": ("x/ou-1/x",)},
        ),
    ],
)
def test_members_of_organizations_and_of_units(condition: dict[str, Any], context: dict[str, Any]) -> None:
    found = outsider(trust("*", condition))
    assert (found.kind, found.account, found.context) == ("organization", "", context)


OF_ONE = {"aws:PrincipalOrgID": ("o-1",)}
OF_ANOTHER = {"aws:PrincipalOrgID": ("another organization",), "aws:PrincipalOrgPaths": ("another organization/",)}


@pytest.mark.parametrize(
    ("condition", "members", "context"),
    [
        (None, None, {}),
        (None, frozenset({CONSUMER}), OF_ONE),
        (None, frozenset(), OF_ANOTHER),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, frozenset(), OF_ANOTHER),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}}, frozenset(), OF_ANOTHER),
        ({"StringEquals": {"aws:PrincipalTag/team": "o-2"}}, frozenset(), OF_ANOTHER),
        # The account may be in the other organization, or in none.
        ({"StringEquals": {"aws:PrincipalOrgID": "o-2"}}, frozenset(), {}),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-2/r-1/*"}}, frozenset(), {}),
        ({"StringEqualsIfExists": {"aws:PrincipalOrgID": "o-1"}}, frozenset(), {}),
        ({"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": "o-1/r-1/*"}}, frozenset(), {}),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-2"}}, frozenset({CONSUMER}), OF_ONE),
    ],
)
def test_organization_of_an_account(
    condition: dict[str, Any] | None, members: frozenset[str] | None, context: dict[str, Any]
) -> None:
    found = outsider(trust(root(CONSUMER), condition), organization="o-1", member_accounts=members)
    assert (found.name, found.context) == (root(CONSUMER), context)
    found = outsider(trust(PULLER, condition), organization="o-1", member_accounts=members)
    assert found.context == {"aws:PrincipalArn": (PULLER,), "aws:username": ("puller",), **context}


def test_a_role_of_any_account_may_be_in_any_organization() -> None:
    statement = trust("*", {"ArnLike": {"aws:PrincipalArn": TO_CI}})
    found = outsider(statement, organization="o-1", member_accounts=frozenset())
    assert (found.name, found.account) == (TO_CI, "")
    assert found.context == {"aws:PrincipalArn": ("arn:aws:iam::000000000000:role/ci",)}
