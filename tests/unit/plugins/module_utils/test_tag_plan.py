# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags that have to change."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import (
    TaggedRepository,
    TagPlan,
    has_any_tag,
    plan_tags,
    select,
    tag_plan_problems,
    unmatched_pattern_problems,
)
from hypothesis import given
from hypothesis import strategies as st

OWNER = "111111111111"


def arn(name: str) -> str:
    return f"arn:aws:ecr:eu-west-1:{OWNER}:repository/{name}"


def tag_plan(repositories: dict[str, dict[str, str]], tags: dict[str, str], state: str) -> tuple[TagPlan, list[str]]:
    known = [TaggedRepository(name, arn(name), had) for name, had in repositories.items()]
    plan = plan_tags(known, tags, state == "present")
    return plan, list(tag_plan_problems(plan))


tag_dicts = st.dictionaries(st.sampled_from("abcdef"), st.sampled_from(["1", "2"]))


@given(st.dictionaries(st.sampled_from(["app", "base", "team/x"]), tag_dicts), tag_dicts.filter(bool))
def test_tags_present(repositories: dict[str, dict[str, str]], tags: dict[str, str]) -> None:
    plan, problems = tag_plan(repositories, tags, "present")
    assert problems == []
    after = {entry["name"]: entry["tags"] for entry in plan.result()}
    for name, had in repositories.items():
        assert {**had, **tags} == after[name]
    changed = {change.name for change in plan.changes}
    assert changed == {name for name, had in repositories.items() if not tags.items() <= had.items()}
    assert changed == {entry["name"] for entry in plan.result() if entry["changed"]}
    assert tag_plan(after, tags, "present")[0].changes == ()
    assert [entry["name"] for entry in plan.result()] == sorted(repositories)
    assert plan.diff == {
        "before": {name: repositories[name] for name in changed},
        "after": {name: after[name] for name in changed},
    }


@given(st.dictionaries(st.sampled_from(["app", "base", "team/x"]), tag_dicts), tag_dicts.filter(bool))
def test_tags_absent(repositories: dict[str, dict[str, str]], tags: dict[str, str]) -> None:
    plan, problems = tag_plan(repositories, tags, "absent")
    assert problems == []
    after = {entry["name"]: entry["tags"] for entry in plan.result()}
    for name, had in repositories.items():
        assert dict(had.items() - tags.items()) == after[name]
    for batch in plan.batches():
        for change in batch:
            # One call removes the same keys from all repositories of a batch.
            assert change.removed == batch[0].removed
            assert {key: value for key, value in change.before.items() if key not in batch[0].removed} == change.after
    assert tag_plan(after, tags, "absent")[0].changes == ()


def test_absent_keeps_another_value() -> None:
    plan, problems = tag_plan(
        {"app": {"share": "yes", "tier": "other"}, "base": {"share": "yes", "tier": "gold"}},
        {"share": "yes", "tier": "gold"},
        "absent",
    )
    assert problems == []
    assert [(change.name, change.removed, change.after) for change in plan.changes] == [
        ("app", ["share"], {"tier": "other"}),
        ("base", ["share", "tier"], {}),
    ]
    assert [[change.name for change in batch] for batch in plan.batches()] == [["app"], ["base"]]


@pytest.mark.parametrize(
    ("count", "sizes"), [(0, []), (1, [1]), (20, [20]), (21, [20, 1]), (40, [20, 20]), (41, [20, 20, 1])]
)
@pytest.mark.parametrize("state", ["present", "absent"])
def test_batches_of_twenty(state: str, count: int, sizes: list[int]) -> None:
    had = {} if state == "present" else {"share": "yes"}
    plan, problems = tag_plan({f"app{number:02}": had for number in range(count)}, {"share": "yes"}, state)
    assert problems == []
    assert [len(batch) for batch in plan.batches()] == sizes
    assert [change.name for batch in plan.batches() for change in batch] == [change.name for change in plan.changes]


@pytest.mark.parametrize(
    ("had", "tags", "count"),
    [(49, {"new": "1"}, None), (50, {"k0": "2"}, None), (50, {"new": "1"}, 51), (49, {"n": "1", "m": "1"}, 51)],
)
def test_the_51st_tag(had: int, tags: dict[str, str], count: int | None) -> None:
    before = {f"k{number}": "1" for number in range(had)}
    problems = tag_plan({"app": before}, tags, "present")[1]
    message = f"Repository app would have {count} tags; the limit of ECR is 50. Remove some first."
    assert problems == ([message] if count else [])


