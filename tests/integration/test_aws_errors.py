# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of AWS in the place of the lab's responses: the kind, the advice, and whether the module tries again."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any, NamedTuple
from xml.sax.saxutils import escape

import pytest

from tests.support.consumer_side import Clock, prove, pull
from tests.support.control import Control
from tests.support.forwarding import Form, RecordingProxy
from tests.support.owner_resources import Owner
from tests.support.policies import READ

ASSUME, CALLER, IMAGE, LAYER = "AssumeRole", "GetCallerIdentity", "BatchGetImage", "GetDownloadUrlForLayer"
#: A result that may change is requested three times with them, and a final one once.
WAIT: dict[str, Any] = {"wait_timeout": 60, "wait_interval": 30}
EARLIER = "Signature expired: 20261126T100000Z is now earlier than 20261126T134500Z (20261126T140000Z - 15 min.)"
LATER = "Signature not yet current: 20261126T180000Z is still later than 20261126T141500Z (20261126T140000Z + 15 min.)"
SCP = "arn:aws:organizations::111111111111:policy/o-exampleorgid/service_control_policy/p-examplepolicy"
SESSION = "arn:aws:sts::111111111111:assumed-role/allow_ecr_release/job"
REPOSITORY = "arn:aws:ecr:ap-northeast-1:111111111111:repository/release"
DENIED = f"User: {SESSION} is not authorized to perform: ecr:BatchGetImage on resource: {REPOSITORY}"
USER, ROLE = "arn:aws:iam::222222222222:user/puller", "arn:aws:iam::111111111111:role/x"


class Row(NamedTuple):
    """An error of one call.

    :param texts: texts of the message
    :param absent_texts: texts that the message must not have
    :param is_tried_again: whether the module tries again
    """

    name: str
    call: str
    code: str
    message: str
    texts: str
    absent_texts: str = "Traceback"
    is_tried_again: bool = False
    status: int = 400


