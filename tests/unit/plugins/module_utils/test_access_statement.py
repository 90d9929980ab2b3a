# SPDX-License-Identifier: GPL-3.0-or-later
"""The statements of a share in a repository policy, and the consumers that they can express."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_consumers import access_consumer_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import (
    access_statements,
    has_known_form,
    is_sid_of,
    permissions_of_shares,
    sid_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import consumer_of

ONE, TWO = "222222222222", "333333333333"
ROOTS = [f"arn:aws:iam::{account}:root" for account in (ONE, TWO)]
LAMBDA = {"service": "lambda.amazonaws.com", "source_arns": [f"arn:aws:lambda:eu-west-1:{ONE}:function:*"]}
ORGANIZATION = "o-a1b2c3d4e5"
UNIT = f"{ORGANIZATION}/r-f6g7/ou-f6g7-11111111"


def statements(*consumers: dict[str, Any], access: str = "pull", **options: Any) -> list[dict[str, Any]]:
    return access_statements("aws", "share", [consumer_of(one) for one in consumers], access, **options)


def test_consumers_without_conditions_have_one_statement() -> None:
    expected = {
        "Sid": sid_of("share"),
        "Effect": "Allow",
        "Principal": {"AWS": ROOTS},
        "Action": ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"],
    }
    assert (
        statements({"account": TWO}, {"account": ONE}) == statements({"account": ONE}, {"account": TWO}) == [expected]
    )


def test_each_set_of_conditions_has_its_own_statement() -> None:
    consumers: list[dict[str, Any]] = [
        {"account": ONE, "principals": ["role/ci"]},
        {"account": TWO},
        {"organization_id": ORGANIZATION, "organization_units": [UNIT]},
        {"account": TWO, "require_mfa": True},
        LAMBDA,
    ]
    found = statements(*consumers)
    assert found == statements(*reversed(consumers))
    assert [one["Sid"] for one in found] == [sid_of("share") + part for part in ("", "Part2", "Part3", "Part4")]
    by_condition = {str(one.get("Condition")): one["Principal"] for one in found}
    arns = {"ArnLike": {"aws:SourceArn": LAMBDA["source_arns"][0]}}
    of_unit = {
        "StringEquals": {"aws:PrincipalOrgID": ORGANIZATION},
        "ForAnyValue:StringLike": {"aws:PrincipalOrgPaths": f"{UNIT}/*"},
    }
    assert by_condition == {
        "None": {"AWS": [f"arn:aws:iam::{ONE}:role/ci", ROOTS[1]]},
        str(of_unit): {"AWS": "*"},
        str({"Bool": {"aws:MultiFactorAuthPresent": "true"}}): {"AWS": ROOTS[1]},
        str(arns): {"Service": "lambda.amazonaws.com"},
    }
    assert all(map(has_known_form, found))
    assert all(is_sid_of("share")(one["Sid"]) for one in found)


def test_service_is_limited_by_its_sources() -> None:
    (found,) = statements({**LAMBDA, "source_accounts": [TWO, ONE]})
    assert found["Condition"] == {
        "ArnLike": {"aws:SourceArn": LAMBDA["source_arns"][0]},
        "StringEquals": {"aws:SourceAccount": [ONE, TWO]},
    }
    assert has_known_form(found)


def test_conditions_on_tags_apply_to_every_statement() -> None:
    tags = {"ecr:ResourceTag/environment": "release"}
    found = statements(
        {"account": ONE}, {"organization_id": ORGANIZATION}, resources=["arn:aws:ecr:*"], tag_condition=tags
    )
    assert [one["Condition"]["StringEquals"].items() >= tags.items() for one in found] == [True, True]
    assert {one["Resource"] for one in found} == {"arn:aws:ecr:*"}
    assert all(map(has_known_form, found))


@pytest.mark.parametrize(
    ("other", "is_same"),
    [("Allow_ECR", True), ("allow-ecr", False), ("allowecr", False), ("allow_ecr2", False), ("allow_ec", False)],
)
def test_similar_names_have_different_sids(other: str, is_same: bool) -> None:
    assert (sid_of(other) == sid_of("allow_ecr")) == is_same
    assert is_sid_of("allow_ecr")(sid_of(other)) == is_same
    assert sid_of(other).isalnum()
    assert not is_sid_of("allow_ecr")(None)


@pytest.mark.parametrize(
    "changed",
    [
        {"Effect": "Deny"},
        {"Action": ["ecr:*"]},
        {"Action": ["ecr:BatchGetImage"]},
        {"NotPrincipal": {"AWS": ROOTS[0]}},
        {"Condition": {"StringNotEquals": {"aws:PrincipalOrgID": ORGANIZATION}}},
        {"Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}},
    ],
)
def test_statement_that_another_program_changed_has_another_form(changed: dict[str, Any]) -> None:
    (statement,) = statements({"account": ONE}, access="read")
    assert has_known_form({**statement, "Principal": "*"})
    assert not has_known_form({**statement, **changed})


@pytest.mark.parametrize(
    ("consumer", "part"),
    [
        ({"account": ONE, "external_id": "generate"}, "external_id has no effect in a repository policy"),
        ({"account": ONE, "session_tags": True}, "session_tags has no effect"),
        ({"account": ONE, "expires": "30d"}, "expires has no effect"),
        ({"account": ONE, "expires": False}, "expires has no effect"),
        ({"account": ONE, "external_id": ""}, "external_id has no effect"),
        ({"account": ONE, "max_session_duration": 0}, "max_session_duration has no effect"),
        ({"account": ONE, "role_name": ""}, "role_name has no effect"),
        ({**LAMBDA, "require_mfa": True}, "require_mfa cannot limit service lambda.amazonaws.com. A service does not"),
        ({**LAMBDA, "principal_match": "condition"}, "principal_match cannot limit service lambda.amazonaws.com."),
        ({**LAMBDA, "session_tags": True}, "session_tags has no effect"),
        ({**LAMBDA, "external_id": "generate"}, "external_id has no effect"),
        ({**LAMBDA, "principals": ["role/a"]}, "service excludes account, principals"),
        ({**LAMBDA, "organization_id": ORGANIZATION, "organization_units": [UNIT]}, "service excludes account"),
        ({**LAMBDA, "organization_units": [UNIT]}, "organization_units needs organization_id"),
        ({"account": 222222222222}, "is a number, not an AWS account ID"),
        ({"account": ONE, "principals": ["group/a"]}, "'group/a' is not user/NAME"),
        ({}, "Consumer 1"),
        ({"service": "lambda.amazonaws.com"}, "so each AWS account could use the service"),
        ({**LAMBDA, "service": "*"}, "'*' is not a service principal"),
        ({**LAMBDA, "account": ONE}, "service excludes account"),
        ({**LAMBDA, "source_arns": ["arn:aws:lambda:eu-west-1:*:function:*"]}, "is not the ARN of a resource in one"),
        ({**LAMBDA, "source_accounts": ["12"]}, "source_accounts: '12' is not an AWS account ID"),
        ({"organization_id": "o-*"}, "organization_id 'o-*' does not look like o-exampleorgid."),
        ({"account": ONE, "source_accounts": [ONE]}, "source_arns and source_accounts need service"),
    ],
)
def test_option_that_no_statement_can_express_is_a_problem(consumer: dict[str, Any], part: str) -> None:
    found = list(access_consumer_problems([consumer_of(consumer)], "aws"))
    assert [part in problem for problem in found] == [True], found


@pytest.mark.parametrize(
    ("partition", "arn"),
    [
        ("aws", f"arn:aws:lambda:*:{ONE}:function:*"),
        ("aws", f"arn:aws:lambda:eu-west-?:{ONE}:function:a?c"),
        ("aws", f"arn:aws:*:*:{ONE}:*"),
        ("aws", f"arn:aws:iam::{ONE}:role/a"),
        ("aws", f"arn:aws:codebuild:eu-west-1:{ONE}:project/a"),
        ("aws-cn", f"arn:aws-cn:lambda:cn-north-1:{ONE}:function:*"),
        ("aws-us-gov", f"arn:*:lambda:*:{ONE}:function:*"),
        ("aws-us-gov", f"arn:aws*:lambda:us-gov-*:{ONE}:function:*"),
    ],
)
def test_source_is_any_pattern_with_one_account(partition: str, arn: str) -> None:
    consumer = consumer_of({**LAMBDA, "source_arns": [arn]})
    assert list(access_consumer_problems([consumer], partition)) == []


@pytest.mark.parametrize(
    "arn",
    [
        "",
        "*",
        "arn:aws:lambda:eu-west-1:*:function:*",
        "arn:aws:lambda:eu-west-1:22222222222?:function:*",
        "arn:aws:lambda:eu-west-1:22222222222*:function:*",
        "arn:aws:lambda:eu-west-1::function:*",
        "arn:aws:lambda:eu-west-1:aws:function:*",
        f"arn:aws:lambda:{ONE}:*:function:*",
        f"arn:aws:lambda:eu-west-1:{ONE}",
        f"arn:aws:lambda:eu-west-1:{ONE}:",
        f"arn:aws:*{ONE}:function:*",
        f" arn:aws:lambda:eu-west-1:{ONE}:function:*",
        f"arn:aws:lambda:eu-west-1:{ONE}:function:*\n",
    ],
)
def test_source_that_may_be_in_several_accounts_is_a_problem(arn: str) -> None:
    consumer = consumer_of({**LAMBDA, "source_arns": [LAMBDA["source_arns"][0], arn]})
    (problem,) = access_consumer_problems([consumer], "aws")
    assert f"source_arns: {arn!r} is not the ARN of a resource in one account" in problem


@pytest.mark.parametrize(("partition", "other"), [("aws", "aws-cn"), ("aws-cn", "aws"), ("aws-us-gov", "aws-c*")])
def test_source_in_another_partition_is_a_problem(partition: str, other: str) -> None:
    arn = f"arn:{other}:lambda:*:{ONE}:function:*"
    assert list(access_consumer_problems([consumer_of({**LAMBDA, "source_arns": [arn]})], partition)) == [
        f"Consumer 1 (lambda.amazonaws.com): source_arns: {arn!r} is in partition {other}, but the owner account is in"
        f" {partition}, so no request matches it. Begin the ARN with arn:{partition}:"
    ]


def test_valid_consumers_have_no_problems() -> None:
    consumers: list[dict[str, Any]] = [{"account": ONE}, LAMBDA, {"organization_id": ORGANIZATION}]
    consumers += [{"account": ONE, "principals": ["role/a"], "principal_match": "condition", "require_mfa": True}]
    assert list(access_consumer_problems([consumer_of(one) for one in consumers], "aws")) == []


TAGGED: dict[str, str | list[str]] = {"ecr:ResourceTag/team": ["a", "b"], "AWS:resourcetag/stage": "x"}


@pytest.mark.parametrize("name", ["a", "team/Images", "x" * 64])
def test_permissions_of_shares_have_no_consumers(name: str) -> None:
    consumers = [consumer_of(one) for one in ({"account": ONE, "require_mfa": True}, {"organization_id": ORGANIZATION})]
    written = access_statements("aws", name, consumers, "pull", ["*"], TAGGED)
    actions = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    given = {"Effect": "Allow", "Action": actions, "Resource": "*", "Condition": {"StringEquals": TAGGED}}
    document = {"Version": "2012-10-17", "Statement": [given]}
    others = [{**written[0], "Sid": sid} for sid in ("others", f"{sid_of(name)}x", f"{sid_of(name)}Part", 1, None)]
    policy = {"Statement": [*others, *written, {**written[0], "Sid": sid_of("denied"), "Effect": "Deny"}]}
    assert permissions_of_shares(policy) == {sid_of(name): document, f"{sid_of(name)}Part2": document}


@pytest.mark.parametrize(
    ("condition", "left"),
    [
        (None, {}),
        ("text", {}),
        ({"StringLike": "text"}, {}),
        ({"StringLike": {"ecr:ResourceTag/a": "*"}, "Bool": {"aws:MultiFactorAuthPresent": "true"}},
         {"StringLike": {"ecr:ResourceTag/a": "*"}}),
        ({"Null": {"aws:RequestTag/a": "true"}}, {}),
    ],
)  # fmt: skip
def test_permissions_of_shares_have_the_conditions_on_tags(condition: object, left: dict[str, Any]) -> None:
    policy = {"Statement": {"Sid": sid_of("share"), "Effect": "Allow", "NotPrincipal": "*", "Condition": condition}}
    expected = {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Condition": left}]}
    assert permissions_of_shares(policy) == {sid_of("share"): expected}
    assert permissions_of_shares(None) == permissions_of_shares({}) == {}
