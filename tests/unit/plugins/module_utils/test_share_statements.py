# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares without a role: the statements in the policies of repositories follow the tags and the declaration."""

from __future__ import annotations

import itertools
import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan

from tests.unit.owner_account import ONE, OWNER, REGION, TAG, TWO, OwnerAccount, carried_out, declared, end_of

THEIRS = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}
POLICY = json.dumps({"Statement": [THEIRS]})
START = OwnerAccount({"release": {}, "base": {}, "other": {}}, documents={"release": POLICY})
ROLE = declared("share", ONE)


def share(*accounts: str, name: str = "share", **options: Any) -> dict[str, Any]:
    consumers = [{"account": account} for account in accounts or (ONE,)]
    return {**declared(name), "mode": "repository_policy", "consumers": consumers, **options}


def holders(world: OwnerAccount, name: str = "share") -> dict[str, list[str]]:
    """The consumers of the statement of a share, by the repositories whose policies have it."""
    found = {}
    for repository, text in world.documents.items():
        for statement in json.loads(text)["Statement"] if text else ():
            if statement["Sid"] == sid_of(name):
                named = statement["Principal"]["AWS"]
                found[repository] = [arn.split(":")[4] for arn in ([named] if isinstance(named, str) else named)]
    return found


def test_share_without_a_role_has_a_life() -> None:
    plan = START.plan([share()])
    assert plan.access.lines == [f"+ {ONE} can pull release"]
    assert (plan.access.gained, plan.access.lost) == (
        [{"principal": ONE, "repository": "release", "region": REGION}],
        [],
    )
    assert [module for module, _options in plan.steps] == ["ecr_repository_policy_statement", "ecr_repository_tag"]
    shared = end_of(START, share())
    assert (holders(shared), shared.repositories["release"]) == ({"release": [ONE]}, TAG)
    assert json.loads(shared.documents["release"] or "")["Statement"][0] == THEIRS
    assert not shared.plan([share()]).changed

    wider = shared.plan([share(ONE, TWO)])
    assert wider.access.lines == [f"+ {TWO} can pull release"]
    assert holders(end_of(shared, share(ONE, TWO))) == {"release": [ONE, TWO]}

    ended = shared.plan([share()], state="absent")
    assert ended.access.lines == [f"- {ONE} loses release"]
    world = end_of(shared, share(), state="absent")
    assert (holders(world), world.repositories["release"]) == ({}, {})
    assert world.documents["release"] == POLICY
    assert not world.plan([share()], state="absent").changed


def test_statement_follows_the_tags_of_repositories() -> None:
    shared = end_of(START, share())
    tagged = replace(shared, repositories={**shared.repositories, "other": TAG})
    plan = tagged.plan([share()])
    assert (plan.access.lines, plan.changed) == ([f"+ {ONE} can pull other"], True)
    both = end_of(tagged, share())
    assert holders(both) == {"release": [ONE], "other": [ONE]}
    lost = replace(both, repositories={**both.repositories, "other": {}})
    assert lost.plan([share()]).access.lines == [f"- {ONE} loses other"]
    assert holders(end_of(lost, share())) == {"release": [ONE]}
    assert holders(end_of(both, share(exclusive=True))) == {"release": [ONE]}


def test_each_moment_gives_only_declared_access() -> None:
    old = [share(ONE, repositories=["release", "base"]), share(TWO, name="second", repositories=["other"])]
    new = [share(TWO, repositories=["base"], exclusive=False), share(ONE, name="second", repositories=["other"])]
    *_moments, start = carried_out(START, START.plan(old))

    def pairs(world: OwnerAccount) -> set[tuple[str, str]]:
        return {
            (account, repository)
            for name in ("share", "second")
            for repository, accounts in holders(world, name).items()
            for account in accounts
        }

    moments = list(carried_out(start, start.plan(new)))
    assert all(pairs(moment) <= pairs(start) | pairs(moments[-1]) for moment in moments)
    assert not moments[-1].plan(new).changed


def problems(*shares: dict[str, Any], world: OwnerAccount = START) -> list[str]:
    plan: SharePlan = world.plan(list(shares))
    return plan.problems


