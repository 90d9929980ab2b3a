# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_statement import sid_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import RoleState
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.owner_account import (
    ONE,
    OWNER,
    REGION,
    TAG,
    THREE,
    TWO,
    OwnerAccount,
    carried_out,
    consumer,
    declared,
    end_of,
)

# --- invariant 1, for several shares

VALUES = ["release", "beta"]
NAMES = ["first", "second", "third"]
drawn_shares = st.lists(
    st.builds(
        lambda name, value, also, accounts, repositories, exclusive, state, external_id: {
            "role_name": name,
            "repository_tags": {"environment": sorted({value, *also})},
            "tags": {"environment": value},
            "repositories": repositories,
            "consumers": [consumer(account, external_id) for account in accounts],
            "exclusive": exclusive,
            "state": state,
        },
        st.sampled_from(NAMES),
        st.sampled_from(VALUES),
        st.lists(st.sampled_from(VALUES), max_size=1),
        st.lists(st.sampled_from([ONE, TWO, THREE]), min_size=1, max_size=2, unique=True),
        st.lists(st.sampled_from(["r1", "r2", "r3"]), min_size=1, max_size=2, unique=True),
        st.booleans(),
        st.sampled_from(["present", "present", "present", "absent"]),
        st.sampled_from(["shared-id", "other-id"]),
    ),
    min_size=1,
    max_size=3,
    unique_by=lambda share: share["role_name"],
)
drawn_repositories = st.fixed_dictionaries(
    {
        name: st.sampled_from([{}, {}, {"environment": "release"}, {"environment": "beta"}])
        for name in ("r1", "r2", "r3")
    }
)


