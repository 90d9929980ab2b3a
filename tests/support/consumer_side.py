# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the consumer's modules in this process, which is faster than a new process."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import access_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import SessionOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import ACCESS_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull import authorize
from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_options import PULL_ARGUMENTS, PullOptions
from ansible_collections.crossaccount.ecr.plugins.module_utils._session import session_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import WaitOptions
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller

from tests.lab import accounts
from tests.support.control import Control
from tests.support.policies import ASSUME, Statement

HOST, CONTROLLER = "host", "control_node"
#: The AssumeRole calls of one attempt of the proof: with the external ID, without it, with a wrong one.
ONE_ATTEMPT = 3


def prove(control: Control, role_arn: str, credentials: str = "", **options: Any) -> dict[str, Any]:
    """The result of the module. Without `credentials`, it runs in this process, as on a control node, to be fast."""
    options = {"role_arn": role_arn, "external_id": "test", **options}
    if credentials:
        return control.module("ecr_access_info", "consumer", credentials=credentials, **options)
    return here(control, options, ACCESS_INFO_ARGUMENTS, access_info)


def pull(control: Control, role_arn: str, *images: str, credentials: str = "", **options: Any) -> dict[str, Any]:
    """The requests to AWS for a pull. With `credentials`, the module sends them, in check mode."""
    options = {"role_arn": role_arn, "external_id": "test", "images": images, **options}
    if credentials:
        layout = {"engine": "oci_layout", "dest": str(control.folder / "layout"), "credentials": credentials}
        return control.module("ecr_image_pull", "consumer", "--check", **layout, **options)

    def ask(controller: Controller) -> dict[str, Any]:
        references = PullOptions.of(controller.params).references
        session, wait = SessionOptions.of(controller.params), WaitOptions.of(controller.params)
        return {"digests": authorize(session_of(controller), session, wait, references).digests}

    return here(control, {**options, "images": list(images)}, PULL_ARGUMENTS, ask)


def here(
    control: Control, options: Statement, specification: Statement, run: Callable[[Controller], Any]
) -> dict[str, Any]:
    """The result of `run` in this process, with the consumer's environment. By default, it does not wait."""
    options = {"wait_timeout": 0, **options}
    profile = {} if "access_key" in options else {"AWS_PROFILE": "consumer"}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {**control.lab.environment, **profile}.items():
            patch.setenv(name, value)
        return capture_result(lambda: run(Controller("here", specification, options)))


class Clock:
    """Replaces `time` in this process, so that no time passes and every attempt is counted."""

    def __init__(self) -> None:
        self.now, self.time = 0.0, time.time

    def monotonic(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.now += seconds


def count(control: Control, mark: int, call: str = ASSUME) -> int:
    """The number of calls of an operation after the first `mark` calls in the log."""
    return control.lab.calls()[mark:].count(call)


def options_of(control: Control, key: dict[str, str]) -> dict[str, str]:
    """The module options for the credentials of an access key."""
    token = {"session_token": key["SessionToken"]} if "SessionToken" in key else {}
    return {
        "access_key": key["AccessKeyId"],
        "secret_key": key["SecretAccessKey"],
        **token,
        "endpoint_url": control.lab.endpoint,
        "region": accounts.REGION,
    }
