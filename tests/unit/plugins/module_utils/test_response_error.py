# SPDX-License-Identifier: GPL-3.0-or-later
"""The facts in an HTTP error of a registry, of S3 or of a proxy."""

from __future__ import annotations

import time

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._response_error import response_reason, without_queries
from hypothesis import given
from hypothesis import strategies as st

REGISTRY = "111111111111.dkr.ecr.eu-west-1.amazonaws.com"
S3 = "prod-eu-west-1-starport-layer-bucket.s3.eu-west-1.amazonaws.com"
SIGNED = "https://bucket.invalid/layer?X-Amz-Security-Token=secret&X-Amz-Signature=secret"
ENDPOINT = (
    "ECR stores layers in S3. If this host reaches S3 through a VPC endpoint, the policy of that endpoint must allow"
    " s3:GetObject on all objects of the bucket prod-{}-starport-layer-bucket."
)
CLOCK = "The URL of a layer in S3 is valid for a limited time. Check the clock of this host, and run again."


def xml(code: str, message: str, head: str = '<?xml version="1.0" encoding="UTF-8"?>\n') -> bytes:
    return f"{head}<Error><Code>{code}</Code><Message>{message}</Message><RequestId>X</RequestId></Error>".encode()


DENIED = xml("AccessDenied", "Access Denied")


@pytest.mark.parametrize(
    ("body", "host", "registry", "reason"),
    [
        (DENIED, S3, REGISTRY, f"AccessDenied: Access Denied. {ENDPOINT.format('eu-west-1')}"),
        (DENIED, "127.0.0.1:2", REGISTRY, f"AccessDenied: Access Denied. {ENDPOINT.format('eu-west-1')}"),
        (DENIED, "127.0.0.1:2", "127.0.0.1:1", f"AccessDenied: Access Denied. {ENDPOINT.format('REGION')}"),
        (
            xml("AccessDenied", "Access Denied", ""),
            S3,
            "",
            f"AccessDenied: Access Denied. {ENDPOINT.format('eu-west-1')}",
        ),
        (b"", S3, REGISTRY, f"HTTP 403 Forbidden. {ENDPOINT.format('eu-west-1')}"),
        (xml("AccessDenied", "Request has expired"), S3, REGISTRY, f"AccessDenied: Request has expired. {CLOCK}"),
        (
            xml("ExpiredToken", "The provided token has expired."),
            S3,
            REGISTRY,
            f"ExpiredToken: The provided token has expired. {CLOCK}",
        ),
        (xml("SignatureDoesNotMatch", "a &lt; b &amp;amp;"), S3, REGISTRY, "SignatureDoesNotMatch: a < b &"),
        (xml("NoSuchKey", "x" * 999), S3, REGISTRY, "NoSuchKey: " + "x" * 200 + "…"),
        (
            b"<Error><Code>AccessDenied</Code></Error>",
            "a.invalid",
            "b.invalid",
            f"AccessDenied. {ENDPOINT.format('REGION')}",
        ),
        (DENIED, REGISTRY, REGISTRY, "AccessDenied: Access Denied"),
        (b"", "proxy.invalid", REGISTRY, "HTTP 403 Forbidden"),
        (
            b"Forbidden by\n the\x1b[31m proxy",
            REGISTRY,
            REGISTRY,
            "HTTP 403 Forbidden: Forbidden by the\\x1b[31m proxy",
        ),
        (
            b"<html><style>p {}</style><h1>Blocked</h1> <p>Ask&nbsp;IT</p></html>",
            "p",
            REGISTRY,
            "HTTP 403 Forbidden: Blocked Ask IT",
        ),
        (
            f"no access to {SIGNED}".encode(),
            S3,
            "x",
            "HTTP 403 Forbidden: no access to https://bucket.invalid/layer?…. " + ENDPOINT.format("eu-west-1"),
        ),
        (b'{"errors": [{"code": "DENIED", "message": "not you"}]}', "p", REGISTRY, "denied: not you"),
        (b'{"errors": []}', "p", REGISTRY, 'HTTP 403 Forbidden: {"errors": []}'),
        (b"\xff\xfe<\x00E\x00", "p", REGISTRY, "HTTP 403 Forbidden: ��<\\x00E\\x00"),
    ],
)
def test_reason(body: bytes, host: str, registry: str, reason: str) -> None:
    assert response_reason("403 Forbidden", body, host, registry) == reason


BOMB = '<!DOCTYPE x [<!ENTITY a "' + "b" * 1000 + '"><!ENTITY c "' + "&a;" * 1000 + '">]>'


@pytest.mark.parametrize(
    "body",
    [
        xml("AccessDenied", "&c;" * 20_000, BOMB),
        b"<Error>" * 100_000,
        xml("A" * 60_000, "<Message>" * 50_000),
        b"<" * 1_000_000,
        b"<style" * 100_000,
        b"[" * 100_000,
        b"?=" * 50_000,
    ],
)
def test_hostile_body_has_a_short_reason_soon(body: bytes) -> None:
    start = time.process_time()
    assert len(response_reason("403 Forbidden", body, S3, REGISTRY)) < 600
    assert time.process_time() - start < 20


def test_entities_are_not_expanded() -> None:
    assert "bbb" not in response_reason("403 Forbidden", xml("AccessDenied", "&c;", BOMB[:300]), "p", REGISTRY)[-100:]


@given(st.binary(max_size=300))
def test_reason_of_any_body_is_printable(body: bytes) -> None:
    assert response_reason("403 Forbidden", b"<Error><Code>A</Code><Message>" + body, "p", "r").isprintable()


@pytest.mark.parametrize(
    ("text", "cleaned"),
    [
        (
            f"unexpected status code {SIGNED}: 403 Forbidden",
            "unexpected status code https://bucket.invalid/layer?…: 403",
        ),
        ("really? yes", "really? yes"),
        ("https://x.invalid/a%3FX-Amz-Signature%3Dsecret end", "https://x.invalid/a?… end"),
    ],
)
def test_queries_are_removed(text: str, cleaned: str) -> None:
    assert without_queries(text).startswith(cleaned)
    assert "secret" not in without_queries(text)


def test_token_that_the_end_of_the_quotation_cuts_is_masked() -> None:
    def mask(text: str) -> str:
        return text.replace("secret-token", "********")

    for body in (b"a" * 195 + b"secret-token", b"a" * 195 + b"&#115;ecret-token", b"<p>" * 1364 + b"secret-token"):
        reason = response_reason("403 Forbidden", body, REGISTRY, REGISTRY, mask)
        assert "s" not in reason.removeprefix("HTTP 403 Forbidden")
