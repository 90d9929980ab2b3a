# SPDX-License-Identifier: GPL-3.0-or-later
"""The module ecr_registry_policy_statement: its life, other programs that write statements, and invalid policies."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.lab import accounts
from tests.lab.clients import refusal
from tests.support.control import Control
from tests.support.lab import Lab
from tests.support.second_writer import SecondWriter
from tests.support.serving import serving

MODULE = "ecr_registry_policy_statement"
PROFILE = "consumer-administrator"
STATEMENT: dict[str, Any] = {"source_account": accounts.OWNER, "prefixes": ["release"]}
SID = f"CrossaccountEcrReplication{accounts.OWNER}"
WRITE, DELETE = "ecr:PutRegistryPolicy", "ecr:DeleteRegistryPolicy"


def statement(*prefixes: str, **changed: Any) -> dict[str, Any]:
    arn = f"arn:aws:ecr:{accounts.REGION}:{accounts.CONSUMER}:repository/"
    return {
        "Sid": SID,
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{accounts.OWNER}:root"},
        "Action": ["ecr:CreateRepository", "ecr:ReplicateImage"],
        "Resource": [f"{arn}{prefix}*" for prefix in prefixes or ("",)],
        **changed,
    }


FOREIGN = statement("team/", Sid="theirs", Principal={"AWS": f"arn:aws:iam::{accounts.STRANGER}:root"})
NEW = {**FOREIGN, "Sid": "new"}


def policy(*statements: dict[str, Any]) -> dict[str, Any]:
    return {"Version": "2012-10-17", "Statement": list(statements)}


class Registry:
    """The policy of the consumer's registry, which other programs write as a whole."""

    def __init__(self, lab: Lab) -> None:
        self.ecr = lab.client(PROFILE, "ecr")

    @property
    def policy(self) -> dict[str, Any]:
        if refusal(self.ecr.get_registry_policy)[0]:
            return {}
        found: dict[str, Any] = json.loads(self.ecr.get_registry_policy()["policyText"])
        return found

    def put(self, *statements: dict[str, Any]) -> None:
        self.ecr.put_registry_policy(policyText=json.dumps(policy(*statements)))

    def add(self, new: dict[str, Any]) -> None:
        self.put(*self.policy["Statement"], new)

    def delete(self) -> None:
        refusal(self.ecr.delete_registry_policy)


@pytest.fixture
def registry(lab: Lab) -> Iterator[Registry]:
    """The consumer's registry, without a policy."""
    found = Registry(lab)
    found.delete()
    yield found
    found.delete()


def both(control: Control, **options: Any) -> tuple[dict[str, Any], list[str]]:
    """The result in check mode, which writes nothing, equals the result of the run; and the run's writes."""
    mark = len(control.lab.calls())
    predicted = control.module(MODULE, PROFILE, "--check", "--diff", **options)
    assert control.lab.writes_since(mark) == []
    result = control.module(MODULE, PROFILE, "--diff", **options)
    assert predicted == result, (predicted, result)
    writes = control.lab.writes_since(mark)
    assert bool(writes) == result["changed"], result
    return result, writes


@pytest.mark.parametrize("others", [(), (FOREIGN,)])
def test_statement_walks_through_its_life(
    control: Control, registry: Registry, others: tuple[dict[str, Any], ...]
) -> None:
    if others:
        registry.put(*others)
    only = {"Action": ["ecr:ReplicateImage"]}
    for options, expected in [
        (STATEMENT, statement("release")),
        (STATEMENT, statement("release")),
        ({**STATEMENT, "prefixes": ["release", "develop"]}, statement("develop", "release")),
        ({**STATEMENT, "create_repositories": False}, statement("release", **only)),
        ({"source_account": accounts.OWNER, "all_repositories": True}, statement()),
        ({"source_account": accounts.OWNER, "state": "absent"}, None),
        ({"source_account": accounts.OWNER, "state": "absent"}, None),
    ]:
        before = registry.policy
        result, writes = both(control, **options)
        listed = [*others, *([expected] if expected else [])]
        after = policy(*listed) if listed else {}
        assert (result["code"], registry.policy) == (0, after), result
        assert writes == ([] if before == after else [WRITE if listed else DELETE]), result
        assert (result["policy"], result["statement"], result["sid"]) == (after, expected or {}, SID)
        assert result["diff"] == {"before": before, "after": after}


