# SPDX-License-Identifier: GPL-3.0-or-later
"""Which roles of the declared shares a run revokes, and the problems of the choice."""

from __future__ import annotations

import re
from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation_choice import (
    CHOICE_ARGUMENTS,
    ChosenRole,
    RevocationOptions,
)

from tests.support.paths import ROOT

FIRST, SECOND, UNKNOWN = "222222222222", "333333333333", "222222222223"
BOTH = [{"account": FIRST}, {"account": SECOND}]
EACH: dict[str, Any] = {"role_name": "pull", "roles": "per_consumer", "consumers": BOTH}
NOT_NAMED = "The role to revoke is not named. Set role_name, or role_name in shares."
NO_SHARE = "shares has no share to revoke. Declare a share with state: present."
POLICY_MODES = ("repository_policy", "registry_policy")
NO_ROLE = (
    "No declared share has a role, so there are no sessions to revoke. Without a role: {}. To end the access of a"
    " consumer, remove it from consumers and run crossaccount.ecr.share."
)
ONE_ROLE = (
    f"The sessions of consumer {FIRST} cannot be revoked alone, because all consumers of share pull use one role. To"
    " revoke the sessions of all consumers, omit revoke_consumers. To give each consumer its own role, set roles:"
    " per_consumer and share again."
)


def options(**given: Any) -> RevocationOptions:
    defaults = {name: spec.get("default") for name, spec in CHOICE_ARGUMENTS.items()}
    return RevocationOptions.of({**defaults, **given})


def of_playbook(declaration: str, **variables: Any) -> RevocationOptions:
    """The choice of revoke.yml for a declaration in a file: the role passes the variables to the module."""
    files = ("roles/ecr_share/tasks/revoke.yml", "roles/ecr_share/defaults/main.yml", declaration)
    tasks, *values = (yaml.safe_load((ROOT / name).read_text(encoding="utf-8")) for name in files)
    given = {name: value for listed in (*values, variables) for name, value in listed.items()}
    templates = tasks[0]["crossaccount.ecr.iam_ecr_session_revocation"]
    names = {name: re.findall(r"ecr_share_\w+", templates[name])[0] for name in CHOICE_ARGUMENTS}
    return options(**{name: given[variable] for name, variable in names.items() if variable in given})


@pytest.mark.parametrize(
    ("declared", "names"),
    [
        (options(role_name="a"), ["a"]),
        (options(role_name="a", consumers=BOTH), ["a"]),
        (options(role_name="a", shares=[{"role_name": "b"}, {"role_name": None}, {"role_name": "B"}]), ["B", "a"]),
        (options(role_name="a", shares=[{"role_name": "b", "state": "absent"}, {"role_name": "c"}]), ["c"]),
        (options(shares=[{"role_name": "b", "mode": "repository_policy"}, {"role_name": "c", "mode": "role"}]), ["c"]),
    ],
)
def test_present_share_has_one_role(declared: RevocationOptions, names: list[str]) -> None:
    assert (declared.roles, list(declared.problems())) == ([ChosenRole(name) for name in names], [])


@pytest.mark.parametrize(
    ("chosen", "roles"),
    [
        (None, [ChosenRole(f"pull-{FIRST}", FIRST), ChosenRole(f"pull-{SECOND}", SECOND)]),
        ([SECOND], [ChosenRole(f"pull-{SECOND}", SECOND)]),
        ([SECOND, "3333-3333-3333", f"arn:aws:iam::{SECOND}:root"], [ChosenRole(f"pull-{SECOND}", SECOND)]),
        ([f"arn:aws-cn:iam::{SECOND}:root"], [ChosenRole(f"pull-{SECOND}", SECOND)]),
        ([SECOND, FIRST], [ChosenRole(f"pull-{FIRST}", FIRST), ChosenRole(f"pull-{SECOND}", SECOND)]),
    ],
)
def test_chosen_consumers_have_their_own_roles(chosen: list[Any] | None, roles: list[ChosenRole]) -> None:
    for given in (EACH, {"role_name": "x", "shares": [EACH, {**EACH, "state": "absent", "role_name": "old"}]}):
        declared = options(**given, revoke_consumers=chosen)
        assert (declared.roles, list(declared.problems())) == (roles, [])


