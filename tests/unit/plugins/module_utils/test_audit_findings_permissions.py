# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about permissions."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    IamPrincipal,
    PolicyDocument,
    Registry,
)

from tests.unit.estates import (
    CONSUMER,
    ORGANIZATION,
    OTHER,
    OWNER,
    PULL,
    REGION,
    REGISTRY,
    ROLE,
    TAGGED,
    admits,
    allows,
    aws_calls,
    days,
    document,
    document_in,
    estate,
    findings,
    grants,
    repository,
    role,
    task_in,
    time_text,
    words_in,
)

MALFORMED, UNTAGGED, USELESS = "malformed-policy", "untagged-repositories-match", "ineffective-registry-action"
WRITES, PUBLIC, OPEN_REGISTRY = "write-access-outside", "public-repository", "public-registry"
KEY = "ecr:ResourceTag/environment"
IN_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": ORGANIZATION}}


# --- malformed policies


@pytest.mark.parametrize(
    "content", ["not JSON", {"Statement": [1]}, {"Statement": {"Effect": "Allow"}}, {"Version": 1}]
)
def test_malformed_document_of_each_kind_is_found(content: Any) -> None:
    bad = PolicyDocument("the bad document", content)
    good = estate(role(), repositories=[repository()])
    [place] = good.registries
    for account, resource in (
        (replace(good, principals=(replace(role(), policies=(bad,)),)), ROLE),
        (replace(good, principals=(replace(role(), boundary=bad),)), ROLE),
        (replace(good, principals=(replace(role(), trust=bad),)), ROLE),
        (replace(good, registries=(replace(place, repositories=(replace(repository(), policy=bad),)),)), "release"),
        (replace(good, registries=(replace(place, policy=bad),)), REGISTRY),
    ):
        [found] = findings(account, MALFORMED)
        assert (found.severity, found.evidence.document) == ("high", "the bad document")
        assert found.title == "The the bad document cannot be read"
        assert found.resource.endswith(resource)
        assert words_in(found.fix)[:3] == ["aws", "accessanalyzer", "validate-policy"]
        shown = found.as_json()["evidence"]["text"]
        assert (
            "not JSON" if isinstance(content, str) else "Statement" if "Statement" in content else "Version"
        ) in shown


def test_text_of_a_long_malformed_document_is_shortened() -> None:
    [found] = findings(estate(role(policy="x" * 50_000)), MALFORMED)
    assert len(found.as_json()["evidence"]["text"]) < 4100
    assert "x" * 50_000 in words_in(found.fix)


@pytest.mark.parametrize(
    ("principal", "kind"),
    [
        (role(policy="not JSON"), "IDENTITY_POLICY"),
        (role(boundary=PolicyDocument("boundary", "not JSON")), "IDENTITY_POLICY"),
        (replace(role(), trust=PolicyDocument("trust policy", "not JSON")), "RESOURCE_POLICY"),
    ],
)
def test_fix_for_a_malformed_document_validates_its_kind(principal: IamPrincipal, kind: str) -> None:
    [found] = findings(estate(principal), MALFORMED)
    assert words_in(found.fix)[3:] == ["--policy-type", kind, "--policy-document", "not JSON"]


def test_valid_documents_are_not_malformed() -> None:
    account = estate(role(), repositories=[repository("release", grants(CONSUMER))], registry=[grants(CONSUMER)])
    assert findings(account, MALFORMED) == []
    assert findings(estate(role(policy="")), MALFORMED) == []  # not read, which is in `not_seen`


# --- open to everyone


