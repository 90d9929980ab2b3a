# SPDX-License-Identifier: GPL-3.0-or-later
"""The proof against IAM that enforces: its results, its explanations, and its retries."""

from __future__ import annotations

import datetime
import json
import pathlib
import re
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import access_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS
from botocore.config import Config

from tests.lab import accounts
from tests.support.consumer_side import CONTROLLER, HOST, ONE_ATTEMPT, Clock, count, here, options_of, prove, pull
from tests.support.control import Control
from tests.support.forwarding import Form, RecordingProxy
from tests.support.owner_resources import Owner
from tests.support.policies import (
    ASSUME,
    DESCRIBE,
    DESCRIBE_CALL,
    EXTERNAL_ID,
    LAYER_CALL,
    MANIFEST_CALL,
    PULL,
    READ,
    TOKEN,
    TOKEN_CALL,
    Statement,
    allow,
    deny,
    document,
)

PROBES = ("describe", "manifest", "layer", "token")
#: The options with which what may change is tried twice, and what is settled is not.
TWO_ATTEMPTS: dict[str, Any] = {"wait_timeout": 60, "wait_interval": 60}


NO_TAG = "The role's policy does not allow it: the repository lacks the tag, or the policy lacks the action."
A_DENY = "The identity-based policy has a Deny statement for it: the owner account has to change that statement."


def tagged(key: str) -> tuple[Statement, Statement]:
    """The grants of the share: a token, and reading what carries `key=yes`."""
    condition = {"StringEquals": {f"ecr:ResourceTag/{key}": "yes"}}
    return TOKEN, allow(DESCRIBE_CALL, MANIFEST_CALL, LAYER_CALL, Condition=condition)


# --- results ----------------------------------------------------------------------------------------------------


def test_the_progress_counts_the_repositories_that_are_proven(control: Control, owner: Owner) -> None:
    progress_lines: list[str] = []
    options = {"role_arn": owner.role(*READ), "external_id": "test", "readable": ["release"], "denied": ["develop"]}
    result = here(
        control, options, ACCESS_INFO_ARGUMENTS, lambda module: access_info(module, progress=progress_lines.append)
    )
    assert len(result["repositories"]) == 2
    assert sorted(set(progress_lines)) == [f"{number} of 2 repositories proven" for number in range(3)]


@pytest.mark.parametrize(
    ("statements", "access", "denied", "kind", "problems"),
    [
        (READ, "read", [], "", []),
        ((TOKEN, PULL), "pull", ["describe"], "no_identity_policy", []),
        (
            (TOKEN, PULL),
            "read",
            ["describe"],
            "no_identity_policy",
            [f"Repository release can be pulled but not described. {NO_TAG}"],
        ),
        (
            (TOKEN, DESCRIBE),
            "read",
            ["manifest", "layer"],
            "no_identity_policy",
            [f"Repository release cannot be pulled. {NO_TAG}"],
        ),
        (
            (TOKEN, DESCRIBE, allow(MANIFEST_CALL)),
            "pull",
            ["layer"],
            "no_identity_policy",
            [f"Repository release cannot be pulled. {NO_TAG}"],
        ),
        (
            (*READ, deny(LAYER_CALL)),
            "pull",
            ["layer"],
            "explicit_deny",
            [f"Repository release cannot be pulled. {A_DENY}"],
        ),
    ],
    ids=["all", "pull-suffices", "no-describe", "no-pull", "no-layer", "explicit-deny"],
)
def test_each_action_is_asked_for_by_itself(
    control: Control,
    owner: Owner,
    statements: tuple[Statement, ...],
    access: str,
    denied: list[str],
    kind: str,
    problems: list[str],
) -> None:
    result = prove(control, owner.role(*statements), readable=["release"], access=access)
    (repository_result,) = result["repositories"]
    assert [probe for probe in PROBES if repository_result[probe] == "denied"] == denied
    assert [probe for probe in PROBES if repository_result[probe] == "allowed"] == [
        probe for probe in PROBES if probe not in denied
    ]
    assert repository_result["pull"] == ("denied" if {"manifest", "layer"} & {*denied} else "allowed")
    assert (repository_result["denial_kinds"], list(repository_result["denials"])) == (
        dict.fromkeys(denied, kind),
        denied,
    )
    assert result["problems"] == problems
    assert result["verdict"] == repository_result["verdict"] == ("fail" if problems else "pass")