@pytest.mark.parametrize("mode", POLICY_MODES)
def test_shares_without_a_role_are_ignored(mode: str) -> None:
    """The mode is that of the share, or the common one."""
    role, per_consumer = {"role_name": "a", "mode": "role"}, {**EACH, "mode": "role"}
    # The name and the consumers of such a share are not validated.
    policy = {"role_name": "b/c", "roles": "per_consumer", "consumers": [{}]}
    for declared in (
        options(mode=mode, shares=[role, policy]),
        options(mode=mode, shares=[{**policy, "mode": None}, role]),
        options(shares=[{**policy, "mode": mode}, {**role, "mode": None}]),
        options(shares=[{**policy, "mode": mode}, {"role_name": "a"}]),
    ):
        assert (declared.roles, list(declared.problems())) == ([ChosenRole("a")], [])
    both = {**policy, "consumers": BOTH}
    chosen = options(mode=mode, shares=[per_consumer, both], revoke_consumers=[SECOND])
    assert (chosen.roles, list(chosen.problems())) == ([ChosenRole(f"pull-{SECOND}", SECOND)], [])


@pytest.mark.parametrize("mode", POLICY_MODES)
@pytest.mark.parametrize("chosen", [None, [], [FIRST], ["all"]])
def test_without_a_role_there_is_one_problem(mode: str, chosen: list[str] | None) -> None:
    ended = {"role_name": "old", "mode": "role", "state": "absent"}
    shares = [{"role_name": "b", "consumers": BOTH}, {}, ended]
    for declared, names in (
        (options(role_name="a", mode=mode, revoke_consumers=chosen), "a"),
        (options(mode=mode, shares=shares, revoke_consumers=chosen), "b, (no name)"),
        (options(role_name="a", shares=[{"mode": mode}, ended], revoke_consumers=chosen), "a"),
    ):
        assert (declared.roles, list(declared.problems())) == ([], [NO_ROLE.format(names)])


def test_consumer_of_a_share_without_a_role_has_no_sessions() -> None:
    others = [{"role_name": name, "mode": "repository_policy", "consumers": [{"account": UNKNOWN}]} for name in "bc"]
    declared = options(shares=[EACH, *others], revoke_consumers=[FIRST, UNKNOWN])
    assert list(declared.problems()) == [
        f"Consumer {UNKNOWN} to revoke is declared only in shares without a role: b, c. It has no sessions to revoke."
        " To end its access, remove it from consumers and run crossaccount.ecr.share."
    ]


def test_documented_share_without_a_role_has_no_sessions() -> None:
    example = "docs/examples/share-repository-policy.yml"
    assert list(of_playbook(example).problems()) == [NO_ROLE.format("own-identities")]
    mixed = of_playbook(example, ecr_share_shares=[{}, {"role_name": "pull", "mode": "role"}])
    assert (mixed.roles, list(mixed.problems())) == ([ChosenRole("pull")], [])
    of_role = of_playbook(example, ecr_share_mode="role")
    assert (of_role.roles, list(of_role.problems())) == ([ChosenRole("own-identities")], [])
    one = of_playbook("docs/examples/share-one-user.yml")
    assert ([role.consumer for role in one.roles], list(one.problems())) == ([""], [])


def test_every_role_of_an_account_in_every_share_is_chosen() -> None:
    twice = {**EACH, "consumers": [{"account": FIRST}, {"account": FIRST, "role_name": "deploy"}, {"account": SECOND}]}
    other = {"role_name": "other", "roles": "shared", "consumers": [{"account": SECOND}]}
    declared = options(shares=[twice, {"role_name": "third", "consumers": BOTH, "roles": "per_consumer"}])
    assert [role.name for role in declared.roles][:3] == [f"pull-{FIRST}", "deploy", f"pull-{SECOND}"]
    chosen = options(shares=[twice, {**EACH, "role_name": "third"}], revoke_consumers=[FIRST])
    assert [role.name for role in chosen.roles] == [f"pull-{FIRST}", "deploy", f"third-{FIRST}"]
    # A share of other consumers, which use one role, is not revoked.
    apart = options(shares=[twice, other], revoke_consumers=[FIRST])
    assert list(apart.problems()) == []
    assert [role.name for role in apart.roles] == [f"pull-{FIRST}", "deploy"]


