# SPDX-License-Identifier: GPL-3.0-or-later
"""Each module with its options, as the tests of exceptions and of responses run it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, NamedTuple

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import access_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_pull import image_pull
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_role import PULL_ROLE_ARGUMENTS, pull_role
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
    "ecr_share_info": Case(share_info, SHARE_INFO_ARGUMENTS, {"shares": [SHARE]}, missing=NEW_ROLE),
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