@pytest.mark.parametrize("in_registry", [False, True])
@pytest.mark.parametrize(
    ("statements", "is_public"),
    [
        ([grants("*")], True),
        ([grants({"AWS": "*"}, "ecr:*")], True),
        ([grants("*", condition={"StringEqualsIfExists": {"aws:PrincipalOrgID": ORGANIZATION}})], True),
        ([grants("*", condition={"StringEquals": {"aws:PrincipalTag/team": "x"}})], True),
        ([grants("*", condition={"ArnLike": {"aws:SourceArn": "arn:aws:lambda:*:*:function:*"}})], True),
        ([grants(CONSUMER)], False),
        ([grants([CONSUMER, OTHER], "ecr:*")], False),
        ([grants("*", condition=IN_ORGANIZATION)], False),
        ([grants("*", condition={"StringEquals": {"aws:PrincipalAccount": CONSUMER}})], False),
        ([grants("*", condition={"StringEquals": {"aws:SourceAccount": CONSUMER}})], False),
        ([grants("*", condition={"ArnLike": {"aws:PrincipalArn": f"arn:aws:iam::{CONSUMER}:role/*"}})], False),
        ([grants("*", condition={"ArnLike": {"aws:SourceArn": f"arn:aws:lambda:*:{CONSUMER}:function:*"}})], False),
        ([grants("*", condition={"StringLike": {"aws:SourceArn": f"arn:aws:lambda:*:{CONSUMER}:*"}})], True),
        ([grants("*", "s3:*")], False),
        ([{**grants("*"), "Effect": "Deny"}], False),
        ([grants("*"), {**grants("*", "ecr:*"), "Effect": "Deny"}], False),
        ([grants("*"), {**grants("*", "ecr:PutImage"), "Effect": "Deny"}], True),
        ([grants("*"), {**grants(CONSUMER, "ecr:*"), "Effect": "Deny"}], True),
        ([grants("*", condition={"DateLessThan": {"aws:CurrentTime": time_text(days(-1))}})], False),
        ([grants({"Service": "lambda.amazonaws.com"})], False),
    ],
)
def test_open_policy(statements: list[dict[str, Any]], is_public: bool, in_registry: bool) -> None:
    if in_registry:
        account = estate(registry=[{**one, "Resource": "*"} for one in statements])
    else:
        account = estate(repositories=[repository("release", *statements)])
    kind, other = (OPEN_REGISTRY, PUBLIC) if in_registry else (PUBLIC, OPEN_REGISTRY)
    found = findings(account, kind)
    assert bool(found) is is_public
    assert findings(account, other) == []
    assert all(one.severity == "critical" and one.region == REGION for one in found)


def test_fix_for_a_public_repository() -> None:
    account = estate(repositories=[repository("tools/it", {"Sid": "All", **grants("*")}, grants(CONSUMER))])
    [found] = findings(account, PUBLIC)
    assert found.key == (
        f"{PUBLIC}:arn:aws:ecr:{REGION}:{OWNER}:repository/tools/it:repository policy of tools/it in {REGION}:All"
    )
    assert words_in(found.fix)[:7] == [
        *("aws", "ecr", "set-repository-policy", "--region", REGION, "--repository-name", "tools/it"),
    ]
    first, second = document_in(found.fix)
    assert first["Principal"] == {"AWS": f"arn:aws:iam::{OWNER}:root"}
    assert second == {"Effect": "Allow", **grants(CONSUMER)}


# --- untagged repositories


@pytest.mark.parametrize(
    ("condition", "is_found"),
    [
        ({"StringNotEquals": {KEY: "internal"}}, True),
        ({"StringNotLike": {KEY: "internal*"}}, True),
        ({"StringNotEqualsIgnoreCase": {KEY: "internal"}}, True),
        ({"StringEqualsIfExists": {KEY: "release"}}, True),
        ({"StringLikeIfExists": {"aws:ResourceTag/environment": "release"}}, True),
        ({"ForAllValues:StringEquals": {KEY: "release"}}, True),
        ({"Null": {KEY: "true"}}, True),
        ({"Null": {KEY: True}}, True),
        (TAGGED, False),
        ({"StringLike": {KEY: "*"}}, False),
        ({"ForAnyValue:StringNotEquals": {KEY: "internal"}}, False),
        ({"Null": {KEY: "false"}}, False),
        ({"StringNotEquals": {KEY: "internal"}, "Null": {KEY: "false"}}, False),
        ({"StringNotEquals": {KEY: "internal"}, "StringEquals": {"aws:ResourceTag/team": "x"}}, False),
        ({"StringNotEquals": {"aws:PrincipalTag/environment": "internal"}}, False),
        (None, False),
    ],
)
def test_condition_that_matches_untagged_repositories(condition: dict[str, Any] | None, is_found: bool) -> None:
    of_role = estate(role(policy=[allows(condition=condition)]))
    of_repository = estate(repositories=[repository("release", grants(CONSUMER, condition=condition))])
    of_registry = estate(registry=[grants(CONSUMER, condition=condition, Resource="*")])
    for account in (of_role, of_repository, of_registry):
        found = findings(account, UNTAGGED)
        assert bool(found) is is_found
        assert all(one.severity == "high" and "without the tag environment" in one.title for one in found)


