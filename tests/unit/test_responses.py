# SPDX-License-Identifier: GPL-3.0-or-later
"""A successful response that is cut off, empty, not of AWS, or of other types, at each call of each module.

One function checks the bodies of all calls. So a call meets a third of the bodies, and the next call the next third.
"""

from __future__ import annotations

import json
import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import botocore.httpsession
import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _session
from botocore import xform_name
from botocore.awsrequest import AWSResponse
from botocore.exceptions import ClientError

from tests.security.hostile_aws import error, xml_reply
from tests.unit.fake_aws import FakeAws
from tests.unit.module_cases import CASES, Case, is_reported, run_module

pytestmark = pytest.mark.usefixtures("at_once")

HTML = b"<html><head><title>Blocked</title></head><body>By the web proxy of Example Corp.</body></html>"
#: Values in place of a body.
BODIES: dict[str, Callable[[bytes], bytes]] = {
    "empty": lambda _body: b"",
    "spaces": lambda _body: b" \n",
    "HTML": lambda _body: HTML,
    "HTML that is not XML": lambda _body: b"<!DOCTYPE html><html><body><br>Blocked</body>",
    "text": lambda _body: b"Blocked by the web proxy.",
    "first half": lambda body: body[: len(body) // 2],
    "without its last byte": lambda body: body[:-1],
    "not UTF-8": lambda body: b"\xff\xfe" + body,
    "UTF-16": lambda body: body.decode().encode("utf-16"),
    "null": lambda _body: b"null",
    "list": lambda _body: b"[]",
    "of another call": lambda _body: b"<OtherResponse><OtherResult/></OtherResponse>",
}
#: Values in place of each member of a response.
MEMBERS: dict[str, Any] = {
    "text": "text",
    "null": None,
    "number": 7,
    "list of numbers": [7],
    "list of lists": [[]],
    "structure": {"a": {}},
}


class Http:
    """In the place of botocore's HTTP session: FakeAws, with one response changed.

    :param number: of the response to change, from 0
    :param change: from its members and its body, what is received
    """

    def __init__(self, case: Case, number: int = -1, change: Callable[[str, Any, bytes], bytes] | None = None) -> None:
        self.aws = FakeAws(case.account, case.missing, case.replies)
        self.number, self.change, self.is_changed = number, change, False

    def send(self, request: Any) -> AWSResponse:
        number = len(self.aws.calls)
        body = request.body.decode() if isinstance(request.body, bytes) else str(request.body)
        target = request.headers.get("X-Amz-Target", b"")
        call = (target.decode() if isinstance(target, bytes) else target).rpartition(".")[2]
        arguments = json.loads(body) if call else dict(urllib.parse.parse_qsl(body))
        operation = call or arguments["Action"]
        status = 200
        try:
            reply = self.aws.call(xform_name(operation), **{"ExternalId": None, **arguments})
        except ClientError as denied:
            reply, status = error(denied.response["Error"]["Code"], denied.response["Error"]["Message"]), 400
        members = {name: value for name, value in reply.items() if name != "ResponseMetadata"}
        content = (json.dumps(members) if call else xml_reply(operation, members)).encode()
        if number == self.number and self.change and status == 200:
            content = self.change(operation if not call else "", members, content)
            self.is_changed = True
        headers = {"Content-Type": "text/xml", "Date": "Thu, 01 Jan 2026 00:00:00 GMT"}
        return AWSResponse(request.url, status, headers, Raw(content))


class Raw:
    def __init__(self, content: bytes) -> None:
        self._content = content

    def stream(self, **_options: Any) -> Iterator[bytes]:
        yield self._content

    def read(self, *_size: Any) -> bytes:
        return self._content


@pytest.fixture(autouse=True)
def _clients(monkeypatch: pytest.MonkeyPatch) -> None:
    """Clients are created once, because that takes most of the time."""
    clients: dict[tuple[str, bool], Any] = {}
    create = _session.Session.client

    def client(session: Any, service: str, region: str | None = None, **config: Any) -> Any:
        key = service, "aws_session_token" in session._connection
        if key not in clients:
            clients[key] = create(session, service, region, **config)
        return clients[key]

    monkeypatch.setattr(_session.Session, "client", client)
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAIOSFODNN7EXAMPLE")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "example")


def run(case: Case, http: Http) -> tuple[dict[str, Any], str]:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(botocore.httpsession.URLLib3Session, "send", lambda _session, request: http.send(request))
        return run_module(case)


def check_each_call(
    name: str, changes: Mapping[str, Callable[[str, Any, bytes], bytes]], is_fatal: bool, parts: int = 1
) -> None:
    case = CASES[name]
    usual = Http(case)
    expected, _warnings = run(case, usual)
    assert expected.get("verdict", "pass") == "pass", expected
    assert "Unexpected error" not in str(expected.get("msg")), expected
    for number, operation in enumerate(usual.aws.calls):
        for what, change in [*changes.items()][number % parts :: parts]:
            http = Http(case, number, change)
            result, warnings = run(case, http)
            where = (name, number, operation, what, result, warnings, http.aws.writes)
            assert "Traceback" not in json.dumps(result, default=str) + warnings, where
            is_lost_write = len(http.aws.writes) == 1 and http.aws.calls[number] in http.aws.writes
            if is_fatal and http.is_changed and not is_lost_write:
                assert is_reported(result, warnings), where
            assert case.check_mode or result.get("changed", False) == bool(http.aws.writes), where


@pytest.mark.parametrize("name", CASES)
def test_a_body_that_aws_cannot_have_sent_is_an_error(name: str) -> None:
    changes: dict[str, Any] = {
        what: (lambda _call, _reply, body, make=make: make(body)) for what, make in BODIES.items()
    }
    check_each_call(name, changes, is_fatal=True, parts=3)


def replacing(value: object) -> Callable[[str, Any, bytes], bytes]:
    def change(call: str, reply: Any, _body: bytes) -> bytes:
        members = dict.fromkeys(reply, value)
        return (xml_reply(call, members) if call else json.dumps(members)).encode()

    return change


@pytest.mark.parametrize("name", CASES)
def test_malformed_response_ends_without_traceback(name: str) -> None:
    changes = {what: replacing(value) for what, value in MEMBERS.items()}
    changes["no members"] = lambda call, _reply, _body: xml_reply(call, {}).encode() if call else b"{}"
    check_each_call(name, changes, is_fatal=False)
