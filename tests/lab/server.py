# SPDX-License-Identifier: GPL-3.0-or-later
"""Serves the lab on one loopback port: MiniStack with the additions of `ecr`, and a log of every request."""

from __future__ import annotations

import asyncio
import base64
import json
import os
import pathlib
import re
import signal
import socket
import threading
import time
from typing import Any
from urllib.parse import parse_qs

from . import accounts, state

# MiniStack reads these during its import. `ecr.seal` disables its root keys.
os.environ.update(AUTH="true", BIND_HOST="127.0.0.1", IOT_MTLS_ENABLED="0", SFTP_ENABLED="0", LOG_LEVEL="ERROR")
os.environ.update(MINISTACK_REGION=accounts.REGION, PERSIST_STATE="0", AWS_EC2_METADATA_DISABLED="true")
for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_PROFILE", "AWS_CONFIG_FILE"):
    os.environ.pop(name, None)

import ministack.app
from hypercorn.asyncio import serve as hypercorn_serve
from hypercorn.config import Config

from . import (
    account_details,
    authorization,
    aws_policies,
    boundary,
    clock,
    creation_templates,
    cross_account,
    denials,
    ecr,
    endpoint_policy,
    iam,
    image_states,
    organizations,
    pages,
    policy_language,
    propagation,
    pull_failures,
    pull_through_cache,
    referrers,
    regions,
    registry_policy,
    replication,
    replication_backfill,
    resource_control,
    service_control,
    session_tags,
    sovereign,
    upstream_images,
    validation,
)

#: The services of the lab, by their names in signatures.
#: The services that are served, each at this path only. Of the last three, tests see the refusals only.
SERVICES = {
    **dict.fromkeys(("ecr", "iam", "organizations", "sts", "tagging"), "/"),
    **{"s3": "/", "secretsmanager": "/", "lambda": "/2015-03-31/functions"},
}
_CREDENTIAL = re.compile(r"Credential=([^/,]+)/\d+/[^/]+/([^/]+)/")


class LoggingMiddleware:
    """Wraps the application: one JSON line for each request, without any credential in it."""

    def __init__(self, application: Any, folder: pathlib.Path) -> None:
        self.application = application
        self.log = (folder / state.REQUEST_LOG).open("a", buffering=1, encoding="utf-8")
        self.secrets = folder / state.SECRETS

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
        match = _CREDENTIAL.search(headers.get("authorization", ""))
        started, body, call = time.time(), bytearray(), ""

        async def keep_body() -> Any:
            message = await receive()
            if len(body) < 4096:
                body.extend(message.get("body", b""))
            return message

        async def log_then_send(message: Any) -> None:
            # Logged before the client receives the end: a later line would be counted as the client's next call.
            nonlocal call
            if message["type"] == "http.response.start":
                call = _call(scope, headers, bytes(body))
                entry = {"time": started, "call": call, "status": message["status"]}
                self.log.write(json.dumps({**entry, "access_key_id": match[1] if match else None}) + "\n")
            elif call in ("sts:AssumeRole", "ecr:GetAuthorizationToken") and self.secrets.exists():
                with self.secrets.open("a", encoding="utf-8") as file:
                    file.writelines(secret + "\n" for secret in _secrets(message.get("body", b"").decode()))
            await send(message)

        await self.application(scope, keep_body, log_then_send)


def _secrets(answer: str) -> list[str]:
    """The keys of a session, or a registry token in both forms: as sent, and as its password."""
    found = re.findall(r"<(?:SecretAccessKey|SessionToken)>([^<]+)<", answer)
    for token in re.findall(r'"authorizationToken": ?"([^"]+)"', answer):
        found += [token, base64.b64decode(token).decode().partition(":")[2]]
    return found


def _call(scope: Any, headers: dict[str, str], body: bytes) -> str:
    """`service:Operation` of an API request, `METHOD path` of a registry request."""
    match = _CREDENTIAL.search(headers.get("authorization", ""))
    if match is None:
        return f"{scope['method']} {scope['path']}"
    operation = headers.get("x-amz-target", "").rpartition(".")[2]
    operation = operation or parse_qs(body.decode("latin-1")).get("Action", ["?"])[0]
    return f"{match[2]}:{operation}"