def test_without_a_registry_token_nothing_can_be_pulled(control: Control, owner: Owner) -> None:
    role = owner.role(DESCRIBE, PULL)
    result = prove(control, role, readable=["release"])
    (repository_result,) = result["repositories"]
    assert [repository_result[probe] for probe in PROBES] == ["allowed", "allowed", "allowed", "denied"]
    assert (result["token"], repository_result["pull"], result["verdict"]) == ("denied", "denied", "fail")
    assert len(result["problems"]) == 2
    name = role.split("/")[1]  # of the role, and of its session
    assert result["problems"][1].startswith(
        f"The role cannot get a registry token: User: arn:aws:sts::{accounts.OWNER}:assumed-role/{name}/"
        f"{name} is not authorized to perform: {TOKEN_CALL} on resource: * because no identity-based policy"
    )


def test_missing_repository_is_neither_readable_nor_denied(control: Control, owner: Owner) -> None:
    result = prove(control, owner.role(*READ), readable=["nowhere"], denied=["neither"])
    mend = "It does not exist in the owner account and region: check its name."
    assert result["problems"] == [
        f"Repository nowhere cannot be pulled. {mend}",
        f"Repository neither could not be proven to be denied. {mend}",
    ]
    for name, repository_result in zip(("nowhere", "neither"), result["repositories"]):
        assert (repository_result["describe"], repository_result["pull"], repository_result["denial_kind"]) == (
            "not_found",
            "not_found",
            "unknown_repository",
        )
        assert repository_result["denial"] == (
            f"The repository with name '{name}' does not exist in the registry with id '{accounts.OWNER}'"
        )


@pytest.mark.parametrize(
    ("condition", "external_id", "enforced", "verdict"),
    [
        (EXTERNAL_ID, "test", "true", "pass"),
        ({"StringEquals": {"sts:ExternalId": ["other", "test"]}}, "test", "true", "pass"),
        ({"StringLike": {"sts:ExternalId": "te?t"}}, "test", "true", "pass"),
        ({"StringLike": {"sts:ExternalId": ["test", "*"]}}, "test", "false", "fail"),  # needs one, and takes any
        ({"StringEqualsIfExists": {"sts:ExternalId": "test"}}, "test", "false", "fail"),  # needs none
        ({}, "test", "false", "fail"),
        ({}, None, "false", "pass"),  # none is expected
    ],
    ids=["equals", "two", "like", "any", "if-exists", "none", "not-given"],
)
def test_external_id_is_enforced_if_none_and_wrong_are_denied(
    control: Control, owner: Owner, condition: Statement, external_id: str | None, enforced: str, verdict: str
) -> None:
    role = owner.role(*READ, Condition=condition)
    result = prove(control, role, external_id=external_id, readable=["release"])
    assert (result["external_id_enforced"], result["verdict"]) == (enforced, verdict)
    assert result["problems"] == [
        f"Role {role} can be assumed without the external ID, or with another one: ask the owner account to require it."
    ] * (verdict == "fail")


def test_external_id_enforcement_is_unknown_without_answer(
    control: Control, owner: Owner, recording_proxy: RecordingProxy
) -> None:
    def change(call: str, form: Form, status: int, answer: str) -> tuple[int, str]:
        if call != "AssumeRole" or form.get("ExternalId") == "test":
            return status, answer
        return 403, "<ErrorResponse><Error><Code>RegionDisabledException</Code></Error></ErrorResponse>"

    recording_proxy.change = change
    result = prove(control, owner.role(*READ), readable=["release"], endpoint_url=recording_proxy.url)
    assert (result["external_id_enforced"], result["verdict"]) == ("unknown", "fail")
    assert "requires the external ID is unknown: AssumeRole: RegionDisabledException" in result["problems"][0]