@pytest.mark.parametrize(
    "account",
    [
        estate(role(policy=[{**allows(condition={"Null": {KEY: "true"}}), "Effect": "Deny"}])),
        estate(role([admits(OWNER)], [allows(condition={"Null": {KEY: "true"}})])),
        estate(role(policy=[allows("s3:GetObject", {"StringNotEquals": {KEY: "x"}}), allows()])),
        estate(role(policy=[allows("ecr:GetAuthorizationToken", {"StringNotEquals": {KEY: "x"}}), allows()])),
    ],
)
def test_untagged_repositories_do_not_matter(account: Any) -> None:
    assert findings(account, UNTAGGED) == []


def test_fix_for_untagged_repositories() -> None:
    condition = {"StringNotEquals": {KEY: "internal"}}
    [found] = findings(estate(role(policy=[allows(condition=condition)])), UNTAGGED)
    module, written = task_in(found.fix)
    [deny] = written["policy_json"]["Statement"]
    assert module == "amazon.aws.iam_policy"
    assert (written["iam_type"], written["iam_name"], written["state"]) == ("role", "share", "present")
    assert written["policy_name"] == "deny_repositories_without_environment"
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Null": {KEY: "true"}})
    # A registry-level action has no tag, so the Deny statement must not cover it.
    assert "ecr:GetAuthorizationToken" not in deny["Action"]
    assert {*PULL, "ecr:PutImage"} <= {*deny["Action"]}

    assert findings(estate(role(policy=[allows(condition=condition), deny])), UNTAGGED) == []
    other = {**deny, "Condition": {"Null": {KEY: "true"}, "StringEquals": {"aws:RequestedRegion": "us-east-1"}}}
    assert findings(estate(role(policy=[allows(condition=condition), other])), UNTAGGED)

    two = {"StringNotEquals": {KEY: "x", "ecr:ResourceTag/team": "y"}}
    [found] = findings(estate(role(policy=[allows(condition=two)])), UNTAGGED)
    assert "without the tag environment" in found.title
    assert f"'{KEY}'" in str(task_in(found.fix))

    [found] = findings(estate(repositories=[repository("release", grants(CONSUMER, condition=condition))]), UNTAGGED)
    assert document_in(found.fix)[0]["Condition"] == {**condition, "Null": {KEY: "false"}}
    corrected = repository("release", document_in(found.fix)[0])
    assert findings(estate(repositories=[corrected]), UNTAGGED) == []


# --- registry-level actions


@pytest.mark.parametrize(
    ("actions", "condition", "useless"),
    [
        (["ecr:GetAuthorizationToken", *PULL], TAGGED, "ecr:GetAuthorizationToken"),
        (["ecr:DescribeRegistry", "ecr:GetRegistryPolicy"], TAGGED, "ecr:DescribeRegistry, ecr:GetRegistryPolicy"),
        ("ECR:getregistry*", {"StringLike": {"aws:ResourceTag/environment": "*"}}, "ECR:getregistry*"),
        ("ecr:*", TAGGED, ""),
        ("ecr:Describe*", TAGGED, ""),
        (PULL, TAGGED, ""),
        ("ecr:GetAuthorizationToken", None, ""),
        ("ecr:GetAuthorizationToken", {"StringNotEquals": {KEY: "x"}}, ""),
        ("ecr:GetAuthorizationToken", {"StringEquals": {"aws:PrincipalTag/a": "b"}}, ""),
    ],
)
def test_registry_level_action_under_a_tag_condition(actions: Any, condition: Any, useless: str) -> None:
    found = findings(estate(role(policy=[allows(actions, condition)])), USELESS)
    assert [one.title for one in found] == (
        [
            f"The inline policy access of role {ROLE} grants {useless} under a tag condition, which never takes effect",
        ]
        if useless
        else []
    )
    assert all(one.severity == "low" for one in found)


