# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about trust."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.unit.estates import (
    CONSUMER,
    ORGANIZATION,
    OTHER,
    OWNER,
    ROLE,
    WITH_ID,
    admits,
    allows,
    aws_calls,
    days,
    document_in,
    estate,
    findings,
    grants,
    ids,
    repository,
    role,
    time_text,
    words_in,
)

NO_ID, WILDCARD, DANGLING = "trust-without-external-id", "trust-wildcard", "dangling-principal"
USER = f"arn:aws:iam::{CONSUMER}:user/puller"
GITHUB = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
DELETED = "AIDACKCEVSQ6C2EXAMPLE"
DENY_NO_ID = {**admits("*", {"Null": {"sts:ExternalId": "true"}}), "Effect": "Deny"}
DENY_OTHER_ID = {**admits("*", {"StringNotEquals": {"sts:ExternalId": "share-1"}}), "Effect": "Deny"}


# --- no external ID


@pytest.mark.parametrize(
    "statement",
    [
        admits(CONSUMER),
        admits(f"arn:aws:iam::{CONSUMER}:root"),
        admits(USER),
        admits([OWNER, USER]),
        admits(CONSUMER, {"StringEqualsIfExists": {"sts:ExternalId": "share-1"}}),
        admits(CONSUMER, {"StringNotEquals": {"sts:ExternalId": "share-1"}}),
        admits(CONSUMER, {"StringLike": {"sts:ExternalId": "*"}}),
        admits(CONSUMER, {"Null": {"sts:ExternalId": "false"}}),
        admits(CONSUMER, {"ForAllValues:StringEquals": {"sts:ExternalId": "share-1"}}),
        admits(CONSUMER, {"Bool": {"aws:MultiFactorAuthPresent": "true"}}),
        admits(CONSUMER, action="sts:*"),
        admits("*", {"StringEquals": {"aws:PrincipalAccount": CONSUMER}}),
        admits(OWNER, action="sts:AssumeRole") | {"Principal": {"AWS": CONSUMER, "Service": "ec2.amazonaws.com"}},
    ],
)
def test_trust_without_external_id_is_found(statement: dict[str, Any]) -> None:
    [found] = findings(estate(role([statement])), NO_ID)
    assert found.key == f"{NO_ID}:{ROLE}:{CONSUMER}"
    assert found.title == f"Role share trusts account {CONSUMER} without an external ID"
    assert (found.severity, found.resource, found.region) == ("high", ROLE, "")
    assert (found.evidence.document, found.evidence.statement) == (f"trust policy of role {ROLE}", "1")


@pytest.mark.parametrize(
    "statements",
    [
        [admits(CONSUMER, WITH_ID)],
        [admits(CONSUMER, {"StringEquals": {"STS:externalid": "share-1"}})],
        [admits(CONSUMER, {"StringLike": {"sts:ExternalId": "share-*"}})],
        [admits(CONSUMER), DENY_OTHER_ID],
        [admits(OWNER)],
        [admits(f"arn:aws:iam::{OWNER}:role/ci")],
        [admits({"Service": "ecs-tasks.amazonaws.com"})],
        [admits({"Federated": GITHUB}, action="sts:AssumeRoleWithWebIdentity")],
        [admits(CONSUMER, action="sts:TagSession")],
        [admits(CONSUMER, action="sts:AssumeRoleWithWebIdentity")],
        [admits(CONSUMER, action="sts:AssumeRoleWithSAML")],
        [admits(CONSUMER) | {"Effect": "Deny"}],
        [admits(DELETED)],
        [admits(CONSUMER, {"DateLessThan": {"aws:CurrentTime": time_text(days(-1))}})],
        [admits("*", {"StringEquals": {"aws:PrincipalAccount": OWNER}})],
    ],
)
def test_trust_without_external_id_is_not_found(statements: list[dict[str, Any]]) -> None:
    assert findings(estate(role(statements)), NO_ID) == []


@pytest.mark.parametrize(("denied", "is_found"), [(CONSUMER, False), (USER, False), (OTHER, True)])
def test_only_a_deny_for_the_same_principal_requires_an_id(denied: str, is_found: bool) -> None:
    denying = {**admits(denied, {"StringNotEquals": {"sts:ExternalId": "share-1"}}), "Effect": "Deny"}
    assert bool(findings(estate(role([admits(USER), denying])), NO_ID)) is is_found


