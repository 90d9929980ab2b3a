# SPDX-License-Identifier: GPL-3.0-or-later
"""Errors of a registry as docker, podman and skopeo report them."""

from __future__ import annotations

import time

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _engine_errors
from ansible_collections.crossaccount.ecr.plugins.module_utils._aws_errors import is_retryable
from ansible_collections.crossaccount.ecr.plugins.module_utils._response_error import without_queries

HOST = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
URL = f"https://{HOST}/v2/team/app/manifests/sha256:{'a' * 64}"
DAEMON = "docker could not pull it: Error response from daemon: "
SIGNED = "https://prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com/1/2?X-Amz-Security-Token=x&X-Amz-Signature=y"


@pytest.mark.parametrize(
    ("text", "kind", "repeats"),
    [
        (f"{DAEMON}unexpected status from HEAD request to {URL}: 403 Forbidden", "unknown", True),
        (
            f'{DAEMON}failed to resolve reference "x": unexpected status from HEAD request to {URL}: 403 Forbidden',
            "unknown",
            True,
        ),
        (
            f"{DAEMON}failed to copy: httpReadSeeker: failed open: unexpected status code {URL}: 403 Forbidden",
            "unknown",
            True,
        ),
        (f"{DAEMON}unexpected status code [manifests latest]: 403 Forbidden", "unknown", True),
        (f'{DAEMON}error parsing HTTP 403 response body: unexpected end of JSON input: ""', "unknown", True),
        ('reading manifest v1 in x: StatusCode: 403, "<html>Blocked"', "unknown", True),
        ("reading blob x: fetching blob: received unexpected HTTP status: 403 Forbidden", "unknown", True),
        ("Error reading blob: Invalid status code returned when fetching blob 403 (Forbidden)", "unknown", True),
        (
            f"{DAEMON}pull access denied for {HOST}/app, repository does not exist or may require 'docker login':"
            " denied: requested access to the resource is denied",
            "unknown",
            True,
        ),
        (
            f"podman could not pull x: initializing source docker://{HOST}/app: reading manifest v1 in {HOST}/app:"
            " requested access to the resource is denied",
            "unknown",
            True,
        ),
        (f"{DAEMON}toomanyrequests: Rate exceeded", "throttled", True),
        (f"{DAEMON}Unknown: Rate exceeded", "throttled", True),
        (f"{DAEMON}unexpected status from HEAD request to {URL}: 429 Too Many Requests", "throttled", True),
        (
            f"{DAEMON}unexpected status code {URL}: 429 Too Many Requests - Server message: toomanyrequests: Slow",
            "throttled",
            True,
        ),
        ("reading manifest v1 in x: toomanyrequests: Rate exceeded", "throttled", True),
        ("trying to reuse blob x: too many requests to registry", "throttled", True),
        ('fetching blob: StatusCode: 429, "slow"', "throttled", True),
        ("Invalid status code returned when fetching tags list 429 (Too Many Requests)", "throttled", True),
        (f"{DAEMON}received unexpected HTTP status: 503 Service Unavailable", "service_failure", True),
        (f"{DAEMON}unexpected status from GET request to {URL}: 500 Internal Server Error", "service_failure", True),
        (f"{DAEMON}unexpected status from GET request to {SIGNED}: 403 Forbidden", "layer_denied", False),
        (
            f"{DAEMON}httpReadSeeker: failed open: unexpected status code https://other.invalid/x?a=b: 403 Forbidden",
            "layer_denied",
            False,
        ),
        (r'fetching blob: StatusCode: 403, "<?xml version=\"1.0\"?><Error><Code>Acc..."', "layer_denied", False),
        (f"{DAEMON}denied: Your authorization token has expired. Reauthenticate and try again.", "expired", False),
    ],
)
def test_known_text(text: str, kind: str, repeats: bool) -> None:
    found = _engine_errors.recognize_engine_error(without_queries(text))
    assert found is not None
    assert (found.kind, is_retryable(found.kind)) == (kind, repeats)


@pytest.mark.parametrize(
    "text",
    [
        "",
        f"{DAEMON}manifest unknown",
        f'{DAEMON}failed to resolve reference "{HOST}/app:v1": pull access denied, repository does not exist or may'
        " require authorization: authorization failed: no basic auth credentials",
        f"{DAEMON}Get https://{HOST}/v2/: net/http: TLS handshake timeout",
        f"{DAEMON}tls: failed to verify certificate: x509: certificate signed by unknown authority",
        "writing blob: storing blob: no space left on device",
        f"{DAEMON}unexpected status from HEAD request to {URL}: 404 Not Found",
        f"{DAEMON}unexpected status from HEAD request to {URL}: 401 Unauthorized",
        "no matching manifest for linux/arm64 in the manifest list entries",
        f"could not pull {HOST}/app@sha256:403",
        "copying layer 403 of 503: no space left on device",
    ],
)
def test_other_text_is_not_explained(text: str) -> None:
    assert _engine_errors.recognize_engine_error(text) is None


@pytest.mark.parametrize(
    "text", ["unexpected status code " * 5000, "StatusCode: " * 10_000, "starport-layer-bucket" * 5000]
)
def test_long_text_is_read_soon(text: str) -> None:
    start = time.process_time()
    _engine_errors.recognize_engine_error(text[:100_000])
    assert time.process_time() - start < 20


def test_each_row_has_a_next_step_and_a_source() -> None:
    assert all(row.next_step.endswith(".") and row.source for row in _engine_errors.ROWS)