@pytest.mark.parametrize(
    ("options", "parts"),
    [
        ({"max_session_duration": 3600, "path": "/a/"}, ["cannot express path, max_session_duration. Remove them"]),
        ({"roles": "per_consumer"}, ["cannot express roles. Remove it, or set mode to role."]),
        ({"consumers": [{"account": ONE, "external_id": "generate"}]}, ["external_id has no effect"]),
        ({"consumers": [{"account": OWNER}]}, ["is the owner account"]),
        ({"consumers": []}, ["consumers is empty"]),
        ({"consumers": None}, ["missing required arguments: consumers"]),
        ({"repository_tags": {}, "tags": TAG}, ["repository_tags is empty"]),
    ],
)
def test_declaration_that_the_mode_cannot_express_is_rejected(options: dict[str, Any], parts: list[str]) -> None:
    found = problems(share(**options))
    assert [any(part in problem for problem in found) for part in parts] == [True] * len(parts), found
    assert len(found) == len(parts), found


def test_all_problems_of_several_modes_are_reported_together() -> None:
    """Options, consumers and units of two shares, and policies that others wrote."""
    changed = {"Sid": sid_of("share"), "Effect": "Allow", "Principal": "*", "Action": "*"}
    long = {**THEIRS, "Action": [f"ecr:{'x' * 90}{number}" for number in range(100)]}
    documents: dict[str, str | None] = {
        "release": json.dumps({"Statement": [changed]}),
        "base": json.dumps({"Statement": [long]}),
    }
    consumers = [
        {"account": ONE, "external_id": "some-id", "expires": "14d"},
        {"organization_units": ["ou-f6g7-11111111"]},
        {"service": "lambda.amazonaws.com"},
    ]
    first = share(consumers=consumers, repositories=["release", "base"], roles="per_consumer", expires="14d")
    service = {"service": "lambda.amazonaws.com", "source_accounts": [ONE]}
    second = {**declared("second"), "consumers": [service], "repositories": ["mistyped"]}
    found = problems(first, second, world=replace(START, documents={**documents}))
    for part in (
        "Share share: mode repository_policy has no role, so it cannot express roles, expires.",
        "Share share: Consumer 1 (222222222222): external_id has no effect",
        "Share share: Consumer 1 (222222222222): expires has no effect",
        "Share share: Consumer 2 (nobody): organization_units needs organization_id.",
        "Share share: Consumer 2 (nobody): unit 'ou-f6g7-11111111' is not the path of an organizational unit",
        "Share share: Consumer 3 (lambda.amazonaws.com): service lambda.amazonaws.com has neither source_arns",
        f"Statement {sid_of('share')} in the policy of release is not one that this collection writes",
        "Share second: Consumer 1 (lambda.amazonaws.com): service is for repository policies",
        "Repository mistyped does not exist",
    ):
        assert sum(problem.startswith(part) for problem in found) == 1, (part, found)
    assert any("would exceed 10,240 characters, the limit of ECR: base (1" in problem for problem in found), found


@pytest.mark.parametrize("mode", ["role", "repository_policy", "registry_policy"])
def test_two_shares_cannot_have_one_name(mode: str) -> None:
    """Not even if one of them ends: a share that gets another mode is one share."""
    for first in (ROLE, {**ROLE, "state": "absent"}):
        found = problems(first, share(TWO) if mode != "role" else declared("share", TWO))
        assert "Shares 1 and 2 have the same role_name share." in " ".join(found)


@pytest.mark.parametrize("mode", ["repository_policy", "registry_policy"])
def test_policy_of_a_role_may_have_the_name_of_a_share(mode: str) -> None:
    """A share without a role has no managed policy."""
    other = share(TWO, name="Second", mode=mode, repositories=["base"])
    world = replace(START, documents={**START.documents, "*": POLICY})
    for role in ({**ROLE, "policy_name": "second"}, {**ROLE, "policy_name": "Second"}):
        assert problems(role, other, world=world) == problems(other, role, world=world) == []
    third = share(TWO, name="third", mode=mode, repositories=["other"])
    assert problems(other, third, world=world) == []
    roles = [{**declared(name, account), "policy_name": "same"} for name, account in (("a", ONE), ("b", TWO))]
    assert "Shares a and b have the same policy same. Give" in " ".join(problems(*roles, other, world=world))


@pytest.mark.parametrize("mode", ["repository_policy", "registry_policy"])
@pytest.mark.parametrize("notation", ["2222-2222-2222", f" {ONE} ", f"arn:aws:iam::{ONE}:root"])
def test_account_has_the_notations_of_a_role(notation: str, mode: str) -> None:
    world = replace(START, documents={**START.documents, "*": POLICY})
    consumers = [{"account": notation, "principals": ["role/ci"]}]
    plan = world.plan([share(mode=mode, consumers=consumers)])
    assert (plan.problems, plan.access.lines) == ([], [f"+ {ONE} role/ci can pull release"])
    shared = end_of(world, share(mode=mode, consumers=consumers))
    assert not shared.plan([share(mode=mode, consumers=[{"account": ONE, "principals": ["role/ci"]}])]).changed


