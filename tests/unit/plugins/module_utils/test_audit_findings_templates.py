# SPDX-License-Identifier: GPL-3.0-or-later
"""Findings about repository creation templates and replication."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CreationTemplate,
    PolicyDocument,
    Registry,
    ReplicationRule,
)

from tests.unit.estates import (
    CONSUMER,
    OTHER,
    OWNER,
    REGION,
    REGISTRY,
    TAGGED,
    admits,
    allows,
    document,
    document_in,
    estate,
    findings,
    grants,
    repository,
    role,
    words_in,
)

SETS_TAG, OPEN, ON_PUSH = "template-sets-sharing-tag", "template-open-policy", "create-on-push-outside"
DELETES = "delete-replication"
UPDATE = ["aws", "ecr", "update-repository-creation-template", "--region", REGION, "--prefix"]
PUSH = ["ecr:CreateRepository", "ecr:PutImage"]


def template(*applied: str, **more: Any) -> CreationTemplate:
    return CreationTemplate("ROOT", applied or ("REPLICATION",), **more)


# --- tags


@pytest.mark.parametrize(
    ("tags", "is_found"),
    [
        ({"environment": "release"}, True),
        ({"Environment": "release", "team": "red"}, True),
        ({"environment": "internal"}, False),
        ({"team": "release"}, False),
        ({}, False),
    ],
)
def test_template_with_a_sharing_tag(tags: dict[str, str], is_found: bool) -> None:
    found = findings(estate(role(), templates=(template(tags=tags),)), SETS_TAG)
    assert bool(found) is is_found
    for one in found:
        assert (one.severity, one.key) == ("high", f"{SETS_TAG}:{REGISTRY}:ROOT")
        assert json.loads(one.evidence.text) == tags
        rest = [{"Key": "team", "Value": "red"}] if "team" in tags else []
        assert words_in(one.fix) == [*UPDATE, "ROOT", "--resource-tags", json.dumps(rest, separators=(",", ":"))]


# --- open policies


@pytest.mark.parametrize(
    ("statement", "is_found"),
    [
        (grants("*"), True),
        (grants(CONSUMER), False),
        (grants("*", condition={"StringEquals": {"aws:PrincipalOrgID": "o-exampleorgid"}}), False),
    ],
)
def test_template_with_an_open_policy(statement: dict[str, Any], is_found: bool) -> None:
    policy = PolicyDocument("policy of repository creation template ROOT", document(statement))
    account = estate(templates=(template(policy=policy),))
    found = findings(account, OPEN)
    assert bool(found) is is_found
    for one in found:
        assert one.severity == "critical"
        assert words_in(one.fix)[:-1] == [*UPDATE, "ROOT", "--repository-policy"]
        assert document_in(one.fix)[0]["Principal"] == {"AWS": f"arn:aws:iam::{OWNER}:root"}


# --- create on push


@pytest.mark.parametrize(
    ("account", "is_found"),
    [
        ({"principals": [role(policy=[allows(PUSH)])]}, True),
        ({"principals": [role(policy=[allows(PUSH[0]), allows(PUSH[1], TAGGED)])]}, True),
        ({"registry": [grants(CONSUMER, PUSH, Resource="*")]}, True),
        ({"registry": [grants(CONSUMER, PUSH[0]), grants([OTHER, CONSUMER], PUSH[1])]}, True),
        ({"registry": [grants(CONSUMER, PUSH[0]), grants(OTHER, PUSH[1])]}, False),
        ({"registry": [grants(CONSUMER, ["ecr:CreateRepository", "ecr:ReplicateImage"])]}, False),
        ({"principals": [role(policy=[allows(PUSH[1])])]}, False),
        ({"principals": [role(policy=[allows(PUSH, TAGGED)])]}, False),
        ({"principals": [role([admits(OWNER)], [allows(PUSH)])]}, False),
        ({"repositories": [repository("release", grants(CONSUMER, PUSH))]}, False),
    ],
)
def test_create_on_push(account: dict[str, Any], is_found: bool) -> None:
    principals, more = (
        account.get("principals", []),
        {key: value for key, value in account.items() if key != "principals"},
    )
    found = findings(estate(*principals, templates=(template("CREATE_ON_PUSH"),), **more), ON_PUSH)
    assert bool(found) is is_found
    assert all(one.severity == "high" and f"ccount {CONSUMER} can create repositories" in one.title for one in found)
    without = estate(*principals, templates=(template("REPLICATION", "PULL_THROUGH_CACHE"),), **more)
    assert findings(without, ON_PUSH) == []


def test_create_on_push_in_another_region_needs_a_template_there() -> None:
    account = estate(templates=(template("CREATE_ON_PUSH"),), registry=[grants(CONSUMER, PUSH, Resource="*")])
    (registry,) = account.registries
    abroad = Registry("us-east-1", templates=(template("CREATE_ON_PUSH"),))
    (found,) = findings(replace(account, registries=(registry, abroad)), ON_PUSH)
    assert found.region == REGION


@pytest.mark.parametrize(
    ("applied", "words"),
    [
        (
            ["CREATE_ON_PUSH"],
            ["aws", "ecr", "delete-repository-creation-template", "--region", REGION, "--prefix", "ROOT"],
        ),
        (["REPLICATION", "CREATE_ON_PUSH"], [*UPDATE, "ROOT", "--applied-for", "REPLICATION"]),
    ],
)
def test_fix_for_create_on_push(applied: list[str], words: list[str]) -> None:
    [found] = findings(estate(role(policy=[allows(PUSH)]), templates=(template(*applied),)), ON_PUSH)
    assert words_in(found.fix) == words


# --- replication


def test_push_that_creates_shows_the_first_statement() -> None:
    registry = [grants(party, PUSH, Resource="*", Sid=sid) for party, sid in ((CONSUMER, "First"), (OTHER, "Second"))]
    (found,) = findings(estate(templates=(template("CREATE_ON_PUSH"),), registry=registry), ON_PUSH)
    assert found.evidence.statement == "First"


def test_delete_replication() -> None:
    rules = (
        ReplicationRule(((OTHER, "us-east-1"),), ("prod/",), True),
        ReplicationRule(((OWNER, "us-west-2"),), (), True),
        ReplicationRule(((CONSUMER, "us-west-2"),), ()),
    )
    first, second = findings(estate(replication=rules), DELETES)
    assert {first.severity, second.severity} == {"medium"}
    assert first.key != second.key
    found = first if OTHER in first.title else second
    assert found.title == f"Replication from {REGION} deletes images at the destinations: {OTHER} in us-east-1"
    words = words_in(found.fix)
    assert words[:5] == ["aws", "ecr", "put-replication-configuration", "--region", REGION]
    written = json.loads(words[-1])["rules"]
    assert [rule.get("deleteReplication") for rule in written] == [None, {"enabled": True}, None]
    assert written[0] == {
        "destinations": [{"region": "us-east-1", "registryId": OTHER}],
        "repositoryFilters": [{"filter": "prod/", "filterType": "PREFIX_MATCH"}],
    }
    assert findings(estate(replication=rules[2:]), DELETES) == []