def test_a_trust_policy_that_excludes_principals_is_reported() -> None:
    """The Deny applies only to a principal that the statement excludes."""
    excluding = {
        "NotPrincipal": {"AWS": [USER, f"{USER}-2"]},
        "Action": "sts:AssumeRole",
        "Condition": {"StringEquals": {"aws:PrincipalAccount": CONSUMER}},
    }
    denying = {**admits(USER, {"StringNotEquals": {"sts:ExternalId": "share-1"}}), "Effect": "Deny"}
    [found] = findings(estate(role([excluding, denying])), NO_ID)
    assert found.key == f"{NO_ID}:{ROLE}:{CONSUMER}"


def test_a_deny_of_a_missing_id_only_is_not_sufficient() -> None:
    assert findings(estate(role([admits(CONSUMER), DENY_NO_ID])), NO_ID)


def test_role_that_cannot_use_ecr_is_not_reported() -> None:
    assert ids(estate(role([admits("*")], [allows("s3:*")])), repository_tags={}) == set()
    assert NO_ID in ids(estate(role([admits(CONSUMER)], [allows("*")])))
    assert NO_ID in ids(estate(role([admits(CONSUMER)], [allows("sts:AssumeRole")])))
    assert NO_ID in ids(estate(role([admits(CONSUMER)], "not JSON")))


@pytest.mark.parametrize(
    ("given", "organization", "is_found"),
    [
        ({}, "", True),
        ({"trusted_accounts": CONSUMER}, "", False),
        ({"trusted_accounts": [OTHER, CONSUMER]}, "", False),
        ({"trusted_accounts": [OTHER]}, "", True),
        ({"trusted_organizations": ORGANIZATION}, ORGANIZATION, False),
        ({"trusted_organizations": [ORGANIZATION]}, "o-anotherorgid", True),
        ({}, ORGANIZATION, True),
    ],
)
def test_trusted_accounts_and_organizations_are_excluded(
    given: dict[str, Any], organization: str, is_found: bool
) -> None:
    account = estate(role([admits(CONSUMER)]), organization=organization, members=frozenset({OWNER, CONSUMER}))
    assert bool(findings(account, NO_ID, **given)) is is_found


def test_condition_on_a_trusted_organization_is_excluded() -> None:
    account = estate(role([admits("*", {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}})]))
    [found] = findings(account, NO_ID)
    assert found.title == f"Role share trusts organization {ORGANIZATION} without an external ID"
    assert findings(account, NO_ID, trusted_organizations=ORGANIZATION) == []


def test_fix_for_a_missing_external_id_generates_one() -> None:
    statement = admits(CONSUMER, {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}) | {"Sid": "it's $(id)"}
    [found] = findings(estate(role([statement])), NO_ID)
    [call] = aws_calls(found.fix)
    assert call[:-1] == ["iam", "update-assume-role-policy", "--role-name", "share", "--policy-document"]
    [written] = json.loads(call[-1])["Statement"]
    assert written == {
        **statement,
        "Effect": "Allow",
        "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION, "sts:ExternalId": "new-id"}},
    }


def test_evidence_does_not_contain_external_ids() -> None:
    account = estate(role([admits("*", {"StringEquals": {"sts:ExternalId": "share-1"}})]))
    [found] = findings(account, WILDCARD)
    assert '"sts:ExternalId": "(external ID)"' in found.evidence.text
    assert "share-1" not in found.evidence.text


# --- wildcards


@pytest.mark.parametrize(
    "statement",
    [
        admits("*"),
        admits({"AWS": "*"}),
        admits({"AWS": ["*", CONSUMER]}),
        admits("*", WITH_ID),
        admits("*", {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}),
        admits("*", {"StringEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}}),
        admits("*", {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}),
        admits("*", {"StringLike": {"aws:PrincipalOrgID": "o-*"}}),
        admits("*", {"StringEquals": {"aws:PrincipalOrgID": "${aws:PrincipalOrgID}"}}),
        admits("*", {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}),
        admits("*", {"ForAllValues:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/*"}}),
        {"NotPrincipal": {"AWS": OTHER}, "Action": "sts:AssumeRole"},
    ],
)
def test_trust_of_every_account_is_found(statement: dict[str, Any]) -> None:
    [found] = findings(estate(role([statement])), WILDCARD)
    assert (found.severity, found.title) == ("critical", "Role share trusts every AWS account")
    assert not any(one.key == f"{NO_ID}:{ROLE}:*" for one in findings(estate(role([statement]))))


@pytest.mark.parametrize(
    "statements",
    [
        [admits("*", {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}})],
        [admits("*", {"StringEquals": {"aws:PrincipalAccount": [CONSUMER, OTHER]}})],
        [admits("*", {"ArnEquals": {"aws:PrincipalArn": USER}})],
        [admits("*", {"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:role/*"}})],
        [admits("*", {"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{ORGANIZATION}/r-1/*"}})],
        [admits("*"), {**admits("*", {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}), "Effect": "Deny"}],
        [admits(CONSUMER)],
        [admits({"Service": "*"})],
    ],
)
def test_trust_of_every_account_is_not_found(statements: list[dict[str, Any]]) -> None:
    assert findings(estate(role(statements)), WILDCARD) == []


