# SPDX-License-Identifier: GPL-3.0-or-later
"""The changes of tags: batches, repeated calls, partial failures."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _retry
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_plan import TaggedRepository, TagPlan, plan_tags
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_writes import TagWriter
from botocore.exceptions import ClientError
from botocore.stub import Stubber

from tests.unit.aws_answers import ARN, SHARE, WAIT, Ecr, stubbed_client

LATER = {"ErrorCode": "InternalServiceException", "StatusCode": 500, "ErrorMessage": "Try later"}
THROTTLED = {"ErrorCode": "ThrottlingException", "StatusCode": 429, "ErrorMessage": "Rate exceeded"}
WRONG = {"ErrorCode": "InvalidParameterException", "StatusCode": 400, "ErrorMessage": "Resource does not exist"}


@pytest.fixture
def client() -> Any:
    return stubbed_client("resourcegroupstaggingapi")


class FakeTime:
    """Stands for the module `time`."""

    def __init__(self) -> None:
        self.slept: list[float] = []

    def sleep(self, seconds: float) -> None:
        self.slept.append(seconds)


@pytest.fixture
def pauses(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    sleeping = FakeTime()
    monkeypatch.setattr(_retry, "time", sleeping)
    return sleeping.slept


def planned(state: str, *names: str) -> TagPlan:
    had = {} if state == "present" else SHARE
    known = [TaggedRepository(name, ARN + name, {**had, "team": "a"}) for name in names]
    return plan_tags(known, SHARE, state == "present")


def writer(client: Any, ecr: Ecr, plan: TagPlan) -> TagWriter:
    return TagWriter(client, ecr, plan, WAIT)


def answer(stub: Stubber, state: str, names: str, **failed: dict[str, Any]) -> None:
    """The next answer, to a call for these repositories: the failures of some of them."""
    arns = [ARN + name for name in names.split()]
    sent: dict[str, Any] = {"ResourceARNList": arns}
    sent |= {"Tags": SHARE} if state == "present" else {"TagKeys": ["share"]}
    reply = {"FailedResourcesMap": {ARN + name: why for name, why in failed.items()}}
    stub.add_response("tag_resources" if state == "present" else "untag_resources", reply, sent)


@pytest.mark.parametrize("state", ["present", "absent"])
def test_transient_failures_are_retried_alone(client: Any, pauses: list[float], state: str) -> None:
    before, after = ({"team": "a"}, {**SHARE, "team": "a"})[:: 1 if state == "present" else -1]
    ecr = Ecr(bb=[before], cc=[before, after])
    with Stubber(client) as stub:
        answer(stub, state, "aa bb cc", bb=LATER, cc=THROTTLED)
        answer(stub, state, "bb cc", bb=THROTTLED, cc=LATER)  # cc was changed: only the answer failed
        answer(stub, state, "bb")
        writer(client, ecr, planned(state, "aa", "bb", "cc")).write()
        stub.assert_no_pending_responses()
    assert pauses == [0.5, 1.0]


def test_error_after_six_attempts_names_repositories(client: Any, pauses: list[float]) -> None:
    untagged: dict[str, str] = {}
    with Stubber(client) as stub:
        answer(stub, "present", "aa bb cc dd", bb=LATER, cc=WRONG, dd=WRONG)
        for _number in range(5):
            answer(stub, "present", "bb", bb=LATER)
        ecr = Ecr(bb=[untagged], cc=[untagged], dd=[None])
        with pytest.raises(EcrError) as caught:
            writer(client, ecr, planned("present", "aa", "bb", "cc", "dd")).write()
        stub.assert_no_pending_responses()
    deleted = "It was deleted during this run. Create it again, or remove it from the declaration."
    failures = {
        "bb": "InternalServiceException: Try later",
        "cc": "InvalidParameterException: Resource does not exist",
        "dd": deleted,
    }
    assert str(caught.value) == (
        "3 of 4 repositories could not be changed:\n"
        "- bb: InternalServiceException: Try later\n"
        "- cc: InvalidParameterException: Resource does not exist\n"
        f"- dd: {deleted}"
    )
    assert caught.value.facts == {"changed": True, "failed_repositories": failures, "changed_repositories": ["aa"]}
    assert pauses == [0.5, 1.0, 2.0, 4.0, 8.0]


def test_a_repository_that_is_deleted_meanwhile_carries_no_tag(client: Any) -> None:
    plan = planned("absent", "aa", "bb")
    with Stubber(client) as stub:
        answer(stub, "absent", "aa bb", bb=WRONG)
        writer(client, Ecr(bb=[None]), plan).write()
    assert writer(client, Ecr(aa=[SHARE], bb=[None]), plan).unconfirmed() == ["the tags of aa"]
    with pytest.raises(EcrError, match=r"^Repository bb: It was deleted during this run\. "):
        writer(client, Ecr(aa=[SHARE], bb=[None]), planned("present", "aa", "bb")).unconfirmed()


def test_a_call_that_fails_as_a_whole_says_what_was_done_before(client: Any) -> None:
    names = [f"r{number:02}" for number in range(45)]
    with Stubber(client) as stub:
        stub.add_client_error("tag_resources", "ExpiredToken")
        with pytest.raises(ClientError):
            writer(client, Ecr(), planned("present", *names)).write()
        answer(stub, "present", " ".join(names[:20]))
        stub.add_client_error("tag_resources", "ExpiredToken", "It is over")
        with pytest.raises(EcrError) as caught:
            writer(client, Ecr(), planned("present", *names)).write()
    assert caught.value.facts["changed_repositories"] == names[:20]
    why = "TagResources: ExpiredToken: It is over. Renew the session of these credentials."
    assert caught.value.facts["failed_repositories"] == dict.fromkeys(names[20:], why)


def test_a_failure_stays_if_ecr_cannot_be_asked_about_it(client: Any, pauses: list[float]) -> None:
    class Denied:
        def list_tags_for_resource(self, **_asked: str) -> Any:
            raise ClientError({"Error": {"Code": "AccessDeniedException"}}, "ListTagsForResource")

    with Stubber(client) as stub:
        answer(stub, "present", "aa bb", bb=WRONG)
        with pytest.raises(EcrError) as caught:
            TagWriter(client, Denied(), planned("present", "aa", "bb"), WAIT).write()
    assert caught.value.facts["failed_repositories"] == {"bb": "InvalidParameterException: Resource does not exist"}
    assert (caught.value.facts["changed_repositories"], pauses) == (["aa"], [])
