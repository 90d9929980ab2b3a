# SPDX-License-Identifier: GPL-3.0-or-later
"""Lost responses, and the response to the repeated request: recognized, read again, resolved.

The owner's modules run in this process, which is quick; a proxy in between forwards a request and drops the answer.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, Control
from tests.support.forwarding import Form, ResponseDroppingProxy
from tests.support.owner_side import (
    OURS,
    RELEASE,
    STRANGER,
    TRUST_OF_OTHERS,
    owner,
    policy_arn,
    pull_role,
    tags_of,
    versions,
)
from tests.support.policies import Statement, allow, document

# --- roles and policies ----------------------------------------------------------------------------------------------


def test_creation_with_lost_response_succeeds(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    calls = ["CreateRole", "CreatePolicy", "AttachRolePolicy"]
    for call in calls:
        dropping_proxy.after(call, dropping_proxy.lose)
    options = {"description": "for the release", "tags": {"team": "platform"}, "max_session_duration": 7200}
    result = pull_role(control, "lost", endpoint_url=dropping_proxy.url, **options)
    assert (result.get("msg"), result["changed"]) == (None, True)
    assert result["steps"] == ["create_role", "create_policy", "attach"]
    assert [dropping_proxy.count(call) for call in calls] == [2, 2, 2]
    again = pull_role(control, "lost", **options)
    assert (again["changed"], versions(control, "lost")) == (False, {"v1": True})


def test_every_write_of_a_change_may_lose_its_answer(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    boundary = control.lab.client("owner", "iam").create_policy(PolicyName="edge", PolicyDocument=document(allow("*")))
    pull_role(control, "changing", regions=["eu-west-1"])
    pull_role(control, "changing")
    options: dict[str, Any] = {
        "consumers": [STRANGER],
        "regions": ["eu-west-1"],
        "description": "changed",
        "tags": {"team": "platform"},
        "permissions_boundary": boundary["Policy"]["Arn"],
    }
    calls = ["UpdateAssumeRolePolicy", "PutRolePolicy", "SetDefaultPolicyVersion", "PutRolePermissionsBoundary"]
    calls += ["UpdateRole", "TagRole", "TagPolicy"]
    for call in calls:
        dropping_proxy.after(call, dropping_proxy.lose)
    result = pull_role(control, "changing", endpoint_url=dropping_proxy.url, **options)
    assert (result.get("msg"), result["changed"]) == (None, True)
    assert all(dropping_proxy.count(call) >= 2 for call in calls)
    assert (pull_role(control, "changing", **options)["changed"], len(versions(control, "changing"))) == (False, 2)


def test_invalid_wait_interval_is_rejected_before_writes(control: Control) -> None:
    mark = len(control.lab.calls())
    role = pull_role(control, "paused", wait_interval=-1)
    tags = owner(control, "ecr_repository_tag", names=["release"], tags=RELEASE, wait_interval=-1)
    assert role["msg"] == tags["msg"] == "wait_interval is -1.0 seconds; it cannot be negative."
    assert control.lab.calls()[mark:] == []


def test_duplicate_version_is_removed(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    pull_role(control, "twice")
    dropping_proxy.after("CreatePolicyVersion", dropping_proxy.lose)
    dropping_proxy.after("DeletePolicyVersion", dropping_proxy.lose)  # and is then gone already
    result = pull_role(control, "twice", access="pull", endpoint_url=dropping_proxy.url)
    assert (result.get("msg"), result["steps"]) == (None, ["create_version", "delete_version"])
    assert (dropping_proxy.count("CreatePolicyVersion"), dropping_proxy.count("DeletePolicyVersion")) == (2, 2)
    assert versions(control, "twice") == {"v1": False, "v3": True}


def test_killed_removal_is_completed_by_the_next_run(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    pull_role(control, "killed")
    dropping_proxy.after("CreatePolicyVersion", dropping_proxy.lose)
    pull_role(control, "killed", access="pull", endpoint_url=dropping_proxy.url, wait=False)
    assert versions(control, "killed") == {"v1": False, "v2": False, "v3": True}
    result = pull_role(control, "killed", access="pull")
    assert (result["changed"], result["steps"]) == (True, ["delete_version"])
    again = pull_role(control, "killed", access="pull")
    assert (again["changed"], versions(control, "killed")) == (False, {"v1": False, "v3": True})


def test_repeated_fifth_version_is_within_the_limit(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    """The second request meets the limit, since the first took the last place."""
    for regions in (["eu-west-1"], ["eu-west-2"], ["eu-west-3"], ["eu-north-1"], ["eu-south-1"]):
        pull_role(control, "fifth", regions=regions)
    assert len(versions(control, "fifth")) == 5
    dropping_proxy.after("CreatePolicyVersion", dropping_proxy.lose)
    result = pull_role(control, "fifth", endpoint_url=dropping_proxy.url)
    assert (result.get("msg"), result["steps"]) == (None, ["delete_version", "create_version"])
    assert versions(control, "fifth") == {"v2": False, "v3": False, "v4": False, "v5": False, "v6": True}


def test_a_limit_that_others_reached_is_an_error_at_once(
    control: Control, dropping_proxy: ResponseDroppingProxy
) -> None:
    for regions in (["eu-west-1"], ["eu-west-2"], ["eu-west-3"], ["eu-north-1"]):
        pull_role(control, "limit", regions=regions)
    iam = control.lab.client("owner", "iam")

    def take_the_last_place() -> None:
        iam.create_policy_version(PolicyArn=policy_arn("limit"), PolicyDocument=document(allow("ecr:DescribeImages")))

    dropping_proxy.after("ListEntitiesForPolicy", take_the_last_place)
    result = pull_role(control, "limit", endpoint_url=dropping_proxy.url)
    assert result["msg"] == (
        "CreatePolicyVersion: LimitExceeded: A managed policy can have at most 5 versions."
        " Completed before that: nothing. Run again: completed changes are not repeated."
    )
    assert dropping_proxy.count("ListPolicyVersions") == 2  # before, and once more
    assert pull_role(control, "limit")["steps"] == ["delete_version", "create_version"]


def test_a_quota_of_the_account_is_an_error_at_once(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    """The same code, but nothing that this write could have made."""
    sentence = "Cannot exceed quota for RolesPerAccount: 1000"
    answer = f"<ErrorResponse><Error><Code>LimitExceeded</Code><Message>{sentence}</Message></Error></ErrorResponse>"
    control.lab.client("owner", "iam").create_policy(PolicyName="quota", PolicyDocument=document(allow("*")))
    dropping_proxy.after("GetPolicy", lambda: (404, answer.replace("LimitExceeded", "NoSuchEntity")))
    dropping_proxy.after("CreatePolicy", lambda: (409, answer))
    result = pull_role(control, "quota", endpoint_url=dropping_proxy.url)
    assert result["msg"] == (
        f"CreatePolicy: LimitExceeded: {sentence}."
        " A quota of the account is used up: delete what is no longer needed, or request a higher quota."
        " Completed before that: the role was created. Run again: completed changes are not repeated."
    )
    assert dropping_proxy.count("GetRole") == 1


@pytest.mark.parametrize(
    ("kind", "tags", "statement", "written"),
    [
        ("role", OURS, None, ""),
        ("role", [], None, "nothing"),
        ("role", OURS, TRUST_OF_OTHERS, "nothing"),
        ("policy", OURS, None, ""),
        ("policy", [], None, "the role was created"),
        ("policy", OURS, allow("*"), "the role was created"),
    ],
    ids=["the-same-role", "untagged-role", "another-trust", "the-same-policy", "untagged-policy", "another-policy"],
)
def test_object_of_another_run_is_never_adopted(
    control: Control,
    dropping_proxy: ResponseDroppingProxy,
    request: pytest.FixtureRequest,
    kind: str,
    tags: list[Form],
    statement: Statement | None,
    written: str,
) -> None:
    """Only what another run of this collection made of the same declaration is as good as made by this one."""
    name, iam, model = request.node.callspec.id, control.lab.client("owner", "iam"), pull_role(control, "model")
    key, text = ("AssumeRolePolicyDocument", "trust") if kind == "role" else ("PolicyDocument", "permissions")
    made = document(statement) if statement else json.dumps(model[text])
    create = getattr(iam, f"create_{kind}")
    dropping_proxy.after(
        f"Get{kind.title()}", lambda: create(**{f"{kind.title()}Name": name, "Tags": tags, key: made}) and None
    )
    result = pull_role(control, name, endpoint_url=dropping_proxy.url)
    kept = iam.get_role(RoleName=name) if kind == "role" else iam.get_policy(PolicyArn=policy_arn(name))
    assert kept[kind.title()].get("Tags", []) == tags
    assert dropping_proxy.count(f"Create{kind.title()}") == 1
    if not written:
        assert (result.get("msg"), result["steps"]) == (None, ["create_role", "create_policy", "attach"])
        return
    assert result["msg"] == (
        f"{kind.title()} {name} did not exist when this run began. Now it exists, but not as declared: someone else"
        f" created it. Completed before that: {written}. Run again: completed changes are not repeated."
    )
    assert result["changed"] is (written != "nothing")


def test_a_deletion_whose_answer_was_lost_is_done(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    pull_role(control, "going")
    pull_role(control, "going", consumers=[STRANGER], access="pull")
    calls = ["DetachRolePolicy", "DeleteRolePolicy", "DeleteRole", "DeletePolicyVersion", "DeletePolicy"]
    for call in calls:
        dropping_proxy.after(call, dropping_proxy.lose)
    result = owner(control, "iam_ecr_pull_role", name="going", state="absent", endpoint_url=dropping_proxy.url)
    assert (result.get("msg"), result["changed"]) == (None, True)
    assert [dropping_proxy.count(call) for call in calls] == [2, 2, 2, 2, 2]
    again = owner(control, "iam_ecr_pull_role", name="going", state="absent")
    assert again["changed"] is False


def test_lost_connection_reports_completed_writes(control: Control, dropping_proxy: ResponseDroppingProxy) -> None:
    dropping_proxy.after("CreatePolicy", *[dropping_proxy.lose] * 20)
    result = pull_role(control, "cut", endpoint_url=dropping_proxy.url)
    end = " Completed before that: the role was created. Run again: completed changes are not repeated."
    assert result["msg"].endswith(end), result
    assert (result["changed"], result["steps"]) == (True, ["create_role"])
    assert pull_role(control, "cut")["steps"] == ["attach"]


# --- repository tags -------------------------------------------------------------------------------------------------


def failing(code: str, *names: str) -> Callable[[], tuple[int, str]]:
    """An answer of the tagging API in which these repositories failed."""
    failed = {"ErrorCode": code, "StatusCode": 500, "ErrorMessage": "Try later"}
    return lambda: (200, json.dumps({"FailedResourcesMap": {REPOSITORY_ARN + name: failed for name in names}}))


def test_failed_response_after_a_write_is_not_a_failure(
    control: Control, dropping_proxy: ResponseDroppingProxy
) -> None:
    """The lab did what it was asked to, and says that it could not."""
    names = list(accounts.REPOSITORIES)
    for state, call, left in (("present", "TagResources", {"share": "yes"}), ("absent", "UntagResources", {})):
        dropping_proxy.after(call, failing("InternalServiceException", *names))
        options: dict[str, Any] = {"names": names, "tags": {"share": "yes"}, "state": state}
        result = owner(control, "ecr_repository_tag", endpoint_url=dropping_proxy.url, **options)
        assert (result.get("msg"), result["changed"], dropping_proxy.count(call)) == (None, True, 1)
        assert [tags_of(control, name) for name in names] == [left, left]
