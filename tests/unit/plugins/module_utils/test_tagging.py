# SPDX-License-Identifier: GPL-3.0-or-later
"""The Resource Groups Tagging API, call by call."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _tagging
from botocore.stub import Stubber

from tests.unit.aws_answers import ARN, stubbed_client


@pytest.fixture
def client() -> Any:
    return stubbed_client("resourcegroupstaggingapi")


KEYS: dict[str, Any] = {"TagKeys": ["Share", "SHARED", "Team", "other"], "PaginationToken": ""}


def test_discovery_finds_tags_in_any_case_on_all_pages(client: Any) -> None:
    def page(token: str, *names: str) -> dict[str, Any]:
        return {"PaginationToken": token, "ResourceTagMappingList": [{"ResourceARN": ARN + name} for name in names]}

    def sent(key: str, value: str, **more: str) -> dict[str, Any]:
        tag_filter = {"Key": key, "Values": [value]}
        return {"ResourceTypeFilters": ["ecr:repository"], "TagFilters": [tag_filter], "ResourcesPerPage": 100, **more}

    with Stubber(client) as stub:
        stub.add_response("get_tag_keys", {**KEYS, "PaginationToken": "more"}, {})
        stub.add_response("get_tag_keys", {"TagKeys": ["sharE"], "PaginationToken": ""}, {"PaginationToken": "more"})
        stub.add_response("get_resources", page("more", "team/aa"), sent("Share", "yes"))
        stub.add_response("get_resources", page("", "bb"), sent("Share", "yes", PaginationToken="more"))
        stub.add_response("get_resources", page(""), sent("sharE", "yes"))
        stub.add_response("get_resources", page("", "bb"), sent("share", "yes"))
        stub.add_response("get_resources", page("", "cc"), sent("Team", "a"))
        stub.add_response("get_resources", page(""), sent("team", "a"))
        assert _tagging.tagged_repositories(client, [("share", "yes"), ("team", "a")]) == ["bb", "cc", "team/aa"]
        stub.assert_no_pending_responses()
