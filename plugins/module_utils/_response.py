# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Rejects a successful response that AWS cannot have sent, such as a page of a web proxy. Standard library only.

If botocore cannot parse the body, it returns a successful response without members.
"""

from __future__ import annotations

import json
import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

#: The name of the XML root element, after declarations and comments.
_ROOT = re.compile(rb"\A(?:\xef\xbb\xbf|\s|<\?.*?\?>|<!--.*?-->)*<([\w:.-]+)", re.DOTALL)


class InvalidResponseError(EcrError):
    """A successful response that AWS cannot have sent. AWS may have processed the request."""


class HttpResponse(t.Protocol):
    """The part of a botocore response that this file uses."""

    status_code: int
    content: bytes


class Service(t.Protocol):
    metadata: t.Mapping[str, object]


class Operation(t.Protocol):
    """The part of a botocore operation model that this file uses."""

    name: str
    service_model: Service


def check_response(http_response: HttpResponse, parsed: Json, model: Operation, **_event: object) -> None:
    """Handle the event `after-call` of botocore.

    :raises InvalidResponseError: if the response is successful, but AWS cannot have sent it
    """
    if http_response.status_code < 300:
        service = model.service_model
        # A service may support several protocols. Older versions of botocore have only `protocol`.
        protocol = str(getattr(service, "resolved_protocol", None) or service.metadata.get("protocol"))
        for problem in response_problems(model.name, protocol, http_response.content, parsed):
            raise InvalidResponseError(problem)


def response_problems(operation: str, protocol: str, body: bytes, parsed: Json) -> t.Iterator[str]:
    """Problems with a successful response.

    :param protocol: the protocol of the service, `json` or `query`
    :param parsed: the body, as parsed by botocore
    """
    is_readable = True
    if protocol == "json":
        is_readable = bool(parsed.keys() - {"ResponseMetadata"}) or _is_object(body)
    elif protocol == "query":
        root = _ROOT.match(body)
        is_readable = root is not None and root[1].decode() == f"{operation}Response"
    if not is_readable:
        yield (
            f"The response to {operation} does not come from AWS: {_excerpt(body)}. Check the proxy and endpoint_url,"
            " and run again."
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