@settings(max_examples=300)
@given(drawn_repositories, drawn_shares, drawn_shares)
def test_never_wider_than_the_declarations_even_if_killed(
    repositories: dict[str, dict[str, str]], old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    start = OwnerAccount(repositories)
    plan = start.plan(old)
    if not plan.problems:
        *_moments, start = carried_out(start, plan)
    plan = start.plan(new)
    if plan.problems:
        return
    *_moments, end = carried_out(start, plan)
    wide = start.pairs() | end.pairs()
    for killed in carried_out(start, plan):
        assert killed.pairs() <= wide
        again = killed.plan(new)
        if any("does not exist, but" in problem for problem in again.problems):
            continue  # a role that was deleted by hand, as far as this run can know
        *moments, last = carried_out(killed, again)
        assert all(moment.pairs() <= wide for moment in moments)
        assert last.pairs() == end.pairs()
        assert not last.plan(new).changed


@settings(max_examples=200)
@given(drawn_repositories, drawn_shares, drawn_shares)
def test_sessions_never_see_what_neither_declaration_allows(
    repositories: dict[str, dict[str, str]], old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    """Every caller assumes every role as soon as its trust policy allows it, and keeps the session."""
    start = OwnerAccount(repositories)
    plan = start.plan(old)
    if not plan.problems:
        *_moments, start = carried_out(start, plan)
    plan = start.plan(new)
    if plan.problems:
        return
    *_moments, end = carried_out(start, plan)
    wide = start.pairs() | end.pairs()
    out: dict[str, set[str]] = {}
    before = start
    for moment in carried_out(start, plan):
        for name, state in moment.roles.items():
            if not state.role_exists or _revoked_now(before.roles.get(name), state):
                out.pop(name, None)
            if state.role_exists:
                out.setdefault(name, set()).update(moment.sessions()[name])
                readable = moment.readable(name)
                assert {(name, caller, repository) for caller in out[name] for repository in readable} <= wide
        before = moment


def _revoked_now(before: RoleState | None, after: RoleState) -> bool:
    """Whether this write revoked the sessions: the mark of an unfinished revocation counts, it denies them, too."""
    return before is not None and ((after.revoked and not before.revoked) or (after.revoking and not before.revoking))


# --- contradictions, and what belongs to others


def problems_of(world: OwnerAccount, *shares: dict[str, Any], state: str = "present") -> list[str]:
    return world.plan(list(shares), state).problems


START = OwnerAccount({"release": {}, "develop": {}, "tools/build": {}})


@pytest.mark.parametrize(
    ("first", "second", "words"),
    [
        (
            declared("same"),
            declared("Same", TWO, repository_tags={"audience": "inner"}),
            ["Shares 1 and 2 have the same role_name Same. Give each share its own role_name"],
        ),
        (
            declared("first", policy_name="policy"),
            declared("second", TWO, policy_name="policy", repository_tags={"audience": "inner"}),
            ["Shares first and second have the same policy policy. Give each share its own policy_name."],
        ),
        (
            declared("first", exclusive=True),
            declared("second", TWO, repositories=["develop"], exclusive=True),
            [
                "Share first is exclusive and would remove environment=release from repository develop in eu-west-1,"
                " which share second shares with the same tag.",
                "Share second is exclusive and would remove environment=release from repository release in eu-west-1,"
                " which share first shares with the same tag.",
            ],
        ),
        (
            declared("first"),
            declared("second", TWO, repository_tags={"environment": "beta"}),
            ["Shares first and second give tag environment of repository release in eu-west-1 two values, release and"],
        ),
        (
            declared("first", handoff_path="handoff.yml"),
            declared("second", TWO, repository_tags={"audience": "inner"}, handoff_path="./handoff.yaml"),
            ["Two shares have the hand-off ./handoff.yaml. Give each share its own handoff_path. The shares are first"],
        ),
        (
            declared("first", ONE, TWO, handoff_path="a.yml"),
            declared("second", THREE, repository_tags={"audience": "inner"}, handoff_path=f"a-2-{TWO}.yml"),
            [f"Two shares have the hand-off a-2-{TWO}.yml."],
        ),
        (
            declared("first", handoff_path="a.yml", handoff_forms=["docker"]),
            declared("second", TWO, repository_tags={"audience": "inner"}, handoff_path="a.docker.yml"),
            ["Two shares have the hand-off a.docker.yml."],
        ),
        (
            declared("first"),
            declared(
                "second", repository_tags={"a": "b"}, consumers=[{"account": TWO, "external_id": f"shared-id-{ONE}"}]
            ),
            [f"External ID 'shared-id-{ONE}' is declared for the consumers {ONE} and {TWO}."],
        ),
    ],
)
def test_shares_that_contradict_each_other_are_rejected(
    first: dict[str, Any], second: dict[str, Any], words: list[str]
) -> None:
    messages = problems_of(START, first, second)
    assert len(messages) == len(words)
    assert all(problem.startswith(start) for problem, start in zip(messages, words))
    assert START.plan([first, second]).steps  # it is the problems that stop a run
    assert problems_of(START, first) == problems_of(START, second) == []


def test_shares_with_same_tag_and_repositories_are_valid() -> None:
    shares = [declared("first", exclusive=True), declared("second", TWO, exclusive=True)]
    end = end_of(START, *shares)
    assert not end.plan(shares).changed


def test_images_of_handoffs_have_the_owner_registry() -> None:
    host = f"{OWNER}.dkr.ecr.{REGION}.amazonaws.com"
    plan = OwnerAccount({"release": {}}).plan([declared("one", images=[f"https://{host}/release:v1", " release:v2 "])])
    assert (plan.problems, plan.handoffs[0]["images"]) == ([], ["release:v1", "release:v2"])
    others = [host.replace(OWNER, ONE), host.replace(REGION, "eu-north-1"), "localhost:5000"]
    problems = problems_of(
        OwnerAccount({"release": {}}), declared("one", images=[f"{other}/release:v1" for other in others])
    )
    assert problems == [
        f"Image {other}/release:v1 names registry {other}, but the images are in registry registry. If this image is"
        " one of them, write release:v1."
        for other in others
    ]
    assert problems_of(OwnerAccount({}), declared("one", images=[f"{others[0]}/release:v1"]), state="absent") == []


def test_all_problems_of_all_shares_are_reported_together() -> None:
    messages = problems_of(
        START,
        declared("first", repositories=["nowhere", "x*"]),
        declared("second", "1", repository_tags={}),
        {"role_name": "third", "state": "present"},
        declared("no/slash", repositories=[]),
    )
    for words in (
        "Repository nowhere does not exist in account 111111111111, region eu-west-1.",
        "Pattern 'x*' matches none of the 3 repositories",
        "Share second: Consumer 1: '1' is not an AWS account ID of 12 digits.",
        "Share second: repository_tags is empty",
        "Share third: missing required arguments: consumers, repositories, repository_tags.",
        "Share no/slash: Role name 'no/slash' must have",
        "Share no/slash: repositories is empty",
    ):
        assert [problem for problem in messages if problem.startswith(words)], (words, messages)


NOWHERE = (
    "Repository nowhere does not exist in account 111111111111, region eu-west-1. Create it, or correct its name or"
    " region."
)
FOREIGN = RoleState(role_exists=True, policy_exists=True, trust={"Statement": []}, permissions={"Statement": []})


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"images": ["base:1"]}, "Image 'base:1' is in repository base, which this share does not declare."),
        ({"images": ["@"]}, "Image '@'"),
        ({"denied": ["Develop"]}, "denied: 'Develop' is not a repository name"),
        ({"denied": ["nowhere"]}, "Repository nowhere is declared both as shared and as denied."),
        ({"handoff_path": "page.md"}, "ecr_share_handoff_path page.md must not end in .md"),
        ({"handoff_path": "a\nb"}, "ecr_share_handoff_path 'a\\nb' contains the unprintable character"),
        ({"repositories": ["nowhere", "Release"]}, "'Release' is not a repository name"),
        ({"repositories": ["nowhere", "x*\n"]}, "Pattern 'x*\\n' contains an unprintable character."),
        ({"repositories": ["nowhere", "x*"]}, "Pattern 'x*' matches none of the 3 repositories"),
        ({"regions": [REGION, "*"]}, "regions: '*' does not look like a region"),
        ({"tags": {"environment": 7}}, "tags: the value of environment must be a string; 7 is not."),
        ({"tags": {"environment": ["a"]}}, "tags: the value of environment must be a string; ['a'] is not."),
        ({"repository_tags": {"environment": ["a", "b"]}}, "repository_tags has several values of environment."),
        ({"repository_tags": {"environment": {"a": "b"}}}, "repository_tags: the value of environment must be"),
        ({"repository_tags": {}}, "repository_tags is empty"),
        ({"repository_tags": None}, "missing required arguments: repository_tags."),
        ({"consumers": None}, "missing required arguments: consumers."),
        ({"consumers": []}, "consumers is empty"),
        ({"consumers": [{"account": 1, "external_id": "xx"}]}, "Consumer 1: 1 is a number, not an AWS account"),
        ({"role_name": None}, "missing required arguments: role_name."),
        ({"role_name": "no/slash", "policy_name": "policy"}, "Role name 'no/slash' must have"),
        ({"path": "relative"}, "Path 'relative' must begin"),
        ({"max_session_duration": 1}, "max_session_duration is 1 seconds"),
        ({"exclusive": True}, "Share first is exclusive, but which other repositories"),
    ],
)
@pytest.mark.parametrize("others", [[], [declared("other", TWO, repository_tags={"audience": "inner"})]])
def test_missing_repository_is_reported_with_other_problems(
    options: dict[str, Any], words: str, others: list[dict[str, Any]]
) -> None:
    share = declared("first", **{"repositories": ["nowhere"], **options})
    messages = problems_of(replace(START, unknown="AccessDenied"), share, *others)
    assert NOWHERE in messages
    assert [problem for problem in messages if words in problem], messages
    assert len(messages) == len(set(messages)) == 2


