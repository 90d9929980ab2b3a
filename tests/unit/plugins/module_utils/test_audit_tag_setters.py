# SPDX-License-Identifier: GPL-3.0-or-later
"""The users and roles of an account that may set the tag of a repository."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_tag_setters import TagSetter, tag_setters
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import IamPrincipal, PolicyDocument, Unseen

from tests.unit.audited_estates import BOTH, OWNER, PULLER, ROLE, document, estate, repository, role, trust

USER = f"arn:aws:iam::{OWNER}:user/team/admin"
ALL = (
    "ecr:TagResource",
    "ecr:CreateRepository",
    "tag:TagResources",
    "ecr:CreateRepositoryCreationTemplate",
    "ecr:UpdateRepositoryCreationTemplate",
)
TAG: dict[str, Any] = {"Action": "ecr:TagResource", "Resource": "*"}
UNKNOWN = {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}}
MFA = {"Bool": {"aws:MultiFactorAuthPresent": "true"}}
S3 = {"Action": "s3:*", "Resource": "*"}


def user(*statements: dict[str, Any], arn: str = USER, **more: Any) -> IamPrincipal:
    return IamPrincipal(arn, (PolicyDocument(f"inline policy of user {arn}", document(*statements)),), **more)


def named(arn: str) -> dict[str, Any]:
    return {"Principal": {"AWS": arn}, "Action": "ecr:TagResource"}


def setters(*principals: IamPrincipal, **more: Any) -> list[TagSetter]:
    return tag_setters(estate(*principals, **{"repositories": BOTH, **more}))


def test_a_tag_setter_has_the_statement_that_allows_it() -> None:
    (found,) = setters(user({**S3}, {**TAG, "Sid": "Tag"}))
    assert found.as_json() == {
        "principal": USER,
        "actions": ["ecr:TagResource"],
        "verdict": "allowed",
        "reason": "",
        "document": f"inline policy of user {USER}",
        "statement": "Tag",
    }


def test_an_uncertain_tag_setter_has_the_reason() -> None:
    (found,) = setters(user(S3, {**TAG, "Condition": UNKNOWN}))
    assert (found.verdict, found.actions) == ("unknown", ("ecr:TagResource",))
    assert found.reason == f"statement 2 of inline policy of user {USER}: it depends on aws:SourceIp"
    assert (found.document, found.statement) == (f"inline policy of user {USER}", "2")


def test_the_first_certain_action_is_shown() -> None:
    create = {"Action": "ecr:UpdateRepositoryCreationTemplate", "Resource": "*", "Sid": "Template"}
    (found,) = setters(user({**TAG, "Condition": UNKNOWN, "Sid": "Tag"}, create))
    assert found.actions == ("ecr:TagResource", "ecr:UpdateRepositoryCreationTemplate")
    assert (found.verdict, found.reason, found.statement) == ("allowed", "", "Template")


def test_tag_setters_are_in_the_order_of_their_arns() -> None:
    other = f"arn:aws:iam::{OWNER}:user/b"
    share = role(document(trust(PULLER)), document(TAG))
    found = setters(user(TAG), user(TAG, arn=other), user(S3, arn=f"{other}-2"), share)
    assert [one.principal for one in found] == [ROLE, other, USER]


ECR_ARNS = f"arn:aws:ecr:*:{OWNER}:repository/*"


@pytest.mark.parametrize(
    ("statements", "actions"),
    [
        ([{"Action": "*", "Resource": "*"}], ALL),
        ([{"Action": ["ecr:*", "tag:*"], "Resource": ECR_ARNS}], ALL[:2]),  # the others have no resource type
        ([{"Action": "tag:TagResources", "Resource": "*"}], ()),
        ([{"Action": "tag:TagResources", "Resource": "*"}, TAG], ("ecr:TagResource", "tag:TagResources")),
        ([{"Action": "ecr:CreateRepository", "Resource": "*"}], ()),
        ([{"Action": "ecr:CreateRepository", "Resource": "*"}, TAG], ALL[:2]),
        ([{**TAG, "Effect": "Deny"}], ()),
        ([{**TAG, "Resource": f"arn:aws:ecr:*:{OWNER}:repository/no?e"}], ("ecr:TagResource",)),
        ([{**TAG, "Resource": "arn:aws:s3:::x"}], ()),
        ([{**TAG, "Condition": MFA}], ("ecr:TagResource",)),
        ([{**TAG, "Condition": {"StringEquals": {"aws:username": "admin"}}}], ("ecr:TagResource",)),
        ([{**TAG, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "a"}}}], ("ecr:TagResource",)),
        ([{**TAG, "Condition": {"StringEquals": {"aws:PrincipalTag/team": "b"}}}], ()),
        ([{**TAG, "Condition": {"StringEquals": {"ecr:ResourceTag/environment": "develop"}}}], ("ecr:TagResource",)),
        ([{**TAG, "Condition": {"Null": {"ecr:ResourceTag/environment": "true"}}}], ("ecr:TagResource",)),  # a new one
    ],
)
def test_actions_of_a_user(statements: list[dict[str, Any]], actions: tuple[str, ...]) -> None:
    found = setters(user(*statements, tags={"team": "a"}))
    assert [one.actions for one in found] == ([actions] if actions else [])


@pytest.mark.parametrize(
    ("condition", "is_able"),
    [
        (None, True),
        (MFA, False),  # the session of a role has no MFA
        ({"ArnEquals": {"aws:PrincipalArn": ROLE}}, True),
        ({"ArnEquals": {"aws:PrincipalArn": USER}}, False),
    ],
)
def test_actions_of_a_session_of_a_role(condition: Any, is_able: bool) -> None:
    statement = {**TAG, "Condition": condition} if condition else TAG
    assert bool(setters(role(document(trust(PULLER)), document(statement)))) is is_able


def test_policy_that_cannot_be_read_is_uncertain() -> None:
    broken = IamPrincipal(USER, (PolicyDocument("a policy", "not JSON"),))
    (found,) = setters(broken)
    assert (found.verdict, found.actions, found.document, found.statement) == ("unknown", ALL, "", "")
    unseen = Unseen("the registry policy", "AWS denies it", "registry_policy")
    (found,) = setters(user(S3), unseen=(unseen,))
    assert (found.verdict, found.actions) == ("unknown", ALL)


DENY_ALL = {"Effect": "Deny", "Principal": "*", "Action": "ecr:TagResource"}


@pytest.mark.parametrize(
    ("policies", "permissions", "verdict"),
    [
        ([named(USER), None], S3, "allowed"),
        ([None, named(USER)], S3, "allowed"),
        ([named(ROLE), None], S3, None),
        ([{**named(USER), "Action": "ecr:BatchGetImage"}, None], S3, None),
        ([{**named(USER), "Condition": UNKNOWN}, None], S3, "unknown"),
        ([{**named(USER), "Condition": UNKNOWN}, named(USER)], S3, "allowed"),
        ([DENY_ALL, None], {**TAG, "Resource": BOTH[0].arn}, "allowed"),  # of a new repository with this name
    ],
)
def test_repository_policies(policies: list[Any], permissions: dict[str, Any], verdict: str | None) -> None:
    repositories = tuple(
        repository(name, policy and document(policy)) for name, policy in zip(("release", "develop"), policies)
    )
    found = setters(user(permissions), repositories=repositories)
    assert [one.verdict for one in found] == ([verdict] if verdict else [])


SESSIONS = f"arn:aws:sts::{OWNER}:assumed-role/{ROLE.rpartition('/')[2]}"


@pytest.mark.parametrize(
    ("policy", "permissions", "is_able"),
    [
        ({**named(f"{SESSIONS}/audit"), "Effect": "Deny"}, TAG, True),  # another session may
        ({**named(ROLE), "Effect": "Deny"}, TAG, False),
        (named(f"{SESSIONS}/release-2026"), S3, True),
        (named(f"{SESSIONS}-2/release-2026"), S3, False),
    ],
)
def test_policies_that_name_a_session_of_a_role(
    policy: dict[str, Any], permissions: dict[str, Any], is_able: bool
) -> None:
    share = role(document(trust(PULLER)), document(permissions))
    assert bool(setters(share, registry=document(policy))) is is_able
    if policy.get("Effect") != "Deny":  # which would not protect a new repository
        assert bool(setters(share, repositories=(repository("release", document(policy)),))) is is_able


def test_tags_of_one_repository_that_a_policy_protects() -> None:
    tagged = {**TAG, "Condition": {"StringEquals": {"ecr:ResourceTag/environment": "release"}}}
    protected = replace(BOTH[0], policy=PolicyDocument("it", document(DENY_ALL)))
    assert setters(user(tagged), repositories=(protected,)) == []
    hidden = replace(BOTH[0], policy_denied="AWS denies it")
    (found,) = setters(user(tagged), repositories=(hidden,))
    assert (found.verdict, "AWS denies it" in found.reason) == ("unknown", True)