@pytest.mark.parametrize(
    "deny",
    [
        admits("*", {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/deploy"}}),
        admits("*", {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}, "sts:TagSession"),
        admits(CONSUMER, {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}),
        admits("*", {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION, "aws:RequestedRegion": "eu-west-1"}}),
        admits("*", {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}),
    ],
)
def test_deny_that_does_not_exclude_everyone_else_has_no_effect(deny: dict[str, Any]) -> None:
    assert findings(estate(role([admits("*"), {**deny, "Effect": "Deny"}])), WILDCARD)


@pytest.mark.parametrize(
    ("organization", "principal", "written"),
    [
        ("", "*", {"Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}}),
        ("", {"AWS": ["*", CONSUMER]}, {"Principal": {"AWS": [CONSUMER]}}),
        (
            ORGANIZATION,
            "*",
            {"Principal": "*", "Condition": {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}},
        ),
    ],
)
def test_fix_for_a_wildcard_limits_it(organization: str, principal: object, written: dict[str, Any]) -> None:
    second = admits(CONSUMER, WITH_ID)
    [found] = findings(estate(role([admits(principal), second]), organization=organization), WILDCARD)
    words = words_in(found.fix)
    assert words[:5] == ["aws", "iam", "update-assume-role-policy", "--role-name", "share"]
    assert document_in(found.fix) == [
        {"Effect": "Allow", "Action": "sts:AssumeRole", **written},
        {"Effect": "Allow", **second},
    ]


# --- deleted principals


def test_deleted_principals_are_found_in_every_policy() -> None:
    account = estate(
        role([admits([DELETED, CONSUMER], WITH_ID)]),
        repositories=[repository("release", grants(DELETED))],
        registry=[grants("AROACKCEVSQ6C2EXAMPLE"), grants(CONSUMER)],
    )
    found = {one.resource.rpartition(":")[2]: one for one in findings(account, DANGLING)}
    assert set(found) == {"role/share", "repository/release", "*"}
    assert document_in(found["role/share"].fix)[0]["Principal"] == {"AWS": [CONSUMER]}
    assert words_in(found["repository/release"].fix)[2] == "delete-repository-policy"
    assert document_in(found["*"].fix) == [{"Effect": "Allow", **grants(CONSUMER)}]
    assert found["role/share"].severity == "low"


def test_fix_for_a_trust_policy_of_deleted_principals_denies_all() -> None:
    [found] = findings(estate(role([admits(DELETED)])), DANGLING)
    [written] = document_in(found.fix)
    assert (written["Effect"], written["Principal"]) == ("Deny", {"AWS": "*"})


def test_the_first_deleted_principal_identifies_a_finding() -> None:
    other = DELETED.replace("C6", "D7")
    [found] = findings(estate(role([admits([USER, DELETED, other]) | {"Sid": "Pull"}])), DANGLING)
    assert found.key == f"{DANGLING}:{ROLE}:Pull:{DELETED}"
    assert found.title.endswith(f"names deleted principals: {DELETED}, {other}")


def test_existing_principals_are_not_dangling() -> None:
    account = estate(
        role([admits(USER)]), repositories=[repository("release", grants(f"arn:aws:iam::{OTHER}:role/AIDA"))]
    )
    assert findings(account, DANGLING) == []


# --- services and identity providers


def test_roles_of_services_and_identity_center_are_not_found() -> None:
    directory = f"arn:aws:iam::{OWNER}:saml-provider/AWSSSO_0123456789abcdef_DO_NOT_DELETE"
    for trust in (
        admits({"Service": "lambda.amazonaws.com"}),
        admits({"Federated": directory}, action="sts:AssumeRoleWithSAML"),
    ):
        account = estate(role([trust], [allows("*")], created=days(-400)))
        assert ids(account, repository_tags={}) == set()
