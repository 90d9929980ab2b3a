# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the modules of a role in this process, in the order of its tasks. It is faster than a playbook."""

from __future__ import annotations

import contextlib
import importlib
import io
import json
from typing import Any

import pytest
from ansible.module_utils.testing import patch_module_args

from tests.faults.role import Role
from tests.support.lab import Lab
from tests.support.paths import ROOT

#: Time is compressed, because the lab returns a write at once.
_WAIT = {"wait_timeout": 60, "wait_interval": 0.01}


def run_role(lab: Lab, name: str, variables: dict[str, Any]) -> list[dict[str, Any]]:
    """The results of the modules. The first failure ends the run.

    :param name: the name of the role
    """
    results: list[dict[str, Any]] = []
    steps = Role(ROOT / "roles" / name, variables).steps()
    with contextlib.suppress(StopIteration):
        invocation = next(steps)
        while True:
            results.append(run_module(lab, invocation["module"], invocation["arguments"]))
            invocation = steps.send(results[-1])
    return results


def run_module(lab: Lab, name: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """The result of a module. An argument without a value is omitted."""
    module = importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.modules.{name}")
    given = {option: value for option, value in {**arguments, **_WAIT}.items() if value is not None}
    with contextlib.ExitStack() as stack:
        patch = stack.enter_context(pytest.MonkeyPatch.context())
        for variable, value in {**lab.environment, "AWS_EC2_METADATA_DISABLED": "true"}.items():
            patch.setenv(variable, value)
        stack.enter_context(patch_module_args(given))
        output = stack.enter_context(contextlib.redirect_stdout(io.StringIO()))
        stack.enter_context(contextlib.suppress(SystemExit))
        module.main()
    result: dict[str, Any] = json.loads(output.getvalue())
    return result
