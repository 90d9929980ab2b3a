# SPDX-License-Identifier: GPL-3.0-or-later
"""ecr_repository_creation_template in the registry of the destination: settings, states of others, consent."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import Account, allow, refusal, trust
from tests.lab.replication_copies import accept, configure, destination, fill, rule
from tests.support.control import Control
from tests.support.paths import ROOT

MODULE = "ecr_repository_creation_template"
CREATE, UPDATE, DELETE = (f"ecr:{verb}RepositoryCreationTemplate" for verb in ("Create", "Update", "Delete"))
BASIC: dict[str, Any] = {"prefix": "team", "applied_for": ["REPLICATION"]}
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:BatchGetImage", "ecr:DescribeImages"]}],
}
EXPIRE = {
    "rules": [
        {
            "rulePriority": 1,
            "selection": {"tagStatus": "untagged", "countType": "imageCountMoreThan", "countNumber": 9},
            "action": {"type": "expire"},
        }
    ]
}
SHARED = {"environment": "release"}


@pytest.fixture
def ecr(control: Control) -> Iterator[Any]:
    """The client of the owner account, which is the destination. The test leaves no template behind."""
    client = control.lab.client("owner", "ecr")
    yield client
    for template in templates(client):
        client.delete_repository_creation_template(prefix=template["prefix"])


@pytest.fixture(scope="module")
def role(control: Control) -> str:
    """A custom role for templates."""
    return Account(control.lab).role(trust(accounts.OWNER), allow("ecr:*"))


@pytest.fixture
def pull_role(control: Control) -> Iterator[str]:
    """A pull role of this collection that grants access by the tag environment=release."""
    consumers = [{"account": accounts.CONSUMER, "external_id": "test"}]
    options = {"name": "sharing", "repository_tags": SHARED, "consumers": consumers}
    assert control.module("iam_ecr_pull_role", "owner", **options)["code"] == 0
    yield "sharing"
    assert control.module("iam_ecr_pull_role", "owner", name="sharing", state="absent")["code"] == 0


def templates(ecr: Any) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = ecr.describe_repository_creation_templates()["repositoryCreationTemplates"]
    return [{key: value for key, value in one.items() if key not in ("createdAt", "updatedAt")} for one in found]


def both(control: Control, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result in check mode, which writes nothing, equals the result of the run; and the run's writes."""
    mark = len(control.lab.calls())
    predicted = control.module(MODULE, "owner", "--check", "--diff", **options)
    assert control.lab.writes_since(mark) == []
    result = control.module(MODULE, "owner", "--diff", **options)
    assert predicted == result, (predicted, result)
    return result, control.lab.writes_since(mark)


def test_a_template_is_created_changed_and_deleted(control: Control, ecr: Any, role: str) -> None:
    exclusions: dict[str, Any] = {
        "image_tag_mutability": "IMMUTABLE_WITH_EXCLUSION",
        "image_tag_mutability_exclusions": ["dev-*", "b"],
    }
    options = dict(BASIC)
    changes: list[tuple[dict[str, Any], list[str]]] = [
        ({}, [CREATE]),
        ({"description": "For the team"}, [UPDATE]),
        ({"applied_for": ["CREATE_ON_PUSH", "REPLICATION"]}, [UPDATE]),
        (exclusions, [UPDATE]),
        ({"image_tag_mutability_exclusions": ["b", "dev-*"], "prefix": "team/"}, []),
        ({"repository_policy": POLICY}, [UPDATE]),
        ({"repository_policy": json.dumps({**POLICY, "Statement": POLICY["Statement"][0]})}, []),
        ({"lifecycle_policy": EXPIRE}, [UPDATE]),
        ({"tags": {"team": "a"}, "custom_role_arn": role}, [UPDATE]),
        ({"encryption_type": "KMS"}, [UPDATE]),
        ({"image_tag_mutability": "IMMUTABLE", "image_tag_mutability_exclusions": []}, [UPDATE]),
        ({"repository_policy": {}, "lifecycle_policy": {}, "description": ""}, [UPDATE]),
        ({"encryption_type": "AES256", "tags": {}, "custom_role_arn": ""}, [UPDATE]),
    ]
    for change, writes in changes:
        options |= change
        result, written = both(control, **options)
        assert (result["code"], written, result["changed"]) == (0, writes, bool(writes)), (change, result)
        again, written = both(control, **options)
        assert (again["code"], written, again["changed"]) == (0, [], False), (change, again)
    assert templates(ecr) == [
        {
            "prefix": "team",
            "appliedFor": ["CREATE_ON_PUSH", "REPLICATION"],
            "imageTagMutability": "IMMUTABLE",
            "encryptionConfiguration": {"encryptionType": "AES256"},
            "resourceTags": [],
        }
    ]
    for writes in ([DELETE], []):
        result, written = both(control, prefix="team", state="absent")
        assert (result["code"], written, result["template"]) == (0, writes, {}), result
    assert templates(ecr) == []


