# SPDX-License-Identifier: GPL-3.0-or-later
"""Successful responses that AWS cannot have sent."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._response import (
    InvalidResponseError,
    check_response,
    response_problems,
)


@pytest.mark.parametrize(
    ("protocol", "body", "parsed", "is_right"),
    [
        ("json", b"{}", {}, True),
        ("json", b'{"a": 1}', {"a": 1}, True),
        ("json", b'{"a": 1', {}, False),
        ("json", b"[]", {}, False),
        ("json", b"\xff", {}, False),
        ("query", b'<?xml version="1.0"?>\n<OpResponse xmlns="x"/>', {}, True),
        ("query", b"<OpResponse><ResponseMetadata/></OpResponse>", {}, True),
        ("query", b"<!-- <OpResponse> --><html/>", {}, False),
        ("query", b"<OpResponses/>", {}, False),
        ("query", b"<OpResponse/>", {"IsTruncated": True}, False),
        ("query", b"<OpResponse/>", {"IsTruncated": True, "Marker": "x"}, True),
        ("query", b"<OpResponse/>", {"IsTruncated": False}, True),
        ("smithy-rpc-v2-cbor", b"\xa0", {}, True),
    ],
)
def test_responses_that_aws_can_send(protocol: str, body: bytes, parsed: dict[str, Any], is_right: bool) -> None:
    assert (list(response_problems("Op", protocol, body, parsed)) == []) is is_right


@pytest.mark.parametrize(
    ("body", "excerpt"),
    [
        (b"", "it is empty"),
        (b" \n", "it is empty"),
        (b"<html>\n  Blocked", "'<html> Blocked'"),
        (b"\xff", repr("\ufffd")),
        (b"x" * 80, f"'{'x' * 80}'"),
        (b"x" * 81, f"'{'x' * 80}...'"),
        (b" " * 399 + b"xy", "'x'"),
    ],
)
def test_problem_has_the_beginning_of_the_response(body: bytes, excerpt: str) -> None:
    assert list(response_problems("Op", "query", body, {})) == [
        f"The response to Op does not come from AWS: {excerpt}. Check the proxy and endpoint_url, and run again."
    ]


def test_page_without_the_marker_of_the_next_one_is_incomplete() -> None:
    assert list(response_problems("Op", "query", b"<OpResponse/>", {"IsTruncated": True})) == [
        "The response to Op is one page of a list, without the marker of the next page. Run again."
    ]


@pytest.mark.parametrize("start", [b"\xef\xbb\xbf", b"<?xml?><!-- a\nb -->\n", b"<!---->"])
def test_declarations_and_comments_precede_the_response(start: bytes) -> None:
    assert list(response_problems("Op", "query", start + b"<OpResponse/>", {})) == []


def test_metadata_of_botocore_is_no_response() -> None:
    assert list(response_problems("Op", "json", b"", {"ResponseMetadata": {}, "a": 1})) == []
    assert len(list(response_problems("Op", "json", b"", {"ResponseMetadata": {}}))) == 1


def model(**service: Any) -> Any:
    return SimpleNamespace(name="Op", service_model=SimpleNamespace(**{"metadata": {}, **service}))


@pytest.mark.parametrize(
    ("service", "is_checked"),
    [
        ({"metadata": {"protocol": "json"}}, True),
        ({"metadata": {"protocol": "query"}}, True),
        ({"resolved_protocol": None, "metadata": {"protocol": "json"}}, True),
        ({"resolved_protocol": "json", "metadata": {"protocol": "other"}}, True),
        ({"resolved_protocol": "other", "metadata": {"protocol": "json"}}, False),
        ({}, False),
    ],
)
@pytest.mark.parametrize(("status", "is_success"), [(200, True), (299, True), (300, False), (403, False)])
def test_successful_response_of_a_known_protocol_is_checked(
    service: dict[str, Any], is_checked: bool, status: int, is_success: bool
) -> None:
    response: Any = SimpleNamespace(status_code=status, content=b"Blocked")
    if is_checked and is_success:
        with pytest.raises(InvalidResponseError, match=r"^The response to Op does not come from AWS: 'Blocked'\."):
            check_response(response, {}, model(**service), event_name="after-call")
    else:
        check_response(response, {}, model(**service), event_name="after-call")
