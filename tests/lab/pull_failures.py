# SPDX-License-Identifier: GPL-3.0-or-later
"""Images and layers that cannot be pulled although they exist, added in place before the lab serves a request.

The file `state.PULL_FAILURES` maps a repository, or `REPOSITORY@DIGEST` of an image or a layer, to a key of `FAILURES`.
The failures are those of a pull through cache and of AWS KMS.

Sources: Amazon ECR API reference, and for the registry's response without a KMS key JetBrains/space-issues-import#13.
The response of the registry for an image of a pull through cache is inferred from aws/containers-roadmap#2398.
"""

from __future__ import annotations

import json
import pathlib
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from ministack.services import ecr

from . import state
from .image_states import Call, Response, change_reply, error

_UPSTREAM = "Requests to the upstream registry are failing."
_NO_KEY = (
    403,
    {"Content-Type": "application/xml"},
    b'<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>AccessDenied</Code><Message>The ciphertext refers to'
    b" a customer master key that does not exist, does not exist in this region, or you are not allowed to access."
    b"</Message><RequestId>YG4P3P7RBDZTZBFG</RequestId></Error>",
)


@dataclass(frozen=True)
class Failure:
    """The response of a call.

    :param call: of the API that fails
    :param message: the sentence of AWS
    :param inside: whether the failure is in `BatchGetImage.failures` of a response with status 200
    """

    call: str
    message: str
    inside: bool = False


#: The code of each failure that a test can choose.
FAILURES = {
    "KmsError": Failure("BatchGetImage", "The operation failed because access to the KMS key is denied", True),
    "UpstreamAccessDenied": Failure("BatchGetImage", _UPSTREAM, True),
    "UpstreamTooManyRequests": Failure("BatchGetImage", _UPSTREAM, True),
    "UpstreamUnavailable": Failure("BatchGetImage", _UPSTREAM, True),
    "UnableToGetUpstreamImageException": Failure(
        "BatchGetImage",
        "The image or images were unable to be pulled using the pull through cache rule. This is usually caused because"
        " of an issue with the Secrets Manager secret containing the credentials for the upstream registry.",
    ),
    "UnableToGetUpstreamLayerException": Failure(
        "GetDownloadUrlForLayer",
        "There was an issue getting the upstream layer matching the pull through cache rule.",
    ),
    "LayerInaccessibleException": Failure(
        "GetDownloadUrlForLayer",
        "The specified layer is not available because it is not associated with an image. Unassociated image layers may"
        " be cleaned up at any time.",
    ),
    "KmsException": Failure("GetDownloadUrlForLayer", "The operation failed because access to the KMS key is denied"),
}


def install(folder: pathlib.Path) -> None:
    """Put the additions into MiniStack, after `image_states`."""
    resolve_manifest, chosen = ecr._resolve_manifest, _ChosenFailures(folder / state.PULL_FAILURES)

    def resolve_available_manifest(name: str, reference: str) -> Any:
        found = resolve_manifest(name, reference)
        failed = found[0] and chosen.failure("BatchGetImage", name, found[0])
        return (None, None, None) if failed else found

    ecr._resolve_manifest = resolve_available_manifest
    ecr._batch_get_image = chosen.getting(ecr._batch_get_image)
    ecr._get_download_url_for_layer = chosen.downloading(ecr._get_download_url_for_layer)
    ecr._v2_get_blob = chosen.getting_blob(ecr._v2_get_blob)


class _ChosenFailures:
    """The failures that a test has chosen."""

    def __init__(self, file: pathlib.Path) -> None:
        self.file = file

    def failure(self, call: str, repository: str, digest: str) -> str:
        """The code of a failure; empty if the call succeeds."""
        if not self.file.exists():
            return ""
        codes = json.loads(self.file.read_text(encoding="utf-8"))
        found = (codes.get(key, "") for key in (f"{repository}@{digest}", repository))
        return next((code for code in found if code and FAILURES[code].call == call), "")

    def getting(self, handle: Call) -> Call:
        """The handler of `BatchGetImage`."""

        def handle_or_fail(data: dict[str, Any]) -> Response:
            name, usable, failures = data["repositoryName"], [], []
            for identifier in data["imageIds"]:
                image = ecr._find_image(name, identifier)
                code = self.failure("BatchGetImage", name, image["imageDigest"]) if image else ""
                if code and not FAILURES[code].inside:
                    return error(code, FAILURES[code].message)
                if code:
                    reason = {"failureCode": code, "failureReason": FAILURES[code].message}
                    failures.append({"imageId": identifier, **reason})
                else:
                    usable.append(identifier)
            reply = handle({**data, "imageIds": usable})
            return change_reply(reply, lambda answer: answer["failures"].extend(failures))

        return handle_or_fail

    def downloading(self, handle: Call) -> Call:
        """The handler of `GetDownloadUrlForLayer`."""

        def handle_or_fail(data: dict[str, Any]) -> Response:
            code = self.failure("GetDownloadUrlForLayer", data["repositoryName"], data["layerDigest"])
            return error(code, FAILURES[code].message) if code else handle(data)

        return handle_or_fail

    def getting_blob(self, handle: Callable[[str, str], Response]) -> Callable[[str, str], Response]:
        """The handler of a layer in the registry."""

        def handle_or_fail(name: str, digest: str) -> Response:
            code = self.failure("GetDownloadUrlForLayer", name, digest)
            if code == "KmsException":
                return _NO_KEY
            if code:
                unknown: Response = ecr._registry_error(404, "BLOB_UNKNOWN", FAILURES[code].message, {"digest": digest})
                return unknown
            return handle(name, digest)

        return handle_or_fail
