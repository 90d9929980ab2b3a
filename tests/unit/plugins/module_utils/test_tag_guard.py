# SPDX-License-Identifier: GPL-3.0-or-later
"""The policies of a tag guard: the requests that they deny, their sizes, and whom they exempt."""

from __future__ import annotations

import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._context import Context
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import layer_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity, arn_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._principal import Principal
from ansible_collections.crossaccount.ecr.plugins.module_utils._statement import Request
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import (
    QUOTAS,
    PolicyType,
    deny_tagging,
    exempt_arns,
    file_text,
    is_deny_only,
    merged_tags,
    policy_size,
    sharing_templates,
)

OWNER = Identity("aws", "111111111111")
TAGS = {"environment": ("release", "hotfix"), "team": ("red",)}
CALLER = "arn:aws:iam::111111111111:role/ci/owner"
USER = "arn:aws:iam::111111111111:user/developer"
REPOSITORY = "arn:aws:ecr:eu-west-1:111111111111:repository/release"
MANAGED, SCP, RCP = PolicyType.MANAGED, PolicyType.SERVICE_CONTROL, PolicyType.RESOURCE_CONTROL


def denies(
    kind: PolicyType, action: str, resource: str = REPOSITORY, principal: str = USER, **tags: str
) -> bool | None:
    """Whether the policy of a guard denies a request; None if it is unknown."""
    document = deny_tagging(OWNER, TAGS, () if kind is MANAGED else [CALLER], kind)
    values: dict[str, Any] = {f"aws:RequestTag/{key}": (value,) for key, value in tags.items()}
    values.update({"aws:PrincipalArn": (principal,), "aws:PrincipalAccount": (principal.split(":")[4],)})
    values.update({"aws:TagKeys": tuple(tags)} if tags else {})
    request = Request(action, resource, "111111111111", Principal.of(principal), Context.of(values))
    return layer_of([("guard", document)], kind is RCP).denies(request).holds


@pytest.mark.parametrize("kind", PolicyType)
@pytest.mark.parametrize("action", ["ecr:TagResource", "ecr:CreateRepository"])
def test_each_tag_is_denied_alone_in_each_spelling(kind: PolicyType, action: str) -> None:
    for tags in (
        {"environment": "release"},
        {"environment": "hotfix"},
        {"team": "red"},
        {"Team": "red"},
        {"ENVIRONMENT": "release"},
        {"cost": "1", "team": "red"},
    ):
        assert denies(kind, action, **tags) is True, tags
    for tags in ({}, {"environment": "other"}, {"team": "Red"}, {"environment": "red"}, {"teams": "red"}):
        assert denies(kind, action, **tags) is False, tags


@pytest.mark.parametrize("kind", PolicyType)
def test_key_in_several_spellings_is_denied(kind: PolicyType) -> None:
    """AWS may not compare a key that a request has twice. The second statement of the tag then denies the request."""
    second = deny_tagging(OWNER, TAGS, (), kind)["Statement"][1]
    assert (
        second["Condition"].items()
        >= {
            "ForAnyValue:StringEqualsIgnoreCase": {"aws:TagKeys": "environment"},
            "Null": {"aws:RequestTag/environment": "true"},
        }.items()
    )


@pytest.mark.parametrize("kind", PolicyType)
def test_each_template_is_denied(kind: PolicyType) -> None:
    for verb in ("Create", "Update"):
        assert denies(kind, f"ecr:{verb}RepositoryCreationTemplate", "*") is True
    for action in ("ecr:DeleteRepositoryCreationTemplate", "ecr:UntagResource", "ecr:PutImage", "ecr:BatchGetImage"):
        assert denies(kind, action, environment="release") is False


@pytest.mark.parametrize("kind", PolicyType)
def test_other_accounts_are_not_affected(kind: PolicyType) -> None:
    other = REPOSITORY.replace("111111111111", "222222222222")
    assert denies(kind, "ecr:TagResource", other, environment="release") is False


def test_organization_policies_exempt_the_caller() -> None:
    template = "ecr:CreateRepositoryCreationTemplate"
    for kind, expected in ((MANAGED, True), (SCP, False), (RCP, False)):
        assert denies(kind, "ecr:TagResource", principal=CALLER, environment="release") is expected
        assert denies(kind, template, "*", CALLER) is expected
    stranger = "arn:aws:iam::222222222222:user/any"
    assert denies(RCP, "ecr:TagResource", principal=stranger, environment="release") is True
    assert denies(SCP, template, "*", stranger) is False