def test_service_needs_a_policy_mode() -> None:
    service = {"service": "lambda.amazonaws.com", "source_accounts": [ONE]}
    assert problems(share(consumers=[service])) == []
    assert any("service is for repository policies" in one for one in problems({**ROLE, "consumers": [service]}))
    unnamed = {"service": "", "external_id": "some-id"}
    assert any("service is for repository policies" in one for one in problems({**ROLE, "consumers": [unnamed]}))


def test_consumer_of_two_shares_may_have_an_external_id_in_one() -> None:
    with_role = end_of(START, ROLE)
    assert problems(share(name="second"), world=with_role) == []
    assert problems(ROLE, share(name="second"), world=with_role) == []


def test_statement_that_another_program_changed_needs_consent() -> None:
    shared = end_of(START, share())
    policy = json.loads(shared.documents["release"] or "")
    policy["Statement"][1]["Action"] = ["ecr:*"]
    edited = replace(shared, documents={"release": json.dumps(policy)})
    (problem,) = problems(share(), world=edited)
    assert problem.startswith(f"Statement {sid_of('share')} in the policy of release is not one that")
    assert holders(end_of(edited, share(adopt=True))) == {"release": [ONE]}


def test_policies_of_several_shares_have_one_limit() -> None:
    long = json.dumps({"Statement": [{**THEIRS, "Action": [f"ecr:{'x' * 90}{number}" for number in range(95)]}]})
    world = replace(START, documents={"release": long})
    shares = [share(*(f"{number:012}" for number in range(200000000000, 200000000012)), name=name) for name in "abc"]
    assert [problem for one in shares for problem in problems(one, world=world)] == []
    found = problems(*shares, world=world)
    assert found, found
    assert all("would exceed 10,240 characters, the limit of ECR: release (1" in one for one in found)


def test_statement_in_the_registry_policy_follows_the_tags() -> None:
    start = replace(START, documents={**START.documents, "*": POLICY})
    one = share(ONE, mode="registry_policy", tags=TAG, repository_tags={"environment": ["release", "stable"]})
    plan = start.plan([one])
    assert plan.access.lines == [f"+ {ONE} can pull release"]
    shared = end_of(start, one)
    theirs, ours = json.loads(shared.documents["*"] or "")["Statement"]
    assert (theirs, shared.documents["release"]) == (THEIRS, POLICY)
    assert ours["Resource"] == f"arn:aws:ecr:{REGION}:{OWNER}:repository/*"
    assert ours["Condition"] == {"StringEquals": {"ecr:ResourceTag/environment": ["release", "stable"]}}
    assert not shared.plan([one]).changed

    # A declared repository that gets the tag, and one that loses it
    plan = shared.plan([{**one, "repositories": ["release", "base"]}])
    assert (plan.access.lines, len(plan.steps)) == ([f"+ {ONE} can pull base"], 1)
    tagged = replace(shared, repositories={**shared.repositories, "other": TAG})
    assert tagged.plan([{**one, "exclusive": True}]).access.lines == [f"- {ONE} loses other"]

    assert shared.plan([one], state="absent").access.lines == [f"- {ONE} loses release"]
    world = end_of(shared, one, state="absent")
    assert (world.documents["*"], world.repositories["release"]) == (POLICY, {})
    edited = replace(shared, documents={"*": (shared.documents["*"] or "").replace("ecr:BatchGetImage", "ecr:*")})
    (problem,) = edited.plan([one]).problems
    assert problem.startswith(f"Statement {sid_of('share')} in the registry policy is not one that")


def test_share_that_has_no_statement_is_not_ended_by_name() -> None:
    """The tag of another share is not removed for a misspelled share."""
    shared = end_of(START, share())
    (problem,) = shared.plan([share(name="shre")], state="absent").problems
    assert problem.startswith("No policy has a statement of shre, but repository release in eu-west-1 has the tag")


def test_ended_shares_leave_a_share_without_an_end() -> None:
    shared = end_of(START, share())
    assert not shared.plan([share()], state="absent", expired_only=True).changed


def test_problem_names_its_share_if_there_are_several() -> None:
    wrong = share(consumers=[])
    (alone,) = problems(wrong)
    assert not alone.startswith("Share ")
    assert problems(wrong, share(name="second", repositories=["base"])) == [f"Share share: {alone}"]


