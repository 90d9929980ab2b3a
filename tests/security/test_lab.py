# SPDX-License-Identifier: GPL-3.0-or-later
"""The lab holds keys of two accounts; another user of the machine can neither use nor disturb it."""

from __future__ import annotations

import urllib.error
import urllib.request

import pytest

from tests.support.lab import Lab

ADMINISTRATIVE = [
    ("POST", "/_ministack/reset"),
    ("POST", "/_ministack/config"),
    ("GET", "/_ministack/health"),
    ("GET", "/_ministack/ses/messages"),
    ("GET", "/_localstack/health"),
    ("GET", "/_aws/sns/sms-messages"),
    ("GET", "/health"),
    ("GET", "/"),
    ("POST", "/"),
    ("GET", "//_ministack/health"),
    ("GET", "/%5Fministack/health"),
    ("GET", "/v2/../_ministack/health"),
    ("GET", "/a-bucket/a-key"),
]
SIGNATURE = "AWS4-HMAC-SHA256 Credential=111111111111/20260101/ap-northeast-1/{}/aws4_request, Signature=0"


def status(lab: Lab, method: str, path: str, **headers: str) -> int:
    data = b"{}" if method == "POST" else None
    request = urllib.request.Request(lab.endpoint + path, data=data, method=method, headers=headers)
    try:
        with urllib.request.urlopen(request, timeout=300) as reply:
            return int(reply.status)
    except urllib.error.HTTPError as error:
        error.close()
        return error.code


@pytest.mark.parametrize(("method", "path"), ADMINISTRATIVE)
@pytest.mark.parametrize("signed", ["", SIGNATURE.format("sts"), SIGNATURE.format("s3")], ids=["unsigned", "sts", "s3"])
def test_unauthenticated_paths_of_ministack_are_refused(lab: Lab, method: str, path: str, signed: str) -> None:
    """Any local user could reset the lab, which deleted all its keys (finding 16)."""
    answer = status(lab, method, path, **({"Authorization": signed} if signed else {}))
    if path.startswith("/v2/"):
        assert answer in (401, 403, 404)
    elif path == "/" and signed:
        assert answer == 400  # STS or S3 itself: the signature is incomplete
    else:
        assert answer == 403
    assert lab.client("consumer", "sts").get_caller_identity()["Account"] == "222222222222"


def test_services_that_no_test_needs_are_refused(lab: Lab) -> None:
    assert status(lab, "POST", "/", Authorization=SIGNATURE.format("dynamodb")) == 403


def test_the_registry_asks_for_a_token(lab: Lab) -> None:
    assert status(lab, "GET", "/v2/") == 401
