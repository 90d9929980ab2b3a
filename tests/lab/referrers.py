# SPDX-License-Identifier: GPL-3.0-or-later
"""Referrers, such as signatures and SBOMs, added in place before the lab serves a request.

A referrer is an image whose manifest has a `subject`, which is the digest of another image.

1. `ListImageReferrers`, which requires `ecr:BatchGetImage`.
2. `DescribeImages` returns a referrer as an image of its own, with the digest of its subject and its artifact type.

Sources: Amazon ECR API Reference, "ListImageReferrers" and "ImageDetail"; OCI Image Format Specification 1.1, "Image
Manifest"; OCI Distribution Specification 1.1, "Listing Referrers". That a subject that does not exist has no referrers
is inferred from the last one.
"""

from __future__ import annotations

import functools
import json
from typing import Any

from ministack.core import iam_actions, responses
from ministack.services import ecr

from . import operations, pages
from .image_states import Call, Response, change_reply, error

_ACTION = "ecr:ListImageReferrers"
_DEFAULT_TYPE = "application/vnd.oci.image.manifest.v1+json"


def install() -> None:
    """Put the additions into MiniStack, after `image_states` and before `pages`."""
    extract = iam_actions.extract_iam_action

    def extract_iam_action(*arguments: Any, **options: Any) -> Any:
        action = extract(*arguments, **options)
        return "ecr:BatchGetImage" if action == _ACTION else action

    iam_actions.extract_iam_action = extract_iam_action
    ecr._describe_images = _describing(ecr._describe_images)
    operations.add({"ListImageReferrers": pages.paged(_list, "referrers", "")})


@functools.cache
def _parsed(text: str) -> dict[str, Any]:
    """A manifest that has a subject; empty for another one."""
    manifest: dict[str, Any] = json.loads(text) if '"subject"' in text else {}
    return manifest if manifest.get("subject") else {}


def _artifact_type(manifest: dict[str, Any]) -> str:
    return str(manifest.get("artifactType") or manifest.get("config", {}).get("mediaType") or _DEFAULT_TYPE)


def _describing(handle: Call) -> Call:
    def describe_referrers(data: dict[str, Any]) -> Response:
        texts = {one["imageDigest"]: one["imageManifest"] for one in ecr._images.get(data["repositoryName"], [])}

        def add_subjects(answer: dict[str, Any]) -> None:
            for item in answer["imageDetails"]:
                manifest = _parsed(texts[item["imageDigest"]])
                if manifest:
                    item["subjectManifestDigest"] = manifest["subject"]["digest"]
                    item["artifactMediaType"] = _artifact_type(manifest)

        return change_reply(handle(data), add_subjects)

    return describe_referrers


def _list(data: dict[str, Any]) -> Response:
    name, wanted = data["repositoryName"], data.get("filter", {})
    if name not in ecr._repositories:
        return error("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
    found = []
    for image in ecr._images.get(name, []):
        manifest, status = _parsed(image["imageManifest"]), image.get("imageStatus", "ACTIVE")
        if manifest.get("subject", {}).get("digest") != data["subjectId"]["imageDigest"]:
            continue
        kind = _artifact_type(manifest)
        is_wanted = wanted.get("artifactStatus", "ACTIVE") in ("ANY", status)
        if is_wanted and kind in (wanted.get("artifactTypes") or [kind]):
            found.append(
                {
                    "digest": image["imageDigest"],
                    "mediaType": image["imageManifestMediaType"],
                    "artifactType": kind,
                    "size": len(image["imageManifest"].encode()),
                    "annotations": manifest.get("annotations", {}),
                    "artifactStatus": status,
                }
            )
    reply: Response = responses.json_response({"referrers": found})
    return reply
