# SPDX-License-Identifier: GPL-3.0-or-later
"""Templates for repositories that ECR creates."""

from __future__ import annotations

import itertools
import urllib.error
from collections.abc import Iterator
from typing import Any

import pytest

from tests.support.lab import Lab

from . import accounts
from .clients import Account, allow, denial, document, refusal, trust

OPEN = document({"Effect": "Allow", "Principal": "*", "Action": "ecr:BatchGetImage"})
TAGS = [{"Key": "environment", "Value": "release"}]
ON_PUSH = {"appliedFor": ["CREATE_ON_PUSH"]}
_numbers = itertools.count()


@pytest.fixture
def owner(lab: Lab) -> Iterator[Any]:
    """The owner's client. The test leaves no template behind."""
    ecr = lab.client("owner", "ecr")
    yield ecr
    for template in templates(ecr):
        ecr.delete_repository_creation_template(prefix=template["prefix"])


@pytest.fixture(scope="module")
def role(lab: Lab) -> str:
    """A role for ECR."""
    return Account(lab).role(trust(accounts.OWNER), allow("ecr:*"))


def templates(ecr: Any, **options: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    for page in ecr.get_paginator("describe_repository_creation_templates").paginate(**options):
        assert page["registryId"] == accounts.OWNER
        found += page["repositoryCreationTemplates"]
    return found


def named(prefix: str) -> str:
    return f"The repository creation template with prefix '{prefix}'"


def push(lab: Lab, ecr: Any, name: str) -> int:
    """The status of a push to a repository, 0 if it succeeds."""
    token = ecr.get_authorization_token()["authorizationData"][0]["authorizationToken"]
    try:
        accounts.push(lab.endpoint, token, name, accounts.IMAGE_TAG, accounts.scenario_layers())
    except urllib.error.HTTPError as error:
        return error.code
    return 0


def unused(prefix: str) -> str:
    return f"{prefix}/{next(_numbers)}"


def test_template_is_created_changed_and_deleted(owner: Any, role: str) -> None:
    wanted = {"prefix": "team", **ON_PUSH, "description": "Of the team", "resourceTags": TAGS, "customRoleArn": role}
    made = owner.create_repository_creation_template(**wanted, repositoryPolicy=OPEN)["repositoryCreationTemplate"]
    assert made.items() >= {**wanted, "repositoryPolicy": OPEN, "imageTagMutability": "MUTABLE"}.items()
    changed = owner.update_repository_creation_template(prefix="team", appliedFor=["REPLICATION"], resourceTags=[])
    assert changed["repositoryCreationTemplate"]["appliedFor"] == ["REPLICATION"]
    assert changed["repositoryCreationTemplate"]["repositoryPolicy"] == OPEN
    (listed,) = templates(owner)
    assert listed == changed["repositoryCreationTemplate"]
    gone = owner.delete_repository_creation_template(prefix="team")
    assert (gone["registryId"], gone["repositoryCreationTemplate"]) == (accounts.OWNER, listed)
    assert templates(owner) == []


def test_templates_come_in_pages_or_by_prefix(owner: Any) -> None:
    for number in range(5):
        owner.create_repository_creation_template(prefix=f"team{number}", **ON_PUSH)
    assert len(templates(owner, PaginationConfig={"PageSize": 2})) == 5
    found = owner.describe_repository_creation_templates(prefixes=["team3", "absent"])["repositoryCreationTemplates"]
    assert [one["prefix"] for one in found] == ["team3"]


def test_absent_and_existing_templates_are_named(owner: Any) -> None:
    place = f"in the registry with id '{accounts.OWNER}'"
    absent = ("TemplateNotFoundException", f"{named('team')} does not exist {place}")
    assert refusal(owner.delete_repository_creation_template, prefix="team") == absent
    assert refusal(owner.update_repository_creation_template, prefix="team") == absent
    owner.create_repository_creation_template(prefix="team", **ON_PUSH)
    twice = ("TemplateAlreadyExistsException", f"{named('team/')} already exists {place}")
    assert refusal(owner.create_repository_creation_template, prefix="team/", **ON_PUSH) == twice


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {"appliedFor": ["ALWAYS"]},
            "'appliedFor' failed to satisfy constraint: 'Member must satisfy enum value set:"
            " [REPLICATION, PULL_THROUGH_CACHE, CREATE_ON_PUSH]'",
        ),
        ({"prefix": "Team"}, "'prefix' failed to satisfy constraint: 'must satisfy regular expression '"),
        (
            {"description": "a" * 257},
            "'description' failed to satisfy constraint: 'Member must have length less than or equal to 256'",
        ),
        (
            {"imageTagMutability": "NEVER"},
            "'imageTagMutability' failed to satisfy constraint: 'Member must satisfy enum value set: [",
        ),
        (
            {"repositoryPolicy": "no JSON"},
            "'repositoryPolicy' failed to satisfy constraint: 'Invalid repository policy provided'",
        ),
    ],
)
def test_parameter_that_is_not_valid_is_refused(owner: Any, options: Any, message: str) -> None:
    code, text = refusal(owner.create_repository_creation_template, **{"prefix": "team", **ON_PUSH, **options})
    assert code == "InvalidParameterException"
    assert text.startswith(f"Invalid parameter at {message}")
    assert templates(owner) == []


