# SPDX-License-Identifier: GPL-3.0-or-later
"""Shares with a role for each consumer, and shares with an end."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._consumer_roles import role_names_to_read
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_plan import plan_role_narrowed
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_state import (
    Attachment,
    AttachmentKind,
    RoleState,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import declared_shares
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.owner_account import ONE, REGION, THREE, TWO, OwnerAccount, carried_out, consumer, declared, end_of

ALL = ("aws", "aws-cn", "aws-us-gov")
NOBODY: dict[str, Any] = {"Version": "2012-10-17", "Statement": []}
START = OwnerAccount({"release": {}, "develop": {}})
#: The end of a share or of a consumer, and the times between the ends at which the access is compared.
ENDS = ["2026-06-01T00:00:00Z", "2026-12-01T00:00:00Z", "2027-06-01T00:00:00Z"]
FIRST, BETWEEN = "2026-01-01T00:00:00Z", "2026-07-01T00:00:00Z"
LATER = ["2027-01-01T00:00:00Z", "2028-01-01T00:00:00Z"]


def per_consumer(name: str, *accounts: str, **options: Any) -> dict[str, Any]:
    return declared(name, *accounts, **{"roles": "per_consumer", **options})


def drawn_share(name: str) -> st.SearchStrategy[dict[str, Any]]:
    """A share whose consumers have their own ends, in the form that allows it."""

    def share(
        form: str, value: str, repositories: list[str], chosen: list[tuple[str, Any]], expires: Any, duration: Any
    ) -> dict[str, Any]:
        own = form == "per_consumer"
        consumers = [consumer(account, **({"expires": end} if own and end else {})) for account, end in chosen]
        return declared(
            name,
            repository_tags={"environment": value},
            repositories=repositories,
            consumers=consumers,
            roles=form,
            expires=expires,
            max_session_duration=duration,
        )

    ends = st.sampled_from([None, None, *ENDS])
    return st.builds(
        share,
        st.sampled_from(["shared", "per_consumer", "per_consumer"]),
        st.sampled_from(["release", "beta"]),
        st.sampled_from([["release"], ["develop"], ["release", "develop"]]),
        st.lists(
            st.tuples(st.sampled_from([ONE, TWO, THREE]), ends), min_size=1, max_size=3, unique_by=lambda one: one[0]
        ),
        ends,
        st.sampled_from([None, 7200]),
    )


@settings(max_examples=100)
@given(drawn_share("share"), drawn_share("share"), st.sampled_from([FIRST, BETWEEN]))
def test_no_change_gives_access_that_neither_form_allows(old: dict[str, Any], new: dict[str, Any], now: str) -> None:
    start = end_of(replace(START, now=FIRST), old)
    start = replace(start, now=now)
    plan = start.plan([new])
    if plan.problems:
        assert all("is in the past" in problem for problem in plan.problems)
        return
    times = [now, *[time for time in (*ENDS, *LATER) if time > now]]
    *_moments, end = carried_out(start, plan)
    sessions: dict[str, set[str]] = {}
    before = start
    for moment in carried_out(start, plan):
        for name, callers in moment.sessions().items():
            was, state = before.roles.get(name), moment.roles[name]
            if was and (
                (state.revoked and not was.revoked) or (state.revoking and not was.revoking) or not was.role_exists
            ):
                sessions.pop(name, None)
            sessions.setdefault(name, set()).update(callers)
        for time in times:
            wide = start.consumers(time) | end.consumers(time)
            assert moment.consumers(time) <= wide
            held = {
                (caller, repository)
                for name, callers in sessions.items()
                for repository in moment.readable(name, time)
                for caller in callers
            }
            assert held <= wide
        again = moment.plan([new])
        assert again.problems == []
        *_moments, last = carried_out(moment, again)
        assert all(last.consumers(time) == end.consumers(time) for time in times)
        assert not last.plan([new]).changed
        assert last.roles.keys() == end.roles.keys()
        before = moment
    assert end.plan([new]).changed is False
    assert end_of(end, new, state="absent").consumers() == set()


def test_each_consumer_has_its_own_role_and_one_policy() -> None:
    plan = START.plan([per_consumer("share", ONE, TWO, handoff_path="handoff.yml")])
    assert [role.name for role in plan.roles] == [f"share-{ONE}", f"share-{TWO}"]
    assert {role.policy_name for role in plan.roles} == {"share"}
    assert [role.policy_roles for role in plan.roles] == [(f"share-{TWO}",), (f"share-{ONE}",)]
    assert [handoff["path"] for handoff in plan.handoffs] == [f"handoff-1-{ONE}.yml", f"handoff-2-{TWO}.yml"]
    assert [handoff["role"]["role_arn"].rpartition("/")[2] for handoff in plan.handoffs] == [
        f"share-{ONE}",
        f"share-{TWO}",
    ]
    end = end_of(START, per_consumer("share", ONE, TWO))
    assert [name for name, policy in end.policies.items() if policy.policy_exists] == ["share"]
    assert end.roles[f"share-{ONE}"].role_tags["crossaccount.ecr-share"] == "share"


def test_the_only_role_of_a_share_keeps_the_path_of_its_handoff() -> None:
    plan = START.plan([per_consumer("share", ONE, handoff_path="handoff.yml")])
    assert [handoff["path"] for handoff in plan.handoffs] == ["handoff.yml"]


@pytest.mark.parametrize("notation", ["2222-2222-2222", f" {ONE} ", *(f"arn:{name}:iam::{ONE}:root" for name in ALL)])
def test_name_of_a_role_has_the_digits_of_the_account(notation: str) -> None:
    """In every partition: the name is known before the first request to AWS."""
    share = per_consumer("pull", consumers=[consumer(ONE) | {"account": notation}, consumer(TWO)])
    params = {"shares": [share], "defaults": {"handoff_path": "handoff.yml"}, "state": "present"}
    first, _second = declared_shares({**params, "trust_policy_quota": 2048}, REGION)
    assert (first.name, first.is_named, first.handoff.path) == (f"pull-{ONE}", True, f"handoff-1-{ONE}.yml")


def test_a_consumer_may_have_its_own_duration() -> None:
    consumers = [consumer(ONE, max_session_duration=7200), consumer(TWO)]
    plan = START.plan([per_consumer("share", consumers=consumers, max_session_duration=3601)])
    assert [role.max_session_duration for role in plan.roles] == [7200, 3601]


@pytest.mark.parametrize(
    ("second", "problem"),
    [
        ({"account": "a b", "external_id": "id-two"}, "Consumer 2: 'a b' is not an AWS account ID of 12 digits."),
        (consumer(TWO, principals=["puller"]), f"Consumer 2 ({TWO}): principal 'puller' is not"),
        (consumer(TWO, role_name="a/b"), f"Consumer 2 ({TWO}): Role name 'a/b' must have"),
        (consumer(TWO, max_session_duration=1), "max_session_duration is 1 seconds"),
    ],
)
def test_a_problem_of_a_consumer_is_reported_once(second: dict[str, Any], problem: str) -> None:
    problems = START.plan([per_consumer("share", consumers=[consumer(ONE), second])]).problems
    assert [text.startswith(problem) for text in problems] == [True], problems


@pytest.mark.parametrize("share", [per_consumer("share", "a b"), per_consumer("s" * 60)])
def test_role_without_a_valid_name_is_not_missing(share: dict[str, Any]) -> None:
    """Otherwise, a misspelled account would seem to be a role that was deleted by hand."""
    world = replace(START, repositories={"release": {"environment": "release"}, "develop": {}})
    problems = world.plan([share], "absent").problems
    assert not any("does not exist" in problem for problem in problems), problems


def test_removed_consumer_leaves_the_others_unchanged() -> None:
    start = end_of(START, per_consumer("share", ONE, TWO, THREE))
    plan = start.plan([per_consumer("share", ONE, THREE)])
    assert [(role.name, role.is_present, role.keep_policy) for role in plan.roles] == [(f"share-{TWO}", False, True)]
    assert [(change["principal"][:12]) for change in plan.access.lost] == [TWO]
    assert plan.access.gained == []
    assert (plan.untag, plan.tag) == ([], [])
    assert not any("stays on repository" in line or "lost the tags" in line for line in plan.summary)
    assert "the role is deleted; no one can pull through it" in plan.summary
    for moment in carried_out(start, plan):
        assert {ONE, THREE} <= {caller[:12] for caller, _repository in moment.consumers()}


def test_the_last_role_is_deleted_with_the_policy() -> None:
    start = end_of(START, per_consumer("share", ONE, TWO))
    plan = start.plan([per_consumer("share", ONE)], "absent")  # TWO is no longer declared
    assert [(role.name, role.keep_policy) for role in plan.roles] == [(f"share-{TWO}", True), (f"share-{ONE}", False)]
    end = end_of(start, per_consumer("share", ONE), state="absent")
    assert not any(role.role_exists for role in end.roles.values())
    assert not end.policies["share"].policy_exists
    assert end.repositories == {"release": {}, "develop": {}}
    assert not end.plan([per_consumer("share", ONE)], "absent", is_carried_out=True).changed


@pytest.mark.parametrize("forms", [("shared", "per_consumer"), ("per_consumer", "shared")])
def test_a_share_moves_between_forms_and_keeps_external_ids(forms: tuple[str, str]) -> None:
    generate = [{"account": ONE, "external_id": "generate"}, {"account": TWO, "external_id": f"shared-id-{TWO}"}]
    start = end_of(START, declared("share", consumers=generate, roles=forms[0]))
    plan = start.plan([declared("share", consumers=generate, roles=forms[1])])
    roles = [handoff["role"] for handoff in plan.handoffs if handoff]
    ids = {one["account"]: one["external_id"] for role in roles for one in role["consumers"]}
    assert ids == {ONE: "generated", TWO: f"shared-id-{TWO}"}
    *_moments, end = carried_out(start, plan)
    assert sorted(name for name, role in end.roles.items() if role.role_exists) == (
        ["share"] if forms[1] == "shared" else [f"share-{ONE}", f"share-{TWO}"]
    )


@pytest.mark.parametrize("forms", [("shared", "per_consumer"), ("per_consumer", "shared")])
def test_an_organization_keeps_its_external_id(forms: tuple[str, str]) -> None:
    organization = {"organization_id": "o-abcdefghij", "external_id": "generate"}
    consumers = [consumer(ONE), organization]
    start = end_of(START, declared("share", consumers=consumers, roles=forms[0]))
    plan = start.plan(
        [declared("share", consumers=consumers, roles=forms[1], handoff_path="h.yml")], make_id=lambda: "new"
    )
    assert plan.problems == []
    found = [one for handoff in plan.handoffs if handoff for one in handoff["role"]["consumers"]]
    assert [(one["account"], one["organization_id"], one["external_id"]) for one in found] == [
        (ONE, None, f"shared-id-{ONE}"),
        (None, "o-abcdefghij", "generated"),
    ]
    own = forms[1] == "per_consumer"
    paths = [handoff["path"] for handoff in plan.handoffs if handoff]
    assert paths == ([f"h-1-{ONE}.yml", "h-2-o-abcdefghij.yml"] if own else ["h.yml"])
    *_moments, end = carried_out(start, plan)
    names = sorted(name for name, role in end.roles.items() if role.role_exists)
    assert names == ([f"share-{ONE}", "share-o-abcdefghij"] if own else ["share"])
    assert not end.plan([declared("share", consumers=consumers, roles=forms[1])]).changed


def test_units_of_one_organization_need_names_for_their_roles() -> None:
    unit = {"organization_id": "o-abcdefghij", "organization_units": ["o-abcdefghij/r-ab12/ou-ab12-11111111"]}
    whole = {"organization_id": "o-abcdefghij", "external_id": "generate"}
    plan = START.plan([per_consumer("share", consumers=[whole, {**unit, "external_id": "generate"}])])
    assert plan.problems == [
        "Consumers 1 and 2 would both have role share-o-abcdefghij. Set role_name of one of them, or declare both as"
        " one consumer."
    ]
    named = {**unit, "external_id": "generate", "role_name": "unit"}
    ids = iter(["id-one", "id-two"])
    plan = START.plan([per_consumer("share", consumers=[whole, named])], make_id=lambda: next(ids))
    assert (plan.problems, [role.name for role in plan.roles]) == ([], ["share-o-abcdefghij", "unit"])


def test_new_tags_narrow_every_role_before_the_policy_changes() -> None:
    start = end_of(START, per_consumer("share", ONE, TWO))
    consumers = [consumer(ONE), consumer(TWO, "other-id")]
    plan = start.plan([per_consumer("share", consumers=consumers, repository_tags={"environment": "beta"})])
    assert [(role.name, role.is_narrowed) for role in plan.roles] == [
        (f"share-{TWO}", True),
        (f"share-{ONE}", False),
        (f"share-{TWO}", False),
    ]
    assert plan.roles[0].options["state"] == "narrowed"
    # The first role is narrowed by its own writes.
    consumers = [consumer(ONE, "other-id"), consumer(TWO)]
    plan = start.plan([per_consumer("share", consumers=consumers, repository_tags={"environment": "beta"})])
    assert [(role.name, role.is_narrowed) for role in plan.roles] == [(f"share-{ONE}", False), (f"share-{TWO}", False)]


def test_new_roles_are_narrowed_before_the_old_role_is_deleted() -> None:
    start = end_of(START, declared("share", ONE, TWO))
    plan = start.plan([per_consumer("share", ONE, TWO)])
    assert [(role.name, role.is_narrowed, role.is_present) for role in plan.roles] == [
        (f"share-{ONE}", True, True),
        (f"share-{TWO}", True, True),
        ("share", False, False),
        (f"share-{ONE}", False, True),
        (f"share-{TWO}", False, True),
    ]


def test_a_new_role_is_narrowed_without_its_policy() -> None:
    after = RoleState(role_exists=True, policy_exists=True, attached=True, trust=NOBODY, end_policy=NOBODY)
    plan = plan_role_narrowed(RoleState(policy_exists=True, permissions=NOBODY), after)
    assert [step.name for step in plan.steps] == ["create_role"]
    assert (plan.after.role_exists, plan.after.attached, plan.after.end_policy) == (True, False, None)
    assert plan.after.permissions == NOBODY


# --- ends


def at(world: OwnerAccount, now: str) -> OwnerAccount:
    return replace(world, now=now)


def test_a_duration_is_fixed_by_the_first_run() -> None:
    share = per_consumer("share", ONE, TWO, expires="14d")
    start = end_of(at(START, FIRST), share)
    assert {role.role_tags["crossaccount.ecr-expires"] for role in start.roles.values()} == {"14d 2026-01-15T00:00:00Z"}
    later = at(start, "2026-01-10T00:00:00Z")
    assert not later.plan([share]).changed
    third = later.plan([per_consumer("share", ONE, TWO, THREE, expires="14d")])
    assert {one["expires"] for one in (facts.result for facts in third.shares)} == {"2026-01-15T00:00:00Z"}
    longer = later.plan([per_consumer("share", ONE, TWO, expires="30d")])
    assert {one["expires"] for one in (facts.result for facts in longer.shares)} == {"2026-02-09T00:00:00Z"}
    # Without an end, the tag is removed. The same duration then begins again.
    without = end_of(later, per_consumer("share", ONE, TWO))
    assert not any("crossaccount.ecr-expires" in role.role_tags for role in without.roles.values())
    again = without.plan([share])
    assert {one["expires"] for one in (facts.result for facts in again.shares)} == {"2026-01-24T00:00:00Z"}


def test_extending_and_shortening_are_access_changes() -> None:
    start = end_of(at(START, FIRST), declared("share", expires=ENDS[0]))
    extended = start.plan([declared("share", expires=ENDS[1])])
    assert extended.access.lines == [f"{ONE}: access now ends on {ENDS[1]}, not on {ENDS[0]}"]
    assert [change["principal"][:12] for change in extended.access.gained] == [ONE]
    assert extended.access.lost == []
    *_moments, end = carried_out(start, extended)
    shortened = end.plan([declared("share", expires=ENDS[0])])
    assert shortened.access.lines == [f"{ONE}: access now ends on {ENDS[0]}, not on {ENDS[1]}"]
    assert (shortened.access.gained, len(shortened.access.lost)) == ([], 1)
    assert end.plan([declared("share")]).access.lines == [f"{ONE}: access no longer ends on {ENDS[1]}"]
    assert end_of(START, declared("share")).plan([declared("share", expires=ENDS[2])]).access.lines == [
        f"{ONE}: access now ends on {ENDS[2]}"
    ]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (declared("share", ONE, TWO), declared("share", ONE, TWO, expires=ENDS[0])),
        (declared("share", ONE, TWO, expires=ENDS[1]), declared("share", ONE, TWO, expires=ENDS[0])),
        (declared("share", ONE, TWO, expires=ENDS[0]), declared("share", ONE, TWO, expires=ENDS[1])),
        (declared("share", ONE, TWO, expires=ENDS[0]), declared("share", ONE, TWO)),
    ],
)
def test_a_new_end_never_interrupts_the_consumers(old: dict[str, Any], new: dict[str, Any]) -> None:
    start = end_of(at(START, FIRST), old)
    plan = start.plan([new])
    assert plan.problems == []
    for moment in carried_out(start, plan):
        assert {caller[:12] for caller, _repository in moment.consumers()} == {ONE, TWO}
        assert not any(role.revoked for role in moment.roles.values())


def test_an_ended_share_runs_again_without_a_change() -> None:
    share = declared("share", expires=ENDS[0])
    ended = at(end_of(at(START, FIRST), share), BETWEEN)
    assert ended.consumers() == set()
    plan = ended.plan([share])
    assert (plan.changed, plan.problems, plan.access.gained, plan.access.lost) == (False, [], [], [])
    assert any(f"ended on {ENDS[0]}" in line and "ecr_share_expired_only" in line for line in plan.summary)
    extended = ended.plan([declared("share", expires=ENDS[1])])
    assert [change["principal"][:12] for change in extended.access.gained] == [ONE]


@pytest.mark.parametrize(
    ("share", "problem"),
    [
        (declared("share", expires=FIRST), f"expires {FIRST} of role share is in the past."),
        (
            per_consumer("share", consumers=[consumer(ONE, expires=FIRST)]),
            f"expires {FIRST} of role share-{ONE} is in the past. Declare a later end, or remove the consumer.",
        ),
        (declared("share", expires="2026-06-01T00:00:00"), "expires '2026-06-01T00:00:00' has no time zone."),
        (declared("share", expires="2026-06-01"), "expires '2026-06-01' is neither a time in whole seconds"),
        (declared("share", expires="0d"), "expires '0d' is neither a time"),
        (declared("share", expires="-1d"), "expires '-1d' is neither a time"),
        (declared("share", expires="14 d"), "expires '14 d' is neither a time"),
        (declared("share", expires="2026-02-30T00:00:00Z"), "expires '2026-02-30T00:00:00Z' is neither a time"),
        (declared("share", expires="2026-06-01T00:00:00.5Z"), "expires '2026-06-01T00:00:00.5Z' is neither a time"),
        (declared("share", expires="11000w"), "expires '11000w' is longer than 10 years."),
        (declared("share", expires=" "), "expires is empty. For access without an end, omit it."),
        (declared("share", expires="soon", state="absent"), "expires 'soon' is neither a time"),
        (declared("share", expires=True), "expires 'True' is neither a time"),
        (
            declared("share", consumers=[consumer(ONE, expires=ENDS[2])]),
            f"Consumer 1 ({ONE}) has expires, but all consumers of the share use one role. Set roles: per_consumer",
        ),
        (
            declared("share", consumers=[consumer(ONE, role_name="own")]),
            f"Consumer 1 ({ONE}) has role_name, but all consumers of the share use one role.",
        ),
        (
            per_consumer("share", consumers=[consumer(ONE), {**consumer(ONE), "principals": ["user/a"]}]),
            f"Consumers 1 and 2 would both have role share-{ONE}. Set role_name of one of them",
        ),
        (
            per_consumer("share", consumers=[consumer(ONE), consumer(TWO, role_name=f"SHARE-{ONE}")]),
            f"Consumers 1 and 2 would both have role SHARE-{ONE}.",
        ),
        (per_consumer("s" * 52), f"Consumer 1 ({ONE}): Role name '{'s' * 52}-{ONE}' must have"),
    ],
)
def test_an_invalid_end_or_role_is_one_problem(share: dict[str, Any], problem: str) -> None:
    found = at(START, BETWEEN if FIRST in str(share) else FIRST).plan([share]).problems
    assert [text for text in found if text.startswith(problem)] == found, found
    assert len(found) == 1


def test_two_shares_cannot_have_one_role() -> None:
    shares = [per_consumer("share", ONE), declared(f"Share-{ONE}", TWO, repository_tags={"audience": "inner"})]
    (problem,) = START.plan(shares).problems
    assert problem.startswith(f"Shares 1 and 2 have the same role_name Share-{ONE}.")


# --- only what has ended


def test_only_ended_shares_are_deleted() -> None:
    shares = [
        declared("ended", ONE, expires=ENDS[0]),
        declared("later", TWO, expires=ENDS[2]),
        declared("endless", THREE, repository_tags={"audience": "inner"}),
    ]
    start = at(end_of(at(START, FIRST), *shares), BETWEEN)
    changed = [shares[0], shares[1], {**shares[2], "repositories": ["develop"]}]  # this change is not carried out
    plan = start.plan(changed, "absent", expired_only=True)
    assert [(module, options.get("name")) for module, options in plan.steps] == [("iam_ecr_pull_role", "ended")]
    *_moments, end = carried_out(start, plan)
    assert end.consumers() == start.consumers()
    assert end.repositories == start.repositories  # the tag is also that of the second share
    assert end.plan(changed, "absent", is_carried_out=True, expired_only=True).changed is False


def test_only_ended_consumers_are_deleted() -> None:
    share = per_consumer("share", consumers=[consumer(ONE, expires=ENDS[0]), consumer(TWO)])
    start = at(end_of(at(START, FIRST), share), BETWEEN)
    plan = start.plan([share], "absent", expired_only=True)
    assert [(role.name, role.keep_policy) for role in plan.roles] == [(f"share-{ONE}", True)]
    *_moments, end = carried_out(start, plan)
    assert {caller[:12] for caller, _repository in end.consumers()} == {TWO}
    whole = {**share, "expires": ENDS[0]}
    ended = at(end_of(at(START, FIRST), whole), BETWEEN)
    assert [role.keep_policy for role in ended.plan([whole], "absent", expired_only=True).roles] == [True, False]


# --- interrupted moves, and states that others made


def moments_of(start: OwnerAccount, *shares: dict[str, Any]) -> list[OwnerAccount]:
    return list(carried_out(start, start.plan(list(shares))))


@pytest.mark.parametrize("forms", [("shared", "per_consumer"), ("per_consumer", "shared")])
def test_interrupted_move_keeps_external_ids_and_the_end(forms: tuple[str, str]) -> None:
    """Also with new tags, so that the roles of the old form are deleted before the policy changes."""
    consumers = [{"account": account, "external_id": "generate"} for account in (ONE, TWO)]
    old = declared("share", consumers=consumers, roles=forms[0], expires="14d")
    new = {**old, "roles": forms[1], "repository_tags": {"environment": "beta"}}
    plan = at(START, FIRST).plan([old], make_id=iter(["id-1", "id-2"]).__next__)
    *_moments, start = carried_out(at(START, FIRST), plan)
    for moment in moments_of(at(start, "2026-01-03T00:00:00Z"), new):
        again = at(moment, "2026-01-09T00:00:00Z").plan([new])
        assert again.problems == []
        assert {facts.result["expires"] for facts in again.shares if facts.result["expires"]} == {
            "2026-01-15T00:00:00Z"
        }
        ids = [one["external_id"] for handoff in again.handoffs if handoff for one in handoff["role"]["consumers"]]
        assert ids == ["id-1", "id-2"]


def test_new_consumer_of_an_account_gets_its_own_external_id() -> None:
    def named(user: str, **options: Any) -> dict[str, Any]:
        own = {"principals": [f"user/{user}"], "role_name": f"role-{user}", "external_id": "generate"}
        return {"account": ONE, **own, **options}

    start = end_of(START, per_consumer("share", consumers=[named("a", external_id="id-of-a")]))
    plan = start.plan([per_consumer("share", consumers=[named("a"), named("b")])])
    ids = [one["external_id"] for handoff in plan.handoffs for one in handoff["role"]["consumers"]]
    assert ids == ["id-of-a", "generated"]
    renamed = start.plan([per_consumer("share", consumers=[named("a", principals=["user/c"], role_name="role-c")])])
    assert [one["external_id"] for handoff in renamed.handoffs if handoff for one in handoff["role"]["consumers"]] == [
        "id-of-a"
    ]


def test_another_share_of_an_account_changes_no_external_id() -> None:
    """The account of a consumer identifies its ID if the share declares the account once, even in a new role."""

    def named(user: str, form: str) -> dict[str, Any]:
        consumers = [{"account": ONE, "principals": [f"user/{user}"], "external_id": "generate"}]
        return declared("share", consumers=consumers, roles=form)

    other = declared("other", ONE, repository_tags={"audience": "inner"})
    start = end_of(START, named("a", "shared"), other)
    for form in ("shared", "per_consumer"):
        plan = start.plan([named("b", form), other], make_id=lambda: "new")
        assert [
            [one["external_id"] for one in handoff["role"]["consumers"]] for handoff in plan.handoffs if handoff
        ] == [["generated"], [f"shared-id-{ONE}"]]


def test_another_share_with_the_same_duration_has_its_own_end() -> None:
    start = at(end_of(at(START, FIRST), declared("first", expires="14d")), "2026-01-03T00:00:00Z")
    second = declared("second", TWO, expires="14d", repository_tags={"audience": "inner"})
    plan = start.plan([declared("first", expires="14d"), second])
    assert [facts.result["expires"] for facts in plan.shares] == ["2026-01-15T00:00:00Z", "2026-01-17T00:00:00Z"]


def test_share_has_ended_at_its_end() -> None:
    share = declared("share", expires=ENDS[0])
    start = end_of(at(START, FIRST), share)
    assert not at(start, "2026-05-31T23:59:59Z").plan([share], "absent", expired_only=True).changed
    assert [role.name for role in at(start, ENDS[0]).plan([share], "absent", expired_only=True).roles] == ["share"]


def test_roles_that_may_serve_a_share_are_read() -> None:
    (share,) = declared_shares(
        {"shares": [per_consumer("share", ONE)], "defaults": None, "state": "present", "trust_policy_quota": 2048},
        REGION,
    )
    kinds = (AttachmentKind.ROLE, AttachmentKind.USER)
    state = RoleState(attachments=tuple(Attachment(kind, f"by-hand-{kind.name}") for kind in kinds))
    others = {
        "of-this-share": RoleState(role_tags={"Crossaccount.ECR-share": "share"}),
        "of-another-share": RoleState(role_tags={"crossaccount.ecr-share": "other"}),
        "of-no-share": RoleState(),
    }
    assert role_names_to_read(share, {share.name: state}, others) == {"share", "by-hand-ROLE", "of-this-share"}
    assert role_names_to_read(share, {}, {}) == {"share"}


@pytest.mark.parametrize("is_later", [True, False])
def test_new_tags_and_a_new_end_never_mix(is_later: bool) -> None:
    ends = ENDS[:2] if is_later else ENDS[1::-1]
    world = replace(START, repositories={"release": {"environment": "release"}, "develop": {"environment": "beta"}})
    old, new = (
        per_consumer("share", repository_tags={"environment": value}, consumers=[consumer(ONE, expires=end)])
        for value, end in zip(("release", "beta"), ends)
    )
    start = end_of(at(world, FIRST), {**old, "repositories": ["release"]})
    moments = moments_of(start, {**new, "repositories": ["develop"]})
    for time in (FIRST, BETWEEN, LATER[0]):
        first, *between, last = (set(moment.readable(f"share-{ONE}", time)) for moment in moments)
        assert all(held <= first | last for held in between)


def test_removed_end_of_an_ended_consumer_is_written_again() -> None:
    share = per_consumer("share", consumers=[consumer(ONE, expires=ENDS[0]), consumer(TWO)])
    start = at(end_of(at(START, FIRST), share), BETWEEN)
    name = f"share-{ONE}"
    opened = start.write(name, "share", replace(start.read(name, "share"), end_policy=None))
    plan = opened.plan([share])
    assert (plan.problems, [role.name for role in plan.roles]) == ([], [name])
    *_moments, end = carried_out(opened, plan)
    assert end.roles[name].end_policy == start.roles[name].end_policy
    assert end.consumers() == start.consumers()


def test_end_in_the_past_that_aws_lacks_deletes_nothing() -> None:
    share = per_consumer("share", consumers=[consumer(ONE), consumer(TWO, expires=ENDS[0])])
    start = at(end_of(at(START, FIRST), share), BETWEEN)
    misspelled = {**share, "consumers": [consumer(ONE, expires="2016-06-01T00:00:00Z"), share["consumers"][1]]}
    plan = start.plan([misspelled], "absent", expired_only=True)
    assert [role.name for role in plan.roles] == [f"share-{TWO}"]
    (problem,) = plan.problems
    assert problem.startswith(f"expires 2016-06-01T00:00:00Z of role share-{ONE} is in the past.")


def test_role_of_another_share_with_the_name_of_this_one_is_kept() -> None:
    other = per_consumer("other", consumers=[consumer(ONE, role_name="share")])
    start = end_of(START, other)
    plan = start.plan([per_consumer("share", TWO, repository_tags={"audience": "inner"})])
    assert [(role.name, role.is_present) for role in plan.roles] == [(f"share-{TWO}", True)]


def test_share_that_does_not_exist_yet_has_not_ended() -> None:
    """Its repositories have its tag, because another role grants it."""
    world = replace(START, repositories={"release": {"environment": "release"}, "develop": {}})
    plan = world.plan([declared("later", expires=ENDS[2])], "absent", expired_only=True)
    assert (plan.problems, plan.changed) == ([], False)


@pytest.mark.parametrize("is_revoked", [True, False])
def test_interrupted_deletion_of_what_has_ended_continues(is_revoked: bool) -> None:
    share = per_consumer("share", consumers=[consumer(ONE, expires=ENDS[0]), consumer(TWO)])
    start = end_of(at(START, FIRST), share)
    name = f"share-{ONE}"
    start = start.write(name, "share", replace(start.read(name, "share"), revoked=is_revoked))
    start = at(start, BETWEEN)
    *moments, end = carried_out(start, start.plan([share], "absent", expired_only=True))
    for moment in moments:
        again = moment.plan([share], "absent", expired_only=True)
        assert (again.problems, [role.name for role in again.roles]) == ([], [name])
    assert not end.roles[name].role_exists
    # Someone removed the end from the permissions only.
    opened = start.write(name, "share", replace(start.read(name, "share"), end_policy=None))
    assert [role.name for role in opened.plan([share], "absent", expired_only=True).roles] == [name]
