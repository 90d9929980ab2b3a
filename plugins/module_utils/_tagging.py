# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""The Resource Groups Tagging API, which tags several repositories in one call."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._ecr import Client
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json


def tagged_repositories(client: Client, tags: t.Collection[tuple[str, str]]) -> list[str]:
    """The names of the ECR repositories in this region that have one of `tags` according to this API.

    IAM ignores the case of keys, but the filters of this API do not. So the existing keys are requested first.
    """
    pages = client.get_paginator("get_tag_keys").paginate()
    keys = {*(key for key, _value in tags), *(key for page in pages for key in page["TagKeys"])}
    filters = [
        {"Key": key, "Values": [value]}
        for wanted, value in tags
        for key in sorted(keys)
        if key.lower() == wanted.lower()
    ]
    return sorted({name for tag_filter in filters for name in _found_by(client, tag_filter)})


def _found_by(client: Client, tag_filter: dict[str, object]) -> t.Iterator[str]:
    pages = client.get_paginator("get_resources").paginate(
        ResourceTypeFilters=["ecr:repository"], TagFilters=[tag_filter], ResourcesPerPage=100
    )
    for page in pages:
        for resource in page["ResourceTagMappingList"]:
            yield resource["ResourceARN"].partition(":repository/")[2]


def tag(client: Client, arns: list[str], tags: dict[str, str]) -> dict[str, str]:
    """Add `tags` to up to 20 resources, and return the reason for each ARN that failed."""
    return _failures(client.tag_resources(ResourceARNList=arns, Tags=tags))


def untag(client: Client, arns: list[str], keys: list[str]) -> dict[str, str]:
    """Remove the tags with `keys` from up to 20 resources, and return the reason for each ARN that failed."""
    return _failures(client.untag_resources(ResourceARNList=arns, TagKeys=keys))


def _failures(reply: Json) -> dict[str, str]:
    # A response with partial failures has the HTTP status 200.
    return {
        arn: f"{failure.get('ErrorCode', 'unknown')}: {failure.get('ErrorMessage', '')}"
        for arn, failure in reply.get("FailedResourcesMap", {}).items()
    }
