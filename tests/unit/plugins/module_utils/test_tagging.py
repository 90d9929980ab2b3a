"""The Resource Groups Tagging API, dialogue by dialogue."""

from __future__ import annotations

from typing import Any, ClassVar

import boto3
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _account, _repositories, _retry, _tagging
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Account
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import TagPlan, plan_tags
from ansible_collections.crossaccount.ecr.plugins.modules import ecr_repository_tag
from botocore.exceptions import ClientError
from botocore.stub import Stubber

ARN = "arn:aws:ecr:eu-west-1:111111111111:repository/"


@pytest.fixture
def client() -> Any:
    keys = {"aws_access_key_id": "AKIAEXAMPLE", "aws_secret_access_key": "example"}
    return boto3.client("resourcegroupstaggingapi", region_name="eu-west-1", **keys)


#: A pause is as long as it says, and the tests do not wait.
OPTIONS = {"wait": True, "wait_timeout": 60, "wait_interval": 0.5}
LATER = {"ErrorCode": "InternalServiceException", "StatusCode": 500, "ErrorMessage": "Try later"}
THROTTLED = {"ErrorCode": "ThrottlingException", "StatusCode": 429, "ErrorMessage": "Rate exceeded"}
WRONG = {"ErrorCode": "InvalidParameterException", "StatusCode": 400, "ErrorMessage": "Resource does not exist"}
SHARE = {"share": "yes"}


class Ecr:
    """ECR's own answers: the tags of each repository, one after the other, the last one for good; None for none."""

    def __init__(self, **answers: list[dict[str, str] | None]) -> None:
        self.answers = answers

    def list_tags_for_resource(self, **asked: str) -> Any:
        left = self.answers[asked["resourceArn"].rpartition("/")[2]]
        tags = left.pop(0) if len(left) > 1 else left[0]
        if tags is None:
            raise ClientError({"Error": {"Code": "RepositoryNotFoundException"}}, "ListTagsForResource")
        return {"tags": [{"Key": key, "Value": value} for key, value in tags.items()]}


class Sleeping:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    sleeping = Sleeping()
    monkeypatch.setattr(_retry, "time", sleeping)
    return sleeping.slept


def planned(state: str, *names: str) -> TagPlan:
    had = {} if state == "present" else SHARE
    return plan_tags({name: (ARN + name, {**had, "team": "a"}) for name in names}, SHARE, state, Problems())


def answer(stub: Stubber, state: str, names: str, **failed: dict[str, Any]) -> None:
    """The next answer, to a call for these repositories: the failures of some of them."""
    arns = [ARN + name for name in names.split()]
    sent: dict[str, Any] = {"ResourceARNList": arns}
    sent |= {"Tags": SHARE} if state == "present" else {"TagKeys": ["share"]}
    reply = {"FailedResourcesMap": {ARN + name: why for name, why in failed.items()}}
    stub.add_response("tag_resources" if state == "present" else "untag_resources", reply, sent)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_what_aws_could_not_do_just_then_is_tried_again_for_those_alone(
    client: Any, pauses: list[float], state: str
) -> None:
    before, after = ({"team": "a"}, {**SHARE, "team": "a"})[:: 1 if state == "present" else -1]
    ecr = Ecr(bb=[before], cc=[before, after])
    with Stubber(client) as stub:
        answer(stub, state, "aa bb cc", bb=LATER, cc=THROTTLED)
        answer(stub, state, "bb cc", bb=THROTTLED, cc=LATER)  # cc was changed: only the answer failed
        answer(stub, state, "bb")
        ecr_repository_tag.apply(client, ecr, planned(state, "aa", "bb", "cc"), OPTIONS)
        stub.assert_no_pending_responses()
    assert pauses == [0.5, 1.0]


def test_after_six_tries_the_error_names_each_repository_and_what_was_done(client: Any, pauses: list[float]) -> None:
    untagged: dict[str, str] = {}
    with Stubber(client) as stub:
        answer(stub, "present", "aa bb cc dd", bb=LATER, cc=WRONG, dd=WRONG)
        for _number in range(5):
            answer(stub, "present", "bb", bb=LATER)
        ecr = Ecr(bb=[untagged], cc=[untagged], dd=[None])
        with pytest.raises(EcrError) as caught:
            ecr_repository_tag.apply(client, ecr, planned("present", "aa", "bb", "cc", "dd"), OPTIONS)
        stub.assert_no_pending_responses()
    gone = "It was deleted while this run was under way. Create it again, or take it out of the declaration."
    failures = {
        "bb": "InternalServiceException: Try later",
        "cc": "InvalidParameterException: Resource does not exist",
        "dd": gone,
    }
    assert str(caught.value) == (
        "3 of 4 repositories could not be changed:\n"
        "- bb: InternalServiceException: Try later\n"
        "- cc: InvalidParameterException: Resource does not exist\n"
        f"- dd: {gone}"
    )
    assert caught.value.facts == {"changed": True, "failed_repositories": failures, "changed_repositories": ["aa"]}
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_a_repository_that_is_deleted_meanwhile_carries_no_tag(client: Any) -> None:
    plan = planned("absent", "aa", "bb")
    with Stubber(client) as stub:
        answer(stub, "absent", "aa bb", bb=WRONG)
        ecr_repository_tag.apply(client, Ecr(bb=[None]), plan, OPTIONS)
    assert ecr_repository_tag.stale(Ecr(aa=[SHARE], bb=[None]), plan) == ["the tags of aa"]
    with pytest.raises(EcrError, match=r"^Repository bb: It was deleted while this run was under way\. "):
        ecr_repository_tag.stale(Ecr(aa=[SHARE], bb=[None]), planned("present", "aa", "bb"))