def test_steps_have_the_options_of_the_module() -> None:
    options = {
        "region": REGION,
        "name": "share",
        "policy": "repository",
        "names": ["release"],
        "repository_tags": None,
        "state": "present",
        "access": "pull",
        "adopt": True,
    }
    (step,) = START.plan([share(access="pull", adopt=True)]).statements
    assert step.options["consumers"][0]["account"] == ONE
    assert {name: value for name, value in step.options.items() if name != "consumers"} == options
    (step,) = end_of(START, share()).plan([share(access="pull")], state="absent").statements
    assert step.options == {**options, "state": "absent", "adopt": False, "consumers": None}
    (step,) = replace(START, documents={"*": POLICY}).plan([share(mode="registry_policy")]).statements
    assert (step.options["policy"], step.options["names"]) == ("registry", None)
    assert step.options["repository_tags"] == TAG


def test_statements_are_removed_before_others_are_added() -> None:
    shared = end_of(START, share())
    moved = replace(shared, repositories={"release": {}, "base": TAG, "other": {}})
    plan = moved.plan([share(repositories=["base"])])
    assert [(step.names, step.is_present) for step in plan.statements] == [(("release",), False), (("base",), True)]


@pytest.mark.parametrize(
    ("mode", "place"), [("repository_policy", "the policies"), ("registry_policy", "the registry policy")]
)
def test_diff_names_the_statement(mode: str, place: str) -> None:
    world = replace(START, documents={**START.documents, "*": None})
    headers = [one["after_header"] for one in world.plan([share(mode=mode)]).diff]
    assert headers[-1] == f"statement {sid_of('share')} in {place} in {REGION}"
    shared = end_of(world, share(mode=mode))
    assert shared.plan([share(mode=mode)]).diff == []


def test_registry_policy_that_cannot_be_read_is_one_problem() -> None:
    plan = replace(START, documents={"*": "{"}).plan([share(mode="registry_policy")])
    (problem,) = plan.problems
    assert problem.startswith("The registry policy is not a valid policy.")
    assert (plan.access.gained, plan.access.lost) == ([], [])


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": "text"}', '{"Statement": [], "Statement": []}'])
@pytest.mark.parametrize("state", ["present", "absent"])
def test_registry_policy_hides_no_other_problem(text: str, state: str) -> None:
    """A policy that is not valid, for a share that ends, too. It has no statement of the share."""
    wrong = share(name="second", consumers=[{"account": OWNER}])
    for shares in itertools.permutations([share(mode="registry_policy", state=state), wrong]):
        found = problems(*shares, world=replace(START, documents={"*": text}))
        assert len(found) == 2
        assert any(one.startswith("The registry policy is not a valid policy.") for one in found)
        assert any("is the owner account" in one for one in found)


@pytest.mark.parametrize("mode", ["repository_policy", "registry_policy", "role"])
@pytest.mark.parametrize(
    "tags",
    [{"other": "x"}, {"environment": "beta"}, {"team": "x"}],
)
def test_share_whose_tags_grant_nothing(mode: str, tags: dict[str, str]) -> None:
    """No statement is written, or it applies to no declared repository. No line claims access."""
    one = {**(ROLE if mode == "role" else share(mode=mode)), "tags": tags}
    plan = START.plan([one])
    assert (plan.problems, plan.access.gained) == ([], [])
    assert plan.warnings == [
        f"Share share gives no access to release in {REGION}: after the run, the tags environment=release are missing"
        " there. Correct tags or repository_tags."
    ]
    assert [line for line in plan.summary if "can " in line] == []
    assert plan.summary[-1] == f"no access in {REGION}: release"


@pytest.mark.parametrize("mode", ["repository_policy", "registry_policy", "role"])
def test_share_whose_tags_grant_a_part(mode: str) -> None:
    """One of two repositories has the second tag already. The case of a key is ignored."""
    both = {"environment": ["release", "beta"], "team": "x"}
    options = {"repositories": ["release", "base"], "repository_tags": both, "tags": TAG}
    one = {**(ROLE if mode == "role" else share(mode=mode)), **options}
    world = replace(START, repositories={"release": {"Team": "x"}, "base": {"team": "y"}, "other": {}})
    plan = world.plan([one])
    assert [pair["repository"] for pair in plan.access.gained] == ["release"]
    assert plan.warnings == [
        f"Share share gives no access to base in {REGION}: after the run, the tags environment=release or beta, team=x"
        " are missing there. Correct tags or repository_tags."
    ]
    assert plan.summary[-2:] == [f"in {REGION}: release", f"no access in {REGION}: base"]
    assert any(line.startswith(f"{ONE} can describe and pull") for line in plan.summary)
    assert world.plan([one], state="absent").warnings == []
