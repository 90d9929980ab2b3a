# SPDX-License-Identifier: GPL-3.0-or-later
"""Roles and statements of an earlier mode are found and removed, including those of an interrupted change."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._former_modes import PolicySearch, policy_search
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import RegistryState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import declared_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import result_of_plan
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan, plan_shares

from tests.unit.owner_account import (
    ONE,
    OURS,
    REGION,
    TAG,
    TWO,
    OwnerAccount,
    carried_out,
    consumer,
    declared,
    end_of,
)

MODES = ("role", "repository_policy", "registry_policy")
CHANGES = [(old, new) for old in MODES for new in MODES if old != new]
#: A statement of another program, which allows no one to pull.
THEIRS = {"Sid": "theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:PutImage"}
POLICY = json.dumps({"Statement": [THEIRS]})
START = OwnerAccount({"release": {}, "base": {}, "other": {}}, documents={"release": POLICY, "*": POLICY})


def share(mode: str, *accounts: str, **options: Any) -> dict[str, Any]:
    with_id = [consumer(account) for account in accounts or (ONE,)]
    without = [{"account": account} for account in accounts or (ONE,)]
    return {**declared("share"), "mode": mode, "consumers": with_id if mode == "role" else without, **options}


def statements(world: OwnerAccount) -> dict[str, list[str]]:
    """The accounts in the statement of the share, by the policy that has it; `*` is the registry policy."""
    found = {}
    for name, text in world.documents.items():
        for statement in json.loads(text)["Statement"] if text else ():
            if statement["Sid"].startswith(sid_of("share")):
                named = statement["Principal"]["AWS"]
                found[name] = [arn.split(":")[4] for arn in ([named] if isinstance(named, str) else named)]
    return found


def access(world: OwnerAccount) -> set[tuple[str, str]]:
    """The repositories that each account can read, through any mode."""
    found = {(caller.split()[0], repository) for caller, repository in world.consumers()}
    tagged = [name for name, tags in world.repositories.items() if tags.items() >= TAG.items()]
    for name, accounts in statements(world).items():
        found |= {(one, repository) for one in accounts for repository in (tagged if name == "*" else [name])}
    return found


def through(world: OwnerAccount) -> set[str]:
    """The modes through which the share gives access, or of which anything is left."""
    policies = {"registry_policy" if name == "*" else "repository_policy" for name in statements(world)}
    return policies | ({"role"} if any(state.role_exists for state in world.roles.values()) else set())


def theirs(world: OwnerAccount) -> bool:
    return all(THEIRS in json.loads(world.documents[name] or "")["Statement"] for name in ("release", "*"))


@pytest.mark.parametrize(
    ("mode", "state", "region", "required"),
    [
        ("role", "present", REGION, MODES[1:]),
        ("role", "absent", REGION, []),
        ("role", "present", "us-east-1", None),
        ("repository_policy", "present", REGION, MODES[1:]),
        ("registry_policy", "absent", REGION, ["registry_policy"]),
    ],
)
def test_policies_to_read(mode: str, state: str, region: str, required: list[str] | None) -> None:
    """Those of the mode of an absent share must be readable; if a share is present, all of them."""
    options = {
        "shares": [{**share(mode), "state": state}],
        "defaults": None,
        "state": "present",
        "trust_policy_quota": 2048,
    }
    found = policy_search(declared_shares(options, REGION), {"share": RoleState()}, region)
    expected = PolicySearch(frozenset(MODES[1:]), frozenset(required or ()), (sid_of("share"),))
    assert found == (PolicySearch() if required is None else expected)


def test_only_the_registry_policy_is_read_if_the_role_is_in_use() -> None:
    options = {"shares": [share("role")], "defaults": None, "state": "present", "trust_policy_quota": 2048}
    found = policy_search(declared_shares(options, REGION), {"share": RoleState(True, attached=True)}, REGION)
    assert found == PolicySearch(frozenset({"registry_policy"}))


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_only_the_new_mode_gives_access(old: str, new: str) -> None:
    """Another consumer and another repository, too. The run may be interrupted at each write."""
    start = end_of(START, share(old, ONE, TWO, repositories=["release", "base"]))
    after = share(new, TWO, repositories=["release", "other"], exclusive=True)
    moments = list(carried_out(start, start.plan([after])))
    end = moments[-1]
    assert (through(end), theirs(end)) == ({new}, True)
    assert access(end) == {(TWO, "release"), (TWO, "other")}
    assert not end.plan([after]).changed
    for moment in moments:
        assert access(moment) <= access(start) | access(end)
        assert theirs(moment)
        again = end_of(moment, after)
        assert (through(again), access(again), theirs(again)) == ({new}, access(end), True)
        assert any(policy.policy_exists for policy in again.policies.values()) == (new == "role")
        for mode in (old, new) if through(moment) else ():
            ended = end_of(moment, share(mode, repositories=["release", "base", "other"]), state="absent")
            assert (through(ended), access(ended), theirs(ended)) == (set(), set(), True)
            assert not any(ended.repositories.values())


@pytest.mark.parametrize(("old", "new"), CHANGES)
def test_plan_shows_both_modes(old: str, new: str) -> None:
    start = end_of(START, share(old))
    plan = start.plan([share(new)])
    ways = {
        "role": "role share",
        "repository_policy": "share share in repository policies",
        "registry_policy": "share share in the registry policy",
    }
    gained, lost = sorted(plan.access.lines)
    assert (gained[0], lost[0]) == ("+", "-")
    assert gained.endswith(f" can pull release through {ways[new]}")
    assert lost.endswith(f" loses release through {ways[old]}")
    assert [share.share.mode for share in plan.shares] == [old, new]
    assert [bool(handoff) for handoff in plan.handoffs] == [False, True]
    assert result_of_plan(plan, False)["share"] == plan.shares[1].result
    gone = next(line for line in plan.summary if "no one can pull through it" in line)
    assert "deleted" in gone if old == "role" else "no policy has a statement" in gone


@pytest.mark.parametrize(("old", "new"), [change for change in CHANGES if change[1] != "role"])
def test_access_is_not_interrupted(old: str, new: str) -> None:
    start = end_of(START, share(old))
    assert all(access(moment) for moment in carried_out(start, start.plan([share(new)])))


def test_roles_of_each_consumer_are_removed() -> None:
    roles = share("role", ONE, TWO, roles="per_consumer", policy_name="custom")
    start = end_of(START, roles)
    end = end_of(start, share("repository_policy", TWO))
    assert (through(end), access(end)) == ({"repository_policy"}, {(TWO, "release")})
    assert not any(policy.policy_exists for policy in end.policies.values())
    assert through(end_of(end, roles)) == {"role"}


def test_role_of_others_stays() -> None:
    """A role with the name of the share that this collection did not create."""
    with_role = end_of(START, share("role"))
    state = with_role.roles["share"]
    foreign = replace(with_role, roles={"share": replace(state, role_tags={})})
    assert OURS.items() <= state.role_tags.items()
    assert through(end_of(foreign, share("registry_policy"))) == {"role", "registry_policy"}


def test_role_with_additions_of_others_is_a_problem() -> None:
    """The role cannot be deleted, so nothing is written."""
    with_role = end_of(START, share("role"))
    shared = replace(with_role, roles={**with_role.roles})
    other = replace(with_role.roles["share"], role_tags={})
    shared.roles["theirs"], shared.policy_of["theirs"] = other, "share"
    (problem,) = shared.plan([share("repository_policy")]).problems
    assert "attached to role theirs. Remove it first." in problem


@pytest.mark.parametrize("old", MODES[1:])
def test_statement_that_another_program_changed_is_a_problem(old: str) -> None:
    shared = end_of(START, share(old))
    documents = {name: (text or "").replace("ecr:BatchGetImage", "ecr:*") for name, text in shared.documents.items()}
    edited = replace(shared, documents={**documents})
    for new in MODES:
        (problem,) = edited.plan([share(new)]).problems
        assert problem.startswith(f"Statement {sid_of('share')} in the ")
    assert through(end_of(edited, share("role", adopt=True))) == {"role"}


def test_ended_shares_only_leaves_the_earlier_mode() -> None:
    shared = end_of(START, share("role"))
    plan = shared.plan([share("repository_policy")], state="absent", expired_only=True)
    assert (plan.changed, plan.problems) == (False, [])


def test_two_shares_change_their_modes() -> None:
    second = {**share("role", TWO), "role_name": "second"}
    start = end_of(START, share("repository_policy"), second)
    end = end_of(start, share("role"), {**share("registry_policy", TWO), "role_name": "second"})
    assert (list(statements(end)), set(end.roles)) == ([], {"share", "second"})
    assert [name for name, state in end.roles.items() if state.role_exists] == ["share"]
    assert sid_of("second") in (end.documents["*"] or "")
    assert end.plan([share("role")]).access.lines == ["No access is gained or lost."]


def plan_in_two_regions(shares: list[dict[str, Any]], world: OwnerAccount, second: RegistryState) -> SharePlan:
    """The plan for shares in two regions. The state of the second region is given."""
    options = {"shares": shares, "defaults": None, "state": "present", "trust_policy_quota": 2048}
    listed = declared_shares(options, REGION)
    account = world.account(listed)
    plan = plan_shares(listed, replace(account, registries={**account.registries, SECOND: second}), lambda: "generated")
    assert plan.problems == []
    return plan


SECOND = "us-east-1"
UNKNOWN = f"Whether policies in {SECOND} still have statements of these shares from an earlier mode is unknown: "


@pytest.mark.parametrize(
    ("old", "policies"), [("registry_policy", {"release": None}), ("repository_policy", {"*": None})]
)
def test_policies_unread_in_one_region(old: str, policies: dict[str, str | None]) -> None:
    """The caller may not read the policies of the earlier mode in the second region."""
    (new,) = {*MODES[1:]} - {old}
    start = end_of(START, share(old))
    second = RegistryState(SECOND, "host", {"release": TAG}, ("release",), policies=policies, unread="denied.")
    plan = plan_in_two_regions([share(new, regions=[REGION, SECOND])], start, second)
    assert plan.warnings == [f"{UNKNOWN}denied."]
    ended = [(step.share.mode, step.region) for step in plan.statements if not step.is_present]
    assert ended == [(old, REGION)]
    assert len({*plan.access.lines}) == len(plan.access.lines) == 3
    assert [line.rsplit(" in ", 1)[1] for line in plan.access.lines] == [REGION, SECOND, REGION]


@pytest.mark.parametrize("old", MODES[1:])
def test_policies_not_searched_in_one_region(old: str) -> None:
    """Someone restored a statement of a share whose role is in use. Only another share needs repository policies."""
    earlier = end_of(START, share(old))
    start = replace(end_of(earlier, share("role")), documents=earlier.documents)
    other = {**share("repository_policy", TWO), "role_name": "other"}
    second = RegistryState(SECOND, "host", {"release": TAG}, ("release",), policies={"*": None})
    shares = [share("role", regions=[REGION, SECOND]), {**other, "regions": [REGION]}]
    plan = plan_in_two_regions(shares, start, second)
    unread = f"{UNKNOWN}share share has its role, so this run did not read them. Run audit.yml to find them."
    assert plan.warnings == ([unread] if old == "repository_policy" else [])
    ended = [(step.share.mode, step.region) for step in plan.statements if not step.is_present]
    assert ended == [(old, REGION)]
    assert plan_in_two_regions([share("role", regions=[REGION, SECOND])], start, second).warnings == []
