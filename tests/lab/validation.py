# SPDX-License-Identifier: GPL-3.0-or-later
"""Compares responses of the lab with botocore's service models, so that tests see only what AWS can send.

The lab does this while tests run: they set the environment variable `VARIABLE`. Each deviation becomes one line of the
file `state.MISFITS`. A line contains names only, no value of a response.
"""

from __future__ import annotations

import json
import os
import pathlib
import re
import xml.etree.ElementTree as ET
from collections.abc import Callable, Iterator
from typing import Any

from botocore.model import OperationModel
from botocore.parsers import create_parser

from . import state
from .models import service_model

VARIABLE = "LAB_VALIDATE"
#: The name of each service in signatures, and of its model.
_MODELS = {name: name for name in ("ecr", "iam", "organizations", "sts")} | {"tagging": "resourcegroupstaggingapi"}
#: Errors that every service may return. IAM User Guide and the pages "Common errors" of the services' API references.
_COMMON = {
    *("AccessDenied", "AccessDeniedException", "ExpiredToken", "ExpiredTokenException", "IncompleteSignature"),
    *("IncompleteSignatureException", "InvalidClientTokenId", "InvalidParameterValue", "InvalidSignatureException"),
    *("MissingAuthenticationToken", "MissingAuthenticationTokenException", "RequestExpired", "SerializationException"),
    *("SignatureDoesNotMatch", "Throttling", "ThrottlingException", "UnrecognizedClientException"),
    *("ValidationError", "ValidationException"),
}
#: Enumerations that are incomplete by their documentation: "any valid error code returned by the AWS service that hosts
#: the resource".
_OPEN = {"ErrorCode"}
#: Errors that the models leave out: operation and code. The ECR API reference has the exception, and users receive it.
_UNMODELED = {("GetDownloadUrlForLayer", "KmsException")}
_ISO_8601 = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z")
_JSON_TYPES: dict[str, tuple[type, ...]] = {
    "string": (str,),
    "character": (str,),
    "blob": (str,),
    "boolean": (bool,),
    "timestamp": (int, float),
    "float": (int, float),
    "double": (int, float),
    "integer": (int,),
    "long": (int,),
    "structure": (dict,),
    "map": (dict,),
    "list": (list,),
}
_XML_TYPES = {
    "boolean": re.compile("true|false"),
    "timestamp": _ISO_8601,
    "integer": re.compile(r"-?\d+"),
    "long": re.compile(r"-?\d+"),
}


class ValidationMiddleware:
    """Wraps the application.

    :param name_call: returns `service:Operation` of a request's scope, headers and body
    """

    def __init__(self, application: Any, name_call: Callable[[Any, dict[str, str], bytes], str], folder: pathlib.Path):
        self.application, self.name_call = application, name_call
        self.file, self.known = folder / state.MISFITS, set[str]()

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            await self.application(scope, receive, send)
            return
        request, reply = bytearray(), bytearray()
        start: dict[str, Any] = {}

        async def keep_request() -> Any:
            message = await receive()
            request.extend(message.get("body", b"") if len(request) < 4096 else b"")
            return message

        async def check_then_send(message: Any) -> None:
            if message["type"] == "http.response.start":
                start.update(message)
            elif message["type"] == "http.response.body":
                reply.extend(message.get("body", b""))
                if not message.get("more_body"):
                    headers = {name.decode().lower(): value.decode("latin-1") for name, value in scope["headers"]}
                    self.check(self.name_call(scope, headers, bytes(request)), start, bytes(reply))
            await send(message)

        await self.application(scope, keep_request, check_then_send)

    def check(self, call: str, start: dict[str, Any], body: bytes) -> None:
        """Record how a response deviates."""
        headers = {name.decode().lower(): value.decode("latin-1") for name, value in start["headers"]}
        lines = {f"{call}: {line}\n" for line in misfits(call, start["status"], headers, body)} - self.known
        if lines:
            self.known |= lines
            with self.file.open("a", encoding="utf-8") as file:
                file.writelines(sorted(lines))


def is_enabled() -> bool:
    """Whether this process validates its responses."""
    return bool(os.environ.get(VARIABLE))


def preload() -> None:
    """Read the models, for processes that are forked from this one."""
    for name in _MODELS.values() if is_enabled() else ():
        service_model(name)


def misfits(call: str, status: int, headers: dict[str, str], body: bytes) -> list[str]:
    """How a response deviates from the model; nothing for a call without a model."""
    service, _colon, name = call.partition(":")
    model = service_model(_MODELS[service]) if service in _MODELS else None
    if model is None or name not in model.operation_names:
        return []
    operation = model.operation_model(name)
    try:
        # The body is the lab's own.
        document = ET.fromstring(body) if model.resolved_protocol == "query" else json.loads(body or b"{}")  # noqa: S314
    except (ET.ParseError, ValueError) as error:
        return [f"status {status}: {error}"]
    found = list(_document_misfits(operation, status, document))
    if not found:
        try:
            response = {"status_code": status, "headers": headers, "body": body}
            create_parser(model.resolved_protocol).parse(response, operation.output_shape)
        except Exception as error:  # botocore's parsers raise any exception
            found.append(f"status {status}: {type(error).__name__}: {error}")
    return found


