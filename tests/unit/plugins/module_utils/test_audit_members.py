# SPDX-License-Identifier: GPL-3.0-or-later
"""Access of the principals for which one row of an audit stands, and of callers who choose values for patterns."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.audited_estates import (
    CONSUMER,
    OTHER,
    OWNER,
    PULL,
    PULL_ALL,
    PULLER,
    document,
    estate,
    repository,
    role,
    root,
    trust,
    verdicts,
)

ACCOUNT = root(CONSUMER)
USERS, CI, PROD = (f"arn:aws:iam::*:{name}" for name in ("user/*", "role/ci-*", "role/*-prod"))
OF_CONSUMER = CI.replace("*", CONSUMER, 1)
OF_ONE = {"StringEquals": {"aws:PrincipalOrgID": "o-1"}}
OIDC = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
SUB = "token.actions.githubusercontent.com:sub"


def arn(operator: str, *patterns: str) -> dict[str, Any]:
    return {operator: {"aws:PrincipalArn": list(patterns)}}


def denied(condition: dict[str, Any]) -> dict[str, Any]:
    return {"Effect": "Deny", "Principal": "*", "Action": "*", "Condition": condition}


def directly(principal: str, condition: dict[str, Any], *more: dict[str, Any]) -> dict[str, str]:
    """The verdicts on a pull through a repository policy, by principal."""
    names = principal if principal == "*" else {"AWS": principal}
    policy = document({"Principal": names, "Action": PULL, "Condition": condition}, *more)
    return {name: found for (name, _name), found in verdicts(estate(repositories=(repository("r", policy),))).items()}


def through_a_role(principal: Any, condition: dict[str, Any], *more: dict[str, Any], **also: Any) -> dict[str, str]:
    """The verdicts on a pull through a role with a trust policy, by principal."""
    shared = role(document(trust(principal, condition, **also), *more), PULL_ALL)
    found = verdicts(estate(shared, repositories=(repository("r"),)))
    return {name: verdict for (name, _name), verdict in found.items()}


@pytest.mark.parametrize("access", [directly, through_a_role])
@pytest.mark.parametrize(
    ("principal", "condition", "denying", "expected"),
    [
        # Some principals of an account, of an organization or of everyone are denied, and others are not.
        (ACCOUNT, {}, arn("ArnLike", USERS), {ACCOUNT: "allowed"}),
        (ACCOUNT, {}, arn("ArnLike", "arn:aws:iam::*:role/*"), {ACCOUNT: "allowed"}),
        (ACCOUNT, {}, arn("ArnLike", USERS, "arn:aws:iam::*:role/a*"), {ACCOUNT: "allowed"}),
        (ACCOUNT, {}, arn("ArnLike", "arn:aws:iam::*:user/any*"), {ACCOUNT: "allowed"}),
        (ACCOUNT, {}, arn("StringLike", "*:user/*"), {ACCOUNT: "allowed"}),
        (ACCOUNT, arn("ArnNotLike", f"arn:aws:iam::{CONSUMER}:user/*"), {}, {ACCOUNT: "allowed"}),
        (ACCOUNT, arn("StringNotLike", "*:user/*"), {}, {ACCOUNT: "allowed"}),
        ("*", {}, arn("ArnLike", USERS), {"*": "allowed"}),
        ("*", OF_ONE, arn("ArnLike", USERS), {"o-1": "allowed"}),
        (ACCOUNT, {}, {"StringEquals": {"aws:PrincipalType": "User"}}, {ACCOUNT: "allowed"}),
        (ACCOUNT, {"Null": {"aws:username": "true"}}, {}, {ACCOUNT: "allowed"}),
        (ACCOUNT, {}, arn("ArnLike", f"arn:aws:*::{CONSUMER}:*"), {}),
        # Exact ARNs are principals of their own.
        (ACCOUNT, {}, arn("ArnNotEquals", PULLER), {PULLER: "allowed"}),
        (ACCOUNT, arn("ArnLike", PULLER), {}, {PULLER: "allowed"}),
        # A pattern stands for principals of each account that another statement names.
        (ACCOUNT, {}, arn("ArnNotLike", CI), {OF_CONSUMER: "allowed"}),
        (ACCOUNT, {}, arn("StringNotLike", "*:role/ci-*"), {OF_CONSUMER: "allowed"}),
        ("*", {"StringEquals": {"aws:PrincipalAccount": CONSUMER}}, arn("ArnNotLike", CI), {OF_CONSUMER: "allowed"}),
        ("*", arn("ArnLike", CI), {"StringNotEquals": {"aws:PrincipalAccount": CONSUMER}}, {OF_CONSUMER: "allowed"}),
        ("*", OF_ONE, arn("ArnNotLike", CI), {CI: "allowed"}),
        ("*", arn("ArnLike", CI), arn("ArnNotLike", PROD), {CI: "allowed", PROD: "allowed"}),
        ("*", arn("ArnLike", CI), arn("ArnLike", "arn:aws:iam::*:role/ci-x*"), {CI: "allowed"}),
        ("*", arn("ArnLike", CI), arn("ArnLike", CI), {}),
        ("*", arn("ArnLike", CI), arn("ArnNotLike", "arn:aws:iam::*:role/${aws:PrincipalTag/a}"), {CI: "unknown"}),
        # Patterns of the operators for texts.
        ("*", arn("StringLike", "*:role/ci"), {}, {"*:role/ci": "allowed"}),
        ("*", arn("StringLike", "*role/ci*"), {}, {"*role/ci*": "allowed"}),
        ("*", arn("StringLike", "*/AWSReservedSSO_*"), {}, {"*/AWSReservedSSO_*": "allowed"}),
        ("*", arn("StringLike", "arn:aws:iam::2222*:role/ci"), {}, {"arn:aws:iam::2222*:role/ci": "allowed"}),
        ("*", {"StringLike": {"aws:PrincipalAccount": "2222*"}}, {}, {"2222*": "allowed"}),
        (
            "*",
            {"StringLike": {"aws:PrincipalAccount": "2222*"}},
            arn("ArnNotLike", CI),
            {"arn:aws:iam::2222*:role/ci-*": "allowed"},
        ),
        # A request that AWS sends on behalf of a principal.
        (ACCOUNT, {}, {"Bool": {"aws:ViaAWSService": "false"}}, {ACCOUNT: "unknown"}),
    ],
)
def test_some_principals_of_a_row_have_access(
    access: Any, principal: str, condition: dict[str, Any], denying: dict[str, Any], expected: dict[str, str]
) -> None:
    found = access(principal, condition, *([denied(denying)] if denying else []))
    assert {name: verdict for name, verdict in found.items() if verdict != "unknown" or name in expected} == expected


@pytest.mark.parametrize("principal", ["*", ACCOUNT])
def test_root_user_pulls_but_assumes_no_role(principal: str) -> None:
    only_root = arn("StringEquals", ACCOUNT)
    assert directly(principal, only_root) == {ACCOUNT: "allowed"}
    assert through_a_role(principal, only_root) == {}
    assert directly(principal, arn("StringEquals", root(OTHER))) == (
        {root(OTHER): "allowed"} if principal == "*" else {}
    )


@pytest.mark.parametrize("name", ["ci-x", "ci-"])
def test_deny_of_one_role_does_not_affect_a_pattern(name: str) -> None:
    denying = {**denied({}), "Principal": {"AWS": f"arn:aws:iam::{CONSUMER}:role/{name}"}}
    for access in (directly, through_a_role):
        assert access(ACCOUNT, arn("ArnLike", CI), denying) == {OF_CONSUMER: "allowed"}
    equal = denied(arn("ArnEquals", f"arn:aws:iam::{CONSUMER}:role/{name}"))
    assert directly(ACCOUNT, arn("ArnLike", CI), equal) == {OF_CONSUMER: "allowed"}


@pytest.mark.parametrize("pattern", ["arn:aws:iam::2222*:root", "arn:aws:iam::22222222222?:r??t"])
def test_root_users_of_some_accounts_pull_but_assume_no_role(pattern: str) -> None:
    only_roots = arn("ArnLike", pattern)
    assert directly("*", only_roots) == {pattern: "allowed"}
    assert through_a_role("*", only_roots) == {}


def test_root_user_remains_if_users_and_roles_are_denied() -> None:
    denying = denied(arn("ArnLike", *(f"arn:aws:iam::{CONSUMER}:{kind}/*" for kind in ("user", "role"))))
    assert directly(ACCOUNT, {}, denying) == {ACCOUNT: "allowed"}
    assert through_a_role(ACCOUNT, {}, denying) == {}


@pytest.mark.parametrize(
    ("kind", "verdicts_of_account"),
    [("Account", {ACCOUNT: "allowed"}), ("FederatedUser", {ACCOUNT: "allowed"}), ("AnotherType", {})],
)
def test_types_of_principals_of_an_account(kind: str, verdicts_of_account: dict[str, str]) -> None:
    of_type = {"StringEquals": {"aws:PrincipalType": kind}}
    assert directly(ACCOUNT, of_type) == verdicts_of_account
    assert through_a_role(ACCOUNT, of_type) == {}


def test_type_of_a_federated_user() -> None:
    user = f"arn:aws:sts::{CONSUMER}:federated-user/bob"
    assert directly(user, {"StringEquals": {"aws:PrincipalType": "FederatedUser"}}) == {user: "allowed"}
    assert directly(user, {"StringEquals": {"aws:PrincipalType": "User"}}) == {}


@pytest.mark.parametrize(
    ("name", "pattern", "verdict"),
    [
        ("AWSReservedSSO_Dev_1", f"arn:aws:iam::{CONSUMER}:role/aws-reserved/sso.amazonaws.com/*", "unknown"),
        ("AWSReservedSSO_Dev_1", f"arn:aws:iam::{CONSUMER}:role/AWSReservedSSO_*", "unknown"),
        ("job", f"arn:aws:iam::{CONSUMER}:role/team/job", "unknown"),
        ("job", f"arn:aws:iam::{CONSUMER}:role/job", "allowed"),
        ("job", f"arn:aws:iam::{CONSUMER}:role/*", "allowed"),
        ("job", f"arn:aws:iam::{CONSUMER}:role/team/other", None),
    ],
)
def test_path_of_the_role_of_a_session_is_not_known(name: str, pattern: str, verdict: str | None) -> None:
    session = f"arn:aws:sts::{CONSUMER}:assumed-role/{name}/bob"
    assert directly(session, arn("ArnLike", pattern)).get(session) == verdict


@pytest.mark.parametrize(
    ("condition", "service"),
    [
        ({"Bool": {"aws:PrincipalIsAWSService": "true"}}, "*.amazonaws.com"),
        ({"StringLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:*"}}, "*.amazonaws.com"),
        ({"StringEquals": {"aws:PrincipalServiceName": "lambda.amazonaws.com"}}, "lambda.amazonaws.com"),
    ],
)
def test_services_that_everyone_may_include(condition: dict[str, Any], service: str) -> None:
    assert directly("*", condition) == {service: "unknown"}


def test_identity_providers_that_everyone_may_include() -> None:
    found = through_a_role("*", {}, Action="sts:AssumeRoleWithWebIdentity")
    assert found == {"arn:aws:iam::*:oidc-provider/*": "unknown"}


@pytest.mark.parametrize(
    ("condition", "verdict"),
    [
        ({"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "a.amazonaws.com"}}, "unknown"),
        ({"StringEquals": {"aws:PrincipalServiceName": "lambda.amazonaws.com"}}, "allowed"),
        ({"StringEquals": {"aws:PrincipalServiceName": "ecs.amazonaws.com"}}, None),
    ],
)
def test_names_of_a_service(condition: dict[str, Any], verdict: str | None) -> None:
    policy = document({"Principal": {"Service": "lambda.amazonaws.com"}, "Action": PULL, "Condition": condition})
    found = verdicts(estate(repositories=(repository("r", policy),)))
    assert found.get(("lambda.amazonaws.com", "r")) == verdict
    listed = {"ForAnyValue:StringEquals": {"aws:PrincipalServiceNamesList": "a.amazonaws.com"}}
    assert directly(PULLER, listed) == {}


def test_units_that_match_two_patterns() -> None:
    key = "aws:PrincipalOrgPaths"
    found = directly(
        "*",
        {"ForAnyValue:StringLike": {key: "o-1/*/ou-1/*"}},
        denied({"ForAllValues:StringNotLike": {key: "o-1/r-1/*"}}),
    )
    assert found == {"o-1/*/ou-1/*": "allowed", "o-1/r-1/*": "allowed"}


NAME = "sts:RoleSessionName"
BOTH_ACTIONS = ["sts:AssumeRole", "sts:SetSourceIdentity"]


@pytest.mark.parametrize(
    ("condition", "denying", "verdict"),
    [
        ({"StringLike": {NAME: "ci-*"}}, {"StringNotLike": {NAME: "*-prod"}}, "allowed"),
        ({"StringLike": {NAME: "ci-*"}}, {"StringLike": {NAME: "ci-x*"}}, "allowed"),
        ({"StringLike": {NAME: "ci-*"}}, {"StringEquals": {NAME: "ci-x"}}, "allowed"),
        ({"StringLike": {NAME: "ci-*"}}, {"StringLike": {NAME: "c*"}}, None),
        ({"StringLike": {NAME: "ci-*"}}, {"StringNotLike": {NAME: "dev-*"}}, None),
        ({"StringLike": {NAME: "*"}}, {"StringLike": {NAME: ["a*", "x*"]}}, "allowed"),
        ({}, {"StringLike": {NAME: "a*"}}, "allowed"),
        ({}, {"StringLike": {NAME: ["a*", "*x", "*e"]}}, "allowed"),
        ({}, {"StringLike": {NAME: "*"}}, None),
        ({"StringLike": {NAME: "a*"}, "ForAnyValue:StringLike": {NAME: "*b*"}}, {"StringNotLike": {NAME: "*c"}},
         "unknown"),
        ({"StringEquals": {"sts:ExternalId": "${sts:SourceIdentity}"}}, {}, "allowed"),
        ({"StringEquals": {"sts:ExternalId": "a-${sts:RoleSessionName}"}},
         {"StringNotEquals": {NAME: "${sts:SourceIdentity}"}}, "allowed"),
        ({"StringEquals": {"sts:ExternalId": "one"}}, {"StringNotEquals": {"sts:ExternalId": "two"}}, None),
    ],
)  # fmt: skip
def test_chosen_values_that_pass_several_patterns(
    condition: dict[str, Any], denying: dict[str, Any], verdict: str | None
) -> None:
    found = through_a_role(PULLER, condition, *([denied(denying)] if denying else []), Action=BOTH_ACTIONS)
    assert found.get(PULLER) == verdict


def test_subjects_that_match_two_patterns() -> None:
    federated = {"Action": "sts:AssumeRoleWithWebIdentity"}
    found = through_a_role(
        {"Federated": OIDC},
        {"StringLike": {SUB: "repo:org/*:environment:prod"}},
        {**denied({"StringNotLike": {SUB: "repo:org/app:*"}}), "Principal": {"Federated": OIDC}},
        **federated,
    )
    assert found == {OIDC: "allowed"}


@pytest.mark.parametrize(
    ("condition", "denying", "verdict"),
    [
        ({"StringLike": {"aws:PrincipalTag/team": "a-*"}}, {"StringNotLike": {"aws:PrincipalTag/team": "*-prod"}},
         "allowed"),
        ({"StringEquals": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}}, {}, "allowed"),
        ({"StringEquals": {"aws:PrincipalTag/a": "${aws:PrincipalTag/b}"}},
         {"StringNotLike": {"aws:PrincipalTag/a": "x-*"}}, "unknown"),
        ({}, {"StringLike": {"aws:PrincipalTag/a": "a*"}}, "allowed"),
    ],
)  # fmt: skip
def test_session_tags_that_pass_several_patterns(
    condition: dict[str, Any], denying: dict[str, Any], verdict: str
) -> None:
    of_all = {"Action": PULL, "Resource": "*"}
    policy = document(
        {**of_all, "Condition": condition}, *([{**of_all, "Effect": "Deny", "Condition": denying}] if denying else [])
    )
    shared = role(document(trust(PULLER, Action=["sts:AssumeRole", "sts:TagSession"])), policy)
    assert verdicts(estate(shared, repositories=(repository("r"),))) == {(PULLER, "r"): verdict}
