# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The options of a pull, and their validation. Standard library only."""

from __future__ import annotations

import typing as t
from dataclasses import dataclass, field

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import (
    ASSUME_ROLE_ARGUMENTS,
    SESSION_ARGUMENTS,
    SessionOptions,
    session_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import (
    REGISTRY_ACCOUNT_ARGUMENT,
    RegistryAccount,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, collecting_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._identity import split_arn
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import (
    Reference,
    parse_reference,
    registry_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._platform import platform_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import RETRY_ARGUMENTS, WaitOptions, wait_problems

#: The options of `ecr_image_pull` in addition to those of amazon.aws.
PULL_ARGUMENTS: Json = {
    "role_arn": {"type": "str"},
    "duration_seconds": {"type": "int", "default": 3600},
    "images": {"type": "list", "elements": "str", "required": True},
    "denied": {"type": "list", "elements": "str", "default": []},
    "engine": {
        "type": "str",
        "choices": ["auto", "docker", "podman", "skopeo", "oci_layout"],
        "default": "auto",
    },
    # The type path would expand $NAME from the environment, which may contain AWS keys.
    "dest": {"type": "str"},
    "platform": {"type": "str"},
    "ca_path": {"type": "str"},
    "credentials": {"type": "str", "choices": ["host", "control_node"], "default": "host"},
    "registry_host": {"type": "str"},
    "registry_url": {"type": "str"},
    "registry_token": {"type": "str", "no_log": True},
    **REGISTRY_ACCOUNT_ARGUMENT,
    **SESSION_ARGUMENTS,
    **ASSUME_ROLE_ARGUMENTS,
    **RETRY_ARGUMENTS,
}
#: The dependencies between the options.
PULL_RULES: Json = {
    "required_one_of": [("role_arn", "registry_token", "account", "registry_account")],
    "mutually_exclusive": [
        ("role_arn", "account", "registry_account"),
        ("registry_token", "account"),
        ("registry_token", "registry_account"),
    ],
    "required_together": [("registry_url", "registry_token")],
}


@dataclass(frozen=True)
class PullOptions:
    """The validated options of a task.

    :param denied: the images that must not be available
    :param session: the options of AssumeRole; None without a pull role
    :param own: the account of the caller, whose registry has the images; None with a pull role or a registry token
    :param ca_path: a file with CA certificates on the host that pulls
    :param registry_host: the chosen host name of the registry; None for the one that ECR returns
    """

    references: list[Reference]
    denied: list[Reference]
    engine: str
    dest: str | None
    platform: str | None
    credentials: str
    session: SessionOptions | None
    own: RegistryAccount | None
    wait: WaitOptions
    validate_certs: bool
    ca_path: str | None
    registry_host: str | None
    registry_url: str | None
    registry_token: str | None = field(repr=False)

    @classmethod
    def of(cls, params: Json) -> PullOptions:
        """The options in the parameters of the module.

        :raises EcrError: with all problems that can be found without a request to AWS
        """
        problems, token = Problems(), params["registry_token"]
        problems.extend(cls._problems(params))
        references, denied = (_parsed(params[name], problems) for name in ("images", "denied"))
        for reference in references:
            if token is not None and not reference.digest:
                problems.add(
                    f"Image {str(reference)!r} has no digest. With registry_token, no request is sent to AWS, so the"
                    f" digest is required. Write {reference}@sha256:…"
                )
        problems.extend(cls._registry_problems(params, [*references, *denied]))
        problems.check()
        return cls(
            references=references,
            denied=denied,
            engine=params["engine"],
            dest=params["dest"],
            platform=params["platform"],
            credentials=params["credentials"],
            session=SessionOptions.of(params) if token is None and params["account"] is None else None,
            own=RegistryAccount.of(params) if params["account"] is not None else None,
            wait=WaitOptions.of(params),
            validate_certs=bool(params["validate_certs"]),
            ca_path=params["ca_path"] or params["aws_ca_bundle"],
            registry_host=params["registry_host"],
            registry_url=params["registry_url"],
            registry_token=token,
        )

    @staticmethod
    def _registry_problems(params: Json, references: list[Reference]) -> t.Iterator[str]:
        """Problems with images of another registry, if the registry is known without a request to AWS."""
        if params["registry_token"] is not None:
            host = str(params["registry_url"]).partition("://")[2].partition("/")[0].lower()
            yield from registry_problems(references, None, hosts=[host])
        elif params["account"] is not None:
            yield from registry_problems(references, str(params["account"]))
        elif params["registry_account"] is not None:
            yield from registry_problems(references, params["registry_account"])
        elif arn := split_arn(params["role_arn"]):
            yield from registry_problems(references, arn.account)

    @staticmethod
    def _problems(params: Json) -> t.Iterator[str]:
        if params["account"] is not None:
            yield from RegistryAccount.of(params).problems()
        elif params["registry_token"] is None:
            yield from session_problems(SessionOptions.of(params))
        elif params["credentials"] == "control_node":
            yield f"{option('credentials')}: control_node requests a token from AWS. Remove registry_token."
        elif params["registry_host"] is not None:
            yield f"registry_url has the host name of the registry. Remove {option('registry_host')}."
        yield from wait_problems(WaitOptions.of(params))
        yield from platform_problems(params["platform"])
        if params["engine"] == "oci_layout" and not params["dest"]:
            yield f"Engine oci_layout needs a directory. Set {option('dest')}."
        for name in ("dest", "ca_path"):
            if not (params[name] or "").isprintable():
                yield f"{option(name)} {params[name]!r} has a character that is not printable. Remove it."
        if not params["images"]:
            yield f"{option('images')} is empty: list at least one image."
        if params["denied"] and params["registry_token"] is not None:
            yield f"{option('denied')} needs a request to AWS, which registry_token excludes. Remove one of them."

    @staticmethod
    def need_aws_sdk(params: Json) -> bool:
        """Whether this host sends requests to AWS: it has no registry token, and the control node requests none."""
        return params["registry_token"] is None and params["credentials"] == "host"


def _parsed(texts: list[str], problems: Problems) -> list[Reference]:
    """The images with these names."""
    found = []
    for text in texts:
        with collecting_problems(problems):
            found.append(parse_reference(text))
    return found