# --- messages ----------------------------------------------------------------------------------------------------


RELEASE = {"environment": "release"}


@pytest.mark.parametrize(
    ("reads_tags", "tags", "granting", "why"),
    [
        (
            True,
            RELEASE,
            RELEASE,
            "It has environment=release, which grants access through the role: the owner account has to remove that"
            " tag.",
        ),
        (
            True,
            {"environment": "develop", "team": "platform"},
            {"environment": ["release", "hotfix"]},
            "It has environment=develop, team=platform, which does not explain the access: another policy of the"
            " role, or the policy of the repository, allows reading it.",
        ),
        (
            True,
            {},
            RELEASE,
            "It has no tag, which does not explain the access: another policy of the role, or the policy of the"
            " repository, allows reading it.",
        ),
        (
            True,
            {"team": "platform"},
            None,
            "It has team=platform: the owner account has to compare that with the role's policies.",
        ),
        (
            False,
            RELEASE,
            RELEASE,
            "Its tags cannot be read with this role; ask the owner account for them, and for the role's policies.",
        ),
    ],
    ids=["granted", "other-tags", "no-tag", "granting-unknown", "tags-unreadable"],
)
def test_readable_denied_repository_is_reported_with_reason(
    control: Control,
    owner: Owner,
    reads_tags: bool,
    tags: dict[str, str],
    granting: dict[str, Any] | None,
    why: str,
) -> None:
    role = owner.role(*READ, *([allow("ecr:ListTagsForResource")] if reads_tags else []))
    name = owner.repository(**tags)
    result = prove(control, role, readable=["release"], denied=[name], repository_tags=granting)
    assert result["problems"] == [
        f"Repository {name} was expected to be denied, but describe, manifest, layer are allowed. {why}"
    ]
    assert [repository["verdict"] for repository in result["repositories"]] == ["pass", "fail"]


def test_a_denial_that_is_partly_not_denied_is_not_denied(control: Control, owner: Owner) -> None:
    result = prove(control, owner.role(TOKEN, DESCRIBE), denied=["release"])
    assert result["verdict"] == "fail"
    assert "Repository release was expected to be denied, but describe is allowed." in result["problems"][0]


@pytest.mark.parametrize(
    ("statement", "external_id", "kind", "reason", "advice"),
    [
        (
            allow(ASSUME),
            "wrong",
            "trust",
            "",
            "Check, in this order: the trust policy of the role names this account or principal, or an organization and"
            " unit of this account; the external ID is the one in that statement; an identity-based policy of the"
            " caller allows sts:AssumeRole on this role.",
        ),
        (
            allow("ecr:*"),
            "test",
            "no_identity_policy",
            f" because no identity-based policy allows the {ASSUME} action",
            "Allow sts:AssumeRole on this role in an identity-based policy of the caller.",
        ),
        (
            deny(ASSUME),
            "test",
            "explicit_deny",
            " with an explicit deny in an identity-based policy",
            "The identity-based policy has a Deny statement for sts:AssumeRole: change it in the account of the caller,"
            " or in the trust policy of the role.",
        ),
    ],
    ids=["trust", "no-policy", "explicit-deny"],
)
def test_denial_of_assume_role_names_the_denied_caller(
    control: Control, owner: Owner, statement: Statement, external_id: str, kind: str, reason: str, advice: str
) -> None:
    iam, user, role = control.lab.client("consumer-administrator", "iam"), owner.name(), owner.role(*READ)
    iam.create_user(UserName=user)
    iam.put_user_policy(UserName=user, PolicyName="by-hand", PolicyDocument=document(statement))
    key = iam.create_access_key(UserName=user)["AccessKey"]
    result = prove(control, role, external_id=external_id, **options_of(control, key))
    assert result["denial_kind"] == kind, result
    assert result["denial"] == (
        f"User: arn:aws:iam::{accounts.CONSUMER}:user/{user} is not authorized to perform: {ASSUME} on resource:"
        f" {role}{reason}"
    )
    assert result["msg"] == f"Role {role} cannot be assumed: {result['denial']}. {advice}"


