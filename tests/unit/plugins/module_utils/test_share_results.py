# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of a plan for each share, and the options of its hand-offs."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import HandoffOptions, handoffs
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan

from tests.unit.owner_account import ONE, OWNER, REGION, TAG, TWO, OwnerAccount, declared, end_of

NEW = OwnerAccount({"release": {}, "tools/build": {}, "develop": {}})
SHARED = end_of(NEW, declared("first"))
CONSUMER = {
    **{"account": ONE, "principals": [], "external_id": f"shared-id-{ONE}"},
    **{"organization_id": None, "organization_units": []},
}
BOTH = ["tools/*", "release"]


def plan_of(world: OwnerAccount, *shares: dict[str, Any]) -> SharePlan:
    """The plan, which has no problems."""
    plan = world.plan(list(shares))
    assert plan.problems == []
    return plan


def test_the_facts_about_a_new_share() -> None:
    plan = plan_of(NEW, declared("first", path="/shares/", policy_name="rules", repositories=BOTH))
    (share,) = plan.shares
    result = share.result
    assert result["trust"]["Statement"][0]["Principal"] == {"AWS": f"arn:aws:iam::{ONE}:root"}
    assert result["permissions"]["Statement"]
    assert {name: value for name, value in result.items() if name not in ("trust", "permissions")} == {
        "id": f"arn:aws:iam::{OWNER}:role/shares/first",
        "role_name": "first",
        "mode": "role",
        "sid": "",
        "consumer_policy": {},
        "state": "present",
        "role_arn": f"arn:aws:iam::{OWNER}:role/shares/first",
        "policy_arn": f"arn:aws:iam::{OWNER}:policy/shares/rules",
        "account": OWNER,
        "changed": True,
        "consumers": [CONSUMER],
        "expires": None,
        "regions": [
            {
                "region": REGION,
                "registry": "registry",
                "repositories": [{"name": "release"}, {"name": "tools/build"}],
            }
        ],
    }


def test_the_hand_off_of_a_share() -> None:
    options: dict[str, Any] = {"denied": ["develop"], "images": ["release:v1"], "access": "pull"}
    options |= {"handoff_path": "/srv/first.yml", "handoff_forms": ["docker", "terraform"]}
    (handoff,) = plan_of(NEW, declared("first", **options)).handoffs
    assert handoff == {
        "path": "/srv/first.yml",
        "forms": ["docker", "terraform"],
        "denied": ["develop"],
        "images": ["release:v1"],
        "role": {
            "role_arn": f"arn:aws:iam::{OWNER}:role/first",
            "account": OWNER,
            "consumers": [CONSUMER],
            "expires": None,
            "mode": "role",
            "sid": None,
        },
        "tagged": [{"region": REGION, "registry": "registry", "repositories": [{"name": "release", "tags": TAG}]}],
        "repository_tags": TAG,
        "repositories": ["release"],
        "access": "pull",
        "share_changed": True,
        "artifact": "ecr_share_handoff",
    }


@pytest.mark.parametrize(
    ("declared_tags", "unshared"),
    [
        ({}, ()),
        ({"tags": {"team": "a"}}, ("develop", "tools/build")),
        ({"tags": {"environment": "beta"}}, ("develop", "release", "tools/build")),
        ({"repository_tags": {"environment": ["release", "beta"], "team": "a"}, "tags": {"team": "a"}},
         ("develop", "tools/build")),
        ({"repository_tags": {"ENVIRONMENT": ["beta", "release"]}, "tags": {"team": "a"}}, ("develop", "tools/build")),
        ({"repository_tags": {"stage": "x"}, "tags": {"team": "a"}}, ("develop", "release", "tools/build")),
    ],
)  # fmt: skip
@pytest.mark.parametrize("mode", ["role", "repository_policy", "registry_policy"])
def test_handoff_knows_which_repositories_are_not_shared(
    mode: str, declared_tags: dict[str, Any], unshared: tuple[str, ...]
) -> None:
    """As the summary, and as the statements: a repository without the tags has none."""
    world = replace(NEW, repositories={**NEW.repositories, "release": TAG}, documents={"*": None})
    consumers = [{"account": ONE, **({"external_id": "shared-id"} if mode == "role" else {})}]
    share = declared("first", mode=mode, consumers=consumers, repositories=["*"], handoff_path="/srv/h.yml")
    plan = plan_of(world, {**share, **declared_tags})
    (options,) = plan.handoffs
    (handoff,) = handoffs(HandoffOptions.of({**options, "artifact": None}))
    assert (handoff.unshared, bool(handoff.start)) == (unshared, bool(unshared))
    assert handoff.repositories == ["develop", "release", "tools/build"]
    assert [f"no access in {REGION}: {', '.join(unshared)}" in plan.summary] == [bool(unshared)]
    with_statement = {name for step in plan.statements for name in step.names if mode == "repository_policy"}
    assert with_statement == ({*handoff.shared} if mode == "repository_policy" else set())