def test_unmanaged_role_is_reported_with_handoff_problems() -> None:
    world = replace(START, roles={"first": FOREIGN})
    messages = problems_of(world, declared("first", images=["base:1"], repositories=["Release"]))
    assert [text.split()[0] for text in messages] == ["'Release'", "Image", "Role", "Policy"]


@pytest.mark.parametrize("value", [["a", "b"], {"a": "b"}, 7, None])
def test_invalid_tags_of_two_shares_are_problems(value: object) -> None:
    wrong = {"repository_tags": {"environment": value}, "exclusive": True}
    messages = problems_of(START, declared("first", **wrong), declared("second", TWO, **wrong))
    assert {problem.partition(":")[0] for problem in messages} == {"Share first", "Share second"}


def test_an_empty_list_of_shares_is_a_problem() -> None:
    assert problems_of(START) == [
        "ecr_share_shares is an empty list. Declare at least one share; state: absent ends one."
    ]


def test_a_share_that_lacks_options_has_its_other_problems() -> None:
    messages = problems_of(START, declared("first", consumers=None, max_session_duration=1, images=["base:1"]))
    assert [text.split()[0] for text in messages] == ["missing", "Image", "max_session_duration"]


def test_a_tag_that_another_role_grants_is_kept_and_named() -> None:
    both = end_of(end_of(START, declared("first")), declared("second", TWO))
    plan = both.plan([declared("first")], "absent")
    assert plan.problems == []
    assert [module for module, _options in plan.steps] == ["iam_ecr_pull_role"]
    assert "environment=release stays on repository release in eu-west-1: role second also grants it." in plan.summary
    assert [change["principal"] for change in plan.access.lost] == [f"{ONE} (external ID)"]
    end = end_of(both, declared("first"), state="absent")
    assert {caller for _role, caller, _repository in end.pairs()} == {f"{TWO} shared-id-{TWO}"}
    after = end.plan([declared("first")], "absent", is_carried_out=True)
    assert (after.problems, after.changed) == ([], False)
    # In one declaration, the share that has ended may stay.
    whole = [declared("first", state="absent"), declared("second", TWO)]
    assert not end.plan(whole).changed
    assert end.plan(whole).problems == []


