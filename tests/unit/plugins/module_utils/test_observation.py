# SPDX-License-Identifier: GPL-3.0-or-later
"""The meaning of an error of AWS for the access of the role."""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._observation import (
    Observation,
    observation_of_error,
    observation_of_registry,
)

ACTION = "User: x is not authorized to perform: ecr:BatchGetImage on resource: y"
UNSTATED = f"{ACTION} because no identity-based policy allows the ecr:BatchGetImage action"
TOKEN = "The owner account has to allow ecr:GetAuthorizationToken to the role."


@pytest.mark.parametrize(
    ("call", "code", "sentence"),
    [
        ("BatchGetImage", "ImageNotFound", "Requested image not found"),
        ("DescribeImages", "ImageNotFoundException", "The image with imageId {} does not exist"),
        ("GetDownloadUrlForLayer", "LayersNotFoundException", "The layer does not exist"),
    ],
)
def test_missing_content_shows_that_the_request_is_authorized(call: str, code: str, sentence: str) -> None:
    """ECR looks for the image or the layer only after it has authorized the request."""
    found = observation_of_error(call, code, sentence)
    assert found == Observation("allowed")
    assert found.is_allowed


@pytest.mark.parametrize(
    ("status", "reason", "outcome", "kind"),
    [
        (404, "manifest_unknown: Requested image not found", "allowed", ""),
        (403, f"denied: {UNSTATED}", "denied", "no_identity_policy"),
        (404, "name_unknown: The repository does not exist", "error", "unknown_error"),
        (404, "HTTP 404: not here", "error", "unknown_error"),
        (401, "unauthorized: authentication required", "error", "unknown_error"),
        (403, "HTTP 403: a proxy", "error", "unknown_error"),
    ],
)
def test_response_of_a_registry(status: int, reason: str, outcome: str, kind: str) -> None:
    found = observation_of_registry(status, reason)
    assert (found.outcome, found.kind, bool(found.advice)) == (outcome, kind, outcome != "allowed")
    assert found.by_the_share is (outcome == "denied")


def test_missing_repository_shows_nothing_about_access() -> None:
    sentence = "The repository does not exist in the registry"
    found = observation_of_error("DescribeImages", "RepositoryNotFoundException", sentence)
    assert (found.outcome, found.is_allowed, found.kind) == ("not_found", False, "unknown_repository")
    assert (found.sentence, found.advice) == (
        sentence,
        "It does not exist in the owner account and region: check its name.",
    )


@pytest.mark.parametrize("sentence", ["The security token included in the request is expired", ""])
def test_an_expired_session_is_not_a_denial(sentence: str) -> None:
    found = observation_of_error("BatchGetImage", "ExpiredTokenException", sentence)
    assert (found.outcome, found.kind, found.sentence) == ("expired", "expired", sentence or "ExpiredTokenException")
    assert found.advice == (
        "The session expired before the proof was complete. Run again, or set a longer duration_seconds."
    )


def test_a_transient_error_is_quoted_with_its_next_step() -> None:
    found = observation_of_error("BatchGetImage", "KmsException", "Rate exceeded, throttled.")
    assert (found.outcome, found.kind) == ("error", "throttled")
    assert found.advice == (
        "KmsException: Rate exceeded, throttled. AWS KMS limits the rate of requests in the owner account. Run again"
        " later."
    )


def test_an_error_without_a_message_has_only_its_next_step() -> None:
    found = observation_of_error("BatchGetImage", "KmsException", "")
    assert (found.outcome, found.sentence) == ("error", "KmsException")
    assert found.advice.startswith("The owner account has to restore")


@pytest.mark.parametrize(("sentence", "quoted"), [("No idea", "No idea"), ("", "no message")])
def test_an_unknown_error_is_quoted_as_it_is(sentence: str, quoted: str) -> None:
    found = observation_of_error("BatchGetImage", "NewException", sentence)
    assert found == Observation("error", sentence, "unknown_error", f"BatchGetImage failed with NewException: {quoted}")


@pytest.mark.parametrize(
    ("call", "sentence", "kind", "advice", "by_the_share"),
    [
        ("BatchGetImage", UNSTATED, "no_identity_policy", "The role's policy does not allow it", True),
        ("GetAuthorizationToken", UNSTATED.replace("BatchGetImage", "GetAuthorizationToken"), "no_identity_policy",
         TOKEN, True),
        ("GetAuthorizationToken", ACTION, "unknown", TOKEN, False),
        ("GetAuthorizationToken", f"{ACTION} with an explicit deny in a service control policy", "organization_policy",
         "The service control policy denies it", False),
        ("BatchGetImage", ACTION, "unknown", "AWS did not state which policy decided.", False),
    ],
)  # fmt: skip
def test_a_denial_names_the_policy(call: str, sentence: str, kind: str, advice: str, by_the_share: bool) -> None:
    found = observation_of_error(call, "AccessDeniedException", sentence)
    assert (found.outcome, found.sentence, found.kind) == ("denied", sentence, kind)
    assert (found.advice.startswith(advice), found.by_the_share) == (True, by_the_share), found