def test_caller_with_expired_session_is_told_to_renew_it(control: Control, owner: Owner) -> None:
    """AWS has no session this short; the lab has."""
    sts = control.lab.session("consumer").client("sts", config=Config(parameter_validation=False))
    keys = sts.get_session_token(DurationSeconds=1)["Credentials"]
    time.sleep(1.1)
    result = prove(control, owner.role(*READ), **options_of(control, keys))
    assert result["msg"] == (
        "GetCallerIdentity: ExpiredToken: The security token included in the request is expired."
        " Renew the session of these credentials."
    )


@pytest.mark.parametrize(
    ("reason", "kind", "waits"),
    [
        ("because no permissions boundary allows the {} action", "boundary", False),
        ("with an explicit deny in a permissions boundary", "boundary", False),
        ("because no session policy allows the {} action", "session_policy", False),
        ("because no service control policy allows the {} action", "organization_policy", False),
        ("with an explicit deny in a resource control policy", "organization_policy", False),
        ("with an explicit deny in an identity-based policy", "explicit_deny", False),
        ("because no identity-based policy allows the {} action", "no_identity_policy", True),
        ("", "unknown", True),
    ],
)
def test_every_reason_that_aws_gives_is_understood(
    control: Control, owner: Owner, recording_proxy: RecordingProxy, clock: Clock, reason: str, kind: str, waits: bool
) -> None:
    """The lab has only some of these sentences (IAM User Guide, "Troubleshoot access denied error messages")."""

    def change(_call: str, _form: Form, status: int, answer: str) -> tuple[int, str]:
        denial = r"because no identity-based policy allows the (\S+) action"
        return status, re.sub(denial, lambda match: reason.format(match[1]), answer)

    recording_proxy.change = change
    role, mark = owner.role(TOKEN), len(control.lab.calls())
    result = prove(control, role, readable=["release"], endpoint_url=recording_proxy.url, **TWO_ATTEMPTS)
    (repository_result,) = result["repositories"]
    assert repository_result["denial_kinds"] == dict.fromkeys(PROBES[:3], kind)
    assert repository_result["denial"].rstrip().endswith(reason.format(MANIFEST_CALL))
    assert count(control, mark) == ONE_ATTEMPT * (2 if waits else 1)


def test_expired_session_is_reported_without_retry(
    control: Control, owner: Owner, recording_proxy: RecordingProxy, clock: Clock
) -> None:
    def change(call: str, _form: Form, status: int, answer: str) -> tuple[int, str]:
        sentence = "The security token included in the request is expired"
        expired = json.dumps({"__type": "ExpiredTokenException", "message": sentence})
        return (400, expired) if call == "GetDownloadUrlForLayer" else (status, answer)

    recording_proxy.change = change
    role, mark = owner.role(*READ), len(control.lab.calls())
    result = prove(control, role, readable=["release"], endpoint_url=recording_proxy.url, **TWO_ATTEMPTS)
    assert result["problems"] == [
        "Repository release cannot be pulled. The session expired before the proof was complete. Run again, or set a"
        " longer duration_seconds."
    ]
    assert (result["repositories"][0]["layer"], count(control, mark)) == ("expired", ONE_ATTEMPT)


# --- how it is asked -------------------------------------------------------------------------------------------------


def test_hundred_repositories_are_each_requested_once(control: Control, owner: Owner) -> None:
    readable = [owner.repository(hundred="yes") for _number in range(50)]
    denied = [owner.repository() for _number in range(50)]
    role, mark = owner.role(*tagged("hundred")), len(control.lab.calls())
    result = prove(control, role, HOST, readable=readable, denied=denied)
    assert (result["verdict"], len(result["repositories"])) == ("pass", 100), result
    calls = control.lab.calls()[mark:]
    assert {call: calls.count(call) for call in calls} == {
        "sts:GetCallerIdentity": 2,
        ASSUME: ONE_ATTEMPT,
        TOKEN_CALL: 1,
        DESCRIBE_CALL: 100,  # its API takes one name
        MANIFEST_CALL: 100,
        LAYER_CALL: 100,
    }


