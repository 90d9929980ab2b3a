# SPDX-License-Identifier: GPL-3.0-or-later
"""A declaration of shares is validated without a request to AWS."""

from __future__ import annotations

from typing import Any

import pytest
from ansible.module_utils.common.arg_spec import ArgumentSpecValidator
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_declaration import (
    CompleteDeclaration,
    declaration_problems,
    declared_options,
    declaring_variables,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS

OWNER = "111111111111"
SHARE: dict[str, Any] = {
    "role_name": "allow_ecr_release",
    "repository_tags": {"environment": "release"},
    "repositories": ["release"],
    "consumers": [{"account": "222222222222", "external_id": "test"}],
}

WITHOUT_ROLE = {**SHARE, "mode": "repository_policy"}
#: Its partition is that of the owner account.
SERVICE = {"service": "lambda.amazonaws.com", "source_arns": ["arn:aws-cn:lambda:*:222222222222:function:*"]}


def params(values: dict[str, Any]) -> dict[str, Any]:
    validated = ArgumentSpecValidator(SHARE_INFO_ARGUMENTS).validate(declared_options(values))
    assert validated.error_messages == []
    found: dict[str, Any] = validated.validated_parameters
    return found


def problems(values: dict[str, Any], *variables: str) -> list[str]:
    return declaration_problems(params(values), variables, OWNER)


def test_the_variables_are_those_of_the_role() -> None:
    names = declaring_variables()
    assert (names["shares"], names["role_name"], names["state"]) == (
        "ecr_share_shares",
        "ecr_share_role_name",
        "ecr_share_state",
    )
    assert not {"ecr_share_region", "ecr_share_profile", "ecr_share_wait_timeout"} & {*names.values()}


@pytest.mark.parametrize(
    "values",
    [
        SHARE,
        {"shares": [SHARE, {**SHARE, "role_name": "other", "state": "absent", "consumers": None}]},
        {"shares": [{"role_name": "one"}], **{name: value for name, value in SHARE.items() if name != "role_name"}},
        {**SHARE, "consumers": [{"account": "arn:aws-cn:iam::222222222222:root", "external_id": "test"}]},
        {**WITHOUT_ROLE, "consumers": [{"account": " arn:aws-cn:iam::222222222222:root"}, SERVICE]},
        {**WITHOUT_ROLE, "consumers": [SERVICE]},
        {**WITHOUT_ROLE, "consumers": [{"account": "2222-2222-2222"}]},
    ],
)
def test_a_valid_declaration(values: dict[str, Any]) -> None:
    assert problems(values, "ecr_share_role_name") == []


@pytest.mark.parametrize(
    ("values", "problem"),
    [
        ({}, "missing required arguments: ecr_share_consumers, ecr_share_repositories"),
        ({"shares": []}, "ecr_share_shares is an empty list"),
        ({**SHARE, "repositories": ["Release"]}, "Release"),
        ({**SHARE, "consumers": [{"account": "22222"}]}, "22222"),
        ({**SHARE, "consumers": [{"account": OWNER, "external_id": "test"}]}, "is the owner account"),
        ({**SHARE, "role_name": "a role"}, "a role"),
    ],
)
def test_an_invalid_declaration(values: dict[str, Any], problem: str) -> None:
    assert problem in "\n".join(problems(values))


@pytest.mark.parametrize(
    ("consumer", "expected"),
    [
        ({"account": "222222222222"}, []),
        ({"account": OWNER}, [f"Consumer {OWNER} is the owner account."]),
        (SHARE["consumers"][0], ["Consumer 1 (222222222222): external_id has no effect in a repository policy"]),
    ],
)
def test_the_statement_of_a_share_without_a_role(consumer: dict[str, Any], expected: list[str]) -> None:
    found = problems({**SHARE, "mode": "repository_policy", "consumers": [consumer]})
    assert [text[: len(start)] for text, start in zip(found, expected)] == expected
    assert len(found) == len(expected)


def test_missing_variables_are_one_problem() -> None:
    (problem,) = problems({"role_name": "allow"})
    assert problem.startswith("missing required arguments: ecr_share_consumers")


def test_a_misspelled_variable() -> None:
    (problem,) = problems(SHARE, "ecr_share_exlusive")
    assert problem.startswith("Variable ecr_share_exlusive is unknown")


def test_the_shares_have_the_common_options_and_no_handoff() -> None:
    common = {**SHARE, "exclusive": True, "handoff_path": "handoff.yml", "state": "absent"}
    files = {"handoff_path": "other.yml", "handoff_forms": ["docker"]}
    listed = {"shares": [{"role_name": "one", "exclusive": False, **files}], **common, "handoff_forms": ["kubelet"]}
    assert list(CompleteDeclaration.of(params(listed)).shares) == [
        {**SHARE_AS_READ, "role_name": "one", "exclusive": False, "state": "absent"}
    ]
    assert list(CompleteDeclaration.of(params(SHARE)).shares) == [SHARE_AS_READ]


SHARE_AS_READ = {
    **SHARE,
    "consumers": [
        {
            **SHARE["consumers"][0],
            "allow_no_external_id": False,
            "organization_id": None,
            "organization_units": None,
            "session_tags": False,
            "service": None,
            "source_arns": None,
            "source_accounts": None,
            "principal_match": "principal",
            "principals": None,
            "require_mfa": False,
            "role_name": None,
            "max_session_duration": None,
            "expires": None,
        }
    ],
}