def test_tag_key_in_another_case_is_rejected_or_removed() -> None:
    repositories = {"app": {"Share": "yes"}, "base": {}, "other": {"Share": "no"}}
    assert tag_plan(repositories, {"share": "yes"}, "present")[1] == [
        f"Repository {name} has a tag 'Share', which differs from 'share' only in case. IAM ignores the case. Remove it"
        " first."
        for name in ("app", "other")
    ]
    plan, problems = tag_plan(repositories, {"share": "yes"}, "absent")
    assert ([(change.name, change.removed) for change in plan.changes], problems) == ([("app", ["Share"])], [])


@pytest.mark.parametrize(
    ("state", "tags", "done"),
    [
        ("present", {"team": "a", "share": "yes"}, True),
        ("present", {"share": "yes", "added": "meanwhile"}, True),
        ("present", {"team": "a", "share": "no"}, False),
        ("present", {"team": "a"}, False),
        ("absent", {"team": "a"}, True),
        ("absent", {"added": "meanwhile"}, True),
        ("absent", {"share": "no"}, True),  # only the declared value is removed
        ("absent", {"team": "a", "share": "yes"}, False),
    ],
)
def test_a_change_is_done_although_others_change_other_tags(state: str, tags: dict[str, str], done: bool) -> None:
    before = {"team": "a", "share": "no"} if state == "present" else {"team": "a", "share": "yes"}
    plan, _problems = tag_plan({"app": before}, {"share": "yes"}, state)
    (change,) = plan.changes
    assert plan.is_done(change, tags) is done


def test_declared_keys_in_two_cases_are_rejected() -> None:
    assert tag_plan({"app": {}}, {"share": "yes", "Share": "no"}, "present")[1] == [
        "tags: share is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling.",
        "tags: Share is declared in several spellings. IAM ignores the case of a tag key. Keep one spelling.",
    ]


def test_every_problem_is_reported() -> None:
    full = {f"k{number}": "1" for number in range(49)} | {"SHARE": "1"}
    assert len(tag_plan({"app": full, "base": full}, {"share": "1"}, "present")[1]) == 4


KNOWN = ["team/web", "team/api", "base", "release"]
STEP = " Correct the pattern or region."


@pytest.mark.parametrize(
    ("names", "selected", "expected"),
    [
        (["release"], ["release"], []),
        (["new"], ["new"], []),
        (["team/*"], ["team/api", "team/web"], []),
        (["*"], ["base", "release", "team/api", "team/web"], []),
        (["team/[aw]*", "bas?"], ["team/api", "team/web", "base"], []),
        (["release", "release", "rel*"], ["release"], []),
        (["release", "*"], ["release", "base", "team/api", "team/web"], []),
        ([], [], []),
        (
            ["x*"],
            [],
            ["Pattern 'x*' matches none of the 4 repositories in this registry and region." + STEP],
        ),
        (
            ["base", "x*", "y?"],
            ["base"],
            [
                "Pattern 'x*' matches none of the 4 repositories in this registry and region." + STEP,
                "Pattern 'y?' matches none of the 4 repositories in this registry and region." + STEP,
            ],
        ),
    ],
)
def test_select(names: list[str], selected: list[str], expected: list[str]) -> None:
    assert select(names, iter(KNOWN)) == selected
    assert list(unmatched_pattern_problems(names, KNOWN)) == expected


def test_missing_repository_is_as_planned_without_tags() -> None:
    for state, before in (("present", {}), ("absent", {"share": "yes"})):
        plan, _problems = tag_plan({"app": before}, {"share": "yes"}, state)
        assert plan.is_done(plan.changes[0], None) is (state == "absent")


def test_one_of_several_tags_is_sufficient() -> None:
    """The case of keys is ignored, and that of values is not."""
    tags = {"Environment": "release", "team": "a"}
    wanted = [[("environment", "release"), ("x", "y")], [("TEAM", "a")], [("environment", "Release")], []]
    assert [has_any_tag(tags, one) for one in wanted] == [True, True, False, False]
