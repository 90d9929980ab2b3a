# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _errors
from ansible_collections.crossaccount.ecr.plugins.module_utils._denial import ASSUME, Denial


class RefusalError(Exception):
    """Looks like botocore's ClientError."""

    def __init__(self, code: str | None, sentence: str | None, operation: str | None = "AssumeRole") -> None:
        super().__init__("An error occurred")
        self.response = {"Error": {"Code": code, "Message": sentence}}
        self.operation_name = operation


def named(name: str, text: str) -> Exception:
    error: Exception = type(name, (Exception,), {})(text)
    return error


def test_an_error_keeps_its_facts() -> None:
    error = _errors.EcrError("Sentence.", changed=True, failed=["a"])
    assert str(error) == "Sentence."
    assert error.facts == {"changed": True, "failed": ["a"]}
    assert _errors.EcrError("Sentence.").facts == {}


def test_no_problem_raises_nothing() -> None:
    _errors.Problems().check()
    _errors.Problems().check(denial_kind="trust")


def test_one_problem_is_the_message() -> None:
    problems = _errors.Problems()
    problems.add("One.")
    with pytest.raises(_errors.EcrError) as caught:
        problems.check()
    assert str(caught.value) == "One."
    assert caught.value.facts == {"problems": ["One."]}


def test_all_problems_are_reported_together() -> None:
    problems = _errors.Problems()
    for message in ("One.", "Two.", "One."):
        problems.add(message)
    with pytest.raises(_errors.EcrError) as caught:
        problems.check()
    assert str(caught.value) == "2 problems, nothing was written:\n- One.\n- Two."
    assert caught.value.facts == {"problems": ["One.", "Two."]}


@pytest.mark.parametrize("messages", [["One."], ["One.", "Two."]])
def test_problems_are_raised_with_the_facts_that_are_given(messages: list[str]) -> None:
    problems = _errors.Problems()
    for message in messages:
        problems.add(message)
    with pytest.raises(_errors.EcrError) as caught:
        problems.check(denial_kind="trust", changed=False)
    assert caught.value.facts == {"problems": messages, "denial_kind": "trust", "changed": False}


@pytest.mark.parametrize(
    ("error", "expired"),
    [
        (RefusalError("ExpiredToken", "Old."), True),
        (RefusalError("ExpiredTokenException", "Old."), True),
        (RefusalError("AccessDenied", "The security token is expired"), False),
        (RefusalError("InvalidClientTokenId", "No."), False),
        (RefusalError(None, None), False),
        (named("ExpiredTokenException", "x"), True),  # botocore's modeled exceptions are classes
        (ValueError("ExpiredToken"), False),
    ],
)
def test_expired_session(error: Exception, expired: bool) -> None:
    assert _errors.is_expired(error) is expired
    assert not (_errors.is_expired(error) and _errors.is_denied(error))


@pytest.mark.parametrize(
    ("error", "code", "sentence", "denied"),
    [
        (RefusalError("AccessDenied", "Access denied."), "AccessDenied", "Access denied.", True),
        (RefusalError("AccessDeniedException", "Access denied."), "AccessDeniedException", "Access denied.", True),
        (RefusalError("UnauthorizedOperation", "Access denied."), "UnauthorizedOperation", "Access denied.", True),
        (RefusalError("NoSuchEntity", "Gone."), "NoSuchEntity", "Gone.", False),
        (RefusalError(None, None), "RefusalError", "", False),
        (ValueError("plain"), "ValueError", "plain", False),
    ],
)
def test_responses_of_aws(error: Exception, code: str, sentence: str, denied: bool) -> None:
    assert _errors.error_code(error) == code
    assert _errors.aws_sentence(error) == sentence
    assert _errors.is_denied(error) is denied


UNKNOWN_KEY = (
    "This access key does not exist in AWS, or the region is not enabled: check the profile, the environment and the"
    " region."
)
NO_CREDENTIALS = (
    "No AWS credentials were found. Name a profile (profile or AWS_PROFILE), set AWS_ACCESS_KEY_ID and"
    " AWS_SECRET_ACCESS_KEY, or run where an instance profile is attached. In a"
    " container on EC2, the hop limit of the instance's metadata options must be at least 2."
)
UNREACHABLE = (
    "No. No server answers at this address: check the network and, if it is set, endpoint_url or AWS_ENDPOINT_URL."
)
BUSY = "AWS limits the rate of this call. Run again later, or with fewer hosts at a time."
UNSTATED = "AWS did not state which policy decided."
RENEW = "Renew the session of these credentials."


