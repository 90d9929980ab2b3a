# SPDX-License-Identifier: GPL-3.0-or-later
"""Replication between registries, added in place before the lab serves a request.

1. `PutReplicationConfiguration`, and the configuration in `DescribeRegistry`. AWS accepts fewer rules and destinations
   than its service model states.
2. An image that is pushed is copied to the destinations of the rules that match its repository. On AWS, this takes
   minutes. In the lab, it happens at once, or with the first request to ECR after a test has removed the file
   `state.REPLICATION_HELD`. Deletions and backfills wait for this, too. The registry of another account has to allow
   `ecr:ReplicateImage` to the account of the source, and `ecr:CreateRepository` if the repository does not exist. A
   copy is not copied further.
3. A rule with `deleteReplication` copies the deletion of an image, too.
4. `DescribeImageReplicationStatus` compares an image with the destinations of its repository. While a copy waits, its
   status is `IN_PROGRESS`.
5. The first rule of an account creates a service-linked role, which the caller has to be allowed to create.

Sources: Amazon ECR User Guide, "Private image replication", "Registry permissions for cross-account replication" and
"Using service-linked roles for Amazon ECR". The messages of the errors are inferred, and that the registry policy
decides about a deletion as about an image.
"""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Callable, Iterator
from typing import Any

from ministack.core import iam_evaluator, responses
from ministack.services import ecr

from . import creation_templates, cross_account, operations, registry_policy, service_linked_role, state
from .image_states import Response, error, not_found

MOST_RULES, MOST_DESTINATIONS = 10, 25
_SERVICE, _LINKED_ROLE = "replication.ecr.amazonaws.com", "AWSServiceRoleForECRReplication"
_KEY = "configuration"
_configurations = responses.AccountRegionScopedDict()


class _Copies:
    """The copies and deletions that wait until a test releases them."""

    held = pathlib.Path()

    def __init__(self) -> None:
        #: The account, the region and the name of each repository, and its copy or deletion.
        self.waiting: list[tuple[tuple[str, str, str], Callable[[], None]]] = []

    def add(self, name: str, change: Callable[[], object], deletions: bool = False) -> None:
        """Make a change in the registry of each destination, now or after the release.

        :param name: a repository of the current registry
        :param deletions: whether only the rules that copy deletions count
        """
        account, region = responses.get_account_id(), responses.get_region()

        def replicate() -> None:
            with responses.request_scope(account, region):
                for _destination in _within_destinations(name, deletions):
                    change()

        self.waiting.append(((account, region, name), replicate))
        self.release()

    def release(self) -> None:
        """Make the changes that wait, unless they are held."""
        while self.waiting and not self.held.exists():
            self.waiting.pop(0)[1]()

    def is_waiting(self, name: str) -> bool:
        place = (responses.get_account_id(), responses.get_region(), name)
        return any(waiting == place for waiting, _change in self.waiting)


copies = _Copies()


def install(folder: pathlib.Path) -> None:
    """Put the additions into MiniStack, after `registry_policy`."""
    copies.held = folder / state.REPLICATION_HELD
    handle = ecr.handle_request
    put_manifest, put_image, delete_images = ecr._v2_put_manifest, ecr._put_image, ecr._batch_delete_image

    def put_and_copy_manifest(name: str, reference: str, headers: Any, body: Any) -> Response:
        reply: Response = put_manifest(name, reference, headers, body)
        if reply[0] < 300:
            layers = copy.copy(ecr._layer_blobs.get(name, {}))

            def copy_manifest() -> None:
                ecr._layer_blobs.setdefault(name, {}).update(layers)
                put_manifest(name, reference, headers, body)

            copies.add(name, copy_manifest)
        return reply

    def put_and_copy_image(data: dict[str, Any]) -> Response:
        reply: Response = put_image(data)
        if reply[0] < 300:
            copies.add(data["repositoryName"], lambda: put_image(data))
        return reply

    def delete_images_and_copies(data: dict[str, Any]) -> Response:
        reply: Response = delete_images(data)
        if reply[0] < 300:
            copies.add(data["repositoryName"], lambda: delete_images(data), deletions=True)
        return reply

    async def handle_request(method: str, path: str, headers: Any, body: bytes, query: Any) -> Any:
        copies.release()
        return await handle(method, path, headers, body, query)

    ecr._v2_put_manifest = put_and_copy_manifest
    ecr._put_image = put_and_copy_image
    ecr._batch_delete_image = delete_images_and_copies
    ecr._describe_registry = _describe
    ecr.handle_request = handle_request
    operations.add({"PutReplicationConfiguration": _put, "DescribeImageReplicationStatus": _status})


