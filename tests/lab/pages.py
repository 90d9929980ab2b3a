# SPDX-License-Identifier: GPL-3.0-or-later
"""Pages of ECR's lists as on AWS, added in place before the lab serves a request.

MiniStack returns the first thousand repositories and no token, and everything else at once.

Source: Amazon ECR API reference, "DescribeRepositories", "ListImages" and "DescribeImages".
"""

from __future__ import annotations

import base64
import binascii
import json
import sys
from collections.abc import Callable
from typing import Any

from ministack.services import ecr

Response = tuple[int, dict[str, str], bytes]
Call = Callable[[dict[str, Any]], Response]
DEFAULT, MOST = 100, 1000


def install() -> None:
    """Put the additions into MiniStack, after `image_states`."""
    ecr._describe_repositories = paged(ecr._describe_repositories, "repositories", "repositoryNames")
    ecr._describe_images = paged(ecr._describe_images, "imageDetails", "imageIds")
    ecr._list_images = paged(ecr._list_images, "imageIds", "")


def paged(handle: Call, member: str, names: str) -> Call:
    """The handler of a list.

    :param member: of the response
    :param names: the parameter that replaces pages
    """

    def handle_page(data: dict[str, Any]) -> Response:
        problem, begin = _problem(data, names), _begin(data.get("nextToken", ""))
        if problem or begin is None:
            return _invalid(problem or "Invalid parameter at 'nextToken' failed to satisfy constraint: 'Invalid token'")
        status, headers, body = handle({**data, "maxResults": sys.maxsize})
        if status != 200 or data.get(names):
            return status, headers, body
        answer = json.loads(body)
        end = begin + data.get("maxResults", DEFAULT)
        if end < len(answer[member]):
            answer["nextToken"] = base64.b64encode(str(end).encode()).decode()
        answer[member] = answer[member][begin:end]
        return status, headers, json.dumps(answer).encode()

    return handle_page


def _problem(data: dict[str, Any], names: str) -> str:
    most = data.get("maxResults", DEFAULT)
    if "maxResults" in data and data.get(names):
        constraint = f"must not be specified with {names}"
    elif most < 1:
        constraint = "Member must have value greater than or equal to 1"
    elif most > MOST:
        constraint = f"Member must have value less than or equal to {MOST}"
    else:
        return ""
    return f"Invalid parameter at 'maxResults' failed to satisfy constraint: '{constraint}'"


def _begin(token: str) -> int | None:
    """The first entry of the page for a token. None if the lab did not issue the token."""
    try:
        return int(base64.b64decode(token, validate=True)) if token else 0
    except (binascii.Error, ValueError):
        return None


def _invalid(message: str) -> Response:
    response: Response = ecr.error_response_json("InvalidParameterException", message, 400)
    return response
