# SPDX-License-Identifier: GPL-3.0-or-later
"""The options of ecr_repository_creation_template, and the limits of AWS."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import (
    TEMPLATE_ARGUMENTS,
    TemplateDeclaration,
)

ROLE = "arn:aws:iam::222222222222:role/ecr/creation"
KEY = "arn:aws:kms:eu-west-1:333333333333:key/1234abcd-12ab"
STATEMENT = {"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"}
INCOMPLETE = "repository_policy is not a repository policy. It needs a list Statement"


def declaration(**options: Any) -> TemplateDeclaration:
    defaults = {name: spec.get("default") for name, spec in TEMPLATE_ARGUMENTS.items()}
    return TemplateDeclaration.of({**defaults, "prefix": "team", **options})


def problems(**options: Any) -> list[str]:
    return list(declaration(**options).problems())


def test_declaration_ignores_order_repetition_and_slash() -> None:
    declared = declaration(prefix="team/", applied_for=["REPLICATION", "CREATE_ON_PUSH", "REPLICATION"])
    assert (declared.prefix, declared.applied_for) == ("team", ("CREATE_ON_PUSH", "REPLICATION"))


@pytest.mark.parametrize("prefix", ["team", "team/release", "team/", "a-b.c__d", "ROOT", "a" * 256])
def test_valid_prefix(prefix: str) -> None:
    assert problems(prefix=prefix) == []


@pytest.mark.parametrize("prefix", ["", "/", "Team", "a//b", "a b", "a" * 257, "team//", "-a", "ROOT/a"])
def test_invalid_prefix(prefix: str) -> None:
    (problem,) = problems(prefix=prefix)
    assert "is not a valid prefix of repository names" in problem


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"applied_for": []}, "applied_for is empty"),
        ({"description": "a" * 257}, "description has 257 characters; ECR accepts up to 256."),
        ({"image_tag_mutability_exclusions": list("abcdef")}, "has 6 filters; ECR accepts up to 5."),
        ({"image_tag_mutability_exclusions": ["v 1"]}, "'v 1' is not a filter"),
        ({"image_tag_mutability_exclusions": [""]}, "'' is not a filter"),
        ({"image_tag_mutability_exclusions": ["a" * 129]}, "is not a filter"),
        ({"tags": {str(number): "" for number in range(51)}}, "tags has 51 tags; a repository can have up to 50."),
        ({"tags": {"a": 7}}, "tags: the value of a must be a string; 7 is not. Quote it."),
        ({"repository_policy": {"Version": "2012-10-17"}}, INCOMPLETE),
        ({"repository_policy": {"Statement": ["odd"]}}, INCOMPLETE),
        ({"repository_policy": {"Statement": [{"Effect": "Allow", "Action": "ecr:*"}]}}, INCOMPLETE),
        ({"repository_policy": {"Statement": [{"Effect": "Allow", "Principal": "*"}]}}, INCOMPLETE),
        ({"repository_policy": {"Statement": [{"Principal": "*", "Action": "ecr:*"}]}}, INCOMPLETE),
        (
            {"repository_policy": {"Statement": {**STATEMENT, "Action": ["ecr:getauthorizationtoken"]}}},
            "has the action ecr:GetAuthorizationToken, which ECR rejects",
        ),
        ({"repository_policy": {"Statement": [STATEMENT], "Id": "x" * 10240}}, "ECR accepts up to 10,240. Shorten it."),
        ({"lifecycle_policy": {"rules": []}}, "lifecycle_policy is not a lifecycle policy"),
        ({"lifecycle_policy": {"rules": ["odd"]}}, "lifecycle_policy is not a lifecycle policy"),
        ({"lifecycle_policy": {"rules": [{"description": "x" * 30720}]}}, "ECR accepts up to 30,720. Shorten it."),
    ],
)
def test_problem_of_a_setting(options: dict[str, Any], expected: str) -> None:
    (problem,) = problems(**options)
    assert expected in problem
    assert problems(**options, state="absent") == []


def test_a_declaration_is_present_unless_stated() -> None:
    assert len(list(TemplateDeclaration("team", applied_for=()).problems())) == 1


@pytest.mark.parametrize(("option", "limit"), [("repository_policy", 10240), ("lifecycle_policy", 30720)])
def test_policy_of_the_maximum_length(option: str, limit: int) -> None:
    empty: dict[str, Any] = {"Statement": [STATEMENT], "Id": ""}
    empty = empty if option == "repository_policy" else {"rules": [{"rulePriority": 1}], "description": ""}
    rest = limit - len(json.dumps(empty, separators=(",", ":")))
    field = list(empty)[-1]
    assert problems(**{option: {**empty, field: "x" * rest}}) == []
    assert problems(**{option: {**empty, field: "x" * (rest + 1)}}) == [
        f"{option} has {limit + 1:,} characters; ECR accepts up to {limit:,}. Shorten it."
    ]


def test_tag_keys_that_differ_in_case() -> None:
    assert len(problems(tags={"Team": "a", "team": "b"})) == 2


@pytest.mark.parametrize(
    "options",
    [
        {"repository_policy": {}, "lifecycle_policy": {}, "tags": {}, "custom_role_arn": "", "description": ""},
        {"repository_policy": {"Statement": [STATEMENT]}, "lifecycle_policy": {"rules": [{"rulePriority": 1}]}},
        {"description": "a" * 256, "image_tag_mutability_exclusions": list("abcde"), "applied_for": ["REPLICATION"]},
        {"tags": {str(number): "" for number in range(50)}, "image_tag_mutability_exclusions": ["a" * 128]},
    ],
)
def test_empty_and_valid_settings(options: dict[str, Any]) -> None:
    assert problems(**options) == []


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"custom_role_arn": ROLE, "kms_key": KEY}, ""),
        ({"custom_role_arn": "", "kms_key": ""}, ""),
        ({"custom_role_arn": "creation"}, "'creation' is not the ARN of a role"),
        ({"custom_role_arn": ROLE.replace(":role/", ":user/")}, "is not the ARN of a role"),
        ({"custom_role_arn": ROLE.replace("2222", "1111")}, "is not in account 222222222222"),
        ({"custom_role_arn": ROLE.replace("aws:", "aws-cn:")}, "is not in account 222222222222"),
        ({"kms_key": "alias/ecr"}, "is not the ARN of a KMS key"),
        ({"kms_key": KEY.replace("key/1234abcd-12ab", "alias/ecr")}, "ECR accepts no alias."),
        (
            {"kms_key": KEY.replace("eu-west-1", "us-east-1")},
            "is in region us-east-1, but the registry is in eu-west-1",
        ),
    ],
)
def test_problem_in_a_registry(options: dict[str, Any], expected: str) -> None:
    found = " ".join(declaration(**options).problems_in("aws", "222222222222", "eu-west-1"))
    assert expected in found
    assert bool(found) == bool(expected)
