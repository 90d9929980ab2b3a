# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the owner's modules in this process, which is faster than a new process."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _module
from ansible_collections.crossaccount.ecr.plugins.modules import (
    ecr_repository_policy_statement,
    ecr_repository_tag,
    iam_ecr_pull_role,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller

from tests.lab import accounts
from tests.support.control import REPOSITORY_ARN, Control
from tests.support.policies import Statement

RELEASE = {"environment": "release"}
CONSUMER = {"account": accounts.CONSUMER, "external_id": "test"}
STRANGER = {"account": accounts.STRANGER, "external_id": "other"}
MODULES = {
    "iam_ecr_pull_role": iam_ecr_pull_role,
    "ecr_repository_tag": ecr_repository_tag,
    "ecr_repository_policy_statement": ecr_repository_policy_statement,
}
TRUST_OF_OTHERS = {"Effect": "Allow", "Principal": {"AWS": accounts.STRANGER}, "Action": "sts:AssumeRole"}
OURS = [{"Key": "managed-by", "Value": "crossaccount.ecr"}]


class _ModuleExit(Exception):  # noqa: N818  (of a module, as it is to be)
    """A module has its result."""


class InProcessModule(Controller):
    """The members of AnsibleAWSModule that the owner's modules use, in this process: their result, and what they warn
    of."""

    def __init__(
        self, options: Statement, check_mode: bool, argument_spec: Statement, supports_check_mode: bool, **rules: Any
    ) -> None:
        super().__init__("here", argument_spec, options, **rules)
        assert supports_check_mode
        self.check_mode = check_mode
        self.warnings: list[str] = []
        self.result: dict[str, Any] = {}

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def exit_json(self, **result: Any) -> None:
        self.result = {**result, "warnings": self.warnings}
        raise _ModuleExit

    def fail_json(self, **result: Any) -> None:  # type: ignore[override]
        self.exit_json(failed=True, **result)


@contextlib.contextmanager
def denied(control: Control, action: str, resource: str = "*") -> Iterator[None]:
    """Within, AWS denies an action to the owner."""
    iam, name = control.lab.client("owner", "iam"), accounts.USERS["owner"][1].rpartition("/")[2]
    policy = {"Statement": [{"Effect": "Deny", "Action": action, "Resource": resource}], "Version": "2012-10-17"}
    iam.put_user_policy(UserName=name, PolicyName="denied", PolicyDocument=json.dumps(policy))
    try:
        yield
    finally:
        iam.delete_user_policy(UserName=name, PolicyName="denied")


def owner(control: Control, module: str, check_mode: bool = False, **options: Any) -> dict[str, Any]:
    """The result of a module with the owner's environment."""
    ran: list[InProcessModule] = []

    def here(**specification: Any) -> InProcessModule:
        ran.append(InProcessModule({"profile": "owner", "wait_interval": 0.01, **options}, check_mode, **specification))
        return ran[0]

    with pytest.MonkeyPatch.context() as patch, contextlib.suppress(_ModuleExit):
        for name, value in control.lab.environment.items():
            patch.setenv(name, value)
        patch.setattr(MODULES[module], "AnsibleAWSModule", here)
        patch.setattr(_module, "interruptible", contextlib.nullcontext)  # only the main thread can handle signals
        MODULES[module].main()
    return ran[0].result


def declared(name: str, **options: Any) -> dict[str, Any]:
    """The options that declare a role."""
    return {"name": name, "repository_tags": RELEASE, "consumers": [CONSUMER], **options}


def pull_role(control: Control, name: str, **options: Any) -> dict[str, Any]:
    """The result of iam_ecr_pull_role with the default declaration, overridden by `options`."""
    return owner(control, "iam_ecr_pull_role", **declared(name, **options))


def versions(control: Control, name: str) -> dict[str, bool]:
    """The versions of a policy, and which of them is the default."""
    listed = control.lab.client("owner", "iam").list_policy_versions(PolicyArn=policy_arn(name))["Versions"]
    return {item["VersionId"]: item["IsDefaultVersion"] for item in listed}


def policy_arn(name: str) -> str:
    return f"arn:aws:iam::{accounts.OWNER}:policy/{name}"


def tags_of(control: Control, name: str) -> dict[str, str]:
    ecr = control.lab.client("owner", "ecr")
    return {tag["Key"]: tag["Value"] for tag in ecr.list_tags_for_resource(resourceArn=REPOSITORY_ARN + name)["tags"]}