@pytest.mark.parametrize(
    ("statements", "options"),
    [
        (tagged("same"), {"denied": ["develop"], "existing": ["develop"], "role_session_name": "same"}),
        ((DESCRIBE, PULL), {"denied": ["nowhere"], "existing": ["nowhere"], "repository_tags": RELEASE}),
        (READ, {"external_id": "wrong"}),
    ],
    ids=["pass", "no-token", "trust"],
)
def test_both_modes_give_the_same_result(
    control: Control, owner: Owner, statements: tuple[Statement, ...], options: dict[str, Any]
) -> None:
    role = owner.role(*statements)
    options = {"readable": [owner.repository(same="yes")], **options}
    by_host, by_controller = (prove(control, role, credentials, **options) for credentials in (HOST, CONTROLLER))
    assert by_host == by_controller
    assert by_host["code"] == (2 if options.get("external_id") else 0)
    assert by_host["changed"] is False


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (
            {
                "role_arn": "allow_ecr_release",
                "external_id": "",
                "role_session_name": "!",
                "duration_seconds": 899,
                "shared_at": "yesterday",
                "readable": ["Release", "both"],
                "denied": ["both", "-"],
            },
            "8 problems, nothing was written:\n"
            "- role_arn 'allow_ecr_release' is not the ARN of a role, such as arn:aws:iam::111111111111:role/NAME.\n"
            "- external_id is empty. Set the external ID that the trust policy names, or omit the option.\n"
            "- role_session_name '!' needs 2 to 64 of letters, digits and _+=,.@-\n"
            "- duration_seconds is 899; AWS accepts 900 to 43,200, up to the maximum session duration of the role.\n"
            "- shared_at 'yesterday' is not a time in UTC such as 2026-01-31T23:59:59Z. Copy it from the hand-off.\n"
            "- 'Release' is not a repository name. ",
        ),
        ({"readable": ["release"]}, "one of the following is required: role_arn, registry_account"),
        ({"role_arn": "x", "access": "write"}, "value of access must be one of: pull, read, got: write"),
        ({"role_arn": "x", "duration_seconds": "long"}, "argument 'duration_seconds' is of type str and we were"),
    ],
    ids=["all-together", "missing", "choice", "type"],
)
def test_wrong_options_are_rejected_in_both_modes(control: Control, options: dict[str, Any], message: str) -> None:
    mark = len(control.lab.calls())
    by_host, by_controller = (
        control.module("ecr_access_info", "consumer", credentials=credentials, **options)
        for credentials in (HOST, CONTROLLER)
    )
    assert by_host == by_controller
    assert by_host["msg"].startswith(message), by_host
    assert (by_host["code"], control.lab.calls()[mark:]) == (2, [])


@pytest.mark.parametrize("credentials", [HOST, CONTROLLER])
def test_an_option_that_does_not_exist_is_named(control: Control, credentials: str) -> None:
    result = prove(control, "x", credentials, readabel=["release"])
    assert result["code"] == 2
    assert re.search(r"\breadabel\b", result["msg"]), result


# --- retries ----------------------------------------------------------------------------------------------


def meanwhile(run: Callable[[], Any], so_far: Callable[[], bool], act: Callable[[], Any]) -> Any:
    """The result of `run`, while `act` happens as soon as `so_far` is true."""
    with ThreadPoolExecutor(1) as pool:
        running, deadline = pool.submit(run), time.monotonic() + 300
        while not so_far() and not running.done() and time.monotonic() < deadline:
            time.sleep(0.05)
        assert not running.done(), running.result()
        act()
        return running.result()


def pull_playbook(control: Control, role_arn: str, **variables: Any) -> Any:
    variables = {"ecr_pull_wait_timeout": 60, "ecr_pull_wait_interval": 0.5, **variables}
    return control.playbook("pull", "consumer", ecr_pull_role_arn=role_arn, ecr_pull_external_id="test", **variables)