def test_a_tag_that_a_statement_of_others_grants_is_kept() -> None:
    other = declared("second", mode="registry_policy", consumers=[{"account": TWO}])
    both = end_of(end_of(START, declared("first")), other)
    plan = both.plan([declared("first")], "absent")
    assert (plan.problems, plan.untag) == ([], [])
    [kept] = [line for line in plan.summary if "stays on repository" in line]
    sid = sid_of("second")
    assert kept == (
        f"environment=release stays on repository release in eu-west-1: statement {sid} of the registry policy also"
        " grants it."
    )
    assert both.plan([declared("first", state="absent"), {**other, "state": "absent"}]).untag != []
    edits: list[dict[str, Any]] = [{"Sid": "others"}, {"Sid": f"{sid}x"}, {"Effect": "Deny"}, {"Condition": {}}]
    for edited in edits:
        stranger = json.loads(both.documents["*"] or "")
        stranger["Statement"][0].update(edited)
        assert replace(both, documents={"*": json.dumps(stranger)}).plan([declared("first")], "absent").untag != []


@pytest.mark.parametrize("state", ["present", "absent"])
def test_result_has_only_repositories_that_exist(state: str) -> None:
    start = end_of(START, declared("first"))
    plan = start.plan([declared("first", repositories=["release", "gone"])], state)
    assert [region["repositories"] for region in plan.shares[0].result["regions"]] == [[{"name": "release"}]]


def test_a_granted_value_is_removed_before_it_is_replaced() -> None:
    """Otherwise, the consumers of the first share could read the repository until the last phase."""
    world = replace(START, repositories={"release": {}, "develop": {"environment": "release", "audience": "old"}})
    beta = {"environment": "beta", "audience": "inner"}
    second = declared("second", TWO, repositories=["develop"], repository_tags=beta)
    plan = world.plan([declared("first"), second])
    assert plan.problems == []
    assert [(step.names, step.tags) for step in plan.untag] == [(("develop",), TAG)]
    assert (("develop",), beta) in [(step.names, step.tags) for step in plan.tag]
    assert world.plan([second]).untag == []


def test_the_share_that_keeps_a_tag_is_named() -> None:
    second, third = declared("second", TWO), declared("third", THREE, repository_tags={"audience": "inner"})
    start = end_of(START, declared("first"), second, third)
    plan = start.plan([declared("first", state="absent"), second, third])
    kept = [line for line in plan.summary if "stays on repository" in line]
    assert kept == ["environment=release stays on repository release in eu-west-1: role second also grants it."]
    assert plan.untag == []


def test_a_role_with_other_tags_keeps_no_tag() -> None:
    other = declared("second", TWO, repositories=["develop"], repository_tags={"audience": "inner"})
    both = end_of(end_of(START, declared("first")), other)
    plan = both.plan([declared("first")], "absent")
    assert [(step.names, step.tags) for step in plan.untag] == [(("release",), TAG)]
    assert not any("stays on repository" in line for line in plan.summary)