def _within_destinations(name: str, deletions: bool = False) -> Iterator[tuple[str, str]]:
    """The destinations of a repository of the current registry. Each is the current registry while it is yielded.

    :param deletions: whether only the rules that copy deletions count
    """
    source = responses.get_account_id()
    for account, region in destinations(name, deletions):
        with responses.request_scope(account, region):
            if deletions and name not in ecr._repositories:
                continue
            if accepts(source, account, region, name):
                yield account, region


def accepts(source: str, account: str, region: str, name: str) -> bool:
    """Whether the current registry, a destination, accepts an image. A repository that it lacks is created."""
    new = name not in ecr._repositories
    if not _is_allowed(source, account, region, name, new):
        return False
    if new:
        template = creation_templates.matching(account, region, name, creation_templates.ON_REPLICATION)
        creation_templates.create_repository(name, template)
    return name in ecr._repositories


def every_destination() -> list[tuple[str, str]]:
    """The destinations of the rules of the current registry."""
    return [(one["registryId"], one["region"]) for rule in _rules() for one in rule["destinations"]]


def destinations(name: str, deletions: bool = False) -> list[tuple[str, str]]:
    """The destinations of a repository of the current registry.

    :param deletions: whether only the rules that copy deletions count
    """
    found = [
        (one["registryId"], one["region"])
        for rule in _rules()
        if not deletions or rule.get("deleteReplication", {}).get("enabled")
        if any(name.startswith(one["filter"]) for one in rule.get("repositoryFilters", [{"filter": ""}]))
        for one in rule["destinations"]
    ]
    return list(dict.fromkeys(found))


def _is_allowed(source: str, account: str, region: str, name: str, new: bool) -> bool:
    """Whether the registry of a destination accepts an image."""
    return source == account or all(
        _policy_allows(source, account, region, name, action)
        for action in ("ecr:ReplicateImage", *(["ecr:CreateRepository"] if new else []))
    )


def _policy_allows(source: str, account: str, region: str, name: str, action: str) -> bool:
    arn = f"arn:aws:ecr:{region}:{account}:repository/{name}"
    context = iam_evaluator.EvalContext(
        principal_arn=f"arn:aws:iam::{source}:root",
        principal_type="Root",
        principal_account=source,
        action=action,
        resource_arn=arn,
        region=region,
        service_context=cross_account.repository_tags(arn),
    )
    decision = iam_evaluator.evaluate_resource_policy(registry_policy.of(account, region), context).decision
    return bool(decision == "Allow")


def _rules() -> list[dict[str, Any]]:
    rules: list[dict[str, Any]] = _configurations.get(_KEY, {"rules": []})["rules"]
    return rules


def _put(data: dict[str, Any]) -> Response:
    rules = data["replicationConfiguration"]["rules"]
    destinations = {(one["registryId"], one["region"]) for rule in rules for one in rule["destinations"]}
    if len(rules) > MOST_RULES:
        constraint = f"Replication configuration must have at most {MOST_RULES} rules"
    elif len(destinations) > MOST_DESTINATIONS:
        constraint = f"Replication configuration must have at most {MOST_DESTINATIONS} destinations"
    elif (responses.get_account_id(), responses.get_region()) in destinations:
        constraint = "Replication destination must not be the source registry"
    elif rules and (refusal := service_linked_role.link(_SERVICE, _LINKED_ROLE)):
        return refusal
    else:
        _configurations[_KEY] = {"rules": rules}
        reply: Response = responses.json_response({"replicationConfiguration": {"rules": rules}})
        return reply
    return operations.invalid("replicationConfiguration", constraint)


def _status(data: dict[str, Any]) -> Response:
    """The status of an image. A destination that lacks it has rejected it, unless the copy waits."""
    name, image = data["repositoryName"], ecr._find_image(data["repositoryName"], data["imageId"])
    if name not in ecr._repositories:
        return error("RepositoryNotFoundException", f"The repository with name '{name}' does not exist")
    if image is None:
        return not_found(name, data["imageId"])
    statuses = []
    for account, region in destinations(name):
        with responses.request_scope(account, region):
            is_there = ecr._find_image(name, {"imageDigest": image["imageDigest"]}) is not None
        missing = "IN_PROGRESS" if copies.is_waiting(name) else "FAILED"
        statuses.append({"region": region, "registryId": account, "status": "COMPLETE" if is_there else missing})
    answer = {"repositoryName": name, "imageId": data["imageId"], "replicationStatuses": statuses}
    reply: Response = responses.json_response(answer)
    return reply


def _describe(_data: dict[str, Any]) -> Response:
    answer = {"registryId": responses.get_account_id(), "replicationConfiguration": {"rules": _rules()}}
    reply: Response = responses.json_response(answer)
    return reply
