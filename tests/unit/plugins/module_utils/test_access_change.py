"""Who gains and who loses what, from documents and tags."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _consumers, _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_change import pull_decision
from ansible_collections.crossaccount.ecr.plugins.module_utils._evaluate import DENIED
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import Place, RoleChange, access_of

OWNER, ONE, TWO = "111111111111", "222222222222", "333333333333"
NOTHING = RoleState()


def role(tags: dict[str, Any], *consumers: _consumers.Consumer) -> RoleState:
    as_tuples = {key: tuple(_policy_document.as_list(value)) for key, value in tags.items()}
    return RoleState(
        role_exists=True,
        policy_exists=True,
        permissions=_policy.permissions_document("aws", OWNER, as_tuples),
        trust=_policy.trust_document("aws", consumers),
        attached=True,
    )


def repository(name: str, before: dict[str, str], after: dict[str, str], region: str = "eu-west-1") -> Place:
    return Place(region, name, f"arn:aws:ecr:{region}:{OWNER}:repository/{name}", before, after)


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
            [f"+ {ONE} (external id) can pull release, tools/build"],
        ),
        (role(ON, FIRST), role(ON, FIRST), [repository("release", ON, ON)], []),
        (
            role(ON, FIRST),
            role(ON, FIRST),
            [repository("release", ON, ON), repository("develop", ON, {})],
            [f"- {ONE} (external id) loses develop"],
        ),
        (
            role(ON, FIRST),
            role(ON, FIRST, SECOND),
            [repository("release", ON, ON)],
            [
                f"+ {TWO} role/ci/deploy (external id, organization o-abcdefghij, MFA) can pull release",
                f"+ {TWO} user/puller (external id, organization o-abcdefghij, MFA) can pull release",
            ],
        ),
        (
            role(ON, FIRST),
            role(ON, _consumers.Consumer(ONE, (), "id-new")),
            [repository("release", ON, ON)],
            [f"{ONE}: external id changes"],
        ),
        (role(ON, FIRST), NOTHING, [repository("release", ON, {})], [f"- {ONE} (external id) loses release"]),
        (
            replace(role(ON, FIRST), attached=False),
            role(ON, FIRST),
            [repository("release", ON, ON)],
            [f"+ {ONE} (external id) can pull release"],
        ),
        (
            role({"share": ["yes", "also"], "team": "a"}, FIRST),
            role({"share": "yes"}, FIRST),
            [
                repository("both", {"share": "also", "team": "a"}, {"share": "also", "team": "a"}),
                repository("one", {"share": "yes"}, {"share": "yes"}),
            ],
            [f"+ {ONE} (external id) can pull one", f"- {ONE} (external id) loses both"],
        ),
    ],
)
def test_the_lines_say_who_gains_and_who_loses(
    before: RoleState, after: RoleState, repositories: list[Place], lines: list[str]
) -> None:
    change = access_of([RoleChange("only", before, after)], repositories)
    assert change.lines == change.all_lines == (lines or ["Nobody gains or loses access."])
    assert bool(change.gained) == any(not line.startswith("-") for line in lines)
    assert bool(change.lost) == any(not line.startswith("+") for line in lines)


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


def generate(account: str, *principals: str) -> dict[str, Any]:
    return {"account": account, "principals": list(principals), "external_id": "generate"}


@pytest.mark.parametrize(
    ("declared", "ids"),
    [
        ([generate(ONE)], ["id-one"]),
        ([generate(ONE, "user/new")], ["id-one"]),  # the only consumer of its account keeps its id
        ([generate(TWO, "role/ci/deploy", "user/puller")], ["id-two"]),
        ([generate(TWO, "user/x"), generate(TWO, "user/puller", "role/ci/deploy")], ["new", "id-two"]),
        ([generate("444444444444")], ["new"]),
        ([generate("444444444444", "user/back")], ["id-dangling"]),
        ([{"account": ONE, "external_id": "said"}], ["said"]),
    ],
)
def test_a_generated_external_id_is_made_once(declared: list[dict[str, Any]], ids: list[str]) -> None:
    trust = _policy.trust_document("aws", [FIRST, SECOND])
    if ids == ["id-dangling"]:
        condition = {"StringEquals": {"sts:ExternalId": "id-dangling"}}
        trust["Statement"] = [
            {"Effect": "Allow", "Principal": {"AWS": "AIDAEXAMPLEEXAMPLE123"}, "Condition": condition}
        ]
    resolved = _consumers.resolve_external_ids(declared, "aws", trust, lambda: "new")
    assert [item["external_id"] for item in resolved] == ids
    assert _consumers.resolve_external_ids([generate(ONE)], "aws", None, lambda: "new")[0]["external_id"] == "new"


def test_dangling_principals_are_found() -> None:
    principals = {"AWS": ["AIDAEXAMPLEEXAMPLE123", f"arn:aws:iam::{ONE}:root", "AROAEXAMPLEEXAMPLE123"]}
    trust = {"Statement": {"Effect": "Allow", "Principal": principals, "Action": "sts:AssumeRole"}}
    assert _policy_document.dangling_principals(trust) == ["AIDAEXAMPLEEXAMPLE123", "AROAEXAMPLEEXAMPLE123"]
    assert _policy_document.dangling_principals(None) == []


def test_a_repository_that_only_the_former_tags_reach_is_lost() -> None:
    changes = [RoleChange("only", role({"old": "yes"}, FIRST), role(ON, FIRST))]
    places = [repository("both", {"old": "yes", **ON}, ON), repository("former", {"old": "yes"}, {"old": "yes"})]
    assert access_of(changes, places).lines == [f"- {ONE} (external id) loses former"]


def test_many_repositories_are_counted_and_ten_of_them_are_named() -> None:
    places = [repository(f"r{number:04}", {}, ON) for number in range(1000)]
    change = access_of([RoleChange("only", NOTHING, role(ON, FIRST))], places)
    (line,) = change.lines
    assert line == (
        f"+ {ONE} (external id) can pull 1,000 repositories: {', '.join(f'r{number:04}' for number in range(10))} and"
        " 990 more"
    )
    assert change.all_lines[0].endswith("r0998, r0999")
    assert len(change.gained) == 1000


def test_access_through_several_roles_names_each_role() -> None:
    """A consumer that keeps access through another role still loses the role of its hand-off."""
    changes = [RoleChange("old", role(ON, FIRST), NOTHING), RoleChange("new", NOTHING, role(ON, FIRST))]
    assert access_of(changes, [repository("release", ON, ON)]).lines == [
        f"+ {ONE} (external id) can pull release through role new",
        f"- {ONE} (external id) loses release through role old",
    ]
