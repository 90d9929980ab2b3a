# SPDX-License-Identifier: GPL-3.0-or-later
"""Which roles of the declared shares a run revokes, and the problems of the choice."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._revocation_choice import ChosenRole, RevocationOptions

FIRST, SECOND, UNKNOWN = "222222222222", "333333333333", "222222222223"
BOTH = [{"account": FIRST}, {"account": SECOND}]
EACH: dict[str, Any] = {"role_name": "pull", "roles": "per_consumer", "consumers": BOTH}
NOT_NAMED = "The role to revoke is not named. Set role_name, or role_name in shares."
NO_SHARE = "shares has no share to revoke. Declare a share with state: present."
ONE_ROLE = (
    f"The sessions of consumer {FIRST} cannot be revoked alone, because all consumers of share pull use one role. To"
    " revoke the sessions of all consumers, omit revoke_consumers. To give each consumer its own role, set roles:"
    " per_consumer and share again."
)


def options(**given: Any) -> RevocationOptions:
    defaults = {"role_name": None, "roles": "shared", "consumers": None, "shares": None, "revoke_consumers": None}
    return RevocationOptions.of({**defaults, **given})


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
        ([SECOND, FIRST], [ChosenRole(f"pull-{FIRST}", FIRST), ChosenRole(f"pull-{SECOND}", SECOND)]),
    ],
)
def test_chosen_consumers_have_their_own_roles(chosen: list[Any] | None, roles: list[ChosenRole]) -> None:
    for given in (EACH, {"role_name": "x", "shares": [EACH, {**EACH, "state": "absent", "role_name": "old"}]}):
        declared = options(**given, revoke_consumers=chosen)
        assert (declared.roles, list(declared.problems())) == (roles, [])


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
