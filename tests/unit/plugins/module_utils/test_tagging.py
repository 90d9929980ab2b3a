"""The Resource Groups Tagging API, dialogue by dialogue."""

from __future__ import annotations

from typing import Any

import boto3
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._plan import plan_tags
from ansible_collections.crossaccount.ecr.plugins.modules import ecr_repository_tag
from botocore.stub import Stubber

ARN = "arn:aws:ecr:eu-west-1:111111111111:repository/"


@pytest.fixture
def client() -> Any:
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return boto3.client("resourcegroupstaggingapi", region_name="eu-west-1", **keys)


def test_a_partial_failure_names_each_repository_and_what_was_done(client: Any) -> None:
    repositories: dict[str, tuple[str, dict[str, str]]] = {name: (ARN + name, {}) for name in ("aa", "bb", "cc")}
    plan = plan_tags(repositories, {"share": "yes"}, "present", Problems())
    failure = {"ErrorCode": "InternalServiceException", "StatusCode": 500, "ErrorMessage": "Try later"}
    with Stubber(client) as stub:
        sent = {"ResourceARNList": [ARN + "aa", ARN + "bb", ARN + "cc"], "Tags": {"share": "yes"}}
        stub.add_response("tag_resources", {"FailedResourcesMap": {ARN + "bb": failure}}, sent)
        with pytest.raises(EcrError) as caught:
            ecr_repository_tag.apply(client, plan)
        stub.assert_no_pending_responses()
    assert str(caught.value) == "1 of 3 repositories could not be changed:\n- bb: InternalServiceException: Try later"
    assert caught.value.facts == {
        "changed": True,
        "failed_repositories": {"bb": "InternalServiceException: Try later"},
        "changed_repositories": ["aa", "cc"],
    }


@pytest.mark.parametrize("answer", ["AccessDeniedException", "InvalidParameterException", "nothing"])
def test_where_this_api_does_not_help_ecr_is_asked_for_all(client: Any, answer: str) -> None:
    class Session:
        def client(self, service: str) -> Any:
            return {"resourcegroupstaggingapi": client}[service]

    class Ecr:
        def get_paginator(self, operation: str) -> Any:
            assert operation == "describe_repositories"
            return self

        def paginate(self, **options: Any) -> Any:
            return [{"repositories": [{"repositoryName": "aa"}]}, {"repositories": [{"repositoryName": "bb"}]}]

    session: Any = Session()
    with Stubber(client) as stub:
        if answer == "nothing":
            stub.add_response("get_resources", {"PaginationToken": "", "ResourceTagMappingList": []})
        else:
            stub.add_client_error("get_resources", answer)
        assert ecr_repository_tag.discover(session, Ecr(), {"share": "yes"}) == ["aa", "bb"]


def test_discovery_asks_for_any_of_the_tags_page_by_page(client: Any) -> None:
    def page(token: str, *names: str) -> dict[str, Any]:
        return {"PaginationToken": token, "ResourceTagMappingList": [{"ResourceARN": ARN + name} for name in names]}

    def sent(key: str, value: str, **token: str) -> dict[str, Any]:
        filters = [{"Key": key, "Values": [value]}]
        return {"ResourceTypeFilters": ["ecr:repository"], "TagFilters": filters, "ResourcesPerPage": 100, **token}

    with Stubber(client) as stub:
        stub.add_response("get_resources", page("more", "bb", "team/aa"), sent("share", "yes"))
        stub.add_response("get_resources", page("", "cc"), sent("share", "yes", PaginationToken="more"))
        stub.add_response("get_resources", page("", "bb"), sent("team", "a"))
        assert _tagging.tagged_repositories(client, {"share": "yes", "team": "a"}) == ["bb", "cc", "team/aa"]
        stub.assert_no_pending_responses()
