# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan of the statement of a share in the policies of many repositories."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumers import Consumer
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_declaration import AccessDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy_plan import (
    AccessStatementPlan,
    merged,
    no_repository_warning,
    plan_statements,
)

OWNER = Identity("aws", "111111111111")
CONSUMER = Consumer("222222222222")
SHARE = AccessDeclaration("share", ("*",), consumers=(CONSUMER,))
THEIRS = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}
(OURS,) = SHARE.statements(OWNER, "eu-west-1")
EDITED = {**OURS, "Action": "ecr:*"}


def policy(*statements: dict[str, Any], **elements: Any) -> dict[str, Any]:
    return {"Version": "2008-10-17", **elements, "Statement": list(statements)}


def plan(policies: dict[str, Any], selected: set[str], declared: AccessDeclaration = SHARE) -> AccessStatementPlan:
    texts = {name: one if one is None or isinstance(one, str) else json.dumps(one) for name, one in policies.items()}
    return plan_statements(texts, selected, declared, declared.statements(OWNER, "eu-west-1"))


def test_other_statements_and_other_repositories_stay() -> None:
    policies = {
        "new": None,
        "shared": policy(OURS, THEIRS),
        "spelled": policy(THEIRS, {**OURS, "Principal": {"AWS": ["222222222222"]}}),
        "narrow": policy({**OURS, "Principal": {"AWS": "arn:aws:iam::222222222222:user/a"}}, THEIRS, Id="x"),
        "lost": policy(THEIRS, OURS),
        "alone": policy(OURS),
        "other": policy(THEIRS),
    }
    found = plan(policies, {"new", "shared", "spelled", "narrow"})
    assert {change.name: change.after for change in found.changes} == {
        "new": {"Version": "2012-10-17", "Statement": [OURS]},
        "narrow": policy(OURS, THEIRS, Id="x"),
        "lost": policy(THEIRS),
        "alone": None,
    }
    assert (found.unchanged, found.problems) == (("other", "shared", "spelled"), ())


def test_statement_that_another_program_changed_needs_consent() -> None:
    policies = {"a": policy(EDITED, THEIRS), "b": policy(THEIRS, EDITED), "c": policy(OURS)}
    for selected in ({"a", "c"}, set()):
        (problem,) = plan(policies, selected).problems
        assert problem.startswith(f"Statement {sid_of('share')} in the policy of a, b is not one that this collection")
    adopting = AccessDeclaration("share", ("*",), consumers=(CONSUMER,), adopt=True)
    found = plan(policies, {"a", "c"}, adopting)
    assert found.problems == ()
    assert [change.after for change in found.changes] == [policy(OURS, THEIRS), policy(THEIRS)]


def test_long_policies_are_reported_together() -> None:
    long = {**THEIRS, "Resource": "x" * 10000}
    policies = {"a": policy(long), "b": None, "c": policy({**long, "Sid": "c"}), "d": policy(long, OURS)}
    (problem,) = plan(policies, {"a", "b", "c", "d"}).problems
    assert "would exceed 10,240 characters, the limit of ECR: a (10,4" in problem
    assert problem.count("(10,") == 2
    assert plan(policies, set()).problems == ()


@pytest.mark.parametrize("text", ["no JSON", "[]", '{"Statement": [1]}', '{"Statement": [], "Statement": []}'])
def test_policy_that_cannot_be_read_is_not_written(text: str) -> None:
    (problem,) = plan({"a": text, "b": None}, {"a", "b"}).problems
    assert problem.startswith("The policy of repository a is not a valid policy.")
    assert plan({"a": text}, set()).problems == ()


def test_policy_that_changed_after_the_plan_is_checked_again() -> None:
    for before in (policy(EDITED), policy({**THEIRS, "Resource": "x" * 10200})):
        with pytest.raises(EcrError):
            merged(before, SHARE, [OURS])
    assert merged(None, SHARE, [OURS]) == {"Version": "2012-10-17", "Statement": [OURS]}


def test_diff_of_many_repositories_shows_groups() -> None:
    found = plan({f"team{number:02}": policy(THEIRS) for number in range(20)} | {"old": policy(OURS)}, set())
    assert found.diff == {"before": {"old": policy(OURS)}, "after": {"old": {}}}
    names = {f"team{number:02}": policy(THEIRS) for number in range(20)}
    found = plan({**names, "old": policy(OURS)}, {*names})
    assert sorted(map(len, found.diff["after"].values())) == [0, 1]
    assert next(key for key in found.diff["before"] if key != "old").startswith("20 repositories: team00, team01")


@pytest.mark.parametrize(
    ("changes", "selected", "is_warned"),
    [
        ({}, [], True),
        ({}, ["release"], False),
        ({"is_present": False}, [], False),
        ({"in_registry": True}, [], False),
        ({"tags": None}, [], False),
    ],
)
def test_tags_that_no_repository_has_are_a_warning(
    changes: dict[str, Any], selected: list[str], is_warned: bool
) -> None:
    declared = replace(AccessDeclaration("share", tags={"a": ("b", "c"), "d": ("e",)}), **changes)
    warning = "No repository in eu-west-1 has a=b or c, d=e, so no policy has the statement. Tag a repository, and run"
    found = [text[: len(warning)] for text in no_repository_warning(declared, selected, "eu-west-1")]
    assert found == ([warning] if is_warned else [])