@pytest.mark.parametrize("kind", ["inline", "managed"])
def test_fix_for_a_registry_level_action(kind: str) -> None:
    policy = [allows(["ecr:GetAuthorizationToken", *PULL], TAGGED), allows("ecr:DescribeRegistry", TAGGED)]
    first, second = findings(estate(role(policy=policy, kind=kind)), USELESS)
    for_token = first if "Token" in first.title else second
    token = {"Sid": "GetToken", "Effect": "Allow", "Action": "ecr:GetAuthorizationToken", "Resource": "*"}
    assert document_in(for_token.fix) == [
        {"Effect": "Allow", **allows(PULL, TAGGED)},
        {"Effect": "Allow", **policy[1]},
        token,
    ]
    [found] = findings(estate(role(policy=[policy[0], allows("ecr:GetAuthorizationToken")])), USELESS)
    assert len(document_in(found.fix)) == 2
    *lookup, call = aws_calls(for_token.fix, "arn:aws:iam::111111111111:policy/ci/access")
    if kind == "inline":
        assert call[:6] == ["iam", "put-role-policy", "--role-name", "share", "--policy-name", "access"]
    else:
        assert lookup[0][:5] == ["iam", "list-attached-role-policies", "--role-name", "share", "--query"]
        assert lookup[0][5] == "AttachedPolicies[?PolicyName=='access'].PolicyArn"
        assert call[:4] == [
            "iam",
            "create-policy-version",
            "--policy-arn",
            "arn:aws:iam::111111111111:policy/ci/access",
        ]


# --- write access


@pytest.mark.parametrize(
    ("actions", "effects"),
    [
        ("ecr:PutImage", "push"),
        ("ecr:BatchDeleteImage", "delete"),
        (["ecr:TagResource", "ecr:UntagResource"], "set tags"),
        ("ecr:SetRepositoryPolicy", "change policies"),
        ("ecr:PutLifecyclePolicy", "change policies"),
        ("ecr:Put*", "change policies, push"),
        (PULL, ""),
        (["ecr:Get*", "ecr:Describe*", "ecr:List*", "ecr:BatchGet*", "ecr:BatchCheck*"], ""),
        ("s3:*", ""),
    ],
)
def test_write_access_through_a_role_and_a_repository_policy(actions: Any, effects: str) -> None:
    of_role = estate(role(policy=[allows(actions, TAGGED)]))
    of_repository = estate(repositories=[repository("release", grants([CONSUMER, OTHER], actions))])
    for account, who in ((of_role, f"Account {CONSUMER}"), (of_repository, f"Account {CONSUMER}, account {OTHER}")):
        found = findings(account, WRITES)
        assert [one.severity for one in found] == (["high"] if effects else [])
        for one in found:
            can = one.title.partition(" through ")[0]
            assert can.startswith(f"{who} can ")
            assert {*can.partition(" can ")[2].split(", ")} == {*effects.split(", ")}


def test_write_access_through_the_registry_policy() -> None:
    actions = ["ecr:CreateRepository", "ecr:ReplicateImage"]
    [found] = findings(estate(registry=[grants(CONSUMER, actions, Resource="*", Sid="Copy")]), WRITES)
    assert found.title == f"Account {CONSUMER} can create repositories, push through the registry policy of {REGION}"
    assert found.evidence.statement == "Copy"
    assert words_in(found.fix) == ["aws", "ecr", "delete-registry-policy", "--region", REGION]


