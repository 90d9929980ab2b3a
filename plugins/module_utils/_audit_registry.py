# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Reads the registry of one region for an audit. A fact that AWS denies becomes `Unseen`."""

from __future__ import annotations

import json
import typing as t

try:
    import botocore
    import botocore.exceptions
except ImportError:
    pass  # AnsibleAWSModule reports it

from ansible_collections.crossaccount.ecr.plugins.module_utils import _ecr
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_rows import (
    CACHE,
    LISTING,
    REGISTRY,
    REPLICATION,
    REPOSITORY,
    TEMPLATE,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._concurrency import map_concurrently, start
from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import (
    EcrError,
    aws_sentence,
    error_code,
    is_denied,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._estate import (
    CacheRule,
    CreationTemplate,
    Document,
    PolicyDocument,
    Registry,
    ReplicationRule,
    Repository,
    Unseen,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json

Result = t.TypeVar("Result")
#: Whether the images of a repository are read: the function gets its tags.
Filter = t.Callable[[t.Mapping[str, str]], bool]


class Reads:
    """Runs requests, and collects those that AWS denies."""

    def __init__(self) -> None:
        self.unseen: list[Unseen] = []

    def read(self, call: t.Callable[[], Result], what: str, path: str = "", region: str = "") -> Result | None:
        """The result of a request; None if AWS denies it, or if botocore is too old for it."""
        try:
            return call()
        except botocore.exceptions.ClientError as error:
            if not is_denied(error):
                raise
            why = aws_sentence(error)
        except (botocore.exceptions.OperationNotPageableError, botocore.exceptions.ParamValidationError):
            why = f"botocore {botocore.__version__} is too old for this request. Install a newer version"
        self.unseen.append(Unseen(what, why, path, region))
        return None


def read_registry(
    reads: Reads, ecr: Client, region: str, is_shared: Filter, repositories: t.Collection[str] = ()
) -> Registry:
    """The repositories, the registry policy, and the rules and templates of a region.

    :param ecr: a boto3 client of the region
    :param is_shared: whether the archived images of a repository with these tags are counted
    :param repositories: the names of the repositories to read; empty for all
    """
    policy = start(lambda: reads.read(lambda: _registry_policy(ecr, region), "registry policy", REGISTRY, region))
    replication = start(lambda: reads.read(lambda: _replication(ecr), "replication rules", REPLICATION, region))
    caches = start(lambda: reads.read(lambda: _cache_rules(ecr), "pull through cache rules", CACHE, region))
    templates = start(lambda: reads.read(lambda: _templates(ecr), "repository creation templates", TEMPLATE, region))
    listed = reads.read(lambda: _listed(ecr, region), "repositories", LISTING, region)
    wanted = [entry for entry in listed or () if not repositories or entry["repositoryName"] in repositories]
    found = map_concurrently(lambda entry: _repository(reads, ecr, region, entry, is_shared), wanted)
    existing = tuple(repository for repository in found if repository is not None)
    return Registry(region, existing, policy(), replication() or (), caches() or (), templates() or ())


def _listed(ecr: Client, region: str) -> list[Json]:
    """The repositories of a region. STS has accepted the keys before."""
    try:
        return _pages(ecr, "describe_repositories", "repositories")
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "UnrecognizedClientException":
            raise
        raise EcrError(
            f"Region {region} is not enabled in the account. Enable it, or remove it from the regions of the audit."
        ) from None


def _repository(reads: Reads, ecr: Client, region: str, entry: Json, is_shared: Filter) -> Repository | None:
    """The tags and the policy of a repository; None if it was deleted meanwhile."""
    name, arn, denials = entry["repositoryName"], entry["repositoryArn"], Reads()
    try:
        tags = denials.read(lambda: _ecr.tags(ecr, arn), f"tags of repository {name}", "tags", region)
        policy = denials.read(lambda: _repository_policy(ecr, name), f"repository policy of {name}", REPOSITORY, region)
        archived = None
        if tags is not None and is_shared(tags):
            archived = denials.read(lambda: _archived(ecr, name), f"images of repository {name}", "", region)
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "RepositoryNotFoundException":
            raise
        return None
    reads.unseen += denials.unseen
    denied = next((unseen.why for unseen in denials.unseen if unseen.path == REPOSITORY), "")
    return Repository(
        name,
        region,
        arn,
        tags,
        None if policy is None else PolicyDocument(f"repository policy of {name} in {region}", policy),
        f"the repository policy could not be read: {denied}" if denied else "",
        entry.get("imageTagMutability", "MUTABLE") == "MUTABLE",
        archived,
    )


def _repository_policy(ecr: Client, name: str) -> Document | None:
    text = _ecr.repository_policy(ecr, name)
    return None if text is None else parsed(text)


def _registry_policy(ecr: Client, region: str) -> PolicyDocument | None:
    try:
        return PolicyDocument(f"registry policy of {region}", parsed(ecr.get_registry_policy()["policyText"]))
    except botocore.exceptions.ClientError as error:
        if error_code(error) != "RegistryPolicyNotFoundException":
            raise
        return None


def _replication(ecr: Client) -> tuple[ReplicationRule, ...]:
    configuration = ecr.describe_registry().get("replicationConfiguration") or {}
    return tuple(
        ReplicationRule(
            tuple((one["registryId"], one["region"]) for one in rule["destinations"]),
            tuple(one["filter"] for one in rule.get("repositoryFilters", [])),
            bool((rule.get("deleteReplication") or {}).get("enabled")),
        )
        for rule in configuration.get("rules", [])
    )


def _cache_rules(ecr: Client) -> tuple[CacheRule, ...]:
    return tuple(
        CacheRule(rule["ecrRepositoryPrefix"], rule["upstreamRegistryUrl"], rule.get("customRoleArn") or "")
        for rule in _pages(ecr, "describe_pull_through_cache_rules", "pullThroughCacheRules")
    )


def _templates(ecr: Client) -> tuple[CreationTemplate, ...]:
    return tuple(
        CreationTemplate(
            one["prefix"],
            tuple(one.get("appliedFor", [])),
            {tag["Key"]: tag["Value"] for tag in one.get("resourceTags") or []},
            _policy_of_template(one),
            one.get("customRoleArn") or "",
        )
        for one in _pages(ecr, "describe_repository_creation_templates", "repositoryCreationTemplates")
    )


def _policy_of_template(template: Json) -> PolicyDocument | None:
    text = template.get("repositoryPolicy")
    name = f"policy of repository creation template {template['prefix']}"
    return PolicyDocument(name, parsed(text)) if text else None


def _archived(ecr: Client, name: str) -> int:
    """The number of archived images in a repository."""
    return len(_pages(ecr, "describe_images", "imageDetails", repositoryName=name, filter={"imageStatus": "ARCHIVED"}))


def _pages(ecr: Client, operation: str, member: str, **arguments: object) -> list[Json]:
    if not hasattr(ecr, operation):
        raise botocore.exceptions.OperationNotPageableError(operation_name=operation)
    size = {"PageSize": 1000 if operation in ("describe_repositories", "describe_images") else 100}
    pages = ecr.get_paginator(operation).paginate(**arguments, PaginationConfig=size)
    return [element for page in pages for element in page[member]]


def parsed(text: str) -> Document:
    """A policy document; the text itself if it is not JSON."""
    try:
        document = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return document if isinstance(document, dict) else text
