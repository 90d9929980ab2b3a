# SPDX-License-Identifier: GPL-3.0-or-later
"""Rules of a replication configuration: which of them are the same, and which replicate the same images."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_rule import (
    Rule,
    names_text,
    new_rule,
    rule_of,
)

HERE, THERE = Destination("222222222222", "eu-west-1"), Destination("333333333333", "eu-west-1")
ELSEWHERE = Destination("222222222222", "us-east-1")
BOTH = (HERE, THERE)


def rule(*prefixes: str, to: tuple[Destination, ...] = (HERE,), deletes: bool = False) -> Rule:
    return new_rule(prefixes, to, deletes)


REPLY: dict[str, Any] = {
    "destinations": [{"registryId": "222222222222", "region": "eu-west-1"}],
    "repositoryFilters": [{"filter": "release", "filterType": "PREFIX_MATCH"}],
}


@pytest.mark.parametrize(
    ("reply", "expected"),
    [
        (REPLY, rule("release")),
        ({**REPLY, "repositoryFilters": []}, rule()),
        ({**REPLY, "repositoryFilters": None}, rule()),
        ({"destinations": REPLY["destinations"]}, rule()),
        ({**REPLY, "deleteReplication": {"enabled": True}}, rule("release", deletes=True)),
        ({**REPLY, "deleteReplication": {"enabled": False}}, rule("release")),
        ({**REPLY, "deleteReplication": None}, rule("release")),
        ({**REPLY, "more": 1}, None),
        ({**REPLY, "repositoryFilters": [{"filter": "r.*", "filterType": "REGEX"}]}, None),
        ({**REPLY, "repositoryFilters": [*REPLY["repositoryFilters"], {"filter": "release"}]}, None),
    ],
)
def test_rule_in_a_response(reply: dict[str, Any], expected: Rule | None) -> None:
    assert rule_of(reply) == expected


@pytest.mark.parametrize("deletes", [True, False])
@pytest.mark.parametrize("prefixes", [(), ("release",), ("develop", "release")])
def test_rule_is_written_as_it_is_read(prefixes: tuple[str, ...], deletes: bool) -> None:
    written = rule(*prefixes, to=BOTH, deletes=deletes)
    assert rule_of(written.request()) == written
    assert ("repositoryFilters" in written.request()) == bool(prefixes)
    assert ("deleteReplication" in written.request()) == deletes


def test_order_of_a_declaration_has_no_meaning() -> None:
    assert rule("b1", "a1", "b1", to=(THERE, HERE, THERE)) == Rule(("a1", "b1"), BOTH)


def test_prefixes_select_repositories() -> None:
    assert [name for name in ("release", "release-1", "releas", "develop") if rule("release", "x").selects(name)] == [
        "release",
        "release-1",
    ]
    assert rule().selects("any")


@pytest.mark.parametrize(
    ("other", "is_same"),
    [
        (rule("release"), True),
        (rule("release", deletes=True), True),
        (rule("release", to=BOTH), False),
        (rule("develop"), False),
    ],
)
def test_prefixes_and_destinations_identify_a_rule(other: Rule, is_same: bool) -> None:
    assert rule("release").is_same(other) is is_same


@pytest.mark.parametrize(
    ("part", "whole", "is_part"),
    [
        (rule("release/api"), rule("release"), True),
        (rule("release"), rule("release"), True),
        (rule("release", "develop"), rule(), True),
        (rule("release"), rule("release", to=BOTH), True),
        (rule("release"), rule("release/api"), False),
        (rule("release", "develop"), rule("release"), False),
        (rule(), rule("release"), False),
        (rule("release", to=BOTH), rule("release"), False),
        (rule("release", deletes=True), rule("release"), False),
        (rule("release"), rule("release", deletes=True), False),
    ],
)
def test_part_of_another_rule(part: Rule, whole: Rule, is_part: bool) -> None:
    assert part.is_part_of(whole) is is_part


@pytest.mark.parametrize(
    ("one", "two", "shared"),
    [
        (rule("release"), rule("release"), (HERE,)),
        (rule("release/api"), rule("release"), (HERE,)),
        (rule("release"), rule("release/api"), (HERE,)),
        (rule("x", "release"), rule("develop", "rel"), (HERE,)),
        (rule("release"), rule(), (HERE,)),
        (rule(), rule(), (HERE,)),
        (rule("release", to=BOTH), rule("release", to=(THERE, ELSEWHERE)), (THERE,)),
        (rule("release"), rule("develop"), ()),
        (rule("release"), rule("release", to=(ELSEWHERE,)), ()),
    ],
)
def test_destinations_that_two_rules_share(one: Rule, two: Rule, shared: tuple[Destination, ...]) -> None:
    assert one.shared_with(two) == two.shared_with(one) == shared


def test_text_of_a_rule() -> None:
    assert str(rule("release", "team/", to=BOTH)) == (
        "release*, team/* to account 222222222222 in eu-west-1, account 333333333333 in eu-west-1"
    )
    assert str(rule()) == "all repositories to account 222222222222 in eu-west-1"
    many = tuple(Destination(f"{number:012}", "eu-west-1") for number in range(25))
    assert "25 destinations" in str(rule("release", to=many))
    assert "30 prefixes" in names_text([f"team{number}/" for number in range(30)])