@pytest.mark.parametrize(
    "account",
    [
        estate(role([admits(OWNER)], [allows("*")])),
        estate(role(policy=[allows("ecr:*"), {**allows("ecr:*"), "Effect": "Deny"}])),
        estate(role(policy=[allows(["ecr:PutRegistryPolicy", "ecr:CreateRepository"], TAGGED)])),
        estate(role(policy=[{**allows("ecr:PutRegistryPolicy"), "Resource": "arn:aws:ecr:*:*:repository/*"}])),
        estate(
            repositories=[repository("release", grants(CONSUMER, ["ecr:PutRegistryPolicy", "ecr:CreateRepository"]))]
        ),
        estate(role(policy=[allows("ecr:PutImage")], boundary=PolicyDocument("boundary", document(allows(PULL))))),
        estate(repositories=[repository("release", grants(OWNER, "ecr:*"))]),
        estate(repositories=[repository("release", grants({"Service": "lambda.amazonaws.com"}, "ecr:*"))]),
        estate(repositories=[repository("release", grants("AIDACKCEVSQ6C2EXAMPLE", "ecr:*"))]),
        estate(
            repositories=[repository("release", grants(CONSUMER, "ecr:*"), {**grants("*", "ecr:*"), "Effect": "Deny"})]
        ),
    ],
)
def test_no_write_access_outside(account: Any) -> None:
    assert findings(account, WRITES) == []


@pytest.mark.parametrize(("principal", "is_found"), [("*", False), (CONSUMER, True), ([CONSUMER, "*"], False)])
def test_write_access_through_a_template_is_reported_once(principal: Any, is_found: bool) -> None:
    """A template that is open to everyone has its own finding."""
    policy = PolicyDocument("policy of repository creation template ROOT", document(grants(principal, "ecr:PutImage")))
    account = estate(templates=(CreationTemplate("ROOT", ("REPLICATION",), policy=policy),))
    assert bool(findings(account, WRITES)) is is_found
    assert bool(findings(account, "template-open-policy")) is not is_found


def test_conditional_deny_does_not_exclude_write_access() -> None:
    deny = {**allows("ecr:*", {"StringEquals": {"aws:RequestedRegion": "us-east-1"}}), "Effect": "Deny"}
    assert findings(estate(role(policy=[allows("ecr:*"), deny])), WRITES)
    boundary = PolicyDocument("boundary", document(allows("ecr:*")))
    assert findings(estate(role(policy=[allows("ecr:*")], boundary=boundary)), WRITES)


def test_write_access_of_trusted_accounts_is_excluded() -> None:
    account = estate(role(policy=[allows("ecr:*")]), repositories=[repository("release", grants(CONSUMER, "ecr:*"))])
    assert len(findings(account, WRITES)) == 2
    assert findings(account, WRITES, trusted_accounts=CONSUMER) == []


def test_fix_for_write_access() -> None:
    [found] = findings(estate(role(policy=[allows("ecr:*")])), WRITES)
    _module, written = task_in(found.fix)
    [deny] = written["policy_json"]["Statement"]
    assert {"ecr:PutImage", "ecr:TagResource", "ecr:PutRegistryPolicy"} <= {*deny["Action"]}
    assert not {*PULL, "ecr:GetAuthorizationToken"} & {*deny["Action"]}
    corrected = role(policy=[allows("ecr:*"), deny])
    assert findings(estate(corrected), WRITES) == []

    [found] = findings(estate(repositories=[repository("release", grants(CONSUMER, [*PULL, "ecr:PutImage"]))]), WRITES)
    assert document_in(found.fix) == [{"Effect": "Allow", **grants(CONSUMER), "Action": PULL}]
    [found] = findings(estate(repositories=[repository("release", grants(CONSUMER, "ecr:PutImage"))]), WRITES)
    assert words_in(found.fix)[2] == "delete-repository-policy"


def test_federated_identities_are_outside() -> None:
    provider = f"arn:aws:iam::{OWNER}:oidc-provider/token.actions.githubusercontent.com"
    trust = admits({"Federated": provider}, action="sts:AssumeRoleWithWebIdentity")
    [found] = findings(estate(role([trust], [allows("ecr:PutImage")])), WRITES)
    assert found.title.startswith(f"Identity provider {provider} can push through")


def test_regions_have_their_own_findings() -> None:
    policy = PolicyDocument("registry policy of us-east-1", document(grants("*", Resource="*")))
    account = estate(registry=[grants("*", Resource="*")])
    account = replace(account, registries=(*account.registries, Registry("us-east-1", (), policy)))
    assert [one.region for one in findings(account, OPEN_REGISTRY)] == [REGION, "us-east-1"]
