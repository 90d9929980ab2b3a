# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module with its options, as the tests of exceptions and of responses run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import access_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._backfill import (
    REPLICATION_BACKFILL_ARGUMENTS,
    replication_backfill,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._creation_template import (
    CREATION_TEMPLATE_ARGUMENTS,
    creation_template,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_pull import image_pull
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_role import PULL_ROLE_ARGUMENTS, pull_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry_policy import (
    POLICY_STATEMENT_ARGUMENTS,
    policy_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_configuration import (
    REPLICATION_RULE_ARGUMENTS,
    replication_rule,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_info import (
    REPLICATION_INFO_ARGUMENTS,
    replication_info,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_policy import (
    REPOSITORY_POLICY_ARGUMENTS,
    repository_policy_statement,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._repository_tag import (
    REPOSITORY_TAG_ARGUMENTS,
    tag_repositories,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._session_revocation import (
    REVOCATION_ARGUMENTS,
    session_revocation,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS, share_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_policy import TAG_GUARD_ARGUMENTS, tag_guard
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller

from tests.security.hostile_aws import CONSUMER, OWNER, REGION, ROLE, ROLE_ARN

Result = dict[str, Any]
TAGS = {"environment": "release"}
CONSUMERS = [{"account": CONSUMER, "external_id": "test"}]
PULL_ROLE = {"name": ROLE, "repository_tags": TAGS, "consumers": CONSUMERS, "wait_timeout": 0}
SHARE = {"role_name": ROLE, "repositories": ["release"], "repository_tags": TAGS, "consumers": CONSUMERS}
GUARD = {"guard": "deny", "repository_tags": TAGS, "principals": ["user/developer"], "wait_timeout": 0}
DEVELOPER = {
    **{"Path": "/", "UserName": "developer", "UserId": "AIDAEXAMPLE", "CreateDate": "2026-01-01T00:00:00Z"},
    "Arn": f"arn:aws:iam::{OWNER}:user/developer",
}
TAG = {"names": ["release"], "tags": TAGS, "wait_timeout": 0}
NEW_ROLE = ("get_role", "get_policy")
#: The cases in which something is written.
WRITING = {
    "iam_ecr_pull_role, new",
    "iam_ecr_pull_role, changed",
    "iam_ecr_pull_role, absent",
    "ecr_repository_policy_statement",
    "ecr_repository_tag",
    "iam_ecr_session_revocation",
    "iam_ecr_tag_guard",
    "ecr_replication_rule",
    "ecr_registry_policy_statement",
    "ecr_repository_creation_template",
    "ecr_replication_backfill",
}
PLACE = {"region": REGION, "registryId": CONSUMER}
DESTINATIONS = [{"account": CONSUMER, "region": REGION}]
#: The documents of another program.
RULE = {"destinations": [PLACE], "repositoryFilters": [{"filter": "team/", "filterType": "PREFIX_MATCH"}]}
REGISTRY = {"registryId": OWNER, "replicationConfiguration": {"rules": [RULE]}}
STATEMENT = {
    **{"Sid": "Others", "Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{OWNER}:root"}},
    **{"Action": ["ecr:ReplicateImage"], "Resource": [f"arn:aws:ecr:{REGION}:{CONSUMER}:repository/team/*"]},
}
POLICY = {"registryId": CONSUMER, "policyText": json.dumps({"Version": "2012-10-17", "Statement": [STATEMENT]})}
BACKFILL = {
    "registryId": OWNER,
    "replicationBackfillId": "5d3f1c2e-7a40-4a58-9b0c-2f6b8e1d9c77",
    "destination": PLACE,
    "status": "PREPARING",
}


class Case(NamedTuple):
    """A module with its options, and the account that it runs in."""

    run: Callable[[Any], Result]
    arguments: Result
    options: Result
    account: str = OWNER
    missing: tuple[str, ...] = ()
    check_mode: bool = False
    replies: Mapping[str, Any] = {}


CASES = {
    "ecr_access_info": Case(
        access_info,
        ACCESS_INFO_ARGUMENTS,
        {
            "role_arn": ROLE_ARN,
            "external_id": "test",
            "readable": ["release"],
            "denied": ["develop"],
            "wait_timeout": 0,
        },
        CONSUMER,
    ),
    "ecr_image_pull": Case(
        image_pull,
        PULL_ARGUMENTS,
        {
            "role_arn": ROLE_ARN,
            "external_id": "test",
            "images": ["release:v1.0", "release:v1.1"],
            "engine": "oci_layout",
            "dest": "/nonexistent/layout",
            "wait_timeout": 0,
        },
        CONSUMER,
        check_mode=True,
    ),
    "ecr_share_info": Case(
        share_info,
        SHARE_INFO_ARGUMENTS,
        {"shares": [SHARE]},
        missing=NEW_ROLE,
        replies={"get_registry_policy": POLICY, "get_repository_policy": POLICY},
    ),
    "iam_ecr_pull_role, new": Case(pull_role, PULL_ROLE_ARGUMENTS, PULL_ROLE, missing=NEW_ROLE),
    "iam_ecr_pull_role, changed": Case(pull_role, PULL_ROLE_ARGUMENTS, {**PULL_ROLE, "adopt": True}),
    "iam_ecr_pull_role, absent": Case(
        pull_role,
        PULL_ROLE_ARGUMENTS,
        {"name": ROLE, "state": "absent", "wait_timeout": 0},
        replies={"list_role_policies": {"PolicyNames": [], "IsTruncated": False}},
    ),
    "iam_ecr_session_revocation": Case(session_revocation, REVOCATION_ARGUMENTS, {"role_name": ROLE}),
    "iam_ecr_tag_guard": Case(
        tag_guard,
        TAG_GUARD_ARGUMENTS,
        GUARD,
        missing=("get_policy",),
        replies={
            "get_user": {"User": DEVELOPER},
            "describe_repository_creation_templates": {"registryId": OWNER, "repositoryCreationTemplates": []},
        },
    ),
    "ecr_repository_policy_statement": Case(
        repository_policy_statement,
        REPOSITORY_POLICY_ARGUMENTS,
        {"name": "share", "names": ["release"], "consumers": [{"account": CONSUMER}], "wait_timeout": 0},
    ),
    "ecr_repository_tag": Case(tag_repositories, REPOSITORY_TAG_ARGUMENTS, TAG),
    "ecr_replication_info": Case(
        replication_info,
        REPLICATION_INFO_ARGUMENTS,
        {
            **{"owner_account": OWNER, "consumer_account": CONSUMER, "prefixes": ["release"], "side": "owner"},
            **{"expect": "possible", "accepted": True, "backfill": True},
        },
        replies={"describe_registry": REGISTRY, "list_replication_backfills": {"backfills": []}},
    ),
    "ecr_replication_rule": Case(
        replication_rule,
        REPLICATION_RULE_ARGUMENTS,
        {"prefixes": ["release"], "destinations": DESTINATIONS, "wait": False},
        replies={"describe_registry": REGISTRY},
    ),
    "ecr_registry_policy_statement": Case(
        policy_statement,
        POLICY_STATEMENT_ARGUMENTS,
        {"source_account": OWNER, "prefixes": ["release"], "wait": False},
        CONSUMER,
        replies={"get_registry_policy": POLICY},
    ),
    "ecr_repository_creation_template": Case(
        creation_template,
        CREATION_TEMPLATE_ARGUMENTS,
        {"prefix": "release", "applied_for": ["REPLICATION"], "wait": False},
        CONSUMER,
        replies={"describe_repository_creation_templates": {"repositoryCreationTemplates": []}},
    ),
    "ecr_replication_backfill": Case(
        replication_backfill,
        REPLICATION_BACKFILL_ARGUMENTS,
        {"destinations": DESTINATIONS, "wait": False},
        replies={
            "describe_registry": REGISTRY,
            "list_replication_backfills": {"backfills": []},
            "start_replication_backfill": BACKFILL,
        },
    ),
}


def run_module(case: Case) -> tuple[Result, str]:
    """The result of the module, and its warnings."""
    warnings: list[str] = []

    def here() -> Result:
        module = Controller("module", case.arguments, {**case.options, "region": REGION})
        module.tmpdir, module.warn = "/nonexistent", warnings.append  # type: ignore[attr-defined, method-assign, assignment]
        module.check_mode = case.check_mode
        return case.run(module)

    return capture_result(here), "\n".join(warnings)


def is_reported(result: Result, warnings: str) -> bool:
    """Whether a result tells a user that something went wrong, without a traceback."""
    if "Traceback" in json.dumps(result, default=str) + warnings:
        return False
    if result.get("failed"):
        return bool(result["msg"].strip()) and "<exception str() failed>" not in result["msg"]
    return result.get("verdict") == "fail" or "is unknown" in warnings
