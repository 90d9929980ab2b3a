# SPDX-License-Identifier: GPL-3.0-or-later
"""The partition `aws-eusc` (AWS European Sovereign Cloud) around MiniStack, which knows the partition `aws` only.

A request that is signed for a region of `aws-eusc` has the ARNs of that partition, and so has its response. Inside,
they are ARNs of `aws`: unlike on AWS, an account exists in both partitions, with the same users and roles.

Source: botocore's `partitions.json`.
"""

from __future__ import annotations

import contextvars
import re
from typing import Any

import ministack.app

_REGION = re.compile(rb"Credential=[^/,]+/\d+/eusc-")
#: A text of `aws-eusc`, and of `aws`, as it is and in forms and policies that are encoded for URLs.
_TEXTS = (
    (b"arn:aws-eusc:", b"arn:aws:"),
    (b"arn%3Aaws-eusc%3A", b"arn%3Aaws%3A"),
    (b".amazonaws.eu", b".amazonaws.com"),
)
#: The body that the client signed, if it is another one inside.
_signed: contextvars.ContextVar[bytes | None] = contextvars.ContextVar("lab_signed_body", default=None)


class Sovereign:
    """Wraps the application."""

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        headers = dict(scope["headers"]) if scope["type"] == "http" else {}
        if not _REGION.search(headers.get(b"authorization", b"")):
            await self.application(scope, receive, send)
            return
        body, more = b"", True
        while more:
            message = await receive()
            body, more = body + message.get("body", b""), message.get("more_body", False)
        _signed.set(body)
        parts, start, reply = [_inside(body)], dict[str, Any](), bytearray()

        async def receive_inside() -> Any:
            return {"type": "http.request", "body": parts.pop(), "more_body": False} if parts else await receive()

        async def send_outside(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
                return
            reply.extend(message.get("body", b""))
            if not message.get("more_body"):
                answer = _outside(bytes(reply))
                kept = [header for header in start["headers"] if header[0].lower() != b"content-length"]
                await send({**start, "headers": [*kept, (b"content-length", str(len(answer)).encode())]})
                await send({"type": "http.response.body", "body": answer})

        await self.application(scope, receive_inside, send_outside)


def install() -> None:
    """Let MiniStack check the signature of the body that the client signed."""
    pin = ministack.app.pin_signed_body
    ministack.app.pin_signed_body = lambda body: pin(body if _signed.get() is None else _signed.get())


def _inside(text: bytes) -> bytes:
    for sovereign, common in _TEXTS:
        text = text.replace(sovereign, common)
    return text


def _outside(text: bytes) -> bytes:
    for sovereign, common in _TEXTS:
        text = text.replace(common, sovereign)
    return text
