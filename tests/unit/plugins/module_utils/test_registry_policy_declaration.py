# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a statement in the policy of a registry: for replication, or for a cache."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy_declaration import (
    CACHE_ACTIONS,
    STATEMENT_ARGUMENTS,
    StatementDeclaration,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection

OWNER, CONSUMER = "111111111111", "222222222222"
REGISTRY = Identity("aws-cn", CONSUMER)
REPOSITORY = f"arn:aws-cn:ecr:cn-north-1:{CONSUMER}:repository/"
REPLICATION = {"source_account": OWNER, "prefixes": ["release"]}
CACHE = {"cache_account": OWNER, "cache_role": "/ci/cache", "prefixes": ["release"]}


def declared(kind: dict[str, Any], **changes: Any) -> StatementDeclaration:
    defaults = {name: spec.get("default") for name, spec in STATEMENT_ARGUMENTS.items()}
    return StatementDeclaration.of({**defaults, **kind, **changes})


@pytest.mark.parametrize(
    ("kind", "changes", "expected"),
    [
        (
            REPLICATION,
            {},
            StatementDeclaration(OWNER, f"CrossaccountEcrReplication{OWNER}", Selection(("release",))),
        ),
        (
            REPLICATION,
            {"sid": "own", "create_repositories": False, "adopt": True, "state": "absent"},
            StatementDeclaration(OWNER, "own", Selection(("release",)), False, True, False),
        ),
        (
            CACHE,
            {},
            StatementDeclaration(OWNER, f"CrossaccountEcrCache{OWNER}", Selection(("release",)), cache_role="ci/cache"),
        ),
    ],
)
def test_options_of_a_task(kind: dict[str, Any], changes: dict[str, Any], expected: StatementDeclaration) -> None:
    assert declared(kind, **changes) == expected


@pytest.mark.parametrize(("kind", "text"), [(REPLICATION, "replication from"), (CACHE, "a cache of")])
def test_accepted_requests_have_a_name(kind: dict[str, Any], text: str) -> None:
    assert declared(kind).subject == f"{text} account {OWNER}"


@pytest.mark.parametrize(
    ("kind", "changes", "starts"),
    [
        (REPLICATION, {}, []),
        (CACHE, {}, []),
        (REPLICATION, {"source_account": "x", "sid": "a b"}, ["source_account: "]),
        (CACHE, {"cache_account": "x"}, ["cache_account: "]),
        (REPLICATION, {"sid": "a b"}, ["sid 'a b' needs 1 to 100 letters and digits."]),
        (REPLICATION, {"sid": "a" * 100}, []),
        (REPLICATION, {"sid": "a" * 101}, ["sid "]),
        (REPLICATION, {"prefixes": []}, ["prefixes is empty."]),
        (REPLICATION, {"prefixes": [], "state": "absent"}, []),
        (REPLICATION, {"source_account": ""}, ["source_account: '' is not an AWS account ID"]),
        (REPLICATION, {"source_account": None}, ["source_account: None is not an AWS account ID"]),
        (REPLICATION, {"sid": ""}, ["sid '' needs 1 to 100 letters and digits."]),
        (REPLICATION, {"prefixes": [""]}, ["prefixes: '' is not a valid prefix"]),
        (CACHE, {"cache_account": ""}, ["cache_account: '' is not an AWS account ID"]),
        (CACHE, {"cache_role": "ecr*"}, ["cache_role: Role name 'ecr*' must have 1 to 64 of "]),
        (CACHE, {"cache_role": "a" * 65}, ["cache_role: Role name 'aaa"]),
        (CACHE, {"cache_role": "//cache"}, ["cache_role: Path '//' must begin and end with / "]),
        (CACHE, {"cache_role": f"arn:aws:iam::{OWNER}:role/cache"}, ["cache_role: Path '/arn:aws:iam::"]),
        (CACHE, {"cache_role": "/a/b/cache"}, []),
    ],
)
def test_statement_is_checked_without_a_request(
    kind: dict[str, Any], changes: dict[str, Any], starts: list[str]
) -> None:
    problems = list(declared(kind, **changes).problems())
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts)


@pytest.mark.parametrize(
    ("kind", "account", "starts"),
    [
        (REPLICATION, CONSUMER, []),
        (CACHE, CONSUMER, []),
        (REPLICATION, OWNER, [f"source_account {OWNER} is the account of the registry. Replication within"]),
        (CACHE, OWNER, [f"cache_account {OWNER} is the account of the registry. A cache within an account"]),
        ({**CACHE, "cache_role": ""}, OWNER, [f"cache_account {OWNER} is the account of the registry."]),
    ],
)
def test_statement_is_checked_in_the_account(kind: dict[str, Any], account: str, starts: list[str]) -> None:
    problems = list(declared(kind).problems_in(Identity("aws", account)))
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts)


@pytest.mark.parametrize(
    ("changes", "actions", "resources"),
    [
        ({}, ["ecr:CreateRepository", "ecr:ReplicateImage"], ["release*"]),
        ({"create_repositories": False}, ["ecr:ReplicateImage"], ["release*"]),
        ({"prefixes": ["b1", "a1"]}, ["ecr:CreateRepository", "ecr:ReplicateImage"], ["a1*", "b1*"]),
        ({"prefixes": None, "all_repositories": True}, ["ecr:CreateRepository", "ecr:ReplicateImage"], ["*"]),
    ],
)
def test_statement_of_a_replication(changes: dict[str, Any], actions: list[str], resources: list[str]) -> None:
    statement = declared(REPLICATION, **changes).statement(REGISTRY, "cn-north-1")
    assert {**statement, "Action": sorted(statement["Action"])} == {
        "Sid": f"CrossaccountEcrReplication{OWNER}",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws-cn:iam::{OWNER}:root"},
        "Action": actions,
        "Resource": [REPOSITORY + name for name in resources],
    }


@pytest.mark.parametrize("state", ["present", "absent"])
@pytest.mark.parametrize("role", [None, "", "/", "//", "ci/"])
def test_cache_without_a_role_is_no_replication(role: str | None, state: str) -> None:
    cache = declared(CACHE, cache_role=role, state=state)
    problems = list(cache.problems())
    assert problems[0].startswith("cache_role: Role name '' must have 1 to 64 of "), problems
    statement = cache.statement(REGISTRY, "cn-north-1")
    assert (statement["Action"], cache.subject) == (sorted(CACHE_ACTIONS), f"a cache of account {OWNER}")
    assert statement["Sid"] == f"CrossaccountEcrCache{OWNER}"
    assert "Condition" in statement


@pytest.mark.parametrize("creates", [True, False])
def test_statement_of_a_cache_names_its_role(creates: bool) -> None:
    cache = declared(CACHE, create_repositories=creates)
    assert cache.statement(REGISTRY, "cn-north-1") == {
        "Sid": f"CrossaccountEcrCache{OWNER}",
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws-cn:iam::{OWNER}:root"},
        "Action": sorted(CACHE_ACTIONS),
        "Resource": [f"{REPOSITORY}release*"],
        "Condition": {"ArnEquals": {"aws:PrincipalArn": f"arn:aws-cn:iam::{OWNER}:role/ci/cache"}},
    }
    assert cache.actions == CACHE_ACTIONS
    assert declared(REPLICATION).actions == ("ecr:ReplicateImage", "ecr:CreateRepository")