def test_resource_control_policy_has_the_form_that_aws_requires() -> None:
    document = deny_tagging(OWNER, {"environment": ["release"]}, [CALLER], RCP)
    unless = {"ArnNotLike": {"aws:PrincipalArn": [CALLER]}, "BoolIfExists": {"aws:PrincipalIsAWSService": "false"}}
    assert document["Version"] == "2012-10-17"
    for statement in document["Statement"]:
        assert (statement["Effect"], statement["Principal"]) == ("Deny", "*")
        assert statement["Condition"].items() >= unless.items()
    assert "Principal" not in deny_tagging(OWNER, TAGS, [CALLER], SCP)["Statement"][0]
    assert document["Statement"][-1]["Resource"] == "*"


def test_keys_of_several_shares_that_differ_in_case_are_one() -> None:
    shares: list[dict[str, tuple[str, ...]]] = [
        {"environment": ("release",)},
        {"Environment": ("hotfix", "release"), "team": ("red",)},
    ]
    assert merged_tags(shares) == TAGS | {"environment": ("release", "hotfix")}
    assert merged_tags([]) == {}


@pytest.mark.parametrize(
    ("caller", "exempt"),
    [
        ("arn:aws:iam::111111111111:user/a/b", ["arn:aws:iam::111111111111:user/a/b"]),
        ("arn:aws:iam::111111111111:root", ["arn:aws:iam::111111111111:root"]),
        (
            "arn:aws-cn:sts::111111111111:assumed-role/owner/session",
            ["arn:aws-cn:iam::111111111111:role/owner", "arn:aws-cn:iam::111111111111:role/*/owner"],
        ),
        ("arn:aws:sts::111111111111:federated-user/a", ["arn:aws:sts::111111111111:federated-user/a"]),
    ],
)
def test_exempt_arns_match_the_caller_only(caller: str, exempt: list[str]) -> None:
    assert exempt_arns(arn_of(caller)) == exempt


def test_session_of_a_role_with_a_path_is_exempt() -> None:
    exempt = exempt_arns(arn_of("arn:aws:sts::111111111111:assumed-role/owner/session"))
    document = deny_tagging(OWNER, TAGS, exempt, SCP)

    def denied(role: str) -> bool | None:
        arn = f"arn:aws:iam::111111111111:role/{role}"
        values = {"aws:PrincipalArn": (arn,), "aws:RequestTag/team": ("red",), "aws:TagKeys": ("team",)}
        request = Request("ecr:TagResource", REPOSITORY, "111111111111", Principal.of(arn), Context.of(values))
        return layer_of([("guard", document)], False).denies(request).holds

    assert [denied(role) for role in ("owner", "ci/owner", "a/b/owner")] == [False] * 3
    assert [denied(role) for role in ("co-owner", "ci/co-owner", "owner/other")] == [True] * 3


def test_file_is_readable_if_the_quota_allows_it() -> None:
    small = deny_tagging(OWNER, TAGS, [CALLER], SCP)
    assert file_text(small, SCP).startswith('{\n  "Version"')
    assert file_text(small, SCP).endswith("}\n")
    large = deny_tagging(OWNER, {f"key{number}": ["value"] for number in range(6)}, [CALLER], RCP)
    text = file_text(large, RCP)
    assert (json.loads(text), len(text)) == (large, policy_size(large, RCP))
    assert len(text) <= QUOTAS[RCP] < len(json.dumps(large, indent=2))


def test_white_space_counts_in_policies_of_the_organization() -> None:
    document = {"Version": "2012-10-17", "Statement": [{"Sid": "a b"}]}
    assert policy_size(document, SCP) == policy_size(document, RCP) == policy_size(document, MANAGED) + 1
    assert QUOTAS == {MANAGED: 6144, SCP: 10240, RCP: 5120}


@pytest.mark.parametrize(
    ("statements", "expected"),
    [([], True), ([{"Effect": "Deny"}], True), ([{"Effect": "Deny"}, {"Effect": "Allow"}], False), ([{}], False)],
)
def test_guard_only_denies(statements: list[Any], expected: bool) -> None:
    assert is_deny_only({"Statement": statements}) is expected


def test_templates_with_a_sharing_tag_are_found() -> None:
    def template(prefix: str, **tags: str) -> dict[str, Any]:
        return {"prefix": prefix, "resourceTags": [{"Key": key, "Value": value} for key, value in tags.items()]}

    templates = [
        template("a", Environment="hotfix"),
        template("b", environment="other", cost="1"),
        template("c", cost="1", team="red"),
        {"prefix": "d"},
        {"prefix": "e", "resourceTags": None},
        {"prefix": "f", "resourceTags": [{"Key": "team"}]},
    ]
    assert sharing_templates(templates, TAGS) == ["a", "c"]
