# SPDX-License-Identifier: GPL-3.0-or-later
"""The declaration of a replication between two accounts."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill_plan import Destination
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_declaration import RuleDeclaration
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import (
    REQUEST_ARGUMENTS,
    ReplicationRequest,
    consumer_parameters,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_selection import Selection

OWNER, CONSUMER = "111111111111", "222222222222"
PLACE, OTHER = Destination(CONSUMER, "eu-west-1"), Destination(CONSUMER, "us-east-1")
TEMPLATE = dict.fromkeys(REQUEST_ARGUMENTS["templates"]["options"])


def request(**changed: Any) -> ReplicationRequest:
    defaults = {name: spec.get("default") for name, spec in REQUEST_ARGUMENTS.items()}
    declared = {"owner_account": OWNER, "consumer_account": CONSUMER, "prefixes": ["release"]}
    return ReplicationRequest.of({**defaults, **declared, **changed})


def test_credentials_of_each_side_are_checked() -> None:
    request().check_credentials(OWNER, CONSUMER)
    request().check_credentials(None, CONSUMER)
    with pytest.raises(EcrError, match=r"^2 problems, nothing was written:"):
        request().check_credentials(CONSUMER, OWNER)
    with pytest.raises(EcrError, match=r"^The credentials for the consumer account belong to account 111111111111"):
        request().check_credentials(OWNER, OWNER)


def test_consent_is_needed_for_deletions_only() -> None:
    assert request(delete_replication=True).needs_consent
    assert not request(delete_replication=True, allow_deletions=True).needs_consent
    assert not request(delete_replication=True, state="absent").needs_consent
    assert not request().needs_consent


def test_region_of_the_images_is_the_default_destination() -> None:
    assert request().destinations("eu-west-1") == (PLACE,)
    assert request(regions=["us-east-1"]).destinations("eu-west-1") == (OTHER,)
    (problem,) = request(consumer_account=OWNER).problems()
    assert problem.startswith("owner_account and consumer_account are both 111111111111.")


def test_consumer_profile_replaces_the_keys_of_the_owner() -> None:
    keys = {"access_key": "a", "secret_key": "b", "session_token": "c", "profile": "owner", "assume_role_arn": "x"}
    names = ("consumer_profile", "consumer_assume_role_arn", "consumer_assume_role_external_id")
    with_profile = consumer_parameters({**keys, **dict.fromkeys(names), "consumer_profile": "consumer"})
    assert (with_profile["profile"], with_profile["access_key"], with_profile["assume_role_arn"]) == (
        "consumer",
        None,
        None,
    )
    with_role = consumer_parameters({**keys, **dict.fromkeys(names), "consumer_assume_role_arn": "role"})
    assert (with_role["profile"], with_role["access_key"], with_role["assume_role_arn"]) == ("owner", "a", "role")


@pytest.mark.parametrize(("side", "sides"), [("owner", (1, 0)), ("consumer", (0, 1)), ("both", (1, 1))])
def test_a_side_has_its_credentials(side: str, sides: tuple[bool, bool]) -> None:
    assert (request(side=side).has_owner, request(side=side).has_consumer) == sides


@pytest.mark.parametrize(("expect", "expected"), [("any", False), ("possible", False), ("replicated", True)])
def test_missing_copies_are_an_error_only_if_expected(expect: str, expected: bool) -> None:
    assert request(expect=expect).expects_copies is expected


@pytest.mark.parametrize(
    ("changed", "needed"),
    [
        ({}, True),
        ({"create_repositories": True}, False),
        ({"expect": "any"}, False),
        ({"expect": "replicated"}, False),
        ({"state": "absent"}, False),
    ],
)
def test_repositories_are_needed_if_replication_creates_none(changed: dict[str, Any], needed: bool) -> None:
    assert request(**{"expect": "possible", "create_repositories": False, **changed}).needs_repositories is needed


def test_rule_has_the_declaration() -> None:
    declared = request(delete_replication=True, adopt=True, regions=["us-east-1", "eu-west-1"])
    selection = Selection(("release",))
    assert declared.rule("us-west-2") == RuleDeclaration(selection, (OTHER, PLACE), True, True, True)
    assert request(state="absent").rule("eu-west-1") == RuleDeclaration(selection, (PLACE,), None, False, False)


@pytest.mark.parametrize(("state", "is_present"), [("present", True), ("absent", False)])
def test_templates_and_images_follow_the_state(state: str, is_present: bool) -> None:
    declared = request(state=state, templates=[{**TEMPLATE, "prefix": "release"}], images=["release:v1"])
    assert [template.options["state"] for template in declared.templates] == [state]
    assert len(declared.references) == is_present


def test_result_has_what_a_handoff_may_have_set() -> None:
    assert request().result() == {
        "owner_account": OWNER,
        "consumer_account": CONSUMER,
        "prefixes": ["release"],
        "all_repositories": False,
    }


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        ({}, []),
        ({"regions": ["eu-west-1", "us-east-1"]}, []),
        ({"owner_account": 1}, ["owner_account: "]),
        ({"owner_account": "x", "consumer_account": "y", "prefixes": []}, ["owner_account: ", "consumer_account: "]),
        ({"prefixes": []}, ["prefixes is empty."]),
        ({"prefixes": [], "regions": ["eu-west-1"]}, ["prefixes is empty."]),
        ({"regions": ["eu-west-1"] * 2}, [f"destinations: {PLACE} is declared more than once."]),
        ({"sid": "a-b"}, ["sid "]),
        ({"images": ["release:v1", "Release", "@"]}, ["images: ", "images: "]),
        ({"images": [f"{OWNER}.dkr.ecr.eu-west-1.amazonaws.com/release:v1"]}, []),
        ({"images": [f"{CONSUMER}.dkr.ecr.eu-west-1.amazonaws.com/release:v1"]}, [f"Image {CONSUMER}.dkr.ecr."]),
        (
            {"templates": [{**TEMPLATE, "prefix": "release"}] * 2},
            ["templates: the prefix release is declared more than once."],
        ),
        ({"templates": [{**TEMPLATE, "prefix": "Release"}]}, ["templates, Release: "]),
    ],
)
def test_declaration_is_checked_without_a_request(changed: dict[str, Any], starts: list[str]) -> None:
    problems = list(request(**changed).problems())
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts), problems


@pytest.mark.parametrize(
    ("changed", "starts"),
    [
        ({}, []),
        ({"regions": ["cn-north-1"]}, [f"destinations: account {CONSUMER} in cn-north-1 is in partition aws-cn"]),
        ({"images": ["release:v1"]}, []),
        ({"images": ["tools:v1"]}, ["images: the replication does not select the repositories of tools:v1."]),
        ({"images": ["tools:v1"], "prefixes": None, "all_repositories": True}, []),
    ],
)
def test_destinations_and_images_are_checked_in_a_region(changed: dict[str, Any], starts: list[str]) -> None:
    problems = list(request(**changed).problems_in("eu-west-1"))
    assert [problem[: len(start)] for problem, start in zip(problems, starts)] == starts
    assert len(problems) == len(starts), problems