def test_two_declarations_of_one_source_have_own_statements(control: Control, registry: Registry) -> None:
    for sid, prefix in [("one", "release"), ("two", "develop")]:
        assert control.module(MODULE, PROFILE, **{**STATEMENT, "sid": sid, "prefixes": [prefix]})["code"] == 0
    assert registry.policy == policy(statement("release", Sid="one"), statement("develop", Sid="two"))


def test_statement_of_others_with_the_same_sid_needs_consent(control: Control, registry: Registry) -> None:
    theirs = {**FOREIGN, "Sid": SID}
    registry.put(theirs, FOREIGN)
    for state in ("present", "absent"):
        result = control.module(MODULE, PROFILE, **STATEMENT, state=state)
        assert f"Statement {SID} of the registry policy is not one that accepts replication" in result["msg"]
        assert registry.policy == policy(theirs, FOREIGN)
    assert control.module(MODULE, PROFILE, **STATEMENT, adopt=True)["changed"]
    assert registry.policy == policy(statement("release"), FOREIGN)


@pytest.mark.parametrize(
    ("options", "part"),
    [
        ({"prefixes": []}, "prefixes is empty."),
        ({"source_account": accounts.CONSUMER}, "Replication within an account needs no registry policy."),
        ({"account": accounts.OWNER}, "The credentials belong to account 222222222222"),
        ({"sid": "a b"}, "sid 'a b' needs 1 to 100 letters and digits."),
        ({"prefixes": [f"team{'x' * 200}{number}/" for number in range(60)]}, "ECR accepts up to 10,240."),
    ],
)
def test_problems_are_found_before_the_first_write(
    control: Control, registry: Registry, options: dict[str, Any], part: str
) -> None:
    registry.put(FOREIGN)
    mark = len(control.lab.calls())
    result = control.module(MODULE, PROFILE, **{**STATEMENT, **options})
    assert (result["code"], part in result["msg"]) == (2, True), result
    assert control.lab.writes_since(mark) == []
    assert registry.policy == policy(FOREIGN)


def through(control: Control, writer: SecondWriter, **options: Any) -> dict[str, Any]:
    with serving(writer):
        return control.module(MODULE, PROFILE, endpoint_url=writer.url, **options)


@pytest.mark.parametrize("number", [1, 2])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_statement_written_before_the_last_read_is_kept(
    control: Control, registry: Registry, state: str, number: int
) -> None:
    registry.put(*([statement("release")] if state == "absent" else []), FOREIGN)
    writer = SecondWriter(control.lab, {("GetRegistryPolicy", number): lambda: registry.add(NEW)})
    result = through(control, writer, **STATEMENT, state=state)
    assert (result["code"], writer.actions) == (0, {}), result
    assert registry.policy == policy(FOREIGN, NEW, *([statement("release")] if state == "present" else []))


def test_overwritten_statement_is_a_conflict_with_both_contents(control: Control, registry: Registry) -> None:
    registry.put(FOREIGN)
    writer = SecondWriter(control.lab, {("GetRegistryPolicy", 3): lambda: registry.put(FOREIGN, NEW)})
    result = through(control, writer, **STATEMENT)
    assert (result["code"], result["changed"], writer.actions) == (2, True, {}), result
    message = "Another program changed the registry policy of account 222222222222 in ap-northeast-1 at the same time"
    assert result["msg"].startswith(f"{message}: it lacks the statement {SID}.\nThis run wrote: ")
    assert result["conflict"]["written"] == policy(FOREIGN, statement("release"))
    assert result["conflict"]["found"] == policy(FOREIGN, NEW)
    assert control.module(MODULE, PROFILE, **STATEMENT)["code"] == 0
    assert registry.policy == policy(FOREIGN, NEW, statement("release"))


def test_policy_deleted_during_the_run_is_written_again(control: Control, registry: Registry) -> None:
    registry.put(FOREIGN)
    writer = SecondWriter(control.lab, {("GetRegistryPolicy", 2): registry.delete})
    assert through(control, writer, **STATEMENT)["code"] == 0
    assert registry.policy == policy(statement("release"))


def test_statement_of_a_deleted_user_is_named_if_aws_rejects_it(control: Control, lab: Lab, registry: Registry) -> None:
    iam = lab.client(PROFILE, "iam")
    arn = iam.create_user(UserName="leaving")["User"]["Arn"]
    registry.put(statement(Sid="theirs", Principal={"AWS": arn}))
    iam.delete_user(UserName="leaving")
    result = control.module(MODULE, PROFILE, **STATEMENT)
    assert "The policy has the unique IDs of deleted users or roles: AIDA" in result["msg"], result