def ago(seconds: int) -> str:
    then = datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(seconds=seconds)
    return then.strftime("%Y-%m-%dT%H:%M:%SZ")


def test_pull_started_before_the_share_succeeds_later(control: Control, tmp_path: pathlib.Path) -> None:
    mark = len(control.lab.calls())

    def share() -> None:
        shared = control.share(ecr_share_role_name="early", ecr_share_wait_interval=0)
        assert shared.code == 0, shared

    pulled = meanwhile(
        lambda: pull_playbook(
            control,
            f"arn:aws:iam::{accounts.OWNER}:role/early",
            ecr_pull_repositories=["release"],
            ecr_pull_denied=["develop"],
            ecr_pull_images=["release:v1.0"],
            ecr_pull_engine="oci_layout",
            ecr_pull_dest=str(tmp_path / "image"),
            ecr_pull_credentials=CONTROLLER,
        ),
        lambda: count(control, mark) >= 2,
        share,
    )
    assert pulled.code == 0, pulled
    assert "localhost: waiting up to " in pulled.output  # said while it waits
    assert (tmp_path / "image/index.json").exists()


@pytest.mark.parametrize("late", ["tag", "untag"])
def test_late_tag_changes_are_waited_for(control: Control, owner: Owner, late: str) -> None:
    comes, goes = owner.repository(), owner.repository(late="yes")
    role, mark = owner.role(*tagged("late")), len(control.lab.calls())
    variables = {"ecr_pull_repositories": [comes]} if late == "tag" else {"ecr_pull_denied": [goes]}
    run = meanwhile(
        lambda: pull_playbook(control, role, ecr_pull_shared_at=ago(0), **variables),
        lambda: count(control, mark, MANIFEST_CALL) >= 2,
        lambda: owner.tag(comes, late="yes") if late == "tag" else owner.untag(goes, "late"),
    )
    assert run.code == 0, run


@pytest.mark.parametrize("credentials", [HOST, CONTROLLER])
@pytest.mark.parametrize("late", ["role", "tag"])
def test_single_pull_waits_too(control: Control, owner: Owner, late: str, credentials: str) -> None:
    image, name = owner.repository(single="yes" if late == "role" else "no"), owner.name()
    owner.push(image)
    if late == "tag":
        owner.role(*tagged("single"), name=name)
    role, mark = f"arn:aws:iam::{accounts.OWNER}:role/{name}", len(control.lab.calls())
    result = meanwhile(
        lambda: pull(control, role, f"{image}:v1.0", credentials=credentials, wait_timeout=60, wait_interval=0.2),
        lambda: count(control, mark) >= 2,
        lambda: owner.tag(image, single="yes") if late == "tag" else owner.role(*tagged("single"), name=name),
    )
    assert (result["code"], result["changed"]) == (0, True), result


@pytest.mark.parametrize(
    ("statements", "shared", "wait", "name", "attempts"),
    [
        ((TOKEN,), None, True, "release", 2),
        ((TOKEN,), 20, True, "release", 2),
        ((TOKEN,), 60, True, "release", 1),
        ((TOKEN,), None, False, "release", 1),
        ((*READ, deny(MANIFEST_CALL)), None, True, "release", 1),
        (READ, None, True, "nowhere", 1),
    ],
    ids=["no-policy", "new-share", "old-share", "no-wait", "explicit-deny", "unknown-repository"],
)
def test_only_what_propagation_explains_is_waited_for(
    control: Control,
    owner: Owner,
    clock: Clock,
    statements: tuple[Statement, ...],
    shared: int | None,
    wait: bool,
    name: str,
    attempts: int,
) -> None:
    shared_at = {} if shared is None else {"shared_at": ago(shared)}
    role, options = owner.role(*statements), {**TWO_ATTEMPTS, "wait": wait, **shared_at}
    mark = len(control.lab.calls())
    result = prove(control, role, readable=[name], **options)
    assert (result["verdict"], count(control, mark)) == ("fail", ONE_ATTEMPT * attempts)
    clock.now, mark = 0.0, len(control.lab.calls())
    result = pull(control, role, f"{name}:v1.0", **options)
    assert result["msg"].startswith(f"Image {name}:v1.0 cannot be pulled: ")
    assert count(control, mark) == attempts