ROWS = [
    Row(
        "E01",
        IMAGE,
        "AccessDeniedException",
        f"{DENIED} because no resource-based policy allows the ecr:BatchGetImage action",
        "belongs to another account than the repository",
        "did not",
    ),
    Row("E02", IMAGE, "AccessDeniedException", f"{DENIED} with an explicit deny", "has a Deny statement"),
    Row(
        "E03", IMAGE, "AccessDeniedException", f"{DENIED} with an explicit deny in a service control policy: {SCP}", SCP
    ),
    Row("E04", LAYER, "KmsException", "The operation failed because access to the KMS key is denied", "KMS key"),
    Row(
        "E06",
        LAYER,
        "UnableToGetUpstreamLayerException",
        "There was an issue getting the upstream layer.",
        "cache rule",
    ),
    Row(
        "E07",
        IMAGE,
        "UnrecognizedClientException",
        "The security token included in the request is invalid",
        "region is not enabled",
        "check the profile",
    ),
    Row("E08", IMAGE, "InvalidSignatureException", EARLIER, "The clock"),
    Row("E09", CALLER, "SignatureDoesNotMatch", EARLIER, "The clock", "secret access key", status=403),
    Row("W11", CALLER, "SignatureDoesNotMatch", LATER, "The clock", "secret access key", status=403),
    Row(
        "E11",
        ASSUME,
        "AccessDenied",
        "Roles may not be assumed by root accounts.",
        "The root user cannot",
        "external ID",
        status=403,
    ),
    Row(
        "E12",
        ASSUME,
        "AccessDenied",
        f"User: {USER} is not authorized to perform: sts:TagSession on resource: {ROLE}",
        "sts:TagSession as well",
        "external ID",
        status=403,
    ),
    Row(
        "source identity",
        ASSUME,
        "AccessDenied",
        f"User: {USER} is not authorized to perform: sts:SetSourceIdentity on resource: {ROLE}",
        "sts:SetSourceIdentity as well",
        "external ID",
        status=403,
    ),
    Row(
        "E14",
        ASSUME,
        "AccessDenied",
        f"User: {USER} is not authorized to perform: sts:AssumeRole on resource: {ROLE} with an explicit deny in"
        " a service control policy",
        "The service control policy denies",
        "Check, in this order",
        status=403,
    ),
    Row(
        "E15",
        ASSUME,
        "AccessDenied",
        "Not authorized to perform sts:AssumeRole",
        "the trust policy of the role names",
        is_tried_again=True,
        status=403,
    ),
    Row(
        "E16",
        ASSUME,
        "ValidationError",
        "The requested DurationSeconds exceeds the 1 hour session limit for roles assumed by role chaining.",
        "duration_seconds",
    ),
    Row(
        "E17",
        ASSUME,
        "RegionDisabledException",
        "STS is not activated in this region for account:222222222222.",
        "The region is not enabled",
        status=403,
    ),
    Row(
        "E18",
        CALLER,
        "IncompleteSignature",
        "'AKIAEXAMPLE/...' not a valid key=value pair (missing equal-sign) in Authorization header",
        "a space, a line break",
    ),
    Row(
        "E19",
        "DescribeImages",
        "RepositoryNotFoundException",
        "The repository with name 'release' does not exist",
        "does not exist",
    ),
    Row("E20", IMAGE, "ThrottlingException", "Rate exceeded", "limits the rate", is_tried_again=True),
    Row("throttled STS", ASSUME, "Throttling", "Rate exceeded", "limits the rate", is_tried_again=True),
    Row("E21", IMAGE, "ServerException", "", "AWS could not process the request", is_tried_again=True, status=500),
    Row(
        "E23",
        ASSUME,
        "InvalidClientTokenId",
        "The security token included in the request is invalid.",
        "This access key does not exist in AWS",
        status=403,
    ),
    Row(
        "E24",
        IMAGE,
        "AccessDeniedException",
        f"{DENIED} because no identity-based policy allows the ecr:BatchGetImage action",
        "lacks the tag",
        is_tried_again=True,
    ),
    Row(
        "new",
        IMAGE,
        "SomethingNewException",
        "A message of next year.",
        "SomethingNewException: A message of next year.",
    ),
]
FAILURES = [
    ("KmsError", "The KMS key is disabled.", "The KMS key is disabled.", False),
    ("UpstreamAccessDenied", "", "cache rule", False),
    ("UpstreamTooManyRequests", "", "Run again later", True),
    ("UpstreamUnavailable", "", "Run again later", True),
    ("UnableToGetUpstreamImage", "", "cache rule", False),
    ("ImageInaccessible", "", "is archived", False),
    ("SomethingNew", "of next year", "SomethingNew: of next year", False),
]
BODIES = {
    "E25": (403, "<html><head><title>Access Denied</title></head><body>Blocked by the web proxy.</body></html>"),
    "200 HTML": (200, "<html><head><title>Access Denied</title></head><body>Blocked by the web proxy.</body></html>"),
    "200 empty": (200, ""),
    "200 without members": (200, "{}"),
    "200 truncated": (200, '{"imageDetails": [{"registryId": "1111'),
    "200 without a reason": (200, '{"images": [], "failures": []}'),
    "302": (302, ""),
}


def answer_of(row: Row) -> str:
    if row.call in (ASSUME, CALLER):
        error = f"<Error><Code>{row.code}</Code><Message>{escape(row.message)}</Message></Error>"
        return f"<ErrorResponse>{error}</ErrorResponse>"
    return json.dumps({"__type": row.code, "message": row.message})


def changing(recording_proxy: RecordingProxy, calls: tuple[str, ...], status: int, answer: str) -> Callable[[], int]:
    """Answer calls of the module's own with this; how often the pull role was assumed."""

    def change(call: str, _form: Form, usual: int, text: str) -> tuple[int, str]:
        return (status, answer) if call in calls else (usual, text)

    recording_proxy.change = change
    return lambda: sum(form.get("ExternalId") == "test" for form in recording_proxy.assumed)


