from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from typing import Any

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._plan import RoleState
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account, Registry, Share, shares_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_plan import SharePlan, plan_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_roles import plan_pull_role
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.authority import Caller, assumes, reads
from tests.unit.iam_writes import applied

OWNER, REGION = "111111111111", "eu-west-1"
ONE, TWO, THREE = "222222222222", "333333333333", "444444444444"
TAG = {"environment": "release"}
OURS = {"managed-by": "crossaccount.ecr"}


def consumer(account: str, external_id: str = "shared-id") -> dict[str, Any]:
    return {"account": account, "external_id": f"{external_id}-{account}"}


def declared(name: str, *accounts: str, **options: Any) -> dict[str, Any]:
    """A share in the form that the module receives."""
    return {
        "role_name": name,
        "repository_tags": TAG,
        "repositories": ["release"],
        "consumers": [consumer(account) for account in accounts or [ONE]],
        **options,
    }


@dataclass
class World:
    """The owner account: pull roles, and the tags of repositories in one region."""

    repositories: dict[str, dict[str, str]]
    roles: dict[str, RoleState] = field(default_factory=dict)
    unknown: str = ""

    def account(self, shares: list[Share]) -> Account:
        """What a reader finds."""
        names = {share.name for share in shares}
        others = {
            name: role
            for name, role in self.roles.items()
            if name not in names and role.role_tags.items() >= OURS.items()
        }
        registry = Registry(REGION, "registry", dict(self.repositories), tuple(self.repositories), self.unknown)
        return Account(
            OWNER, "aws", {name: self.roles[name] for name in names & {*self.roles}}, others, {REGION: registry}
        )

    def plan(self, shares: list[dict[str, Any]], state: str = "present") -> SharePlan:
        problems = Problems()
        options = {"shares": shares, "defaults": None, "state": state, "trust_policy_quota": 2048}
        parsed = shares_of(options, REGION, problems)
        return plan_shares(parsed, self.account(parsed), lambda: "generated", problems)

    def pairs(self) -> set[tuple[str, str, str]]:
        """Who may read which repository through which role."""
        return {
            (role, caller, repository)
            for role, state in self.roles.items()
            if state.role_exists and state.attached and state.trust and state.permissions
            for caller in readers(state.trust)
            for repository in readable(state, self.repositories)
        }


CALLERS = [
    Caller(f"arn:aws:iam::{account}:user/any", f"{external_id}-{account}")
    for account in (ONE, TWO, THREE)
    for external_id in ("shared-id", "other-id")
]


def readers(trust: dict[str, Any]) -> list[str]:
    return [f"{caller.account} {caller.external_id}" for caller in CALLERS if assumes(trust, caller)]


def readable(state: RoleState, repositories: dict[str, dict[str, str]]) -> list[str]:
    assert state.permissions
    arn = f"arn:aws:ecr:{REGION}:{OWNER}:repository/"
    return [
        name for name, tags in repositories.items() if reads(state.permissions, "ecr:BatchGetImage", arn + name, tags)
    ]


def carried_out(world: World, plan: SharePlan) -> Iterator[World]:
    """The account before the first write of a plan, and after each write."""
    assert plan.problems == []
    yield world
    for module, options in plan.steps:
        if module == "iam_ecr_pull_role":
            name = options["name"]
            role = plan_pull_role(
                world.roles.get(name, RoleState()), options, "aws", OWNER, lambda: "not called", Problems()
            )
            state = role.plan.before
            for step in role.plan.steps:
                state = applied(state, step)
                world = replace(world, roles={**world.roles, name: state})
                yield world
            continue
        for name in options["names"]:
            tags, change = world.repositories[name], options["tags"]
            if options["state"] == "absent":
                tags = {key: value for key, value in tags.items() if change.get(key) != value}
            else:
                tags = {**tags, **change}
            world = replace(world, repositories={**world.repositories, name: tags})
            yield world


def end_of(world: World, *shares: dict[str, Any], state: str = "present") -> World:
    *_moments, end = carried_out(world, world.plan(list(shares), state))
    return end


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


@settings(max_examples=600)
@given(drawn_repositories, drawn_shares, drawn_shares)
def test_never_wider_than_the_declarations_even_if_killed(
    repositories: dict[str, dict[str, str]], old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    start = World(repositories)
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


@settings(max_examples=300)
@given(drawn_repositories, drawn_shares, drawn_shares)
def test_sessions_never_see_what_neither_declaration_allows(
    repositories: dict[str, dict[str, str]], old: list[dict[str, Any]], new: list[dict[str, Any]]
) -> None:
    """Every caller assumes every role as soon as its trust policy allows it, and keeps the session."""
    start = World(repositories)
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
                out.setdefault(name, set()).update(readers(state.trust or {"Statement": []}))
                for caller in out[name] if state.attached and state.permissions else ():
                    seen = {(name, caller, repository) for repository in readable(state, moment.repositories)}
                    assert seen <= wide
        before = moment


def _revoked_now(before: RoleState | None, after: RoleState) -> bool:
    """Whether this write revoked the sessions: the mark of an unfinished revocation counts, it denies them, too."""
    return before is not None and ((after.revoked and not before.revoked) or (after.revoking and not before.revoking))
