# SPDX-License-Identifier: GPL-3.0-or-later
"""The tags and regions that a permissions document grants."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _policy, _policy_document
from ansible_collections.crossaccount.ecr.plugins.module_utils._granted_access import granting_regions, granting_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import Identity


def permissions_of(tags: dict[str, Any]) -> _policy_document.Document:
    as_tuples = {key: tuple(_policy_document.as_list(value)) for key, value in tags.items()}
    return _policy.permissions_document(Identity("aws", "111111111111"), as_tuples)


@pytest.mark.parametrize(
    ("tags", "expected"),
    [
        ({"share": "yes"}, [{"share": "yes"}]),
        ({"share": ["yes", "also"], "Team": "a"}, [{"Team": "a"}, {"share": "also"}, {"share": "yes"}]),
    ],
)
def test_tags_that_a_policy_requires(tags: dict[str, Any], expected: list[dict[str, str]]) -> None:
    assert sorted(granting_tags(permissions_of(tags)), key=str) == sorted(expected, key=str)


@pytest.mark.parametrize("permissions", [None, {}, {"Statement": {"Condition": "odd"}}, {"Statement": []}])
def test_policy_that_requires_no_tags(permissions: Any) -> None:
    assert granting_tags(permissions) == []


@pytest.mark.parametrize(
    ("resource", "regions"),
    [
        ("arn:aws:ecr:eu-west-1:111111111111:repository/*", ["eu-west-1"]),
        (["arn:aws:ecr:us-east-1:1:repository/a", "arn:aws:ecr:eu-west-1:1:repository/b"], ["eu-west-1", "us-east-1"]),
        ("arn:aws:ecr:*:111111111111:repository/*", []),
        ("*", []),
        (None, []),
    ],
)
def test_the_regions_that_a_policy_names(resource: Any, regions: list[str]) -> None:
    assert granting_regions({"Statement": {"Effect": "Allow", "Resource": resource}}) == regions