def test_settings_of_others_are_kept(control: Control, ecr: Any, role: str) -> None:
    theirs = {
        "prefix": "ROOT",
        "description": "From the console",
        "appliedFor": ["PULL_THROUGH_CACHE"],
        "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
        "encryptionConfiguration": {"encryptionType": "KMS_DSSE"},
        "resourceTags": [{"Key": "team", "Value": "theirs"}],
        "repositoryPolicy": json.dumps(POLICY, indent=4),
        "lifecyclePolicy": json.dumps(EXPIRE, indent=4),
        "customRoleArn": role,
    }
    ecr.create_repository_creation_template(**theirs)
    result, writes = both(control, prefix="ROOT")
    assert (result["code"], writes) == (0, []), result
    result, writes = both(control, prefix="ROOT", applied_for=["PULL_THROUGH_CACHE", "REPLICATION"])
    assert (result["code"], writes) == (0, [UPDATE]), result
    assert templates(ecr) == [{**theirs, "appliedFor": ["PULL_THROUGH_CACHE", "REPLICATION"]}]
    assert result["diff"]["before"]["applied_for"] == ["PULL_THROUGH_CACHE"]


def test_a_copy_has_the_settings_of_the_template(control: Control, role: str) -> None:
    """The consumer's template applies to a repository that replication creates there."""
    source, copy = control.lab.client("owner", "ecr"), control.lab.client("consumer-administrator", "ecr")
    custom = Account(control.lab, "consumer-administrator").role(trust(accounts.CONSUMER), allow("ecr:*"))
    options = {**BASIC, "prefix": "copied-with", "account": accounts.CONSUMER, "lifecycle_policy": EXPIRE}
    options |= {"image_tag_mutability": "IMMUTABLE", "tags": {"team": "a"}, "custom_role_arn": custom}
    result = control.module(MODULE, "consumer-administrator", **options)
    assert result["code"] == 0, result
    accept(copy)
    configure(source, rule(destination(), prefix="copied-with"))
    try:
        name = fill(control.lab, source, "copied-with", 1)
        (repository,) = copy.describe_repositories(repositoryNames=[name])["repositories"]
        assert repository["imageTagMutability"] == "IMMUTABLE"
        tags = copy.list_tags_for_resource(resourceArn=repository["repositoryArn"])["tags"]
        assert tags == [{"Key": "team", "Value": "a"}]
        assert json.loads(copy.get_lifecycle_policy(repositoryName=name)["lifecyclePolicyText"]) == EXPIRE
    finally:
        configure(source)
        refusal(copy.delete_registry_policy)
        copy.delete_repository_creation_template(prefix="copied-with")


def test_a_sharing_tag_requires_consent(control: Control, ecr: Any, role: str, pull_role: str) -> None:
    options = {**BASIC, "tags": SHARED, "custom_role_arn": role}
    mark = len(control.lab.calls())
    result = control.module(MODULE, "owner", **options)
    assert (result["code"], control.lab.writes_since(mark)) == (2, []), result
    assert "sets environment=release, which shares each repository that ECR creates" in result["msg"]
    assert f"through the role {pull_role}. To consent, set allow_sharing_tags: true." in result["msg"]
    allowed, writes = both(control, **options, allow_sharing_tags=True)
    assert (allowed["code"], writes, allowed["shared_by"]) == (0, [CREATE], [pull_role]), allowed
    kept = control.module(MODULE, "owner", prefix="team", description="Without tags in the task")
    assert (kept["code"], "environment=release" in kept["msg"]) == (2, True), kept


