# SPDX-License-Identifier: GPL-3.0-or-later
"""Archived images and images that do not exist, added in place before the lab serves a request.

1. `UpdateImageStorageClass` archives an image and restores it. Calls that do not request archived images do not
   return them: `DescribeImages` and `ListImages` without `imageStatus`, `BatchGetImage`, and the registry.
2. `DescribeImages` of an image that does not exist is an error.
3. `InitiateLayerUpload` returns the same response as AWS.

Source: Amazon ECR API reference.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from typing import Any

from ministack.core import responses
from ministack.services import ecr

Response = tuple[int, dict[str, str], bytes]
Call = Callable[[dict[str, Any]], Response]


def install() -> None:
    """Put the additions into MiniStack, before `cross_account`."""
    handle, resolve_manifest = ecr.handle_request, ecr._resolve_manifest

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        if headers.get("x-amz-target", "").endswith(".UpdateImageStorageClass"):
            return _update_storage_class(json.loads(body))
        return await handle(method, path, headers, body, query)

    def resolve_active_manifest(name: str, reference: str) -> Any:
        image = ecr._find_image(name, {"imageDigest" if ":" in reference else "imageTag": reference})
        return (None, None, None) if image and _status(image) != "ACTIVE" else resolve_manifest(name, reference)

    ecr.handle_request = handle_request
    ecr._resolve_manifest = resolve_active_manifest
    ecr._describe_images = _describing(ecr._describe_images)
    ecr._list_images = _listing(ecr._list_images)
    ecr._batch_get_image = _getting(ecr._batch_get_image)
    ecr._initiate_layer_upload = _initiating(ecr._initiate_layer_upload)


def _status(image: dict[str, Any]) -> str:
    return str(image.get("imageStatus", "ACTIVE"))


def error(code: str, message: str) -> Response:
    """An error of ECR."""
    response: Response = ecr.error_response_json(code, message, 400)
    return response


def change_reply(reply: Response, change: Callable[[dict[str, Any]], object]) -> Response:
    """A successful response with a changed document. Errors are unchanged."""
    status, headers, body = reply
    if status != 200:
        return reply
    document = json.loads(body)
    change(document)
    return status, headers, json.dumps(document).encode()


def not_found(name: str, identifier: dict[str, str]) -> Response:
    named = ", ".join(f"{key}:'{identifier.get(key, 'null')}'" for key in ("imageDigest", "imageTag"))
    where = f"the repository with name '{name}' in the registry with id '{responses.get_account_id()}'"
    return error("ImageNotFoundException", f"The image with imageId {{{named}}} does not exist within {where}")


def _requested(data: dict[str, Any]) -> Callable[[str], bool]:
    """A function that returns whether a call requests the image with a digest."""
    status = data.get("filter", {}).get("imageStatus", "ACTIVE")
    statuses = {image["imageDigest"]: _status(image) for image in ecr._images.get(data["repositoryName"], [])}
    return lambda digest: status in ("ANY", statuses[digest])


def _getting(handle: Call) -> Call:
    def get_active(data: dict[str, Any]) -> Response:
        images = {str(image_id): ecr._find_image(data["repositoryName"], image_id) for image_id in data["imageIds"]}
        archived = [
            image_id
            for image_id in data["imageIds"]
            if images[str(image_id)] and _status(images[str(image_id)]) != "ACTIVE"
        ]
        reply = handle({**data, "imageIds": [image_id for image_id in data["imageIds"] if image_id not in archived]})
        reason = {"failureCode": "ImageNotFound", "failureReason": "Requested image not found"}
        return change_reply(
            reply, lambda answer: answer["failures"].extend({"imageId": path, **reason} for path in archived)
        )

    return get_active


def _describing(handle: Call) -> Call:
    def describe_wanted(data: dict[str, Any]) -> Response:
        name, requested = data["repositoryName"], _requested(data)
        for identifier in data.get("imageIds", []) if name in ecr._repositories else []:
            image = ecr._find_image(name, identifier)
            if image is None or not requested(image["imageDigest"]):
                return not_found(name, identifier)

        def keep_wanted(answer: dict[str, Any]) -> None:
            images = {image["imageDigest"]: image for image in ecr._images.get(name, [])}
            answer["imageDetails"] = [
                image_detail for image_detail in answer["imageDetails"] if requested(image_detail["imageDigest"])
            ]
            for item in answer["imageDetails"]:
                image = images[item["imageDigest"]]
                item["imageStatus"] = _status(image)
                item |= {key: image[key] for key in ("lastArchivedAt", "lastActivatedAt") if key in image}

        return change_reply(handle(data), keep_wanted)

    return describe_wanted


def _listing(handle: Call) -> Call:
    def list_wanted(data: dict[str, Any]) -> Response:
        requested = _requested(data)

        def keep_wanted(answer: dict[str, Any]) -> None:
            answer["imageIds"] = [image_id for image_id in answer["imageIds"] if requested(image_id["imageDigest"])]

        return change_reply(handle(data), keep_wanted)

    return list_wanted


def _initiating(handle: Call) -> Call:
    def keep_upload(answer: dict[str, Any]) -> None:
        for name in answer.keys() - {"uploadId", "partSize"}:
            del answer[name]

    return lambda data: change_reply(handle(data), keep_upload)


def _update_storage_class(data: dict[str, Any]) -> Response:
    name, identifier = data["repositoryName"], data["imageId"]
    if name not in ecr._repositories:
        return error("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
    image = ecr._find_image(name, identifier)
    if image is None:
        return not_found(name, identifier)
    archived = data["targetStorageClass"] == "ARCHIVE"
    image["imageStatus"] = "ARCHIVED" if archived else "ACTIVE"
    image["lastArchivedAt" if archived else "lastActivatedAt"] = int(time.time())
    named = {"registryId": responses.get_account_id(), "repositoryName": name, "imageId": identifier}
    # AWS restores an image within minutes, the lab at once.
    response: Response = responses.json_response({**named, "imageStatus": "ARCHIVED" if archived else "ACTIVATING"})
    return response