def test_a_call_that_fails_as_a_whole_says_what_was_done_before(client: Any) -> None:
    names = [f"r{number:02}" for number in range(45)]
    with Stubber(client) as stub:
        stub.add_client_error("tag_resources", "ExpiredToken")
        with pytest.raises(ClientError):
            ecr_repository_tag.apply(client, Ecr(), planned("present", *names), OPTIONS)
        answer(stub, "present", " ".join(names[:20]))
        stub.add_client_error("tag_resources", "ExpiredToken", "It is over")
        with pytest.raises(EcrError) as caught:
            ecr_repository_tag.apply(client, Ecr(), planned("present", *names), OPTIONS)
    assert caught.value.facts["changed_repositories"] == names[:20]
    why = "TagResources: ExpiredToken: It is over. Renew the session of these credentials."
    assert caught.value.facts["failed_repositories"] == dict.fromkeys(names[20:], why)


KEYS: dict[str, Any] = {"TagKeys": ["Share", "SHARED", "Team", "other"], "PaginationToken": ""}


@pytest.mark.parametrize("operation", ["get_tag_keys", "get_resources"])
@pytest.mark.parametrize("answer", ["AccessDeniedException", "InvalidParameterException", "nothing"])
def test_where_this_api_does_not_help_ecr_is_asked_for_all(client: Any, answer: str, operation: str) -> None:
    class Repositories:
        def get_paginator(self, operation: str) -> Any:
            assert operation == "describe_repositories"
            return self

        def paginate(self, **options: Any) -> Any:
            return [{"repositories": [{"repositoryName": "aa"}]}, {"repositories": [{"repositoryName": "bb"}]}]

    with Stubber(client) as stub:
        if answer == "nothing" or operation == "get_resources":
            stub.add_response("get_tag_keys", {"PaginationToken": "", "TagKeys": []})
        if answer == "nothing":
            stub.add_response("get_resources", {"PaginationToken": "", "ResourceTagMappingList": []})
        else:
            stub.add_client_error(operation, answer)
        assert _repositories.discover(client, Repositories(), [("share", "yes")]) == (["aa", "bb"], False)


@pytest.mark.parametrize(
    ("reads", "found", "asked"),
    [
        ([{}, {"Share": "yes"}], {"Share": "yes"}, 2),  # an old answer first
        ([{}, {}, {}, {"share": "yes"}], {}, 3),  # three agree: the other API is behind
        ([{"share": "yes"}], {"share": "yes"}, 1),
        ([None], None, 1),  # gone
    ],
)
def test_where_ecr_does_not_read_a_tag_that_the_other_api_names_it_is_asked_again(
    monkeypatch: pytest.MonkeyPatch, reads: list[Any], found: dict[str, str] | None, asked: int
) -> None:
    class Session:
        region = "eu-west-1"

        identity: ClassVar = {"account": "111111111111", "arn": "arn:aws:iam::111111111111:user/administrator"}

        def client(self, service: str) -> None:
            assert service == "resourcegroupstaggingapi"

    answers = iter(reads)
    monkeypatch.setattr(ecr_repository_tag, "discover", lambda *_arguments: (["release"], True))
    monkeypatch.setattr(_repositories, "tags_or_none", lambda *_arguments: next(answers))
    options = {"names": [], "all_except": [], "tags": {"share": "yes"}, "state": "absent", **OPTIONS}
    options["wait_interval"] = 0
    session: Any = Session()
    read = ecr_repository_tag.read(session, None, options, Problems())
    assert read == ({} if found is None else {"release": (ARN + "release", found)})
    assert len(reads) - len(list(answers)) == asked


def test_discovery_finds_any_of_the_tags_in_any_case_of_its_key_page_by_page(client: Any) -> None:
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


@pytest.mark.parametrize("code", ["AccessDeniedException", "ServerException"])
def test_who_may_not_look_for_other_carriers_is_told_so_and_other_errors_are_errors(
    monkeypatch: pytest.MonkeyPatch, code: str
) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": code, "Message": "No."}}, "DescribeRepositories")

    monkeypatch.setattr(_account, "discover", refuse)
    account = Account("111111111111", "aws")
    search = _account._Search("eu-west-1", None, None, (), frozenset(SHARE.items()), everything=False)
    if code == "ServerException":
        with pytest.raises(ClientError):
            _account._registry(account, search, OPTIONS)
        return
    assert "No." in _account._registry(account, search, OPTIONS).unknown


def test_the_tags_of_a_region_that_is_no_longer_declared_may_be_unknown(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_arguments: Any) -> Any:
        raise ClientError({"Error": {"Code": "OptInRequired", "Message": "Not here."}}, "GetTagKeys")

    monkeypatch.setattr(_account, "discover", refuse)
    account = Account("111111111111", "aws")
    search = _account._Search("eu-west-1", None, None, (), frozenset(SHARE.items()), everything=False)
    assert "Not here." in _account._read_registry(account, search, [], OPTIONS).unknown