@pytest.mark.parametrize(
    ("error", "message"),
    [
        (named("NoCredentialsError", "x"), NO_CREDENTIALS),
        (named("PartialCredentialsError", "x"), NO_CREDENTIALS),
        (named("EndpointConnectionError", "No."), UNREACHABLE),
        (named("ConnectTimeoutError", "No"), UNREACHABLE),
        (named("ConnectionClosedError", "No"), UNREACHABLE),
        (named("ReadTimeoutError", "No"), UNREACHABLE),
        (named("ProxyConnectionError", "No."), "No. Check HTTPS_PROXY, HTTP_PROXY and NO_PROXY."),
        (
            named("SSLError", "No."),
            "No. Check the clock of this machine, and set AWS_CA_BUNDLE or ca_bundle to the CA of a proxy or endpoint.",
        ),
        (
            named("NoRegionError", "x"),
            "No region is known. Set region, AWS_REGION, or the region of the profile.",
        ),
        (
            RefusalError("AccessDenied", "Access denied."),
            "AssumeRole: AccessDenied: Access denied. " + Denial("trust").advice(ASSUME),
        ),
        (
            RefusalError("AccessDenied", "Access denied.", "PutRolePermissionsBoundary"),
            "PutRolePermissionsBoundary: AccessDenied: Access denied. Have an administrator of the account run this"
            " once, so that the role gets its boundary. owner-policy.json does not allow this action, because a caller"
            " that may set a boundary may also replace it.",
        ),
        (
            RefusalError("AccessDenied", "Access denied.", "CreateRole"),
            "CreateRole: AccessDenied: Access denied. Grant this action to the caller, or use other credentials. If the"
            " policy of the caller requires a permissions boundary, declare it as permissions_boundary.",
        ),
        *[
            (
                RefusalError("AccessDenied", "Access denied.", operation),
                f"{operation}: AccessDenied: Access denied. Grant this action to the caller, or use other credentials."
                " If the role lacks the permissions boundary that the policy of the caller requires, have an"
                " administrator of the account run this once, with that permissions_boundary.",
            )
            for operation in ("AttachRolePolicy", "DetachRolePolicy", "PutRolePolicy", "DeleteRolePolicy")
        ],
        (RefusalError("ExpiredToken", "Old."), f"AssumeRole: ExpiredToken: Old. {RENEW}"),
        (RefusalError("ExpiredTokenException", "Old"), f"AssumeRole: ExpiredTokenException: Old. {RENEW}"),
        (RefusalError("InvalidClientTokenId", "No."), f"AssumeRole: InvalidClientTokenId: No. {UNKNOWN_KEY}"),
        (
            RefusalError("UnrecognizedClientException", "No."),
            f"AssumeRole: UnrecognizedClientException: No. {UNKNOWN_KEY}",
        ),
        (
            RefusalError("SignatureDoesNotMatch", "The request signature we calculated does not match."),
            "AssumeRole: SignatureDoesNotMatch: The request signature we calculated does not match."
            " The secret access key does not belong to this access key ID."
            " Copy both again.",
        ),
        (
            RefusalError("MalformedPolicyDocument", "Invalid principal"),
            "AssumeRole: MalformedPolicyDocument: Invalid principal. A principal in the trust policy may not"
            " exist. Create it first, or trust it with principal_match: condition.",
        ),
        (RefusalError("Throttling", "Slow down."), f"AssumeRole: Throttling: Slow down. {BUSY}"),
        (RefusalError("Throttling", "Slow down.", None), f"Throttling: Slow down. {BUSY}"),
        (RefusalError("NewException", None), "AssumeRole: NewException"),
        (
            RefusalError("AccessDenied", "Account 1 is suspended"),
            f"AssumeRole: AccessDenied: Account 1 is suspended. {UNSTATED}",
        ),
        (RefusalError("AccessDenied", "Blocked.", "GetRole"), f"GetRole: AccessDenied: Blocked. {UNSTATED}"),
    ],
)
def test_explain(error: Any, message: str) -> None:
    assert _errors.explain(error) == message


def test_missing_credentials_in_awx_name_the_types() -> None:
    class NoCredentialsError(Exception):
        pass

    in_awx = _errors.explain(NoCredentialsError(), {"AWX_HOST": "https://awx.example.com"})
    assert "Attach a credential of the type ECR owner account to share and unshare" in in_awx
    assert "Name a profile" in _errors.explain(NoCredentialsError(), {"HOME": "/home/me"})
    assert "Name a profile" in _errors.explain(NoCredentialsError())
