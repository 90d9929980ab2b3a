# SPDX-License-Identifier: GPL-3.0-or-later
"""Gained and lost access, from documents and tags."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _consumers, _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import pull_decision
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import RoleChange, TagsChange, access_of

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
NOTHING = RoleState()


def role(tags: dict[str, Any], *consumers: _consumers.Consumer) -> RoleState:
    as_tuples = {key: tuple(_policy_document.as_list(value)) for key, value in tags.items()}
    return RoleState(
        role_exists=True,
        policy_exists=True,
        permissions=_policy.permissions_document(Identity("aws", OWNER), as_tuples),
        trust=_policy.trust_document("aws", consumers),
        attached=True,
    )


def repository(name: str, before: dict[str, str], after: dict[str, str], region: str = "eu-west-1") -> TagsChange:
    return TagsChange(region, name, f"arn:aws:ecr:{region}:{OWNER}:repository/{name}", before, after)


NOW = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
ON: dict[str, str] = {"share": "yes"}
FIRST = _consumers.Consumer(ONE, (), "id-one")
SECOND = _consumers.Consumer(TWO, ("user/puller", "role/ci/deploy"), "id-two", "condition", "o-abcdefghij", True)


@pytest.mark.parametrize(
    ("before", "after", "repositories", "lines"),
    [
        (
            NOTHING,
            role(ON, FIRST),
            [repository("release", {}, ON), repository("tools/build", {}, ON), repository("develop", {}, {})],
            [f"+ {ONE} (external ID) can pull release, tools/build"],
        ),
        (role(ON, FIRST), role(ON, FIRST), [repository("release", ON, ON)], []),
        (
            role(ON, FIRST),
            role(ON, FIRST),
            [repository("release", ON, ON), repository("develop", ON, {})],
            [f"- {ONE} (external ID) loses develop"],
        ),
        (
            role(ON, FIRST),
            role(ON, FIRST, SECOND),
            [repository("release", ON, ON)],
            [
                f"+ {TWO} role/ci/deploy (external ID, organization o-abcdefghij, MFA) can pull release",
                f"+ {TWO} user/puller (external ID, organization o-abcdefghij, MFA) can pull release",
            ],
        ),
        (
            role(ON, FIRST),
            role(ON, _consumers.Consumer(ONE, (), "id-new")),
            [repository("release", ON, ON)],
            [f"{ONE}: external ID changes"],
        ),
        (role(ON, FIRST), NOTHING, [repository("release", ON, {})], [f"- {ONE} (external ID) loses release"]),
        (
            replace(role(ON, FIRST), attached=False),
            role(ON, FIRST),
            [repository("release", ON, ON)],
            [f"+ {ONE} (external ID) can pull release"],
        ),
        (
            role({"share": ["yes", "also"], "team": "a"}, FIRST),
            role({"share": "yes"}, FIRST),
            [
                repository("both", {"share": "also", "team": "a"}, {"share": "also", "team": "a"}),
                repository("one", {"share": "yes"}, {"share": "yes"}),
            ],
            [f"+ {ONE} (external ID) can pull one", f"- {ONE} (external ID) loses both"],
        ),
    ],
)
def test_the_lines_say_who_gains_and_who_loses(
    before: RoleState, after: RoleState, repositories: list[TagsChange], lines: list[str]
) -> None:
    change = access_of([RoleChange("only", before, after)], repositories, NOW)
    assert change.lines == change.all_lines == (lines or ["No access is gained or lost."])
    assert bool(change.gained) == any(not line.startswith("-") for line in lines)
    assert bool(change.lost) == any(not line.startswith("+") for line in lines)


def test_changed_access_names_principal_repository_and_region() -> None:
    here, there = repository("release", {}, ON), repository("develop", ON, {}, "us-east-1")
    change = access_of([RoleChange("only", role(ON, FIRST), role(ON, FIRST))], [here, there], NOW)
    principal = f"{ONE} (external ID)"
    assert change.gained == [{"principal": principal, "repository": "release", "region": "eu-west-1"}]
    assert change.lost == [{"principal": principal, "repository": "develop", "region": "us-east-1"}]


ARN = f"arn:aws:ecr:eu-west-1:{OWNER}:repository/release"


@pytest.mark.parametrize(
    ("statements", "tags", "allowed"),
    [
        ([{"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}], {}, True),
        ({"Effect": "Allow", "Action": "ECR:batchget*", "Resource": "*"}, {}, False),  # the layers are missing
        ([{"Effect": "Allow", "Action": "*", "Resource": f"{ARN}x"}], {}, False),
        (
            [
                {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"},
                {"Effect": "Deny", "Action": "ecr:BatchGetImage", "Resource": "*"},
            ],
            {},
            False,
        ),
        (
            [
                {
                    "Effect": "Allow",
                    "Action": "ecr:*",
                    "Resource": "*",
                    "Condition": {"StringEquals": {"aws:ResourceTag/Share": ["yes"]}},
                }
            ],
            {"share": "yes"},  # names of condition keys have no case
            True,
        ),
        (
            [
                {
                    "Effect": "Allow",
                    "Action": "ecr:*",
                    "Resource": "*",
                    "Condition": {"IpAddress": {"aws:SourceIp": "192.0.2.0/24"}},
                }
            ],
            {},
            True,  # not judged here, so it goes mentioned
        ),
    ],
)
def test_documents_of_others_are_judged_too(statements: Any, tags: dict[str, str], allowed: bool) -> None:
    decision = pull_decision({"Version": "2012-10-17", "Statement": statements}, ARN, tags)
    assert (decision.verdict != DENIED) is allowed


def test_dangling_principals_are_found() -> None:
    principals = {"AWS": ["AIDAEXAMPLEEXAMPLE123", f"arn:aws:iam::{ONE}:root", "AROAEXAMPLEEXAMPLE123"]}
    trust = {"Statement": {"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}}
    assert _policy_document.dangling_principals(trust) == ["AIDAEXAMPLEEXAMPLE123", "AROAEXAMPLEEXAMPLE123"]
    assert _policy_document.dangling_principals(None) == []


def test_a_repository_that_only_the_former_tags_reach_is_lost() -> None:
    changes = [RoleChange("only", role({"old": "yes"}, FIRST), role(ON, FIRST))]
    places = [repository("both", {"old": "yes", **ON}, ON), repository("former", {"old": "yes"}, {"old": "yes"})]
    assert access_of(changes, places, NOW).lines == [f"- {ONE} (external ID) loses former"]


def test_many_repositories_are_counted_and_ten_of_them_are_named() -> None:
    places = [repository(f"r{number:04}", {}, ON) for number in range(1000)]
    change = access_of([RoleChange("only", NOTHING, role(ON, FIRST))], places, NOW)
    (line,) = change.lines
    assert line == (
        f"+ {ONE} (external ID) can pull 1,000 repositories: {', '.join(f'r{number:04}' for number in range(10))} and"
        " 990 more"
    )
    assert change.all_lines[0].endswith("r0998, r0999")
    assert len(change.gained) == 1000


def test_access_through_several_roles_names_each_role() -> None:
    """A consumer that keeps access through another role still loses the role of its hand-off."""
    changes = [RoleChange("old", role(ON, FIRST), NOTHING), RoleChange("new", NOTHING, role(ON, FIRST))]
    assert access_of(changes, [repository("release", ON, ON)], NOW).lines == [
        f"+ {ONE} (external ID) can pull release through role new",
        f"- {ONE} (external ID) loses release through role old",
    ]