@pytest.fixture(autouse=True)
def _no_retries_of_botocore(monkeypatch: pytest.MonkeyPatch) -> None:
    from ansible_collections.crossaccount.ecr.plugins.module_utils import _session

    monkeypatch.setitem(_session._CONFIG, "retries", {"mode": "standard", "total_max_attempts": 1})


@pytest.mark.parametrize("row", ROWS, ids=lambda row: row.name)
def test_the_proof_and_a_pull_explain_an_error_of_aws(
    control: Control, owner: Owner, recording_proxy: RecordingProxy, clock: Clock, row: Row
) -> None:
    attempts, role = changing(recording_proxy, (row.call,), row.status, answer_of(row)), owner.role(*READ)
    proof = prove(control, role, readable=["release"], endpoint_url=recording_proxy.url, **WAIT)
    text = json.dumps(proof)
    assert "Traceback" not in text
    assert proof.get("verdict") != "pass", proof
    reported = str(proof.get("msg") or proof["problems"])
    assert row.texts in reported, reported
    assert row.absent_texts not in reported, reported
    assert (attempts() > 1) is row.is_tried_again, proof
    if row.call in (LAYER, "DescribeImages"):
        return
    clock.now = 0.0
    before = attempts()
    result = pull(control, role, "release:v1.0", endpoint_url=recording_proxy.url, **WAIT)
    assert result["failed"], result
    assert row.texts in result["msg"], result
    assert row.absent_texts not in result["msg"], result
    assert (attempts() - before > 1) is row.is_tried_again, result


@pytest.mark.parametrize(("code", "reason", "texts", "is_tried_again"), FAILURES)
def test_a_failure_inside_a_successful_response_is_never_ignored(
    control: Control,
    owner: Owner,
    recording_proxy: RecordingProxy,
    clock: Clock,
    code: str,
    reason: str,
    texts: str,
    is_tried_again: bool,
) -> None:
    failure = {"imageId": {"imageTag": "v1.0"}, "failureCode": code, "failureReason": reason}
    attempts = changing(recording_proxy, (IMAGE,), 200, json.dumps({"images": [], "failures": [failure]}))
    role = owner.role(*READ)
    proof = prove(control, role, readable=["release"], endpoint_url=recording_proxy.url, **WAIT)
    assert proof["verdict"] == "fail"
    assert texts in str(proof["problems"])
    assert (attempts() > 1) is is_tried_again, proof
    clock.now = 0.0
    before = attempts()
    result = pull(control, role, "release:v1.0", endpoint_url=recording_proxy.url, **WAIT)
    assert texts in result["msg"], result
    assert "no such image" not in result["msg"]
    assert (attempts() - before > 1) is is_tried_again, result


@pytest.mark.parametrize("name", BODIES)
@pytest.mark.parametrize("expected", ["readable", "denied"])
def test_response_that_is_not_from_aws_proves_nothing(
    control: Control, owner: Owner, recording_proxy: RecordingProxy, clock: Clock, name: str, expected: str
) -> None:
    status, body = BODIES[name]
    changing(recording_proxy, (IMAGE, LAYER, "DescribeImages"), status, body)
    expectation: dict[str, Any] = {expected: ["release"]}
    proof = prove(control, owner.role(*READ), endpoint_url=recording_proxy.url, **expectation)
    assert proof["verdict"] == "fail", proof
    (seen,) = proof["repositories"]
    assert "allowed" not in (seen["describe"], seen["layer"]) or name == "200 without a reason", seen
    assert seen["manifest"] == "error", seen


def test_a_layer_that_no_image_has_was_authorized(
    control: Control, owner: Owner, recording_proxy: RecordingProxy
) -> None:
    """E05: GetDownloadUrlForLayer authorizes the request before it looks for the layer."""
    row = Row(
        "E05",
        LAYER,
        "LayerInaccessibleException",
        "The specified layer is not available because it is not associated with an image.",
        "",
    )
    changing(recording_proxy, (LAYER,), 400, answer_of(row))
    assert (
        prove(control, owner.role(*READ), readable=["release"], endpoint_url=recording_proxy.url)["verdict"] == "pass"
    )