def test_a_tag_of_a_registry_policy_requires_consent(control: Control, ecr: Any, role: str) -> None:
    shared = {
        "name": "ci",
        "policy": "registry",
        "repository_tags": SHARED,
        "consumers": [{"account": accounts.CONSUMER}],
    }
    made = control.module("ecr_repository_policy_statement", "owner", **shared)
    assert made["code"] == 0, made
    options = {**BASIC, "tags": SHARED, "custom_role_arn": role}
    try:
        mark = len(control.lab.calls())
        result = control.module(MODULE, "owner", **options)
        assert (result["code"], control.lab.writes_since(mark)) == (2, []), result
        assert "through the statement CrossaccountEcrCi" in result["msg"]
        blind = allow("ecr:DescribeRepositoryCreationTemplates", "iam:GetAccountAuthorizationDetails")
        limited = Account(control.lab).role(trust(accounts.OWNER), blind)
        unknown = control.module(MODULE, "owner", **options, assume_role_arn=limited)
        assert "it is unknown whether they share repositories: GetRegistryPolicy: AccessDenied" in unknown["msg"]
        allowed = control.module(MODULE, "owner", **options, allow_sharing_tags=True)
        assert (allowed["code"], allowed["shared_by"]) == (0, [made["sid"]]), allowed
    finally:
        control.module("ecr_repository_policy_statement", "owner", name="ci", policy="registry", state="absent")


def test_a_tag_is_not_set_while_its_meaning_is_unknown(control: Control, ecr: Any, role: str) -> None:
    limited = Account(control.lab).role(trust(accounts.OWNER), allow("ecr:*", "iam:PassRole"))
    options = {**BASIC, "tags": {"team": "a"}, "custom_role_arn": role, "assume_role_arn": limited}
    mark = len(control.lab.calls())
    result = control.module(MODULE, "owner", **options)
    assert (result["code"], control.lab.writes_since(mark)) == (2, []), result
    assert (
        "it is unknown whether they share repositories: GetAccountAuthorizationDetails: AccessDenied" in result["msg"]
    )
    result = control.module(MODULE, "owner", **options, sharing_tags=SHARED)
    assert (result["code"], result["changed"]) == (0, True), result
    result = control.module(MODULE, "owner", **{**options, "tags": SHARED}, sharing_tags=SHARED)
    assert (result["code"], "To consent" in result["msg"]) == (2, True), result


def test_all_problems_are_reported_before_the_first_write(control: Control, ecr: Any) -> None:
    mark = len(control.lab.calls())
    options = {"prefix": "team", "tags": {"team": "a"}, "kms_key": "alias/ecr", "custom_role_arn": ""}
    result = control.module(MODULE, "owner", **options)
    assert (result["code"], len(result["problems"]), control.lab.writes_since(mark)) == (2, 4, []), result
    wrong = control.module(MODULE, "owner", **BASIC, account=accounts.CONSUMER)
    assert wrong["msg"].startswith(f"The credentials belong to account {accounts.OWNER}, but the declared account")
    assert templates(ecr) == []


def test_the_policy_of_the_guide_is_sufficient(control: Control, ecr: Any) -> None:
    role = Account(control.lab).role(trust(accounts.OWNER), allow("ecr:*"))
    text = (ROOT / "playbooks/vars/creation-template-policy.json").read_text()
    text = text.replace("ACCOUNT:role/CUSTOM_ROLE", role.partition("::")[2])
    caller = Account(control.lab).role(trust(accounts.OWNER), *json.loads(text)["Statement"])
    options = {**BASIC, "assume_role_arn": caller, "tags": {"team": "a"}, "custom_role_arn": role}
    options |= {"repository_policy": POLICY, "lifecycle_policy": EXPIRE}
    for change in ({}, {"description": "changed"}, {"state": "absent"}):
        result = control.module(MODULE, "owner", **options, **change)
        assert (result["code"], result["changed"]) == (0, True), result


def test_the_denied_action_is_named(control: Control, ecr: Any, role: str) -> None:
    reader = Account(control.lab).role(trust(accounts.OWNER), allow("ecr:Describe*"))
    result = control.module(MODULE, "owner", **BASIC, assume_role_arn=reader)
    assert (result["code"], result["changed"]) == (2, False), result
    assert "ecr:CreateRepositoryCreationTemplate" in result["msg"]
    writer = Account(control.lab).role(trust(accounts.OWNER), allow("ecr:*", "iam:GetAccountAuthorizationDetails"))
    tags = {"tags": {"team": "a"}, "custom_role_arn": role}
    result = control.module(MODULE, "owner", **BASIC, **tags, assume_role_arn=writer)
    assert (result["code"], "iam:PassRole" in result["msg"]) == (2, True), result
    assert templates(ecr) == []
