# SPDX-License-Identifier: GPL-3.0-or-later
"""The syntax rules: valid and rejected values, with the messages for the user."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _names

from tests.unit.roles import OWNER


@pytest.mark.parametrize(
    ("name", "pattern"),
    [("app", False), ("team/app", False), ("a*", True), ("a?", True), ("[ab]", True), ("a]", False)],
)
def test_is_pattern(name: str, pattern: bool) -> None:
    assert _names.is_pattern(name) is pattern


@pytest.mark.parametrize("name", ["ab", "a" * 256, "a1/b2/c3", "a.b_c__d-e---f", "0a", "my.team/app"])
def test_good_repository_names(name: str) -> None:
    assert list(_names.repository_problems(name)) == []


@pytest.mark.parametrize(
    "name",
    [
        "",
        "a",
        "a" * 257,
        "App",
        "-ab",
        "ab-",
        "a..b",
        "a___b",
        "a//b",
        "/ab",
        "ab/",
        "../ab",
        "ab/..",
        "ab:v1",
        "ab\n",
        "é1",
    ],
)
def test_bad_repository_names(name: str) -> None:
    assert list(_names.repository_problems(name)) == [
        f"{name!r} is not a repository name. A name has 2 to 256 characters of a-z, 0-9 and . _ - /, and begins and"
        " ends with a letter or digit. Omit the registry and the image tag."
    ]


@pytest.mark.parametrize(
    ("name", "policy_name", "path", "expected"),
    [
        ("a", "a", "/", []),
        ("a" * 64, "a" * 128, "/a/b+=,.@-_/", []),
        ("a", "a", "/" + "a" * 510 + "/", []),
        *(
            (bad, "a", "/", [f"Role name {bad!r} must have 1 to 64 of letters, digits and _+=,.@-."])
            for bad in ("", "a" * 65, "a b", "a/b", "ä", "a\n")
        ),
        *(
            ("a", bad, "/", [f"Policy name {bad!r} must have 1 to 128 of letters, digits and _+=,.@-."])
            for bad in ("", "a" * 129, "a:b")
        ),
        *(
            (
                "a",
                "a",
                bad,
                [
                    f"Path {bad!r} must begin and end with / and have letters, digits and _+=,.@- between, 512"
                    " characters at most."
                ],
            )
            for bad in ("", "a/", "/a", "//", "/a b/", "/" + "a" * 511 + "/")
        ),
    ],
)
def test_name_problems(name: str, policy_name: str, path: str, expected: list[str]) -> None:
    assert list(_names.name_problems(name, policy_name, path)) == expected


def test_name_problems_come_together() -> None:
    assert len(list(_names.name_problems("", "", ""))) == 3


@pytest.mark.parametrize("good", ["ab", "a" * 1224, "_+=,.@:/-"])
def test_good_external_ids(good: str) -> None:
    assert list(_names.external_id_problems(good)) == []


@pytest.mark.parametrize("bad", ["a", "a" * 1225, "a b", "ab\n", "a${b}", "é1"])
def test_bad_external_ids(bad: str) -> None:
    assert list(_names.external_id_problems(bad)) == [
        f"external_id has {len(bad)} characters, or a character that AWS does not accept. It needs 2 to 1,224"
        " letters, digits and _+=,.@:/-"
    ]


RESERVED = "starts with aws:, which AWS reserves. Choose another key."
CHARACTER = "has a character that ECR does not accept. Valid are letters, digits, spaces and +-=._:/@"


@pytest.mark.parametrize(
    ("key", "value", "problem"),
    [
        ("a", "", None),
        ("k" * 128, "v" * 256, None),
        ("Umgebung für リリース +-=._:/@", "1", None),
        ("awsome", "aws", None),
        ("aws:x", "v", f"tag key 'aws:x' {RESERVED}"),
        ("AWS:x", "v", f"tag key 'AWS:x' {RESERVED}"),
        ("", "v", "tag key '' has 0 characters; ECR accepts 1 to 128."),
        ("k" * 129, "v", f"tag key {'k' * 20!r} has 129 characters; ECR accepts 1 to 128."),
        ("k", "v" * 257, "the value of tag 'k' has 257 characters; ECR accepts up to 256."),
        ("a*", "v", f"tag key 'a*' {CHARACTER}"),
        ("a", "v\n", f"tag value 'v\\n' {CHARACTER}"),
        ("a", "${aws:username}", f"tag value '${{aws:username}}' {CHARACTER}"),
        ("a", "v?", f"tag value 'v?' {CHARACTER}"),
    ],
)
def test_tag_problems(key: str, value: str, problem: str | None) -> None:
    assert list(_names.tag_problems(key, value)) == [problem] * (problem is not None)


@pytest.mark.parametrize("good", ["eu-west-1", "ap-northeast-1", "us-gov-west-1", "cn-north-1", "us-iso-east-1"])
def test_good_regions(good: str) -> None:
    assert list(_names.region_problems(good)) == []


@pytest.mark.parametrize("bad", ["*", "eu-*", "", "eu-west-1 ", "eu-west-1:222222222222:repository/x", "Tokyo", None])
def test_bad_regions(bad: Any) -> None:
    assert list(_names.region_problems(bad)) == [
        f"regions: {bad!r} does not look like a region, such as ap-northeast-1."
    ]


ROLE = f"arn:aws:iam::{OWNER}:role/path/allow"


@pytest.mark.parametrize(
    ("role_arn", "external_id", "session_name", "expected"),
    [
        (ROLE, "id-one", "crossaccount.ecr", []),
        (ROLE.replace("aws", "aws-cn"), None, "ab", []),
        *(
            (
                bad,
                None,
                "ab",
                [f"role_arn {bad!r} is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME."],
            )
            for bad in ("allow", "", ROLE + "\n", ROLE.replace(":role", ":user"), ROLE.replace("1:", ":"), ROLE + "*")
        ),
        *(
            (ROLE, None, bad, [f"role_session_name {bad!r} needs 2 to 64 of letters, digits and _+=,.@-"])
            for bad in ("", "a", "a" * 65, "a b", "a/b", "äb")
        ),
        (
            "x",
            "",
            "y",
            [
                "role_arn 'x' is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.",
                "external_id is empty. Set the external ID that the trust policy names, or omit the option.",
                "role_session_name 'y' needs 2 to 64 of letters, digits and _+=,.@-",
            ],
        ),
    ],
)
def test_assume_problems(role_arn: str, external_id: str | None, session_name: str, expected: list[str]) -> None:
    assert list(_names.assume_problems(role_arn, external_id, session_name)) == expected


# --- accounts, such as answers of a survey

ACCOUNT = "222222222222"
USER = f"arn:aws:iam::{ACCOUNT}:user/team/puller"


@pytest.mark.parametrize(
    "answer",
    [ACCOUNT, f" {ACCOUNT}\n", "2222-2222-2222", f"arn:aws:iam::{ACCOUNT}:root", f"\tarn:aws:iam::{ACCOUNT}:root "],
)
def test_an_answer_that_can_only_mean_one_account_is_accepted(answer: str) -> None:
    assert _names.account_of(answer, "aws") == ACCOUNT


@pytest.mark.parametrize(
    "answer",
    [
        USER,
        f"arn:aws:iam::{ACCOUNT}:role/ci",
        f"arn:aws:sts::{ACCOUNT}:assumed-role/ci/session",
        f"arn:aws-cn:iam::{ACCOUNT}:root",  # of another partition
        f"arn:aws:iam::{ACCOUNT}:root/x",
        f"arn:aws:iam::{ACCOUNT}:user/root",
        "222-222-222-222",
        "2222 2222 2222",
        "22222222222",
        f"{ACCOUNT}, 333333333333",
        "",
        222222222222,
        None,
    ],
)
def test_an_answer_that_can_mean_something_else_is_rejected(answer: Any) -> None:
    account = _names.account_of(answer, "aws")
    assert account == answer
    (problem,) = _names.account_problems(account)
    assert " not an AWS account ID of 12 digits. " in problem


@pytest.mark.parametrize("partition", ["aws", "aws-cn", "aws-us-gov"])
def test_root_is_an_account_of_its_own_partition_or_of_any(partition: str) -> None:
    root = f"arn:{partition}:iam::{ACCOUNT}:root"
    assert (_names.account_of(root, None), _names.account_of(root, partition)) == (ACCOUNT, ACCOUNT)
    assert _names.account_of(root, "aws-iso") == root
    assert _names.account_of(USER, None) == USER


def test_the_problem_of_an_arn_of_a_user_names_the_option_for_it() -> None:
    advice = f'To trust only user/team/puller, declare account: "{ACCOUNT}" with principals: [user/team/puller].'
    assert advice in "".join(_names.account_problems(USER))
    assert 'Write the digits, as in account: "222222222222".' in "".join(_names.account_problems("release"))


# --- permissions boundaries


@pytest.mark.parametrize(
    "boundary",
    [
        f"arn:aws:iam::{OWNER}:policy/limit",
        f"arn:aws-cn:iam::{OWNER}:policy/path/limit",
        "arn:aws:iam::aws:policy/PowerUserAccess",
        "arn:aws:iam::aws:policy/allow",  # a policy of AWS with the name of the policy of the role
    ],
)
def test_another_policy_can_limit_a_role(boundary: str) -> None:
    assert list(_names.boundary_problems(boundary, "role", "allow")) == []


@pytest.mark.parametrize(
    "boundary", ["", "limit", ROLE, f"arn:aws:iam::{OWNER}:policy/", "arn:aws:iam::x:policy/limit"]
)
def test_a_boundary_is_the_arn_of_a_policy(boundary: str) -> None:
    (problem,) = _names.boundary_problems(boundary, "role", "allow")
    assert problem.startswith(f"permissions_boundary {boundary!r} is not a policy's ARN, such as")


@pytest.mark.parametrize("name", ["allow", "ALLOW", "path/Allow"])
def test_the_policy_of_a_role_cannot_limit_it(name: str) -> None:
    boundary = f"arn:aws:iam::{OWNER}:policy/{name}"
    assert list(_names.boundary_problems(boundary, "role", "Allow")) == [
        f"permissions_boundary {boundary} is the policy of role role itself, so it limits nothing. Name another policy."
    ]


# --- principals and organizations


@pytest.mark.parametrize("principal", ["user/puller", "user/team/puller", "role/ci/deployer", USER])
def test_a_user_or_role_of_the_account_is_a_principal(principal: str) -> None:
    assert list(_names.principal_problems(principal, ACCOUNT, "aws")) == []


NOT_A_PRINCIPAL = "is not user/NAME, role/NAME, or the ARN of a user or a role."


@pytest.mark.parametrize(
    ("principal", "problem"),
    [
        ("user/*", "contains a wildcard. Name each user or role, or omit principals to trust the account."),
        (f"arn:aws:iam::{ACCOUNT}:role/*", "contains a wildcard. Name each user or role, or omit principals to trust"),
        (USER.replace("aws:", "aws-cn:"), "is in partition aws-cn, but the owner account is in aws."),
        (USER.replace(ACCOUNT, OWNER), f"does not belong to account {ACCOUNT}. Declare it under its own account."),
        ("puller", NOT_A_PRINCIPAL),
        ("group/team", NOT_A_PRINCIPAL),
        ("user/", NOT_A_PRINCIPAL),
        ("", NOT_A_PRINCIPAL),
    ],
)
def test_another_principal_is_a_problem(principal: str, problem: str) -> None:
    (found,) = _names.principal_problems(principal, ACCOUNT, "aws")
    assert found.startswith(f"principal {principal!r} {problem}")


@pytest.mark.parametrize("organization", ["", "o-", "exampleorgid", "o-EXAMPLEORGID", "o-exampleorgid*", "o-short"])
def test_invalid_organization_id_is_a_problem(organization: str) -> None:
    assert list(_names.organization_problems(organization)) == [
        f"organization_id {organization!r} does not look like o-exampleorgid."
    ]
    assert list(_names.organization_problems("o-exampleorgid")) == list(_names.organization_problems(None)) == []


def test_a_resource_of_aws_can_have_50_tags() -> None:
    assert _names.MAXIMUM_TAGS == 50


UNIT = "o-exampleorgid/r-f6g7/ou-f6g7-11111111"


@pytest.mark.parametrize(
    "unit", ["", "ou-f6g7-11111111", f"{UNIT}/", f"{UNIT}/*", UNIT.replace("r-", "R-"), "o-exampleorgid"]
)
def test_a_unit_is_the_whole_path(unit: str) -> None:
    (problem,) = _names.unit_problems(unit, "o-exampleorgid")
    assert problem.startswith(f"unit {unit!r} is not the path of an organizational unit, such as")


def test_a_unit_belongs_to_the_declared_organization() -> None:
    for organization in (None, "o-exampleorgid"):
        assert list(_names.unit_problems(UNIT, organization)) == []
    assert list(_names.unit_problems(UNIT, "o-otherorgid00")) == [
        f"unit {UNIT} belongs to organization o-exampleorgid, not to o-otherorgid00. Declare it under its own"
        " organization."
    ]


# --- tags and patterns of repositories


@pytest.mark.parametrize("value", [7, None, True, ["a"], {"a": "b"}])
def test_the_value_of_a_tag_is_a_string(value: object) -> None:
    assert list(_names.tag_problems("team", value)) == [
        f"the value of team must be a string; {value!r} is not. Quote it."
    ]


@pytest.mark.parametrize(
    ("keys", "repeated"),
    [([], []), (["team"], []), (["team", "cost"], []), (["team", "Team", "cost"], ["team", "Team"])],
)
def test_keys_that_differ_in_case_are_problems(keys: list[str], repeated: list[str]) -> None:
    assert list(_names.spelling_problems(iter(keys))) == [
        f"{key} is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling."
        for key in repeated
    ]


@pytest.mark.parametrize(
    ("name", "problem"),
    [
        ("release", None),
        ("release*", None),
        ("Release*", None),
        ("Release", "'Release' is not a repository name."),
        ("x*\n", "Pattern 'x*\\n' contains an unprintable character. Remove it."),
        ("111111111111.dkr.ecr.eu-west-1.amazonaws.com/release", "is not a repository name."),
        ("111111111111.dkr-ecr.eu-west-1.on.aws/release", "is not a repository name."),
    ],
)
def test_repositories_are_listed_by_name_or_pattern(name: str, problem: str | None) -> None:
    found = list(_names.repository_or_pattern_problems(name))
    assert len(found) == (problem is not None)
    assert not problem or problem in found[0]


@pytest.mark.parametrize(("name", "is_valid"), [("a", True), ("a" * 64, True), ("a" * 65, False), ("", False)])
def test_share_without_a_role_has_the_name_of_a_role(name: str, is_valid: bool) -> None:
    message = f"Share name {name!r} must have 1 to 64 of letters, digits and _+=,.@-"
    assert list(_names.share_name_problems(name)) == ([] if is_valid else [message])
