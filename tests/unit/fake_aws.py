# SPDX-License-Identifier: GPL-3.0-or-later
"""AWS for modules that run in this process: each call has a valid response, and one of them fails as a test wants."""

from __future__ import annotations

import copy
import functools
import json
import types
from collections.abc import Callable, Mapping
from typing import Any

import botocore.session
from botocore import xform_name
from botocore.exceptions import ClientError

from tests.security.hostile_aws import ANSWERS

#: Prefixes of the operations that change something.
WRITES = ("create_", "put_", "update_", "attach_", "detach_", "delete_", "tag_", "untag_", "set_", "start_")
REPLIES: dict[str, Any] = {xform_name(call): reply for call, reply in ANSWERS.items()}
REPLIES["get_account_authorization_details"] = {"RoleDetailList": [], "Policies": []}


class FakeAws:
    """The responses of AWS, one for each call; and what was called.

    :param account: that of the caller
    :param missing: the operations whose object does not exist
    :param replies: replies in place of the usual ones
    :param fail_at: the number of the call that fails, from 0
    :param error: the exception of that call
    """

    def __init__(
        self,
        account: str,
        missing: tuple[str, ...] = (),
        replies: Mapping[str, Any] | None = None,
        fail_at: int = -1,
        error: Exception | None = None,
    ) -> None:
        self.account, self.missing, self.fail_at, self.error = account, missing, fail_at, error
        self.replies = {**REPLIES, **(replies or {})}
        self.handlers: dict[str, Callable[..., None]] = {}
        self.calls: list[str] = []
        self.writes: list[str] = []

    def call(self, operation: str, **arguments: Any) -> dict[str, Any]:
        number = len(self.calls)
        self.calls.append(operation)
        if number == self.fail_at and self.error is not None:
            raise self.error
        if _is_denied(operation, arguments):
            denied = f"User: u is not authorized to perform: ecr:{operation} on resource: r because no identity-based"
            message = f"{denied} policy allows the ecr:{operation} action"
            raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, operation)
        if operation in self.missing and operation.replace("get_", "create_") not in self.writes:
            raise ClientError({"Error": {"Code": "NoSuchEntity", "Message": "It does not exist."}}, operation)
        if operation.startswith(WRITES):
            self.writes.append(operation)
            self.replies |= _replies_after(operation, arguments, self.replies)
        reply = self.reply(operation)
        if operation in self.handlers:
            self.handlers[operation](http_response=types.SimpleNamespace(content=json.dumps(reply).encode()))
        return reply

    def reply(self, operation: str) -> dict[str, Any]:
        reply: dict[str, Any] = copy.deepcopy(self.replies.get(operation, {}))
        if operation == "get_caller_identity":
            reply |= {"Account": self.account, "Arn": f"arn:aws:iam::{self.account}:user/dev", "UserId": "AIDA"}
            reply["ResponseMetadata"] = {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}
        if operation == "get_role":
            reply["Role"]["Description"] = f"after {len(self.writes)} writes"
            reply["ResponseMetadata"] = {"HTTPHeaders": {"date": "Thu, 01 Jan 2026 00:00:00 GMT"}}
        if operation == "list_tags_for_resource":
            reply["tags"] = [{"Key": "environment", "Value": "release"}] if "tag_resources" in self.writes else []
        return reply

    def client(self, service: str, _region: str | None = None) -> Client:
        return Client(self, service)


def _replies_after(operation: str, arguments: dict[str, Any], replies: dict[str, Any]) -> dict[str, Any]:
    """The reads that return what a write of a document has written."""
    registry = {"replicationConfiguration": arguments.get("replicationConfiguration")}
    found: dict[str, dict[str, Any]] = {
        "put_registry_policy": {"get_registry_policy": {"policyText": arguments.get("policyText")}},
        "set_repository_policy": {"get_repository_policy": {"policyText": arguments.get("policyText")}},
        "put_replication_configuration": {"describe_registry": registry},
        "create_repository_creation_template": {
            "describe_repository_creation_templates": {"repositoryCreationTemplates": [arguments]}
        },
        "start_replication_backfill": {
            "list_replication_backfills": {"backfills": [replies.get("start_replication_backfill")]}
        },
    }
    return found.get(operation, {})


@functools.cache
def _model(service: str) -> Any:
    return botocore.session.get_session().get_service_model(service)


def _is_denied(operation: str, arguments: dict[str, Any]) -> bool:
    """The role needs the external ID `test`, and no principal can read the repository `develop`."""
    if operation == "assume_role":
        return arguments.get("ExternalId") != "test"
    return arguments.get("repositoryName") == "develop"


class Client:
    """A client of any service."""

    def __init__(self, aws: FakeAws, service: str) -> None:
        self._aws, self.meta = aws, types.SimpleNamespace(service_model=_model(service), events=self)

    def register(self, event: str, handler: Callable[..., None]) -> None:
        """Call a handler with the body of each response of an operation."""
        self._aws.handlers[xform_name(event.rpartition(".")[2])] = handler

    def __getattr__(self, operation: str) -> Any:
        return lambda **arguments: self._aws.call(operation, **arguments)

    def get_paginator(self, operation: str) -> Any:
        return Pages(self._aws, operation)


class Pages:
    def __init__(self, aws: FakeAws, operation: str) -> None:
        self._aws, self._operation = aws, operation

    def paginate(self, **arguments: Any) -> Any:
        yield self._aws.call(self._operation, **arguments)