def test_calls_need_permission_in_the_identity_policy(lab: Lab, role: str) -> None:
    user = Account(lab).user("ecr", allow("ecr:*Template"))
    listing = denial(user.describe_repository_creation_templates)
    assert listing == "because no identity-based policy allows the ecr:DescribeRepositoryCreationTemplates action"
    settings = {"lifecyclePolicy": "{}", "repositoryPolicy": OPEN, "customRoleArn": role}
    needed = ("ecr:CreateRepository", "ecr:PutLifecyclePolicy", "ecr:SetRepositoryPolicy", "iam:PassRole")
    for number, action in enumerate(needed):
        caller = Account(lab).user("ecr", allow("ecr:*Template", *needed[:number]))
        missing = denial(caller.create_repository_creation_template, prefix="team", **ON_PUSH, **settings)
        assert missing == f"because no identity-based policy allows the {action} action"
    reader = Account(lab).user("ecr", allow("ecr:Describe*"))
    for verb, options in (("Create", ON_PUSH), ("Update", {}), ("Delete", {})):
        call = getattr(reader, f"{verb.lower()}_repository_creation_template")
        end = f"because no identity-based policy allows the ecr:{verb}RepositoryCreationTemplate action"
        assert denial(call, prefix="team", **options) == end


def test_push_creates_a_repository_with_settings_of_the_template(lab: Lab, owner: Any, role: str) -> None:
    assert push(lab, owner, unused("made")) == 404
    lifecycle = '{"rules": []}'
    settings = {"resourceTags": TAGS, "customRoleArn": role, "repositoryPolicy": OPEN, "lifecyclePolicy": lifecycle}
    owner.create_repository_creation_template(prefix="made", **ON_PUSH, **settings, imageTagMutability="IMMUTABLE")
    name = unused("made")
    assert push(lab, owner, name) == 0
    (repository,) = owner.describe_repositories(repositoryNames=[name])["repositories"]
    assert repository["imageTagMutability"] == "IMMUTABLE"
    assert owner.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"] == TAGS
    assert owner.get_repository_policy(repositoryName=name)["policyText"] == OPEN
    assert owner.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"] == lifecycle


def test_template_applies_to_its_prefix_and_purpose_only(lab: Lab, owner: Any) -> None:
    owner.create_repository_creation_template(prefix="kept", appliedFor=["REPLICATION"])
    owner.create_repository_creation_template(prefix="other", **ON_PUSH)
    assert push(lab, owner, unused("kept")) == push(lab, owner, unused("othername")) == 404
    owner.create_repository_creation_template(prefix="ROOT", **ON_PUSH, imageTagMutability="IMMUTABLE")
    kept, other = unused("kept"), unused("other")
    assert push(lab, owner, kept) == push(lab, owner, other) == 0
    found = owner.describe_repositories(repositoryNames=[kept, other])["repositories"]
    assert [one["imageTagMutability"] for one in found] == ["IMMUTABLE", "MUTABLE"]


def test_template_with_tags_and_without_a_role_creates_nothing(lab: Lab, owner: Any) -> None:
    owner.create_repository_creation_template(prefix="tagged", **ON_PUSH, resourceTags=TAGS)
    assert push(lab, owner, unused("tagged")) == 404


def test_push_needs_permission_to_create_the_repository(lab: Lab, owner: Any) -> None:
    owner.create_repository_creation_template(prefix="guarded", **ON_PUSH)
    pushing = ("ecr:InitiateLayerUpload", "ecr:UploadLayerPart", "ecr:CompleteLayerUpload", "ecr:PutImage")
    account = Account(lab)
    user = account.user("ecr", allow("ecr:GetAuthorizationToken", *pushing))
    assert push(lab, user, unused("guarded")) == 403
    user = account.user("ecr", allow("ecr:GetAuthorizationToken", "ecr:CreateRepository", *pushing))
    assert push(lab, user, unused("guarded")) == 0
