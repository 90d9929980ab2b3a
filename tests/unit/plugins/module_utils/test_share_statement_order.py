# SPDX-License-Identifier: GPL-3.0-or-later
"""The plan finds a policy that is too long between two writes, for each order of the declaration."""

from __future__ import annotations

import itertools
from collections.abc import Sequence
from typing import Any
from unittest import mock

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy_merge
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.owner_account import OwnerAccount, carried_out, consumer, end_of

START = OwnerAccount({"release": {}, "base": {}})
REPOSITORY, REGISTRY = "repository_policy", "registry_policy"
MANY = 200


def share(name: str, mode: str, count: int = 1, first: int = 0, **options: Any) -> dict[str, Any]:
    """A share with its own tag and many consumers."""
    number = 100_000_000_000 * (2 + "abc".index(name)) + first
    consumers = [{"account": str(number + one)} for one in range(count)]
    if mode == "role":
        consumers = [consumer(one["account"]) for one in consumers]
    own = {"role_name": name, "mode": mode, "repository_tags": {f"share-{name}": "yes"}, "consumers": consumers}
    return {**own, "repositories": ["release"], **options}


def plans(world: OwnerAccount, shares: Sequence[dict[str, Any]]) -> list[SharePlan]:
    """The plans for each order of the declaration."""
    return [world.plan([*order]) for order in itertools.permutations(shares)]


def steps(plan: SharePlan) -> list[tuple[str, str, bool]]:
    return [(step.share.name, step.share.mode, step.is_present) for step in plan.statements]


@pytest.mark.parametrize("new", [REGISTRY, "role"])
def test_statement_of_an_earlier_mode_leaves_no_room(new: str) -> None:
    """The old statement is removed last, so the plan names the share whose mode must change first."""
    start = end_of(START, share("a", REPOSITORY, MANY))
    changed = share("a", new, MANY if new == REGISTRY else 2)
    added = share("b", REPOSITORY, MANY)
    for plan in plans(start, [changed, added]):
        long, late = plan.problems
        assert long.startswith("The policy would exceed 10,240 characters, the limit of ECR: release (13,")
        assert late == (
            "Share a changes its mode, so its earlier statement in the policy of release in eu-west-1 is removed after"
            " other statements are added. Without this statement, the policy would not be too long. Run with share a"
            " only, and then with all shares."
        )
    assert start.plan([changed]).problems == []
    assert end_of(end_of(start, changed), changed, added).plan([changed, added]).changed is False


def test_late_ending_in_the_registry_policy() -> None:
    start = end_of(START, share("a", REGISTRY, MANY))
    _long, late = start.plan([share("a", REPOSITORY, MANY), share("b", REGISTRY, MANY)]).problems
    assert "its earlier statement in the registry policy in eu-west-1 is removed after" in late


def test_late_ending_that_gives_no_room_is_not_named() -> None:
    start = end_of(START, share("a", REPOSITORY))
    (problem,) = start.plan([share("a", REGISTRY), share("b", REPOSITORY, 2 * MANY)]).problems
    assert problem.startswith("The policy would exceed")


@pytest.mark.parametrize("mode", [REPOSITORY, REGISTRY])
@pytest.mark.parametrize("options", [{"state": "absent"}, {"count": 10}, {"count": 10, "first": MANY}])
def test_room_is_made_before_it_is_used(mode: str, options: dict[str, Any]) -> None:
    """A share that ends, or that loses most of its consumers, whatever the order of the declaration."""
    start = end_of(START, share("a", mode, MANY))
    for plan in plans(start, [share("a", mode, **{"count": MANY, **options}), share("b", mode, MANY)]):
        assert plan.problems == []
        assert [name for name, _mode, _is_present in steps(plan)] == ["a", "b"]
        *_moments, end = carried_out(start, plan)
        assert end.documents["*" if mode == REGISTRY else "release"]


def test_statement_leaves_one_repository_before_another_gets_it() -> None:
    """One share makes room on `release` and needs room on `base`, and the other share the opposite."""
    both = ["release", "base"]
    start = end_of(START, share("a", REPOSITORY, MANY), share("b", REPOSITORY, MANY, repositories=["base"]))
    moved = [
        share("a", REPOSITORY, MANY, repositories=["base"], exclusive=True),
        share("b", REPOSITORY, MANY, repositories=["release"], exclusive=True),
    ]
    for plan in plans(start, moved):
        assert (plan.problems, [is_present for _name, _mode, is_present in steps(plan)]) == (
            [],
            [False] * 2 + [True] * 2,
        )
        *_moments, end = carried_out(start, plan)
        assert not end.plan(moved).changed
    narrow, wide = share("a", REPOSITORY, 10, repositories=both), share("b", REPOSITORY, MANY, repositories=both)
    for plan in plans(start, [narrow, wide]):
        assert plan.problems == []
        first, *_later = plan.statements
        assert (first.share.name, first.names) == ("a", ("release",))


def test_several_shares_that_are_too_long_together() -> None:
    listed = [share(name, REPOSITORY, 110) for name in "abc"]
    for plan in plans(START, listed):
        (problem,) = plan.problems
        assert "release (11," in problem


drawn_shares = st.lists(
    st.builds(
        share,
        st.sampled_from("abc"),
        st.sampled_from([REPOSITORY, REPOSITORY, REGISTRY, "role"]),
        st.sampled_from([1, 4, 8]),
        st.sampled_from([0, 4]),
        repositories=st.sampled_from([["release"], ["base"], ["release", "base"]]),
        state=st.sampled_from(["present", "present", "absent"]),
        exclusive=st.booleans(),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda one: str(one["role_name"]),
)


@settings(max_examples=100)
@given(drawn_shares, drawn_shares)
def test_no_write_exceeds_the_limit_after_a_valid_plan(old: list[dict[str, Any]], new: list[dict[str, Any]]) -> None:
    """A lower limit, so that a few consumers exceed it. The writes check the limit as the module does."""
    with mock.patch.object(_policy_merge, "MOST_CHARACTERS", 1000):
        start, first = START, START.plan(old)
        if not first.problems:
            *_moments, start = carried_out(start, first)
        found = plans(start, new)
        assert len({any("would exceed" in problem for problem in plan.problems) for plan in found}) == 1
        for plan in found:
            if not plan.problems:
                assert len([*carried_out(start, plan)]) > len(plan.steps)