def test_an_organization_is_a_consumer_to_revoke() -> None:
    organization, unit = "o-abcdefghij", "o-abcdefghij/r-ab12/ou-ab12-11111111"
    consumers = [
        *BOTH,
        {"organization_id": organization},
        {"organization_id": organization, "organization_units": [unit], "role_name": "unit"},
        {"account": UNKNOWN, "organization_id": organization},
    ]
    chosen = options(**{**EACH, "consumers": consumers}, revoke_consumers=[organization])
    assert list(chosen.problems()) == []
    assert chosen.roles == [ChosenRole(f"pull-{organization}", organization), ChosenRole("unit", organization)]
    wrong = options(**{**EACH, "consumers": [*consumers, {}]}, revoke_consumers=["o-abcdefghik", "o-*"])
    assert list(wrong.problems()) == [
        "Consumer 6: It has neither account nor organization_id. Set account, or organization_id for a whole"
        " organization.",
        "Consumer o-abcdefghik to revoke is not declared. Did you mean o-abcdefghij?"
        f" Declared: {FIRST}, {SECOND}, {organization}, {UNKNOWN}, nobody. Correct revoke_consumers.",
        "revoke_consumers: organization_id 'o-*' does not look like o-exampleorgid.",
    ]


@pytest.mark.parametrize(
    ("given", "problems"),
    [
        ({}, [NOT_NAMED]),
        ({"role_name": ""}, [NOT_NAMED]),
        ({"shares": [{"role_name": "a"}, {}]}, [NOT_NAMED]),
        ({"role_name": "a", "shares": []}, [NO_SHARE]),
        ({"role_name": "a", "shares": [{"state": "absent"}]}, [NO_SHARE]),
        ({"role_name": "role/a"}, ["Role name 'role/a' must have 1 to 64 of letters, digits and _+=,.@-."]),
        (
            {**EACH, "consumers": []},
            ["Share pull has a role for each consumer, but no consumer is declared. Set consumers."],
        ),
        (
            {**EACH, "role_name": "p" * 60},
            [
                f"Consumer {number} ({account}): Role name '{'p' * 60}-{account}' must have 1 to 64 of letters, digits"
                " and _+=,.@-. Set role_name of this consumer."
                for number, account in enumerate((FIRST, SECOND), 1)
            ],
        ),
        (
            {**EACH, "consumers": [{"account": FIRST}, {"account": FIRST}]},
            [
                f"Consumers 1 and 2 would both have role pull-{FIRST}. Set role_name of one of them, or declare both as"
                " one consumer."
            ],
        ),
        (
            {**EACH, "revoke_consumers": []},
            ["revoke_consumers is empty. Name an account, or omit it to revoke all sessions."],
        ),
        (
            {**EACH, "revoke_consumers": [UNKNOWN, FIRST]},
            [
                f"Consumer {UNKNOWN} to revoke is not declared. Did you mean {FIRST}? Declared: {FIRST}, {SECOND}."
                " Correct revoke_consumers."
            ],
        ),
        ({"role_name": "pull", "consumers": BOTH, "revoke_consumers": [FIRST]}, [ONE_ROLE]),
        ({"role_name": "pull", "revoke_consumers": [FIRST]}, [ONE_ROLE]),
        (
            {"role_name": "pull", "consumers": [{"account": SECOND}], "revoke_consumers": ["999999999999"]},
            [f"Consumer 999999999999 to revoke is not declared. Declared: {SECOND}. Correct revoke_consumers."],
        ),
    ],
)
def test_problems_of_the_selection(given: dict[str, Any], problems: list[str]) -> None:
    assert list(options(**given).problems()) == problems


@pytest.mark.parametrize("invalid", ["", "all", 222222222222, None, ["222222222222"], {"account": FIRST}, "2222 2222"])
def test_value_that_is_not_an_account_is_reported(invalid: Any) -> None:
    declared = options(**EACH, revoke_consumers=[invalid, UNKNOWN])
    first, second = declared.problems()
    assert first.startswith("revoke_consumers: ")
    assert "not an AWS account ID of 12 digits" in first
    assert second.startswith(f"Consumer {UNKNOWN} to revoke is not declared.")
    invalid_in_share = options(**{**EACH, "consumers": [{"account": invalid}]})
    assert any(problem.startswith("Consumer 1: ") for problem in invalid_in_share.problems())
