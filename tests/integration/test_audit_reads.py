# SPDX-License-Identifier: GPL-3.0-or-later
"""An audit whose reads AWS denies, or whose documents are not valid."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_registry import Reads, read_registry

from tests.lab import accounts
from tests.lab.clients import allow, document
from tests.support.control import Control
from tests.support.owner_side import denied

ACTIONS = {"describe", "pull", "push", "delete", "tag"}
TAG = {"environment": "release"}


@pytest.fixture
def estate(control: Control) -> Iterator[Control]:
    """A control node, and one repository in the account."""
    ecr = control.lab.client("owner", "ecr")
    ecr.create_repository(repositoryName="audited", tags=[{"Key": "environment", "Value": "release"}])
    yield control
    ecr.delete_repository(repositoryName="audited", force=True)


def audit(control: Control, **options: Any) -> dict[str, Any]:
    result = control.module("ecr_audit_info", "owner", repository_tags=TAG, repositories=["audited"], **options)
    assert "audit" in result, result
    return dict(result["audit"])


@pytest.mark.parametrize(
    ("action", "what", "repository", "unknown"),
    [
        ("ecr:DescribeRepositories", "repositories in", "*", ACTIONS),
        ("ecr:GetRepositoryPolicy", "repository policy of audited", "audited", ACTIONS),
        ("ecr:GetRegistryPolicy", "registry policy in", "audited", ACTIONS),
        ("ecr:DescribeRegistry", "replication rules", "audited", {"describe", "pull"}),
        ("ecr:DescribePullThroughCacheRules", "pull through cache rules", "audited", {"push"}),
        ("ecr:DescribeRepositoryCreationTemplates", "repository creation templates", "*", ACTIONS),
        ("iam:GetAccountAuthorizationDetails", "IAM users, roles and policies", "audited", ACTIONS),
        ("ecr:ListTagsForResource", "tags of repository audited", "", set()),
        ("ecr:DescribeImages", "images of repository audited", "", set()),
        ("organizations:DescribeOrganization", "organization", "", set()),
    ],
)
def test_a_denied_read_is_named_and_its_cells_are_unknown(
    estate: Control, action: str, what: str, repository: str, unknown: set[str]
) -> None:
    with denied(estate, action):
        report = audit(estate)
    [hidden] = [one for one in report["not_seen"] if one["what"].startswith(what) and action in one["why"]]
    assert "denied" in hidden["why"] or "not authorized" in hidden["why"]
    rows = {row["repository"]: row for row in report["access"] if row["principal"] == "*"}
    assert set(rows) == ({repository} if repository else set())
    cells = rows[repository]["actions"] if repository else {}
    assert {name for name, verdict in cells.items() if verdict == "unknown"} == unknown
    assert all(action in rows[repository]["reasons"][name] for name in unknown)


def test_tags_that_cannot_be_read_make_a_role_unknown(estate: Control) -> None:
    iam = estate.lab.client("owner", "iam")
    statement = {"Effect": "Allow", "Principal": {"AWS": accounts.CONSUMER}, "Action": "sts:AssumeRole"}
    iam.create_role(
        RoleName="audited", AssumeRolePolicyDocument=json.dumps({"Version": "2012-10-17", "Statement": [statement]})
    )
    tagged = allow("ecr:DescribeImages") | {"Condition": {"StringEquals": {"ecr:ResourceTag/environment": "release"}}}
    iam.put_role_policy(RoleName="audited", PolicyName="own", PolicyDocument=document(tagged))
    try:
        with denied(estate, "ecr:ListTagsForResource"):
            [row] = audit(estate)["access"]
        assert (row["actions"]["describe"], row["actions"]["pull"]) == ("unknown", "denied")
    finally:
        iam.delete_role_policy(RoleName="audited", PolicyName="own")
        iam.delete_role(RoleName="audited")


def test_a_region_that_is_not_enabled_is_named(estate: Control) -> None:
    result = estate.module("ecr_audit_info", "owner", repository_tags=TAG, regions=["af-south-1"])
    assert "audit" not in result
    assert "af-south-1" in result["msg"]
    assert "Traceback" not in json.dumps(result)


@pytest.mark.parametrize("event", ["ListTagsForResource", "GetRepositoryPolicy", "DescribeImages"])
def test_repository_deleted_meanwhile_is_omitted(estate: Control, event: str) -> None:
    ecr, other = (estate.lab.client("owner", "ecr") for _client in range(2))
    other.create_repository(repositoryName="short-lived", tags=[{"Key": "environment", "Value": "release"}])
    deleted: list[Any] = []

    def delete(model: Any, params: dict[str, Any], **_event: Any) -> None:
        if b"short-lived" in params["body"] and not deleted:
            deleted.append(other.delete_repository(repositoryName="short-lived", force=True))

    ecr.meta.events.register(f"before-call.ecr.{event}", delete)
    reads = Reads()
    registry = read_registry(reads, ecr, "eu-west-1", lambda tags: True, ("audited", "short-lived"))
    assert deleted
    assert [repository.name for repository in registry.repositories] == ["audited"]
    assert reads.unseen == []
