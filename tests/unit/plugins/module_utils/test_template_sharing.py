# SPDX-License-Identifier: GPL-3.0-or-later
"""Tags of a creation template that share each new repository."""

from __future__ import annotations

import dataclasses
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import permissions_of_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import TemplateDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import Template
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_sharing import (
    Grants,
    Sharing,
    sharing_of,
    sharing_problems,
)

OWNER = Identity("aws", "111111111111")
ARN = OWNER.repository("eu-west-1", "")
RELEASE = _policy.permissions_document(OWNER, {"environment": ("release", "hotfix"), "team": ("a",)})
TAGS = {"Environment": "release", "cost": "1"}


def with_operator(operator: str, value: str) -> dict[str, Any]:
    statement = {**RELEASE["Statement"][0], "Condition": {operator: {"ecr:ResourceTag/environment": value}}}
    return {**RELEASE, "Statement": [statement]}


def sharing(tags: dict[str, str], grants: Grants, **declared: Any) -> Sharing:
    return sharing_of(tags, TemplateDeclaration("team", **declared), grants, ARN)


def problems(tags: dict[str, str], grants: Grants, **declared: Any) -> list[str]:
    after = dataclasses.replace(Template("team"), tags=tags)
    declaration = TemplateDeclaration("team", **declared)
    return list(sharing_problems(after, declaration, sharing(tags, grants, **declared), grants))


@pytest.mark.parametrize(
    ("tags", "roles", "found"),
    [
        (TAGS, {"allow": RELEASE}, Sharing(("Environment",), ("allow",))),
        ({"team": "a"}, {"allow": RELEASE, "other": {}}, Sharing(("team",), ("allow",))),
        ({"environment": "develop"}, {"allow": RELEASE}, Sharing((), ())),
        (TAGS, {}, Sharing((), ())),
        (TAGS, {"edited": with_operator("StringLike", "rel*")}, Sharing(("Environment", "cost"), ("edited",))),
        (TAGS, {"edited": with_operator("StringNotEquals", "develop")}, Sharing((), ())),
        (TAGS, {"b": RELEASE, "a": RELEASE}, Sharing(("Environment",), ("a", "b"))),
    ],
)
def test_tags_that_a_role_grants(tags: dict[str, str], roles: Any, found: Sharing) -> None:
    assert sharing(tags, Grants(roles)) == found


def test_resources_and_other_statements_of_a_role_hide_no_tag() -> None:
    edited = with_operator("StringLike", "rel*")
    (statement,) = edited["Statement"]
    public = {"Effect": "Allow", "Action": "ecr:*", "Resource": f"{ARN}public/*"}
    deny = {"Effect": "Deny", "Action": "ecr:*", "Resource": "*", "Condition": statement["Condition"]}
    found = Sharing(("Environment", "cost"), ("edited",))
    for narrow in ({"Resource": f"{ARN}team/*"}, {"NotResource": f"{ARN}team/*"}):
        parts = {key: value for key, value in statement.items() if key != "Resource"}
        document = {**edited, "Statement": [{**parts, **narrow}, public, deny]}
        assert sharing(TAGS, Grants({"edited": document})) == found
    assert sharing(TAGS, Grants({"edited": {**edited, "Statement": [public, deny]}})) == Sharing((), ())


def statement_of(sid: str = "CrossaccountEcrRelease1234abcd", **changes: Any) -> dict[str, Any]:
    """A statement of a registry policy that grants the tags of `RELEASE` to the users of an organization."""
    tags = {"ecr:ResourceTag/environment": ["release", "hotfix"]}
    condition = {"StringEquals": {**tags, "aws:PrincipalOrgID": "o-exampleorgid"}}
    actions = list(_policy.PULL_ACTIONS)
    found = {"Sid": sid, "Effect": "Allow", "Principal": "*", "Action": actions, "Resource": f"{ARN}*"}
    return {**found, "Condition": condition, **changes}


@pytest.mark.parametrize(
    ("changes", "tags"),
    [
        ({}, ("Environment",)),
        ({"Condition": {"StringEquals": {"aws:ResourceTag/ENVIRONMENT": "release"}}}, ("Environment",)),
        ({"Condition": {"StringLike": {"ecr:ResourceTag/environment": "rel*"}}}, ("Environment", "cost")),
        (
            {
                "Condition": {
                    "StringLike": {"ecr:ResourceTag/environment": "rel*"},
                    "ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/ci"},
                }
            },
            ("Environment", "cost"),
        ),
        ({"Condition": {"StringEquals": {"ecr:ResourceTag/environment": "develop"}}}, ()),
        ({"Condition": {"ArnEquals": {"aws:PrincipalArn": "arn:aws:iam::222222222222:role/ci"}}}, ()),
        ({"Condition": "invalid"}, ()),
        ({"Condition": None}, ()),
        ({"sid": "theirs"}, ()),
        ({"sid": "CrossaccountEcrTheirs"}, ()),
        ({"Effect": "Deny"}, ()),
    ],
)
def test_tags_that_a_statement_of_the_registry_grants(changes: dict[str, Any], tags: tuple[str, ...]) -> None:
    statement = statement_of(**changes)
    statements = permissions_of_shares({"Version": "2012-10-17", "Statement": [statement, {"Effect": "Deny"}]})
    expected = (statement["Sid"],) if tags else ()
    assert sharing(TAGS, Grants({}, statements=statements)) == Sharing(tags, (), expected)


def test_statement_and_role_are_named_together() -> None:
    assert permissions_of_shares(None) == permissions_of_shares({}) == {}
    statements = permissions_of_shares({"Statement": statement_of()})
    (problem,) = problems(TAGS, Grants({"allow": RELEASE}, statements=statements))
    named = "through the role allow and the statement CrossaccountEcrRelease1234abcd of the registry policy. To consent"
    assert named in problem
    assert problems(TAGS, Grants({}, statements=statements), allow_sharing_tags=True) == []


def test_declared_sharing_tags_count_too() -> None:
    declared: dict[str, Any] = {"sharing_tags": {"cost": ["1", "2"], "environment": "release"}}
    assert sharing(TAGS, Grants({}), **declared) == Sharing(("Environment", "cost"), ())


def test_template_that_shares_requires_consent() -> None:
    (problem,) = problems(TAGS, Grants({"allow": RELEASE, "also": RELEASE}))
    assert problem.startswith(
        "Repository creation template team sets Environment=release, which shares each repository"
    )
    assert "through the role allow and the role also. To consent, set allow_sharing_tags: true." in problem
    assert problems(TAGS, Grants({"allow": RELEASE}), allow_sharing_tags=True) == []
    assert len(problems(TAGS, Grants({}), sharing_tags={"cost": "1"})) == 1


def test_unknown_roles_are_a_problem_unless_tags_are_declared() -> None:
    unknown = Grants({}, "Access denied.")
    (problem,) = problems(TAGS, unknown)
    assert "it is unknown whether they share repositories: Access denied. Grant iam:GetAccount" in problem
    assert "iam:GetAccountAuthorizationDetails and ecr:GetRegistryPolicy to the caller" in problem
    assert problems(TAGS, unknown, sharing_tags={}) == problems(TAGS, unknown, allow_sharing_tags=True) == []
    assert problems({}, unknown) == []
