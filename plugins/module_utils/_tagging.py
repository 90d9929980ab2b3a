# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""The Resource Groups Tagging API: many repositories in one call."""

from __future__ import annotations

import typing as t


def tagged_repositories(client: t.Any, tags: dict[str, str]) -> list[str]:
    """The names of the ECR repositories in this region that carry one of `tags`, as this API knows them."""
    pages = client.get_paginator("get_resources")
    found: set[str] = set()
    for key, value in tags.items():
        # Filters in one call are all required; any of the tags is asked for here.
        filters = [{"Key": key, "Values": [value]}]
        for page in pages.paginate(ResourceTypeFilters=["ecr:repository"], TagFilters=filters, ResourcesPerPage=100):
            arns = [one["ResourceARN"] for one in page["ResourceTagMappingList"]]
            found.update(arn.partition(":repository/")[2] for arn in arns)
    return sorted(found)


def tag(client: t.Any, arns: list[str], tags: dict[str, str]) -> dict[str, str]:
    """Put `tags` on up to 20 resources; the reason for each ARN that failed."""
    return _failures(client.tag_resources(ResourceARNList=arns, Tags=tags))


def untag(client: t.Any, arns: list[str], keys: list[str]) -> dict[str, str]:
    """Take the tags with `keys` off up to 20 resources; the reason for each ARN that failed."""
    return _failures(client.untag_resources(ResourceARNList=arns, TagKeys=keys))


def _failures(reply: dict[str, t.Any]) -> dict[str, str]:
    # A partial failure is an HTTP 200.
    return {
        arn: f"{failure.get('ErrorCode', 'unknown')}: {failure.get('ErrorMessage', '')}"
        for arn, failure in reply.get("FailedResourcesMap", {}).items()
    }
