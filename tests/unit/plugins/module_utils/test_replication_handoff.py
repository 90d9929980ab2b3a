# SPDX-License-Identifier: GPL-3.0-or-later
"""The hand-off between the two accounts of a replication."""

from __future__ import annotations

from typing import Any

import pytest
import yaml
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_handoff import (
    conflicts,
    handoff_text,
    handoff_values,
    other_side_problem,
    with_handoff,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_request import (
    REQUEST_ARGUMENTS,
    ReplicationRequest,
)

OWNER, CONSUMER, REGION = "111111111111", "222222222222", "eu-west-1"


def declared(**options: Any) -> ReplicationRequest:
    defaults = {name: spec.get("default") for name, spec in REQUEST_ARGUMENTS.items()}
    accounts = {"owner_account": OWNER, "consumer_account": CONSUMER, "prefixes": ["release"], "side": "owner"}
    return ReplicationRequest.of({**defaults, **accounts, **options})


def written(**options: Any) -> dict[str, Any]:
    """The values of a hand-off after it was written and read."""
    return handoff_values(yaml.safe_load(handoff_text(declared(**options), REGION)), "FILE")


def test_a_handoff_has_the_declaration() -> None:
    expected = {"owner_account": OWNER, "consumer_account": CONSUMER, "regions": [REGION], "prefixes": ["release"]}
    assert written() == expected
    assert written(side="consumer") == {**expected, "accepted": True}
    every = written(prefixes=None, all_repositories=True, regions=["us-east-1"])
    assert (every["all_repositories"], every["regions"], "prefixes" in every) == (True, ["us-east-1"], False)


@pytest.mark.parametrize(
    ("document", "message"),
    [
        ({"ecr_replicate_prefix": []}, "key ecr_replicate_prefix is unknown. Did you mean ecr_replicate_prefixes?"),
        ({"prefixes": []}, "key prefixes is unknown."),
        ({"ecr_replicate_prefixes": "release"}, "ecr_replicate_prefixes must be a list of strings."),
        ({"ecr_replicate_owner_account": [OWNER]}, "ecr_replicate_owner_account must be a string."),
        ({"ecr_replicate_accepted": "yes"}, 'ecr_replicate_accepted must be "true".'),
    ],
)
def test_another_document_is_not_a_handoff(document: dict[str, Any], message: str) -> None:
    with pytest.raises(EcrError, match=r"^FILE: ") as raised:
        handoff_values(document, "FILE")
    assert message in str(raised.value)


def test_the_consumer_takes_what_it_has_not_declared() -> None:
    handoff = written()
    assert with_handoff({"side": "consumer"}, handoff) == {"side": "consumer", **handoff}
    own = {"owner_account": "333333333333", "prefixes": ["release"], "regions": None}
    (problem,) = conflicts(own, handoff)
    assert problem.startswith("owner_account is 333333333333, but the hand-off has 111111111111.")
    assert with_handoff(own, handoff)["owner_account"] == "333333333333"


@pytest.mark.parametrize("empty", ["", []])
def test_empty_option_is_not_replaced_by_the_handoff(empty: Any) -> None:
    every = {"owner_account": OWNER, "regions": [REGION], "all_repositories": True}
    for values in (written(), every):
        own = {"owner_account": empty, "prefixes": empty, "regions": empty, "consumer_account": CONSUMER}
        assert with_handoff(own, values) == own
    assert with_handoff({}, every) == every
    assert with_handoff({"prefixes": ["release"]}, every)["prefixes"] == ["release"]
    assert "all_repositories" not in with_handoff({"prefixes": ["release"]}, every)


@pytest.mark.parametrize(
    ("own", "other", "text"),
    [
        (["b1", "a1"], ["a1", "b1"], ""),
        (["b1", "a1"], ["c1"], "prefixes is a1, b1, but the hand-off has c1. Remove prefixes to use the hand-off"),
        ([], ["a1"], ""),
        (["a1"], None, ""),
    ],
)
def test_lists_conflict_only_if_their_items_differ(own: list[str], other: list[str] | None, text: str) -> None:
    found = list(conflicts({"prefixes": own}, {"prefixes": other}))
    assert [problem[: len(text)] for problem in found] == ([text] if text else [])


@pytest.mark.parametrize(
    ("accepted", "parts"),
    [
        ({"prefixes": ["release"]}, ""),
        ({"prefixes": ["rel", "other"]}, ""),
        ({"prefixes": None, "all_repositories": True}, ""),
        ({"prefixes": ["release-2"]}, "prefix release"),
        ({"regions": ["us-east-1"]}, f"region {REGION}"),
        ({"owner_account": "333333333333"}, f"owner account {OWNER}"),
        ({"side": "owner"}, "the registry policy"),
    ],
)
def test_the_owner_needs_the_acceptance_of_everything(accepted: dict[str, Any], parts: str) -> None:
    handoff = written(**{"side": "consumer", **accepted})
    problem = other_side_problem(declared(handoff=handoff), REGION)
    assert (f"Missing there: {parts}. Nothing" in problem) if parts else not problem


def test_pulls_that_need_no_handoff() -> None:
    for options in ({"side": "both"}, {"side": "consumer"}, {"state": "absent"}, {"accepted": True}):
        assert not other_side_problem(declared(**options), REGION)
    assert "Missing there: all repositories." in other_side_problem(
        declared(handoff=written(side="consumer"), prefixes=None, all_repositories=True), REGION
    )


def test_the_problem_has_the_command() -> None:
    values = '\'{"ecr_replicate_owner_account": "111111111111", "ecr_replicate_consumer_account": "222222222222",'
    assert f"ecr_replicate_side=consumer -e {values}" in other_side_problem(declared(), REGION)
    assert "Give it ~/o.yml as FILE. That" in other_side_problem(declared(handoff_path="~/o.yml"), REGION)