def test_service_has_no_handoff() -> None:
    consumers = [{"account": ONE}, {"service": "lambda.amazonaws.com", "source_accounts": [ONE]}]
    share = {**declared("first"), "mode": "repository_policy", "consumers": consumers, "handoff_path": "/srv/h.yml"}
    (handoff,) = plan_of(NEW, share).handoffs
    assert handoff["role"] == {
        "role_arn": "",
        "account": OWNER,
        "consumers": [{**CONSUMER, "external_id": None}],
        "expires": None,
        "mode": "repository_policy",
        "sid": "CrossaccountEcrFirsta7937b64",
    }
    assert handoff["artifact"] == "ecr_share_handoff"


def test_an_absent_share_has_no_hand_off() -> None:
    plan = plan_of(SHARED, declared("first", state="absent"))
    assert plan.handoffs == [{}]
    assert (plan.shares[0].result["state"], plan.shares[0].result["changed"]) == ("absent", True)


@pytest.mark.parametrize(
    ("shares", "artifacts"),
    [
        ([declared("first")], ["ecr_share_handoff"]),
        ([declared("first", ONE, TWO)], [None]),
        ([declared("first"), declared("second", TWO)], [None, None]),
    ],
)
def test_only_a_single_hand_off_is_an_artifact(shares: list[dict[str, Any]], artifacts: list[str | None]) -> None:
    assert [handoff.get("artifact") for handoff in plan_of(NEW, *shares).handoffs] == artifacts


OTHER = {"repository_tags": {"team": "a"}, "repositories": ["develop"]}


@pytest.mark.parametrize(
    ("world", "first", "second", "changed"),
    [
        (SHARED, declared("first"), declared("second", TWO, **OTHER), [False, True]),
        (SHARED, declared("first", access="pull"), declared("second", TWO, **OTHER), [True, True]),
        (end_of(SHARED, declared("second", TWO, **OTHER)), declared("first"), declared("second", TWO, **OTHER),
         [False, False]),
        (replace(end_of(SHARED, declared("second", TWO, **OTHER)), repositories={"release": {}, "develop": {}}),
         declared("first", repositories=["release"]), declared("second", TWO, **OTHER), [True, True]),
        (replace(end_of(SHARED, declared("second", TWO, **OTHER)), repositories={"release": TAG, "develop": {}}),
         declared("first"), declared("second", TWO, **OTHER), [False, True]),
    ],
)  # fmt: skip
def test_a_share_is_changed_if_its_role_or_its_tags_are(
    world: OwnerAccount, first: dict[str, Any], second: dict[str, Any], changed: list[bool]
) -> None:
    plan = world.plan([first, second])
    assert [share.result["changed"] for share in plan.shares] == changed
    assert plan.changed is any(changed)


@pytest.mark.parametrize("repositories", [["release"], ["*"]])
def test_tags_of_a_role_that_does_not_exist_are_not_removed(repositories: list[str]) -> None:
    """The name of the role may be misspelled, and another role may grant access by these tags."""
    tagged = OwnerAccount({"release": TAG, "develop": {}})
    plan = tagged.plan([declared("frist", state="absent", repositories=repositories)])
    (problem,) = plan.problems
    assert problem.startswith(
        f"Role frist does not exist, but repository release in {REGION} has the tag environment=release of this share."
    )
    assert (plan.untag, plan.access.lost) == ([], [])


def test_tags_of_a_just_removed_share_are_not_a_problem() -> None:
    tagged = OwnerAccount({"release": TAG})
    plan = tagged.plan([declared("first", state="absent")], is_carried_out=True)
    assert plan.problems == []
    assert [step.options["names"] for step in plan.untag] == [["release"]]


def without_a_role(name: str, *accounts: str, **options: Any) -> dict[str, Any]:
    return {
        **declared(name, **options),
        "mode": "repository_policy",
        "consumers": [{"account": one} for one in accounts],
    }


def test_share_is_changed_if_its_statement_is() -> None:
    first, second = without_a_role("first", ONE), without_a_role("second", ONE, **OTHER)
    both = end_of(NEW, first, second)
    wider = without_a_role("second", ONE, TWO, **OTHER)
    for shares, changed in (((first, second), [False, False]), ((first, wider), [False, True])):
        assert [share.result["changed"] for share in plan_of(both, *shares).shares] == changed


def test_consumer_of_a_share_without_a_role_needs_a_policy() -> None:
    share = without_a_role("first", ONE)
    (result,) = (facts.result for facts in plan_of(NEW, share).shares)
    (read, _token) = result["consumer_policy"]["Statement"]
    assert read["Resource"] == [f"arn:aws:ecr:{REGION}:{OWNER}:repository/release"]
    assert (result["id"], result["role_arn"], result["policy_arn"]) == (result["sid"], "", "")
    (ended,) = (facts.result for facts in plan_of(end_of(NEW, share), {**share, "state": "absent"}).shares)
    assert ended["consumer_policy"] == {}