def test_unshare_of_missing_role_with_tags_is_rejected() -> None:
    world = end_of(START, declared("allow_ecr_release"))
    (problem,) = problems_of(world, declared("allow_ecr_relase"), state="absent")
    assert problem.startswith(
        "Role allow_ecr_relase does not exist, but repository release in eu-west-1 has the tag environment=release of"
        " this share. The role allow_ecr_release of this collection grants that tag. Correct role_name."
    )
    assert world.plan([declared("allow_ecr_relase")], "absent").untag == []
    assert problems_of(START, declared("allow_ecr_relase"), state="absent") == []


def test_a_role_that_is_not_declared_is_named_with_the_next_step() -> None:
    world = end_of(START, declared("first"), declared("second", TWO, repository_tags={"audience": "inner"}))
    (line,) = [line for line in world.plan([declared("first")]).summary if "second" in line]
    assert line.startswith(
        "Roles of this collection that are not declared here: second. To end a share, declare it with state: absent"
    )


def test_other_consumers_of_a_tag_gain_and_lose_access_as_well() -> None:
    """Tags are shared by all roles that grant them, so the roles that are not declared count, too."""
    world = end_of(START, declared("other", TWO))
    plan = world.plan([declared("first", repositories=["release", "develop"])])
    assert {(change["principal"][:12], change["repository"]) for change in plan.access.gained} == {
        (ONE, "release"),
        (ONE, "develop"),
        (TWO, "develop"),
    }
    plan = world.plan([declared("first", repositories=["develop"], exclusive=True)])
    assert [(change["principal"][:12], change["repository"]) for change in plan.access.lost] == [(TWO, "release")]
    assert any(
        "Role other, which is not declared here, grants environment=release" in warning for warning in plan.warnings
    )


def test_unknown_state_is_a_problem_of_an_exclusive_share() -> None:
    world = replace(START, unknown="DescribeRepositories: AccessDenied")
    plan = world.plan([declared("first")])
    assert (plan.problems, len(plan.warnings)) == ([], 1)
    assert plan.warnings[0].startswith("Which other repositories in eu-west-1 have the tags of these shares is unknown")
    (problem,) = problems_of(world, declared("first", exclusive=True))
    assert problem.startswith("Share first is exclusive, but which other repositories in eu-west-1 have its tags is")


def test_the_first_of_two_shares_opens_nothing_to_the_second(  # two shares that were applied one after the other
) -> None:
    old = [declared("a", ONE), declared("b", TWO)]
    new = [
        declared("a", ONE, repositories=["release", "develop"]),
        declared("b", TWO, repository_tags={"audience": "beta"}, repositories=["tools/build"]),
    ]
    start = end_of(START, *old)
    for moment in carried_out(start, start.plan(new)):
        assert ("b", f"{TWO} shared-id-{TWO}", "develop") not in moment.pairs()


def test_a_plan_says_what_remains() -> None:
    plan = START.plan([declared("first")])
    assert plan.remaining == ["role first", "the tag environment=release on release in eu-west-1"]
    assert plan.changed
    assert [entry["before_header"] for entry in plan.diff] == ["role first", "tags of repositories in eu-west-1"]
    assert plan.diff[1]["after"] == {"release": TAG}
    assert [handoff["artifact"] for handoff in plan.handoffs] == ["ecr_share_handoff"]
    assert "artifact" not in START.plan([declared("first", ONE, TWO)]).handoffs[0]


def test_the_diff_of_many_repositories_is_short() -> None:
    world = OwnerAccount({f"r{number:04}": {"team": "a"} for number in range(1000)})
    plan = world.plan([declared("first", repositories=["r*"])])
    (key,) = plan.diff[1]["after"]
    assert key.startswith("1,000 repositories: r0000, r0001")
    assert (plan.diff[1]["before"], plan.diff[1]["after"]) == ({key: {}}, {key: TAG})
    assert max(map(len, [*plan.summary, *plan.access.lines])) < 300
    assert len(plan.tag[0].names) == 1000
