# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Rejects a successful response that AWS cannot have sent, such as the page of a web proxy. Standard library only.

botocore takes a body that it cannot read as a response without members, which would count as a success.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The name of the outermost element of XML, after declarations and comments.
_ROOT = re.compile(rb"\A(?:\xef\xbb\xbf|\s|<\?.*?\?>|<!--.*?-->)*<([\w:.-]+)", re.DOTALL)


class HttpResponse(t.Protocol):
    """What is used of botocore's response."""

    status_code: int
    content: bytes


class Service(t.Protocol):
    metadata: t.Mapping[str, object]


class Operation(t.Protocol):
    """What is used of botocore's model of an operation."""

    name: str
    service_model: Service


def check_response(http_response: HttpResponse, parsed: Json, model: Operation, **_event: object) -> None:
    """The handler of botocore's event `after-call`.

    :raises EcrError: if the response is successful, and AWS cannot have sent it
    """
    if http_response.status_code < 300:
        service = model.service_model
        # A service may offer several protocols; older versions of botocore know one.
        protocol = str(getattr(service, "resolved_protocol", None) or service.metadata.get("protocol"))
        for problem in response_problems(model.name, protocol, http_response.content, parsed):
            raise EcrError(problem)


def response_problems(operation: str, protocol: str, body: bytes, parsed: Json) -> t.Iterator[str]:
    """What is wrong with a successful response.

    :param protocol: that of the service, `json` or `query`
    :param parsed: what botocore read from the body
    """
    is_readable = True
    if protocol == "json":
        is_readable = bool(parsed.keys() - {"ResponseMetadata"}) or _is_object(body)
    elif protocol == "query":
        root = _ROOT.match(body)
        is_readable = root is not None and root[1].decode() == f"{operation}Response"
    if not is_readable:
        yield (
            f"The response to {operation} is not one of AWS: {_excerpt(body)}. Check the proxy and endpoint_url, and"
            " run again."
        )
    elif parsed.get("IsTruncated") and not parsed.get("Marker"):
        yield f"The response to {operation} is one page of a list, without the marker of the next page. Run again."


def _is_object(body: bytes) -> bool:
    try:
        return isinstance(json.loads(body), dict)
    except (ValueError, RecursionError):
        return False


def _excerpt(body: bytes) -> str:
    text = " ".join(body[:400].decode(errors="replace").split())
    return repr(text[:80] + ("..." if text[80:] else "")) if text else "it is empty"
