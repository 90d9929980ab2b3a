# SPDX-License-Identifier: GPL-3.0-or-later
"""The merge of a declared rule into the replication configuration of a registry."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_plan import (
    merge_rule,
    rule_elements,
    rules_of,
    unmatched,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection

OWNER, CONSUMER, OTHER = "111111111111", "222222222222", "333333333333"
REGION = "ap-northeast-1"
THERE, ELSEWHERE = Destination(CONSUMER, REGION), Destination(OTHER, "eu-west-1")
SOURCE = Destination(OWNER, REGION)


def rule(*prefixes: str, to: tuple[Destination, ...] = (THERE,), deletes: bool | None = None) -> dict[str, Any]:
    """A rule as AWS returns it."""
    filters = [{"filter": prefix, "filterType": "PREFIX_MATCH"} for prefix in prefixes]
    return {
        "destinations": [{"region": place.region, "registryId": place.account} for place in to],
        **({"repositoryFilters": filters} if filters else {}),
        **({} if deletes is None else {"deleteReplication": {"enabled": deletes}}),
    }


def declared(*prefixes: str, to: tuple[Destination, ...] = (THERE,), **options: Any) -> RuleDeclaration:
    return RuleDeclaration(Selection(tuple(sorted(prefixes)), not prefixes), to, **options)


FOREIGN = rule("team/", to=(ELSEWHERE,), deletes=True)
UNKNOWN = {**rule("release"), "speed": "fast"}


@pytest.mark.parametrize(
    ("rules", "wanted", "merged"),
    [
        ([], declared("release"), [rule("release")]),
        ([FOREIGN], declared("release"), [FOREIGN, rule("release")]),
        ([], declared(), [rule()]),
        # The order of prefixes and destinations has no meaning, and neither does an explicit false.
        ([rule("b1", "a1", deletes=False), FOREIGN], declared("a1", "b1"), None),
        ([rule("release", deletes=True)], declared("release"), None),
        ([rule("release")], declared("release", deletes=True), [rule("release", deletes=True)]),
        ([rule("release", deletes=True), FOREIGN], declared("release", deletes=False), [rule("release"), FOREIGN]),
        # Duplicates, and rules of which the declared rule replicates every image in the same way, become one rule.
        ([rule("release"), FOREIGN, rule("release")], declared("release"), [rule("release"), FOREIGN]),
        ([FOREIGN, rule("release/api")], declared("release"), [FOREIGN, rule("release")]),
        ([rule("release"), rule("develop")], declared("develop", "release"), [rule("develop", "release")]),
        ([rule("release"), FOREIGN], declared("release", is_present=False), [FOREIGN]),
        ([rule("release")], declared("release", is_present=False), []),
        ([FOREIGN], declared("release", is_present=False), None),
        ([rule("release", "develop")], declared("release", adopt=True), [rule("release")]),
        ([rule("release", "develop"), FOREIGN], declared("release", adopt=True, is_present=False), [FOREIGN]),
        ([UNKNOWN], declared("release"), [UNKNOWN, rule("release")]),
    ],
)
def test_merge_keeps_every_other_rule(
    rules: list[dict[str, Any]], wanted: RuleDeclaration, merged: list[dict[str, Any]] | None
) -> None:
    result = merge_rule(rules, wanted)
    assert (result.rules, result.problems) == (rules if merged is None else merged, ())
    again = merge_rule(result.rules, wanted)
    assert (again.rules, again.problems) == (result.rules, ())


@pytest.mark.parametrize(("deletes", "is_replicated"), [(None, True), (True, True), (False, False)])
def test_deletions_are_replicated_as_before_unless_declared(deletes: bool | None, is_replicated: bool) -> None:
    """Also if only one of two rules with the same identity replicates them."""
    merged = merge_rule([rule("release"), rule("release", deletes=True)], declared("release", deletes=deletes))
    assert merged.rule.request() == merged.rules[0]
    assert ("deleteReplication" in merged.rules[0]) == is_replicated
    new = merge_rule([], declared("release", deletes=deletes))
    assert new.rule.deletes == bool(deletes)


@pytest.mark.parametrize(
    ("other", "wanted"),
    [
        (rule("release", "develop"), declared("release")),
        (rule("rel"), declared("release")),
        (rule(), declared("release")),
        (rule("release/api", deletes=True), declared("release")),
        (rule("release", to=(THERE, Destination(OTHER, REGION))), declared("release")),
        (rule("release", "team"), declared("release", is_present=False)),
    ],
)
def test_overlap_is_a_problem(other: dict[str, Any], wanted: RuleDeclaration) -> None:
    (problem,) = merge_rule([FOREIGN, other], wanted).problems
    assert problem.startswith("Rule 2 of the registry, ")
    assert "adopt" in problem


@pytest.mark.parametrize(
    ("other", "wanted", "start"),
    [
        (
            rule("rel", deletes=True),
            declared("release"),
            "rel* to account 222222222222 in ap-northeast-1, with deletions, overlaps with the declared rule, release*"
            " to account 222222222222 in ap-northeast-1. If the declared rule is a new version of it, set adopt to",
        ),
        (
            rule(to=(THERE, ELSEWHERE)),
            declared("release", to=(THERE, ELSEWHERE), is_present=False),
            "all repositories to account 222222222222 in ap-northeast-1, account 333333333333 in eu-west-1, without"
            " deletions, still replicates repositories of the declared rule to account 222222222222 in ap-northeast-1,"
            " account 333333333333 in eu-west-1. Declare that rule with state absent",
        ),
    ],
)
def test_overlap_names_both_rules_and_the_next_step(other: dict[str, Any], wanted: RuleDeclaration, start: str) -> None:
    (problem,) = merge_rule([other], wanted).problems
    assert problem.startswith(f"Rule 1 of the registry, {start}")


def test_other_destinations_and_prefixes_do_not_overlap() -> None:
    others = [rule("release", to=(Destination(CONSUMER, "eu-west-1"),)), rule("develop"), rule("releas_")]
    assert merge_rule(others, declared("release")).problems == ()


def test_unknown_settings_of_a_rule_are_kept_with_a_warning() -> None:
    (warning,) = merge_rule([rule("release"), UNKNOWN], declared("release")).warnings
    assert warning.startswith("Rule 2 of the registry has settings that this collection does not support.")
    unknown_filter = {**rule(), "repositoryFilters": [{"filter": "r.*", "filterType": "REGEX"}]}
    assert len(merge_rule([unknown_filter], declared("release")).warnings) == 1
    assert merge_rule([rule("release"), FOREIGN], declared("release")).warnings == ()


def test_rule_that_is_replaced_without_consent_is_a_warning() -> None:
    """It may be an older version of the declared rule, or a rule of another program."""
    merged = merge_rule([FOREIGN, rule("release/a")], declared("release"))
    assert (merged.rules, merged.problems) == ([FOREIGN, rule("release")], ())
    (warning,) = merged.warnings
    assert warning.startswith("Rule 2 of the registry, release/a* to account ")
    assert ", is a part of the declared rule, release* to account " in warning


def test_limits_of_the_registry_are_problems() -> None:
    ten = [rule(f"team{number}/") for number in range(10)]
    (problem,) = merge_rule(ten, declared("release")).problems
    assert problem.startswith("The registry would have 11 replication rules; ECR accepts up to 10.")
    assert merge_rule(ten[:9], declared("release")).problems == ()
    places = tuple(Destination(f"{number:012}", REGION) for number in range(25))
    (problem,) = merge_rule([rule("team/", to=places)], declared("release")).problems
    assert problem.startswith("The replication rules of the registry would have 26 destinations; ECR accepts up to 25.")
    assert merge_rule([rule("team/", to=places)], declared("release", to=places[:3])).problems == ()
    # A limit that others exceed does not prevent the end of a replication.
    assert merge_rule([*ten, rule("release"), rule("more")], declared("release", is_present=False)).problems == ()


@pytest.mark.parametrize(
    "configuration",
    [
        [],
        {"rules": {}},
        {"rules": [[]]},
        {"rules": [{}]},
        {"rules": [{"destinations": ["x"]}]},
        {"rules": [{"destinations": "x"}]},
        {"rules": [{"destinations": [{"region": REGION}]}]},
        {"rules": [{"destinations": [], "repositoryFilters": [1]}]},
        {"rules": [{"destinations": [], "repositoryFilters": [{}]}]},
        {"rules": [{"destinations": [], "repositoryFilters": {"filter": "x"}}]},
        {"rules": [], "more": 1},
    ],
)
def test_unknown_form_of_the_configuration_is_an_error(configuration: object) -> None:
    with pytest.raises(EcrError, match=r"^The list has a form that this collection does not support\. Nothing was"):
        rules_of(configuration, "The list")


@pytest.mark.parametrize("rules", [[], [rule()], [FOREIGN, UNKNOWN], [{**rule(), "repositoryFilters": None}]])
def test_rules_are_read_as_aws_returns_them(rules: list[dict[str, Any]]) -> None:
    assert rules_of({"rules": rules}, "The list") == rules
    assert rules_of({}, "The list") == []


def test_rules_with_the_same_meaning_are_one_element() -> None:
    same = [rule("b1", "a1", deletes=False), rule("a1", "b1")]
    (text,) = rule_elements(same).values()
    assert text == "the rule a1*, b1* to account 222222222222 in ap-northeast-1"
    different = [rule("a1"), rule("a1", deletes=True), UNKNOWN, {**UNKNOWN, "speed": "slow"}]
    texts = list(rule_elements(different).values())
    assert len(texts) == 4
    assert '"speed": "slow"' in texts[-1]
    assert rule_elements([UNKNOWN]).keys() == rule_elements([dict(reversed(UNKNOWN.items()))]).keys()


def test_prefix_without_repositories_is_a_warning() -> None:
    (warning,) = unmatched(declared("release", "team/"), ["release-candidate", "team"])
    assert warning.startswith("prefixes: no repository of the registry begins with team/.")
    assert list(unmatched(declared("team/", is_present=False), [])) == []


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({}, RuleDeclaration(Selection(("release",)), (THERE,))),
        ({"adopt": True, "delete_replication": False}, RuleDeclaration(Selection(("release",)), (THERE,), False, True)),
        ({"state": "absent"}, RuleDeclaration(Selection(("release",)), (THERE,), is_present=False)),
    ],
)
def test_declaration_of_the_options(changed: dict[str, Any], expected: RuleDeclaration) -> None:
    params = {
        "prefixes": ["release"],
        "all_repositories": False,
        "destinations": [{"account": CONSUMER, "region": REGION}],
        "delete_replication": None,
        "adopt": False,
        "state": "present",
    }
    assert RuleDeclaration.of({**params, **changed}) == expected


def test_valid_declarations_have_no_problems() -> None:
    places = tuple(Destination(f"{number:012}", REGION) for number in range(25))
    assert list(declared("release", to=places).problems()) == list(declared().problems()) == []


@pytest.mark.parametrize(
    ("wanted", "part"),
    [
        (RuleDeclaration(Selection(()), (THERE,)), "prefixes is empty."),
        (RuleDeclaration(Selection(("release",), True), (THERE,)), "exclude each other"),
        (declared("release*"), "'release*' is not a valid prefix of repository names"),
        (declared("r"), "'r' is not a valid prefix"),
        (declared("Release"), "'Release' is not a valid prefix"),
        (declared(*(f"team{number}/" for number in range(101))), "has 101 prefixes; ECR accepts up to 100"),
        (declared("release", to=()), "destinations is empty."),
        (declared("release", to=(THERE, THERE)), "declared more than once"),
        (declared("release", to=(Destination("22", REGION),)), "'22' is not an AWS account ID of 12 digits."),
        (declared("release", to=(Destination(CONSUMER, "tokyo"),)), "'tokyo' does not look like a region"),
        (
            declared("release", to=tuple(Destination(f"{number:012}", REGION) for number in range(26))),
            "has 26 entries; ECR accepts up to 25 destinations",
        ),
    ],
)
def test_invalid_declaration_is_a_problem(wanted: RuleDeclaration, part: str) -> None:
    (problem,) = wanted.problems()
    assert part in problem


@pytest.mark.parametrize(
    ("place", "part"),
    [
        (SOURCE, "is the registry of the images."),
        (Destination(CONSUMER, "cn-north-1"), "is in partition aws-cn, but the images are in partition aws."),
        (Destination(CONSUMER, "us-gov-west-1"), "is in partition aws-us-gov"),
        (Destination(CONSUMER, "eusc-de-east-1"), "is in partition aws-eusc"),
    ],
)
def test_destination_that_ecr_cannot_reach_is_a_problem(place: Destination, part: str) -> None:
    (problem,) = declared("release", to=(place,)).problems_in(SOURCE)
    assert part in problem


def test_other_region_of_the_same_account_is_a_destination() -> None:
    assert list(declared("release", to=(Destination(OWNER, "eu-west-1"),)).problems_in(SOURCE)) == []
