# SPDX-License-Identifier: GPL-3.0-or-later
"""The settings of a creation template after a run, and the request for them."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_declaration import TemplateDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._template_plan import (
    Template,
    declared_template,
    differences,
    template_diff,
    template_problems,
)

ROLE = "arn:aws:iam::222222222222:role/creation"
KEY = "arn:aws:kms:eu-west-1:222222222222:key/1"
POLICY: dict[str, Any] = {
    "Version": "2012-10-17",
    "Statement": [{"Effect": "Allow", "Principal": "*", "Action": ["ecr:A", "ecr:B"]}],
}
LIFECYCLE: dict[str, Any] = {
    "rules": [{"rulePriority": 1, "selection": {"tagPrefixList": ["a", "b"]}}, {"rulePriority": 2}]
}
#: A template that was created in the console, with every setting.
THEIRS: dict[str, Any] = {
    "prefix": "team",
    "description": "Of the team",
    "appliedFor": ["REPLICATION", "CREATE_ON_PUSH"],
    "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
    "imageTagMutabilityExclusionFilters": [{"filterType": "WILDCARD", "filter": "latest"}],
    "encryptionConfiguration": {"encryptionType": "KMS", "kmsKey": KEY},
    "resourceTags": [{"Key": "team", "Value": "a"}],
    "repositoryPolicy": json.dumps(POLICY, indent=2),
    "lifecyclePolicy": json.dumps(LIFECYCLE, indent=2),
    "customRoleArn": ROLE,
    "createdAt": 1,
}
BEFORE = Template.of(THEIRS)


def declared(**settings: Any) -> TemplateDeclaration:
    return TemplateDeclaration("team", **settings)


def problems(after: Template) -> str:
    return " ".join(template_problems(after))


def test_settings_that_are_not_declared_are_kept() -> None:
    assert declared_template(declared(), BEFORE) == BEFORE
    after = declared_template(declared(description="New"), BEFORE)
    assert after == dataclasses.replace(BEFORE, description="New")
    request = after.request(BEFORE)
    kept = {key: value for key, value in THEIRS.items() if key not in ("createdAt", "appliedFor", "description")}
    assert request.items() >= kept.items()
    assert sorted(request["appliedFor"]) == sorted(THEIRS["appliedFor"])


@pytest.mark.parametrize(
    "settings",
    [
        {"applied_for": ("CREATE_ON_PUSH", "REPLICATION"), "mutability": "IMMUTABLE_WITH_EXCLUSION"},
        {"exclusions": ("latest",), "encryption_type": "KMS", "tags": {"team": "a"}, "custom_role_arn": ROLE},
        {"repository_policy": {**POLICY, "Statement": {**POLICY["Statement"][0], "Action": ["ecr:b", "ecr:a"]}}},
        {"lifecycle_policy": {"rules": [{"rulePriority": 2}, LIFECYCLE["rules"][0]]}},
        {
            "lifecycle_policy": {
                "rules": [{"selection": {"tagPrefixList": ["b", "a"]}, "rulePriority": 1}, {"rulePriority": 2}]
            }
        },
    ],
)
def test_same_meaning_changes_nothing(settings: dict[str, Any]) -> None:
    assert declared_template(declared(**settings), BEFORE) == BEFORE


@pytest.mark.parametrize(
    "settings",
    [
        {"applied_for": ("REPLICATION",)},
        {"exclusions": ("dev-*",)},
        {"encryption_type": "KMS_DSSE"},
        {"kms_key": KEY + "2"},
        {"repository_policy": {**POLICY, "Statement": [{**POLICY["Statement"][0], "Effect": "Deny"}]}},
        {"lifecycle_policy": {"rules": [{"rulePriority": 1}]}},
        {"lifecycle_policy": {"rules": [LIFECYCLE["rules"][0], {"rulePriority": 3}]}},
        {"lifecycle_policy": {}},
        {"repository_policy": {}},
        {"tags": {"team": "b"}},
        {"tags": {}},
        {"custom_role_arn": ROLE + "2"},
    ],
)
def test_other_meaning_is_a_change(settings: dict[str, Any]) -> None:
    after = declared_template(declared(**settings), BEFORE)
    assert after != BEFORE
    assert declared_template(declared(**settings), after) == after


def test_empty_settings_are_removed_by_empty_values() -> None:
    empty = {"repository_policy": {}, "lifecycle_policy": {}, "tags": {}, "custom_role_arn": "", "description": ""}
    after = declared_template(declared(**empty, encryption_type="AES256", mutability="MUTABLE"), BEFORE)
    assert after == Template("team", ("CREATE_ON_PUSH", "REPLICATION"))
    request = after.request(BEFORE)
    removed = ("repositoryPolicy", "lifecyclePolicy", "customRoleArn", "description")
    assert [request[name] for name in removed] == [""] * 4
    assert request["resourceTags"] == []
    assert "imageTagMutabilityExclusionFilters" not in request
    assert not {*removed} & after.request(None).keys()


def test_a_new_template_has_the_defaults_of_aws() -> None:
    after = declared_template(declared(applied_for=("REPLICATION",)), None)
    assert after.request(None) == {
        "prefix": "team",
        "appliedFor": ["REPLICATION"],
        "imageTagMutability": "MUTABLE",
        "encryptionConfiguration": {"encryptionType": "AES256"},
        "resourceTags": [],
    }
    assert template_diff(None, after) == {"before": {}, "after": after.result()}
    assert template_diff(after, None) == {"before": after.result(), "after": {}}
    assert problems(after) == ""


@pytest.mark.parametrize(
    ("settings", "expected"),
    [
        ({}, "Repository creation template team does not exist. To create it, set applied_for"),
        ({"exclusions": ("a",), "mutability": "IMMUTABLE"}, "Set image_tag_mutability to IMMUTABLE_WITH_EXCLUSION"),
        ({"mutability": "MUTABLE_WITH_EXCLUSION"}, "but no exclusions. Set image_tag_mutability_exclusions."),
        ({"kms_key": KEY}, "has a KMS key, but the encryption type AES256"),
        ({"tags": {"a": "b"}}, "sets tags, but has no custom role"),
        ({"encryption_type": "KMS"}, "sets KMS encryption, but has no custom role"),
        ({"encryption_type": "KMS_DSSE", "tags": {"a": "b"}}, "sets tags and KMS encryption, but has no custom role"),
    ],
)
def test_problem_of_settings_together(settings: dict[str, Any], expected: str) -> None:
    basic = {"applied_for": ("REPLICATION",)} if settings else {}
    assert expected in problems(declared_template(declared(**basic, **settings), None))


def test_removal_of_a_role_that_the_tags_need() -> None:
    assert "has no custom role" in problems(declared_template(declared(custom_role_arn=""), BEFORE))
    assert problems(declared_template(declared(custom_role_arn="", tags={}, encryption_type="AES256"), BEFORE)) == ""


def test_differences_compare_by_meaning() -> None:
    written = dataclasses.replace(BEFORE, repository_policy=json.dumps(POLICY), kms_key="")
    assert differences(written, BEFORE) == []
    assert differences(dataclasses.replace(written, mutability="MUTABLE", exclusions=()), BEFORE) == [
        "image_tag_mutability of repository creation template team",
        "image_tag_mutability_exclusions of repository creation template team",
    ]
    assert differences(BEFORE, None) == differences(None, BEFORE) == ["repository creation template team"]
    assert differences(None, None) == []


def test_policy_that_is_not_json_is_kept_or_replaced() -> None:
    odd = dataclasses.replace(BEFORE, repository_policy="odd", lifecycle_policy="[]")
    assert declared_template(declared(), odd) == odd
    assert odd.result()["repository_policy"] == {"text": "odd"}
    after = declared_template(declared(repository_policy=POLICY, lifecycle_policy=LIFECYCLE), odd)
    assert (json.loads(after.repository_policy), json.loads(after.lifecycle_policy)) == (POLICY, LIFECYCLE)
    removed = declared_template(declared(repository_policy={}, lifecycle_policy={}), odd)
    assert (removed.repository_policy, removed.lifecycle_policy) == ("", "")
    invalid = dataclasses.replace(BEFORE, repository_policy='{"Statement": "odd"}')
    assert json.loads(declared_template(declared(repository_policy=POLICY), invalid).repository_policy) == POLICY