def _document_misfits(operation: OperationModel, status: int, document: Any) -> Iterator[str]:
    if status >= 300:
        yield from _error_misfits(operation, status, document)
    elif isinstance(document, ET.Element):
        yield from _envelope_misfits(operation, document)
    elif operation.output_shape is not None:
        yield from _json_misfits(operation.output_shape, document, operation.name)
    elif document:
        yield f"{operation.name}: has a body, but the operation has no output"


def _error_misfits(operation: OperationModel, status: int, document: Any) -> Iterator[str]:
    if isinstance(document, ET.Element):
        code, message = (document.findtext(f"{{*}}Error/{{*}}{name}") for name in ("Code", "Message"))
    else:
        code = str(document.get("__type", "")).rpartition("#")[2]
        message = document.get("message", document.get("Message"))
    modeled = {shape.error_code: shape for shape in operation.error_shapes}
    expected = getattr(modeled.get(code), "metadata", {}).get("error", {}).get("httpStatusCode", status)
    if code not in _COMMON and code not in modeled and (operation.name, code) not in _UNMODELED:
        yield f"status {status}: {code} is not an error of {operation.name}"
    elif status != expected:
        yield f"status {status}: the status of {code} is {expected}"
    if not isinstance(message, str):
        yield f"status {status}: {code} has no message"


def _json_misfits(shape: Any, value: Any, path: str) -> Iterator[str]:
    """How a value of JSON deviates from its shape."""
    kind = shape.type_name
    fits = isinstance(value, _JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if not fits:
        yield f"{path}: is {type(value).__name__}, not {kind}"
    elif kind == "structure":
        yield from _member_misfits(shape, value, path)
        for name in value.keys() & shape.members.keys():
            yield from _json_misfits(shape.members[name], value[name], f"{path}.{name}")
    elif kind == "list":
        for element in value:
            yield from _json_misfits(shape.member, element, f"{path}[]")
    elif kind == "map":
        for member in value.values():
            yield from _json_misfits(shape.value, member, f"{path}{{}}")
    elif kind == "string":
        yield from _text_misfits(shape, value, path)


def _member_misfits(shape: Any, names: Any, path: str) -> Iterator[str]:
    yield from (f"{path}.{name}: is not a member of {shape.name}" for name in names if name not in shape.members)
    yield from (f"{path}.{name}: is missing" for name in shape.required_members if name not in names)


def _text_misfits(shape: Any, text: str, path: str) -> Iterator[str]:
    if shape.enum and text not in shape.enum and shape.name not in _OPEN:
        yield f"{path}: is not a value of {shape.name}"


def _envelope_misfits(operation: OperationModel, document: ET.Element) -> Iterator[str]:
    shape, parts = operation.output_shape, {_tag(statement): statement for statement in document}
    wrapper = shape.serialization.get("resultWrapper", "") if shape else ""
    if _tag(document) != f"{operation.name}Response":
        yield f"{operation.name}: the element {_tag(document)} encloses the response"
    yield from (
        f"{name}: does not belong in the response" for name in parts if name not in (wrapper, "ResponseMetadata")
    )
    if parts.get("ResponseMetadata") is None or not parts["ResponseMetadata"].findtext("{*}RequestId"):
        yield f"{operation.name}: has no RequestId"
    if shape is not None and wrapper in parts:
        yield from _xml_misfits(shape, parts[wrapper], operation.name)
    elif shape is not None and (shape.required_members or len(parts) > 1):
        yield f"{operation.name}: has no {wrapper}"


def _xml_misfits(shape: Any, element: ET.Element, path: str) -> Iterator[str]:
    """How an element deviates from its shape."""
    kind, text = shape.type_name, element.text or ""
    if kind == "structure":
        members = {member.serialization.get("name", name): member for name, member in shape.members.items()}
        found = [_tag(member) for member in element]
        yield from _member_misfits(shape, found, path)
        yield from (f"{path}.{name}: is there twice" for name in set(found) if found.count(name) > 1)
        for current in element:
            if _tag(current) in members:
                yield from _xml_misfits(members[_tag(current)], current, f"{path}.{_tag(current)}")
    elif kind == "list":
        item = shape.member.serialization.get("name", "member")
        for child in element:
            if _tag(child) != item:
                yield f"{path}: contains {_tag(child)}, not {item}"
            yield from _xml_misfits(shape.member, child, f"{path}[]")
    elif kind == "map":
        for entry in element:
            value = entry.find("{*}value")
            if _tag(entry) != "entry" or entry.find("{*}key") is None or value is None:
                yield f"{path}: contains {_tag(entry)}, not an entry with a key and a value"
            else:
                yield from _xml_misfits(shape.value, value, f"{path}{{}}")
    elif len(element):
        yield f"{path}: contains elements, but is {kind}"
    elif kind in _XML_TYPES and not _XML_TYPES[kind].fullmatch(text):
        yield f"{path}: is not {kind}"
    elif kind == "string":
        yield from _text_misfits(shape, text, path)


def _tag(element: ET.Element) -> str:
    return element.tag.rpartition("}")[2]
