# SPDX-License-Identifier: GPL-3.0-or-later
"""The values of context keys with which an audit evaluates: chosen by the caller, known, absent, or unknown."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_access import audit_access
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_choices import COMBINATIONS

from tests.unit.audited_estates import (
    BOTH,
    CONSUMER,
    OTHER,
    OWNER,
    PULL,
    PULL_ALL,
    PULLER,
    ROLE,
    document,
    estate,
    repository,
    role,
    root,
    rows_of,
    trust,
    verdicts,
)

RELEASE = BOTH[:1]
PUBLIC = "*"


def through_trust(principal: Any, condition: dict[str, Any], **more: Any) -> dict[str, str]:
    """The verdicts on a pull through a role whose trust policy has a condition, by principal."""
    shared = role(document(trust(principal, condition)), PULL_ALL)
    return {name: verdict for (name, _name), verdict in verdicts(estate(shared, repositories=RELEASE, **more)).items()}


def through_policy(condition: dict[str, Any], principal: Any = PULLER, **more: Any) -> dict[str, str]:
    """The verdicts on a pull through a repository policy with a condition, by principal."""
    named = {"AWS": principal} if isinstance(principal, str) else principal
    granting = document({"Principal": named, "Action": PULL, "Condition": condition})
    shared = repository("release", granting, environment="release")
    return {name: verdict for (name, _name), verdict in verdicts(estate(repositories=(shared,), **more)).items()}


def through_role(condition: dict[str, Any], **more: Any) -> dict[str, str]:
    """The verdicts on a pull through a role whose identity policy has a condition, by principal."""
    shared = role(document(trust(PULLER)), document({"Action": PULL, "Resource": "*", "Condition": condition}), **more)
    return {name: verdict for (name, _name), verdict in verdicts(estate(shared, repositories=RELEASE)).items()}


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"NumericEquals": {"sts:DurationSeconds": "3600"}}, "allowed"),
        ({"NumericLessThan": {"sts:DurationSeconds": "3600"}}, "allowed"),
        ({"NumericGreaterThan": {"sts:DurationSeconds": "3600"}}, "allowed"),
        ({"NumericLessThan": {"sts:DurationSeconds": "0"}}, None),
        ({"Null": {"sts:ExternalId": "true"}}, "allowed"),
        ({"Null": {"sts:ExternalId": "false"}}, "allowed"),
        ({"StringNotEquals": {"sts:ExternalId": "one"}}, "allowed"),
        ({"StringLike": {"sts:RoleSessionName": "ci-?-*"}}, "allowed"),
        ({"StringEquals": {"sts:RoleSessionName": "ci-*"}}, "allowed"),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, "allowed"),
        ({"NumericLessThan": {"aws:MultiFactorAuthAge": "60"}}, "allowed"),
        ({"Bool": {"aws:SecureTransport": "true"}}, "allowed"),
        ({"Bool": {"aws:SecureTransport": "false"}}, None),
        ({"Bool": {"aws:ViaAWSService": "false"}}, "allowed"),
        ({"Bool": {"aws:ViaAWSService": "true"}}, "unknown"),
        ({"Null": {"aws:CalledVia": "false"}}, "unknown"),
        ({"Null": {"aws:SourceArn": "false"}}, None),
        ({"StringEquals": {"aws:PrincipalType": "User"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, None),
        ({"StringEquals": {"aws:username": "puller"}}, "allowed"),
        ({"StringEquals": {"aws:username": "another"}}, None),
        ({"StringEquals": {"aws:PrincipalAccount": CONSUMER}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalAccount": OTHER}}, None),
        ({"ArnEquals": {"aws:PrincipalArn": PULLER}}, "allowed"),
        ({"StringEquals": {"aws:ResourceAccount": OWNER}}, "allowed"),
        ({"StringEquals": {"aws:ResourceAccount": OTHER}}, None),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "unknown"),
        ({"ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": "o-1/*"}}, "unknown"),
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, "unknown"),
        ({"StringEquals": {"aws:SourceVpce": "vpce-1"}}, "unknown"),
        ({"NumericLessThan": {"aws:EpochTime": "1795737601"}}, "allowed"),
        ({"NumericLessThan": {"aws:EpochTime": "1795737600"}}, None),
    ],
)  # fmt: skip
def test_conditions_of_a_trust_policy_on_a_user(condition: dict[str, Any], verdict: str | None) -> None:
    assert through_trust(PULLER, condition).get(PULLER) == verdict


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"aws:ResourceTag/team": "a"}}, "allowed"),
        ({"StringEquals": {"aws:ResourceTag/team": "b"}}, None),
        ({"Null": {"aws:ResourceTag/other": "true"}}, "allowed"),
        ({"StringNotEquals": {"aws:ResourceTag/other": "x"}}, "allowed"),
    ],
)
def test_tags_of_the_role_are_known(condition: dict[str, Any], verdict: str | None) -> None:
    shared = role(document(trust(PULLER, condition)), PULL_ALL, tags={"team": "a"})
    assert verdicts(estate(shared, repositories=RELEASE)).get((PULLER, "release")) == verdict


REPOSITORY_CONDITIONS = [
    ({"StringEquals": {"ecr:ResourceTag/environment": "release"}}, "allowed"),
    ({"StringEquals": {"aws:ResourceTag/environment": "release"}}, "allowed"),
    ({"StringEquals": {"ecr:ResourceTag/environment": "develop"}}, None),
    ({"Null": {"ecr:ResourceTag/secret": "true"}}, "allowed"),
    ({"Null": {"aws:ResourceTag/secret": "true"}}, "allowed"),
    ({"StringNotEquals": {"ecr:ResourceTag/secret": "yes"}}, "allowed"),
    ({"StringNotEquals": {"aws:ResourceTag/secret": "yes"}}, "allowed"),
    ({"StringEquals": {"aws:RequestedRegion": "eu-west-1"}}, "allowed"),
    ({"StringEquals": {"aws:RequestedRegion": "us-east-1"}}, None),
    ({"Null": {"sts:ExternalId": "true"}}, "allowed"),
    ({"Null": {"aws:RequestTag/a": "true"}}, "allowed"),
    ({"Null": {"ecr:RequestTag/a": "true"}}, "allowed"),
    ({"Null": {"aws:TagKeys": "true"}}, "allowed"),
    ({"Bool": {"aws:ViaAWSService": "false"}}, "allowed"),
    ({"Bool": {"aws:ViaAWSService": "true"}}, "unknown"),
    ({"ForAnyValue:StringEquals": {"aws:CalledVia": "cloudformation.amazonaws.com"}}, "unknown"),
]


@pytest.mark.parametrize(("condition", "verdict"), REPOSITORY_CONDITIONS)
def test_conditions_on_a_repository(condition: dict[str, Any], verdict: str | None) -> None:
    assert through_role(condition).get(PULLER) == verdict
    assert through_policy(condition).get(PULLER) == verdict


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"aws:PrincipalTag/team": "a"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalTag/team": "b"}}, None),
        ({"Null": {"aws:PrincipalTag/other": "true"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalType": "AssumedRole"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalAccount": OWNER}}, "allowed"),
        ({"ArnEquals": {"aws:PrincipalArn": ROLE}}, "allowed"),
        ({"DateLessThanEquals": {"aws:TokenIssueTime": "2026-11-27T00:00:00Z"}}, "allowed"),
        ({"DateLessThan": {"aws:TokenIssueTime": "2026-11-27T00:00:00Z"}}, None),
        ({"Bool": {"aws:MultiFactorAuthPresent": "true"}}, None),
    ],
)
def test_conditions_on_a_session_of_a_role(condition: dict[str, Any], verdict: str | None) -> None:
    assert through_role(condition, tags={"team": "a"}).get(PULLER) == verdict


@pytest.mark.parametrize("key", ["sts:ExternalId", "sts:RoleSessionName", "sts:SourceIdentity", "sts:DurationSeconds"])
@pytest.mark.parametrize("principal", [PULLER, root(CONSUMER), {"Service": "lambda.amazonaws.com"}, PUBLIC])
def test_requests_to_ecr_have_no_keys_of_sts(key: str, principal: Any) -> None:
    operator = "NumericEquals" if key == "sts:DurationSeconds" else "StringEquals"
    assert through_policy({operator: {key: "3600"}}, principal) == {}
    everything = {"Principal": {"AWS": principal} if isinstance(principal, str) else principal, "Action": PULL}
    other = {operator.replace("Equals", "NotEquals"): {key: "3600"}}
    denied = document(everything, {**everything, "Effect": "Deny", "Condition": other})
    assert verdicts(estate(repositories=(repository("release", denied),))) == {}


@pytest.mark.parametrize(
    ("principal", "verdict"),
    [
        (PULLER, "allowed"),
        (root(CONSUMER), "allowed"),
        (f"arn:aws:iam::{CONSUMER}:role/ci", None),
        (f"arn:aws:sts::{CONSUMER}:assumed-role/ci/one", None),
        ({"Service": "ec2.amazonaws.com"}, None),
    ],
)
@pytest.mark.parametrize(
    "condition",
    [{"Bool": {"aws:MultiFactorAuthPresent": "true"}}, {"NumericLessThan": {"aws:MultiFactorAuthAge": "9"}}],
)
def test_sessions_of_roles_and_services_have_no_mfa(principal: Any, verdict: str | None, condition: Any) -> None:
    expected = set() if verdict is None else {verdict}
    assert set(through_trust(principal, condition).values()) == expected
    assert set(through_policy(condition, principal).values()) == expected


def test_tags_of_an_outsider_are_unknown() -> None:
    assert through_policy({"StringEquals": {"aws:PrincipalTag/team": "a"}}) == {PULLER: "unknown"}


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"aws:PrincipalOrgID": "o-1"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalOrgID": "${aws:ResourceOrgID}"}}, "allowed"),
        ({"StringEquals": {"aws:ResourceOrgID": "o-1"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalOrgID": "o-2"}}, None),
    ],
)
def test_organization_of_the_account_is_known(condition: dict[str, Any], verdict: str | None) -> None:
    shared = role(document(trust(PULLER)), document({"Action": PULL, "Resource": "*", "Condition": condition}))
    assert verdicts(estate(shared, repositories=RELEASE, organization="o-1")).get((PULLER, "release")) == verdict


@pytest.mark.parametrize(
    ("pattern", "name"),
    [
        (f"arn:aws:iam::{CONSUMER}:user/pull*", f"arn:aws:iam::{CONSUMER}:user/pull*"),
        (f"arn:aws:*::{CONSUMER}:user/puller", f"arn:aws:*::{CONSUMER}:user/puller"),
        (f"arn:*:iam::{CONSUMER}:role/ci-?", f"arn:*:iam::{CONSUMER}:role/ci-?"),
        (f"arn:aws:sts::{CONSUMER}:assumed-role/ci/*", None),  # the key has the ARN of the role
        ("arn:aws:iam::*:role/ci", "arn:aws:iam::*:role/ci"),
        (f"arn:aws:iam::{CONSUMER}:*", f"arn:aws:iam::{CONSUMER}:*"),
        ("arn:aws:s3:::bucket", None),
        ("arn:aws:iam:eu-west-1:*:role/ci", None),
        ("not an ARN", "*"),
    ],
)
def test_patterns_of_arns_name_principals(pattern: str, name: str | None) -> None:
    found = through_trust(PUBLIC, {"ArnLike": {"aws:PrincipalArn": pattern}})
    assert (name in found) is (name is not None), found
    assert set(found) <= {name}


def test_pattern_for_several_accounts_names_each_account() -> None:
    pattern = "arn:aws:iam::*:role/ci"
    listed = {"AWS": [root(CONSUMER), root(OTHER)]}
    found = through_trust(listed, {"ArnLike": {"aws:PrincipalArn": pattern}})
    assert found == {pattern.replace("*", account): "allowed" for account in (CONSUMER, OTHER)}


def test_excluded_principals_leave_everyone_else() -> None:
    granting = document({"NotPrincipal": {"AWS": PULLER}, "Action": PULL})
    found = verdicts(estate(repositories=(repository("release", granting),)))
    assert found == {(PUBLIC, "release"): "allowed", (PULLER, "release"): "unknown"}


@pytest.mark.parametrize(("number", "verdict"), [(COMBINATIONS - 2, "allowed"), (COMBINATIONS + 1, "allowed")])
def test_the_value_that_is_allowed_is_found_among_many(number: int, verdict: str) -> None:
    condition = {"StringEquals": {"sts:ExternalId": [f"id-{n}" for n in range(number)]}}
    assert through_trust(PULLER, condition) == {PULLER: verdict}


def test_rows_are_in_the_order_of_their_kinds_with_everyone_last() -> None:
    listed = {"AWS": [PULLER, root(OTHER), PUBLIC], "Service": "lambda.amazonaws.com"}
    granting = document({"Principal": listed, "Action": PULL})
    audited = audit_access(estate(repositories=(repository("release", granting),)))
    assert [outsider.name for outsider in audited.outsiders] == [root(OTHER), PULLER, "lambda.amazonaws.com", PUBLIC]
    assert [row.outsider.kind for row in rows_of(estate(repositories=(repository("release", granting),))).values()] == [
        "account",
        "principal",
        "service",
        "everyone",
    ]


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"StringEquals": {"sts:ExternalId": "${aws:PrincipalAccount}"}}, "allowed"),
        ({"StringEquals": {"sts:ExternalId": "${aws:ResourceAccount}-${aws:username}"}}, "allowed"),
        ({"StringEquals": {"sts:ExternalId": "${aws:ResourceTag/id}"}}, "allowed"),
        ({"StringEquals": {"sts:ExternalId": "${aws:ResourceTag/none}"}}, None),
        ({"StringEquals": {"sts:RoleSessionName": "${aws:username}"}}, "allowed"),
        ({"StringEquals": {"aws:username": "${sts:RoleSessionName}"}}, "allowed"),
        ({"StringEquals": {"aws:username": "pull${sts:RoleSessionName}"}}, "allowed"),
        ({"StringEquals": {"aws:username": "other-${sts:RoleSessionName}"}}, None),
    ],
)
def test_chosen_values_are_compared_with_known_ones(condition: dict[str, Any], verdict: str | None) -> None:
    """A caller knows the values of its own context keys, so it can choose the same value for another key."""
    shared = role(document(trust(PULLER, condition)), PULL_ALL, tags={"id": "secret"})
    assert verdicts(estate(shared, repositories=RELEASE)).get((PULLER, "release")) == verdict


@pytest.mark.parametrize(
    ("granting", "readable"),
    [
        ({"Condition": {"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}"}}}, {"a/app", "b"}),
        ({"Condition": {"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team, 'none'}"}}}, {"a/app", "b"}),
        ({"Condition": {"StringEquals": {"aws:PrincipalTag/team": "${ecr:ResourceTag/team}"}}}, {"a/app", "b"}),
        ({"Condition": {"StringEquals": {"ecr:ResourceTag/team": "team-${aws:PrincipalTag/team}"}}}, {"b"}),
        ({"Condition": {"StringEquals": {"ecr:ResourceTag/none": "${aws:PrincipalTag/team}"}}}, set()),
        ({"Condition": {"StringLike": {"ecr:ResourceTag/team": "*-${aws:PrincipalTag/team}"}}}, {"b"}),
        ({"Condition": {"StringLike": {"ecr:ResourceTag/team": "${aws:PrincipalTag/team}-*"}}}, {"b"}),
        ({"Condition": {"StringLike": {"ecr:ResourceTag/team": "t?am-${aws:PrincipalTag/team}*"}}}, {"b"}),
        ({"Condition": {"StringLike": {"ecr:ResourceTag/team": "*${aws:PrincipalTag/team}-x*"}}}, set()),
        (
            {"Condition": {"StringEqualsIgnoreCase": {"ecr:ResourceTag/team": "TEAM-${aws:PrincipalTag/team}"}}},
            {"b"},
        ),
        (
            {"Condition": {"StringEquals": {"ecr:ResourceTag/team": "${aws:PrincipalTag/x}-${aws:PrincipalTag/y}"}}},
            {"b"},
        ),
        ({"Resource": "arn:aws:ecr:*:*:repository/${aws:PrincipalTag/team}/*"}, {"a/app"}),
        ({"Resource": "arn:aws:ecr:*:*:repo*/*${aws:PrincipalTag/team}pp"}, {"a/app"}),
        ({"Resource": "arn:aws:ecr:*:${aws:PrincipalTag/account}:repository/a*"}, {"a/app"}),
        ({"Resource": "arn:aws:ecr:*:*:repository/${aws:PrincipalTag/name}"}, {"a/app", "b", "c"}),
    ],
)
@pytest.mark.parametrize("is_tagging", [True, False])
def test_session_tags_that_policies_use_as_variables(
    granting: dict[str, Any], readable: set[str], is_tagging: bool
) -> None:
    """A caller who can set tags of the session chooses the value that the repository has."""
    actions = ["sts:AssumeRole", "sts:TagSession"] if is_tagging else "sts:AssumeRole"
    policy = document({"Action": PULL, "Resource": "*", **granting})
    shared = role(document(trust(PULLER, Action=actions)), policy)
    repositories = (repository("a/app", team="a"), repository("b", team="team-b"), repository("c"))
    found = verdicts(estate(shared, repositories=repositories))
    assert found == {(PULLER, name): "allowed" for name in readable if is_tagging}


def test_too_many_session_tags_to_try_are_not_denied() -> None:
    without = {
        "Null": {"aws:PrincipalTag/x": "true"},
        "StringLike": {"ecr:ResourceTag/team": "*${aws:PrincipalTag/x}*"},
    }
    policy = document({"Action": PULL, "Resource": "*", "Condition": without})
    shared = role(document(trust(PULLER, Action=["sts:AssumeRole", "sts:TagSession"])), policy)
    of_long_tag = repository("release", team="".join(map(chr, range(0x4E00, 0x4E00 + 70))))
    [row] = audit_access(estate(shared, repositories=(of_long_tag,))).rows
    assert (row.access.actions["pull"], row.access.actions["push"]) == ("unknown", "denied")
    assert "more combinations" in row.access.reasons["pull"]