class RestrictingMiddleware:
    """Wraps the application. Only the registry and signed calls of the services that tests need are served.

    MiniStack has unauthenticated paths with which any user of the machine could reset the lab or read its data.
    """

    def __init__(self, application: Any) -> None:
        self.application = application

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan" or (scope["type"] == "http" and _is_served(scope)):
            await self.application(scope, receive, send)
        elif scope["type"] == "http":
            await send({"type": "http.response.start", "status": 403, "headers": [(b"content-type", b"text/plain")]})
            await send(
                {"type": "http.response.body", "body": b"The lab answers signed AWS calls and the registry API.\n"}
            )
        else:
            await send({"type": "websocket.close"})


def _is_served(scope: Any) -> bool:
    headers = dict(scope["headers"])
    match = _CREDENTIAL.search(headers.get(b"authorization", b"").decode("latin-1"))
    if match:
        return scope["path"] == SERVICES.get(match[2])
    return scope["path"] == "/v2" or scope["path"].startswith("/v2/")


class AuthorityMiddleware:
    """Wraps the application behind a proxy that replaces `Host`. Restores the authority that the client signed."""

    def __init__(self, application: Any) -> None:
        self.application = application
        self.authority = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "http" and self.authority:
            others = [(name, value) for name, value in scope["headers"] if name != b"host"]
            scope = {**scope, "headers": [(b"host", self.authority), *others]}
        await self.application(scope, receive, send)


def _listen() -> socket.socket:
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    listener.listen(128)
    return listener


def serve(folder: pathlib.Path, authority: str | None = None, observe: bool = False) -> None:
    """Serve until SIGTERM. `folder` receives the configuration once the lab is ready.

    :param authority: `host:port` of a proxy that clients go through
    :param observe: whether `observer` runs
    """
    listener, vpc_listener = _listen(), _listen()
    endpoint, vpc_endpoint = (f"http://127.0.0.1:{socket.getsockname()[1]}" for socket in (listener, vpc_listener))
    public = f"http://{authority}" if authority else endpoint
    policy_language.install()
    denials.install()
    endpoint_policy.install(folder)
    service_control.install()
    image_states.install()
    pull_failures.install(folder)
    referrers.install()
    pages.install()
    creation_templates.install()
    pull_through_cache.install()
    upstream_images.install()
    cross_account.install()
    registry_policy.install()
    replication_backfill.install()
    replication.install(folder)
    resource_control.install()
    ecr.install(public)
    iam.install()
    aws_policies.install()
    organizations.install()
    authorization.install()
    boundary.install()
    session_tags.install()
    account_details.install(folder)
    regions.install()
    sovereign.install()
    clock.install(folder)
    propagation.install(folder)

    config = Config()
    config.bind = [f"fd://{socket.fileno()}" for socket in (listener, vpc_listener)]
    config.loglevel = "ERROR"
    config.keep_alive_timeout = 75

    application: Any = endpoint_policy.Endpoint(sovereign.Sovereign(ministack.app.app), vpc_listener.getsockname()[1])
    if validation.is_enabled():
        application = validation.ValidationMiddleware(application, _call, folder)
    fronted = AuthorityMiddleware(RestrictingMiddleware(LoggingMiddleware(application, folder)))
    application = fronted
    if observe:
        from .observer import ObserverMiddleware

        application = ObserverMiddleware(fronted, _call)

    def prepare() -> None:
        try:
            keys = accounts.seed(endpoint)
            ecr.seal()
            fronted.authority = (authority or "").encode()
            (folder / state.ENDPOINT).write_text(endpoint)
            (folder / state.VPC_ENDPOINT).write_text(vpc_endpoint)
            state.write(folder, public, keys)
        except Exception:
            os.kill(os.getpid(), signal.SIGTERM)
            raise

    async def main() -> None:
        stop = asyncio.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            asyncio.get_running_loop().add_signal_handler(number, stop.set)
        threading.Thread(target=prepare, daemon=True).start()

        async def stopped() -> None:
            await stop.wait()

        await hypercorn_serve(application, config, shutdown_trigger=stopped)

    asyncio.run(main())
