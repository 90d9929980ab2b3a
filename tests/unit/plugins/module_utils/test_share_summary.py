# SPDX-License-Identifier: GPL-3.0-or-later
"""The summary and the warnings of a plan, as the user of a share reads them."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import RegistryState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_access import NO_CHANGE
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import declared_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan, plan_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_text import framed_summary

from tests.unit.owner_account import (
    ONE,
    OURS,
    OWNER,
    REGION,
    TAG,
    THREE,
    TWO,
    OwnerAccount,
    consumer,
    declared,
    end_of,
)

OTHER_REGION = "us-east-1"
ROLE_LINE = f"Owner account {OWNER}, role arn:aws:iam::{OWNER}:role/first"
NEW = OwnerAccount({"release": {}, "develop": {}})
SHARED = end_of(NEW, declared("first"))


def test_a_new_share() -> None:
    plan = NEW.plan([declared("first")])
    assert plan.summary == plan.all_summary == [
        ROLE_LINE,
        f"{ONE} can describe and pull with the external ID",
        f"in {REGION}: release",
    ]  # fmt: skip
    assert plan.warnings == []


@pytest.mark.parametrize(
    ("access", "options", "line"),
    [
        ("pull", {}, f"{ONE} can pull with the external ID"),
        ("read", {"principals": ["user/a", "role/b"]},
         f"{ONE} (arn:aws:iam::{ONE}:user/a, arn:aws:iam::{ONE}:role/b) can describe and pull with the external ID"),
        ("read", {"external_id": None, "allow_no_external_id": True}, f"{ONE} can describe and pull"),
    ],
)  # fmt: skip
def test_a_consumer_is_named_with_its_access(access: str, options: dict[str, Any], line: str) -> None:
    plan = NEW.plan([declared("first", access=access, consumers=[{**consumer(ONE), **options}])])
    assert plan.problems == []
    assert plan.summary[1].replace(f"arn:aws:iam::{ONE}:", "") == line.replace(f"arn:aws:iam::{ONE}:", "")


def test_absent_share_names_the_repositories_without_its_tags() -> None:
    plan = SHARED.plan([declared("first", state="absent", repositories=["*"])])
    assert plan.summary == [
        ROLE_LINE,
        "the role and its policy are deleted; no one can pull through it",
        f"in {REGION}: release lost the tags",
    ]


def test_an_absent_share_that_never_existed() -> None:
    plan = NEW.plan([declared("first", state="absent")])
    assert plan.summary == [ROLE_LINE, "the role does not exist", f"in {REGION}: no repository lost the tags"]
    assert (plan.problems, plan.changed) == ([], False)


def test_a_policy_without_its_role_is_deleted() -> None:
    assert SHARED.roles["first"].policy_exists
    without = OwnerAccount(
        SHARED.repositories,
        {"first": replace(SHARED.roles["first"], role_exists=False, attached=False)},
        policies=SHARED.policies,
        policy_of=SHARED.policy_of,
    )
    plan = without.plan([declared("first", state="absent")])
    assert plan.summary[1] == "the role and its policy are deleted; no one can pull through it"


def test_shares_that_are_not_exclusive_name_other_repositories() -> None:
    tagged = {"release": {}, "develop": TAG, "build": {"Environment": "release"}, "other": {"environment": "other"}}
    line = f"also shared because of existing tags: build, develop in {REGION} (exclusive: true removes these tags)"
    assert OwnerAccount(tagged).plan([declared("first")]).summary[3:] == [line]
    assert OwnerAccount(tagged).plan([declared("first", exclusive=True)]).summary[3:] == []


def in_two_regions(**options: Any) -> SharePlan:
    """The plan of a share in one of two regions, which both have other repositories with its tag."""
    params = {
        "shares": [declared("first", **options)],
        "defaults": None,
        "state": "present",
        "trust_policy_quota": 2048,
    }
    shares = declared_shares(params, REGION)
    here = NEW.account(shares)
    registries = {
        region: RegistryState(region, "registry", {"release": {}, "develop": TAG}, ("release", "develop"), "denied")
        for region in (REGION, OTHER_REGION)
    }
    return plan_shares(
        shares, replace(here, registries=registries, unknown=("Role x is unknown.",)), lambda: "id", False
    )


def test_other_repositories_are_named_only_in_its_regions() -> None:
    lines = [line for line in in_two_regions().summary if line.startswith("also")]
    assert [line.partition(" in ")[2][: len(REGION)] for line in lines] == [REGION]
    both = [line for line in in_two_regions(regions=[REGION, OTHER_REGION]).summary if line.startswith("also")]
    assert len(both) == 2


def test_unknown_state_is_a_warning_for_each_region() -> None:
    text = "have the tags of these shares is unknown, so access to them is not shown: denied"
    assert in_two_regions().warnings == [
        "Role x is unknown.",
        f"Which other repositories in {REGION} {text}",
        f"Which other repositories in {OTHER_REGION} {text}",
    ]


def test_undeclared_roles_of_the_collection_are_named() -> None:
    plan = SHARED.plan([declared("second", TWO, repositories=["develop"], tags={"team": "a"},
                                 repository_tags={"team": "a"})])  # fmt: skip
    assert plan.summary[-1] == (
        "Roles of this collection that are not declared here: first. To end a share, declare it with state: absent, or"
        " run unshare.yml with its declaration."
    )
    by_hand = replace(SHARED, roles={"first": replace(SHARED.roles["first"], role_tags={})})
    assert not any("not declared here" in line for line in by_hand.plan([declared("second", TWO)]).summary)
    assert SHARED.roles["first"].role_tags.items() >= OURS.items()


@pytest.mark.parametrize(
    ("options", "is_warned"),
    [
        ({"exclusive": True}, True),
        ({"exclusive": False}, False),
        ({"exclusive": True, "repository_tags": {"team": "a"}}, False),
        ({"exclusive": True, "state": "absent"}, False),
    ],
)
def test_a_loss_of_an_undeclared_role_is_a_warning(options: dict[str, Any], is_warned: bool) -> None:
    warnings = SHARED.plan([declared("second", TWO, **options)]).warnings
    text = (
        "Role first, which is not declared here, grants environment=release as well. Share second is exclusive, so the"
        " consumers of first lose every other repository with that tag."
    )
    assert warnings == ([text] if is_warned else [])


BY_STATEMENT = declared("first", mode="registry_policy", consumers=[{"account": ONE}])
SHARED_BY_STATEMENT = end_of(OwnerAccount({"release": {}, "develop": {}}), BY_STATEMENT)


def test_tags_change_access_through_an_undeclared_statement() -> None:
    start = end_of(SHARED_BY_STATEMENT, declared("second", TWO, repositories=["release"]))
    through = f"statement {sid_of('first')} of the registry policy in {REGION}"
    more = start.plan([declared("second", TWO, repositories=["develop"])])
    assert more.access.lines == [
        f"+ {ONE} can pull develop through {through}",
        f"+ {TWO} (external ID) can pull develop through role second",
    ]
    assert {"principal": ONE, "repository": "develop", "region": REGION} in more.access.gained
    fewer = end_of(start, declared("second", TWO, repositories=["develop"])).plan(
        [declared("second", TWO, repositories=["develop"], exclusive=True)]
    )
    assert fewer.access.lines == [
        f"- {ONE} loses release through {through}",
        f"- {TWO} (external ID) loses release through role second",
    ]
    (warning,) = fewer.warnings
    assert warning == (
        f"Statement {sid_of('first')} of the registry policy, which is not declared here, grants"
        f" environment=release as well. Share second is exclusive, so the consumers of {sid_of('first')} lose every"
        " other repository with that tag."
    )
    assert start.plan([declared("second", TWO, repositories=["release"])]).access.lines == [NO_CHANGE]


def test_undeclared_statements_are_named() -> None:
    ended = (
        f"Statements of this collection in the registry policy of {REGION} that are not declared here:"
        f" {sid_of('first')}. To end a share, declare it with state: absent, or run unshare.yml with its declaration."
    )
    assert SHARED_BY_STATEMENT.plan([declared("second", TWO)]).summary[-1] == ended
    assert ended not in SHARED_BY_STATEMENT.plan([BY_STATEMENT, declared("second", TWO)]).summary
    invalid = replace(SHARED_BY_STATEMENT, documents={"*": "not JSON"})
    assert ended not in invalid.plan([declared("second", TWO)]).summary


def test_remaining_differences_are_named_in_the_order_of_the_run() -> None:
    tagged = replace(NEW, repositories={"release": {}, "develop": TAG, "build": {"team": "a", **TAG}})
    assert tagged.plan([declared("first", exclusive=True)]).remaining == [
        f"the removal of environment=release from build, develop in {REGION}",
        "role first",
        f"the tag environment=release on release in {REGION}",
    ]
    assert SHARED.plan([declared("first")]).remaining == []


def test_a_long_line_names_ten_repositories() -> None:
    names = [f"app-{number:02}" for number in range(12)]
    plan = OwnerAccount({name: {} for name in names}).plan([declared("first", repositories=["app-*"])])
    assert plan.all_summary[2] == f"in {REGION}: {', '.join(names)}"
    assert "app-09" in plan.summary[2]
    assert "app-11" not in plan.summary[2]


def test_repositories_that_cannot_get_the_tag_are_problems() -> None:
    """AWS accepts 50 tags for a repository."""
    full = OwnerAccount({"release": {f"k{number}": "1" for number in range(50)}})
    (problem,) = full.plan([declared("first")]).problems
    assert "release" in problem
    assert "50" in problem


@pytest.mark.parametrize(
    ("is_shared", "check_mode", "lines"),
    [
        (True, False, ["a", "b", "AWS returned the new settings. Run pull.yml in the consumer"
                       " account to prove the access."]),
        (False, False, ["a", "b"]),
        (True, True, ["Check mode writes nothing. After a run without check mode:", "a", "b"]),
        (False, True, ["Check mode writes nothing. After a run without check mode:", "a", "b"]),
    ],
)  # fmt: skip
def test_the_summary_names_the_next_step(is_shared: bool, check_mode: bool, lines: list[str]) -> None:
    assert framed_summary(("a", "b"), is_shared, check_mode) == lines


def test_repositories_follow_the_last_role_of_a_share() -> None:
    line = f"Owner account {OWNER}, role arn:aws:iam::{OWNER}:role/first-"
    assert NEW.plan([declared("first", ONE, TWO, roles="per_consumer")]).summary == [
        f"{line}{ONE}",
        f"{ONE} can describe and pull with the external ID",
        f"{line}{TWO}",
        f"{TWO} can describe and pull with the external ID",
        f"in {REGION}: release",
    ]


EARLY_END, LATE_END = "2026-06-01T00:00:00Z", "2026-12-01T00:00:00Z"


def test_end_of_the_access_is_named_with_the_remedy() -> None:
    share = declared("first", expires=EARLY_END)
    shared = end_of(replace(NEW, now="2026-05-01T00:00:00Z"), share)
    assert shared.plan([share]).summary[1] == f"the access ends on {EARLY_END} (in 31 days)"
    assert replace(shared, now=EARLY_END).plan([share]).summary[1] == (
        f"the access ended on {EARLY_END}; remove it with unshare.yml and ecr_share_expired_only: true"
    )


def test_consumer_whose_access_has_ended_can_not_pull() -> None:
    consumers = [{**consumer(ONE), "expires": EARLY_END}, {**consumer(TWO), "expires": LATE_END}, consumer(THREE)]
    share = {**declared("first", roles="per_consumer"), "consumers": consumers}
    world = end_of(replace(NEW, now="2026-05-01T00:00:00Z"), share)
    for now, able in (
        ("2026-05-31T23:59:59Z", [ONE, TWO, THREE]),
        (EARLY_END, [TWO, THREE]),
        ("2027-01-01T00:00:00Z", [THREE]),
    ):
        lines = replace(world, now=now).plan([share]).summary
        assert [line.partition(" ")[0] for line in lines if " can " in line] == able


def test_shares_that_have_not_ended_are_named_as_unchanged() -> None:
    shares = [
        declared("first", expires=EARLY_END),
        declared("later", TWO, expires=LATE_END),
        declared("endless", THREE),
    ]
    world = end_of(replace(NEW, now="2026-05-01T00:00:00Z"), *shares)
    plan = replace(world, now="2026-11-30T00:00:00Z").plan(shares, "absent", expired_only=True)
    assert [line.replace(f"Owner account {OWNER}, role arn:aws:iam::{OWNER}:role/", "") for line in plan.summary] == [
        "first",
        "the role and its policy are deleted; no one can pull through it",
        f"in {REGION}: no repository lost the tags",
        "later",
        f"not changed: its access ends on {LATE_END} (in 1 day)",
        "endless",
        "not changed: it has no end",
        f"environment=release stays on repository release in {REGION}: role later and role endless also grants it.",
    ]


@pytest.mark.parametrize(
    ("mode", "place", "remaining"),
    [
        ("repository_policy", "repository policies", "the policies of release"),
        ("registry_policy", "the registry policy", "the registry policy"),
    ],
)
def test_share_without_a_role_is_named_by_its_statement(mode: str, place: str, remaining: str) -> None:
    share = {**declared("first", access="pull"), "mode": mode, "consumers": [{"account": ONE}]}
    world = replace(NEW, documents={"*": None})
    plan = world.plan([share])
    line = f"Owner account {OWNER}, share first in {place}, Sid {plan.shares[0].result['sid']}"
    assert plan.summary == [line, f"{ONE} can pull", f"in {REGION}: release"]
    assert plan.remaining == [f"{remaining} in {REGION}", f"the tag environment=release on release in {REGION}"]
    ended = end_of(world, share).plan([share], "absent")
    assert ended.summary[:2] == [line, "no policy has a statement of the share; no one can pull through it"]