def test_a_boundary_that_denies_is_not_waited_for(control: Control, owner: Owner, clock: Clock) -> None:
    role = owner.role(*READ, boundary=(allow("*"), deny(MANIFEST_CALL)))
    mark = len(control.lab.calls())
    assert prove(control, role, readable=["release"], **TWO_ATTEMPTS)["verdict"] == "fail"
    assert count(control, mark) == ONE_ATTEMPT


def test_an_image_that_does_not_exist_is_not_waited_for(control: Control, owner: Owner, clock: Clock) -> None:
    role, mark = owner.role(*READ), len(control.lab.calls())
    result = pull(control, role, "release:nowhere", **TWO_ATTEMPTS)
    assert result["msg"] == "Image release:nowhere does not exist: repository release has no such image."
    assert count(control, mark) == 1


def test_final_error_ends_the_wait_for_propagation(control: Control, owner: Owner, clock: Clock) -> None:
    role, may_come = owner.role(*tagged("good"), deny(DESCRIBE_CALL)), owner.repository()
    mark = len(control.lab.calls())
    assert prove(control, role, readable=[may_come], **TWO_ATTEMPTS)["verdict"] == "fail"
    assert count(control, mark) == ONE_ATTEMPT
    existing = owner.repository(good="yes")
    mark = len(control.lab.calls())
    result = pull(control, role, f"{may_come}:v1.0", f"{existing}:nowhere", **TWO_ATTEMPTS)
    assert result["msg"].startswith(f"2 problems, nothing was written:\n- Image {may_come}:v1.0 cannot be pulled: ")
    assert count(control, mark) == 1


@pytest.mark.parametrize(
    ("code", "reason", "kind", "attempts"),
    [
        ("KmsError", "The KMS key is disabled.", "kms", 1),
        ("ImageInaccessible", "The image is archived.", "archived", 1),
        ("UpstreamAccessDenied", "", "upstream", 1),
        ("UpstreamTooManyRequests", "Slow down.", "upstream_busy", 2),
        ("SomethingNew", "", "unknown_error", 1),
    ],
)
@pytest.mark.parametrize("shared", [None, 3600])
def test_failure_in_batch_get_image_response_has_reason(
    control: Control,
    owner: Owner,
    recording_proxy: RecordingProxy,
    clock: Clock,
    code: str,
    reason: str,
    kind: str,
    attempts: int,
    shared: int | None,
) -> None:
    """An upstream registry that is busy does not depend on when the share was made."""

    def change(call: str, form: Form, status: int, answer: str) -> tuple[int, str]:
        if call != "BatchGetImage":
            return status, answer
        failure = {"imageId": {"imageTag": "v1.0"}, "failureCode": code, "failureReason": reason}
        return 200, json.dumps({"images": [], "failures": [failure]})

    recording_proxy.change = change
    role, mark = owner.role(*READ), len(control.lab.calls())
    options = {**TWO_ATTEMPTS, **({} if shared is None else {"shared_at": ago(shared)})}
    result = pull(control, role, "release:v1.0", endpoint_url=recording_proxy.url, **options)
    fact = f"{code}: {reason}".rstrip(": .")
    assert result["msg"].startswith(f"Image release:v1.0 cannot be pulled: {fact}.")
    assert (result["denial_kind"], count(control, mark)) == (kind, attempts)


