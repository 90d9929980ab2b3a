# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The options of a pull, and what is wrong with them. Standard library only."""

from __future__ import annotations

import re
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    ASSUME_ROLE_ARGUMENTS,
    SESSION_ARGUMENTS,
    SessionOptions,
    session_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._image import Reference, parse_reference
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import RETRY_ARGUMENTS, WaitOptions, wait_problems

#: The options of `ecr_image_pull` in addition to those of amazon.aws.
PULL_ARGUMENTS: Json = {
    "role_arn": {"type": "str"},
    "duration_seconds": {"type": "int", "default": 3600},
    "images": {"type": "list", "elements": "str", "required": True},
    "engine": {
        "type": "str",
        "choices": ["auto", "docker", "podman", "skopeo", "oci_layout"],
        "default": "auto",
    },
    # The type path would fill in $NAME from an environment that may hold AWS keys.
    "dest": {"type": "str"},
    "platform": {"type": "str"},
    "ca_path": {"type": "str"},
    "credentials": {"type": "str", "choices": ["host", "controller"], "default": "host"},
    "registry_url": {"type": "str"},
    "registry_token": {"type": "str", "no_log": True},
    **SESSION_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    **RETRY_ARGUMENTS,
}
#: The dependencies between the options.
PULL_RULES: Json = {
    "required_if": [("engine", "oci_layout", ("dest",)), ("engine", "skopeo", ("dest",))],
    "required_one_of": [("role_arn", "registry_token")],
    "required_together": [("registry_url", "registry_token")],
}
_PLATFORM = re.compile(r"[a-z0-9]+/[a-z0-9_]+(/[a-z0-9.]+)?")


def check(params: Json) -> list[Reference]:
    """The images of the parameters, as references.

    :raises EcrError: naming everything that is wrong with the parameters and does not need a request to AWS
    """
    problems, references = Problems(), []
    by_token = params["registry_token"] is not None
    problems.extend(_option_problems(params, by_token))
    for text in params["images"]:
        try:
            reference = parse_reference(text)
        except EcrError as error:
            problems.add(str(error))
            continue
        references.append(reference)
        if by_token and not reference.digest:
            problems.add(f"Image {text!r} has no digest. With registry_token AWS is not asked: write {text}@sha256:…")
    problems.check()
    return references


def _option_problems(params: Json, by_token: bool) -> t.Iterator[str]:
    if by_token and params["credentials"] == "controller":
        yield "credentials: controller gets a token by itself. Remove registry_token."
    if not by_token:
        yield from session_problems(SessionOptions.of(params))
    yield from wait_problems(WaitOptions.of(params))
    if params["platform"] and not _PLATFORM.fullmatch(params["platform"]):
        yield f"platform {params['platform']!r} is not os/architecture, such as linux/arm64 or linux/arm/v7."
    for name in ("dest", "ca_path"):
        if not (params[name] or "").isprintable():
            yield f"{name} {params[name]!r} has a character that is not printable. Remove it."
    if not params["images"]:
        yield "images is empty: name at least one image."
