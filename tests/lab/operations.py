# SPDX-License-Identifier: GPL-3.0-or-later
"""Operations that MiniStack's ECR lacks, each with the parameters that AWS accepts.

The server of AWS checks every parameter against the constraints of the service model. The AWS SDK for Python checks
only types, required parameters, and least lengths.

The form of the messages is AWS's, as clients of ECR report it for `repositoryName` and `imageTagMutability`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from ministack.services import ecr

from .image_states import Response, error
from .models import service_model

Call = Callable[[dict[str, Any]], Response]


def add(calls: dict[str, Call]) -> None:
    """Put operations into MiniStack."""
    handle = ecr.handle_request

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        operation = headers.get("x-amz-target", "").rpartition(".")[2]
        if operation not in calls:
            return await handle(method, path, headers, body, query)
        data = json.loads(body or b"{}")
        problem = next(_problems(service_model("ecr").operation_model(operation).input_shape, data, ""), None)
        return problem or calls[operation](data)

    ecr.handle_request = handle_request


def invalid(parameter: str, constraint: str) -> Response:
    """The error for a parameter that AWS does not accept."""
    message = f"Invalid parameter at '{parameter}' failed to satisfy constraint: '{constraint}'"
    return error("InvalidParameterException", message)


def _problems(shape: Any, value: Any, name: str) -> Iterator[Response]:
    """The constraints of the model that a value does not satisfy."""
    if shape.type_name == "structure":
        yield from (invalid(one, "Member must not be null") for one in shape.required_members if one not in value)
        for member in value.keys() & shape.members.keys():
            yield from _problems(shape.members[member], value[member], member)
    elif shape.type_name == "list":
        yield from _outside(shape, len(value), name, "length")
        for one in value:
            yield from _problems(shape.member, one, name)
    elif shape.type_name == "integer":
        yield from _outside(shape, value, name, "value")
    elif shape.type_name == "string":
        yield from _outside(shape, len(value), name, "length")
        if shape.enum and value not in shape.enum:
            yield invalid(name, f"Member must satisfy enum value set: [{', '.join(shape.enum)}]")
        pattern = shape.metadata.get("pattern")
        if pattern and not re.fullmatch(pattern, value):
            yield invalid(name, f"must satisfy regular expression '{pattern}'")


def _outside(shape: Any, size: int, name: str, measure: str) -> Iterator[Response]:
    least, most = shape.metadata.get("min", size), shape.metadata.get("max", size)
    if size < least:
        yield invalid(name, f"Member must have {measure} greater than or equal to {least}")
    if size > most:
        yield invalid(name, f"Member must have {measure} less than or equal to {most}")