def test_upstream_registry_that_was_busy_is_waited_for(
    control: Control, owner: Owner, recording_proxy: RecordingProxy, clock: Clock
) -> None:
    failures = ["UpstreamTooManyRequests", "UpstreamUnavailable"]

    def change(call: str, form: Form, status: int, answer: str) -> tuple[int, str]:
        if call != "BatchGetImage" or not failures:
            return status, answer
        failure = {"imageId": {"imageTag": "v1.0"}, "failureCode": failures.pop()}
        return 200, json.dumps({"images": [], "failures": [failure]})

    recording_proxy.change = change
    options: dict[str, Any] = {"wait_timeout": 60, "shared_at": ago(3600)}
    result = pull(control, owner.role(*READ), "release:v1.0", endpoint_url=recording_proxy.url, **options)
    assert len(result["digests"]) == 1, result
    assert not failures


@pytest.mark.parametrize("credentials", ["host", "control_node"])
def test_image_of_another_registry_is_rejected_early(control: Control, owner: Owner, credentials: str) -> None:
    role = owner.role(*READ)
    region = control.lab.client("owner", "ecr").meta.region_name
    host = f"{accounts.OWNER}.dkr.ecr.{region}.amazonaws.com"
    good = pull(control, role, f"https://{host}/release:v1.0", credentials=credentials)
    assert good["images"][0]["image"] == "release:v1.0", good
    others = [host.replace(region, "eu-south-2"), host.replace(accounts.OWNER, accounts.CONSUMER), "localhost:1"]
    for other in others:
        result = pull(control, role, f"https://{other}/release:v1.0", credentials=credentials)
        assert f"Image {other}/release:v1.0 names registry {other}, but the images are in " in result["msg"]
    assert not (control.folder / "layout").exists()


@pytest.mark.parametrize("denied", [[], ["develop"]], ids=["nothing-else", "a-denial"])
def test_finally_denied_token_is_not_waited_for(
    control: Control, owner: Owner, clock: Clock, denied: list[str]
) -> None:
    role, mark = owner.role(TOKEN, deny(TOKEN_CALL)), len(control.lab.calls())
    assert prove(control, role, denied=denied, **TWO_ATTEMPTS)["verdict"] == "fail"
    assert count(control, mark) == ONE_ATTEMPT


def test_token_that_may_become_available_is_waited_for(control: Control, owner: Owner, clock: Clock) -> None:
    role, mark = owner.role(DESCRIBE, PULL), len(control.lab.calls())
    assert prove(control, role, readable=["release"], **TWO_ATTEMPTS)["verdict"] == "fail"
    assert count(control, mark) == ONE_ATTEMPT * 2
    clock.now, mark = 0.0, len(control.lab.calls())
    assert TOKEN_CALL in pull(control, role, "release:v1.0", **TWO_ATTEMPTS)["msg"]
    assert count(control, mark) == 2


def test_the_tries_are_an_interval_apart_until_the_deadline(control: Control, owner: Owner, clock: Clock) -> None:
    role, mark = owner.role(TOKEN), len(control.lab.calls())
    result = prove(control, role, readable=["release"], wait_timeout=5, wait_interval=2)
    assert result["problems"] == [f"Repository release cannot be pulled. {NO_TAG}"]
    assert (count(control, mark), clock.now) == (ONE_ATTEMPT * 4, 5.0)  # at 0, 2, 4 and 5 seconds


def test_role_of_an_old_share_is_not_retried(control: Control) -> None:
    role, mark = f"arn:aws:iam::{accounts.OWNER}:role/nowhere", len(control.lab.calls())
    run = pull_playbook(control, role, ecr_pull_shared_at=ago(60), ecr_pull_repositories=["release"])
    assert (run.code, count(control, mark)) == (2, 1), run


def test_play_after_a_timeout_names_what_is_missing(control: Control) -> None:
    role, mark = f"arn:aws:iam::{accounts.OWNER}:role/nowhere", len(control.lab.calls())
    run = pull_playbook(control, role, ecr_pull_wait_timeout=4)
    assert (run.code, count(control, mark) > 1) == (2, True), run
    assert f"Role {role} cannot be assumed: User: " in " ".join(run.output.split())
    (waiting,) = re.findall(r"^localhost: waiting up to (\d+) s until the share propagates", run.output, re.MULTILINE)
    assert int(waiting) <= 4
    assert "Traceback" not in run.output
