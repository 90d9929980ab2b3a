# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs modules, action plugins and templates in this process, which is fast, and records what they display."""

from __future__ import annotations

import contextlib
import importlib
import json
import pathlib
import shutil
import types
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from ansible.errors import AnsibleError
from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils import _registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, printable
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import display_line, displayable

from .observers import Observations, Sandbox

PLUGINS = "ansible_collections.crossaccount.ecr.plugins"
#: Modules whose results pass an action plugin that escapes them.
ON_HOSTS = ("ecr_access_info", "ecr_image_pull")


class _ModuleExit(Exception):  # noqa: N818
    """A module has its result."""


class _Module(Controller):
    """The members of AnsibleModule and AnsibleAWSModule."""

    def __init__(
        self,
        options: dict[str, Any],
        folder: pathlib.Path,
        argument_spec: dict[str, Any],
        supports_check_mode: bool,
        check_boto3: bool = True,
        **rules: Any,
    ) -> None:
        super().__init__("here", argument_spec, options, **rules)
        self.check_mode, self.tmpdir = False, str(folder)
        self.warnings: list[str] = []
        self.result: dict[str, Any] = {}

    def warn(self, warning: str) -> None:
        self.warnings.append(warning)

    def get_bin_path(self, name: str) -> str | None:
        return shutil.which(name)

    def exit_json(self, **result: Any) -> None:
        self.result = result
        raise _ModuleExit

    def fail_json(self, **result: Any) -> None:  # type: ignore[override]
        self.exit_json(failed=True, **result)


@contextlib.contextmanager
def environment(sandbox: Sandbox, variables: Mapping[str, str]) -> Iterator[pytest.MonkeyPatch]:
    """Context manager that sets the environment of a run: only these variables, and a home outside the sandbox."""
    with pytest.MonkeyPatch.context() as patch:
        for name, value in {"HOME": str(sandbox.home), **variables}.items():
            patch.setenv(name, value)
        patch.setattr("time.sleep", lambda _seconds: None)
        patch.setattr(_registry, "_LONGEST_PAUSE", 0.0)
        yield patch


def run_module(
    sandbox: Sandbox,
    observations: Observations,
    name: str,
    options: dict[str, Any],
    variables: Mapping[str, str],
    check_mode: bool = False,
) -> dict[str, Any]:
    """The result of a module as a host returns it. Records what Ansible displays: messages, warnings, differences."""
    module = importlib.import_module(f"{PLUGINS}.modules.{name}")
    made: list[_Module] = []
    refused: list[str] = []

    def module_of(**specification: Any) -> _Module:
        try:
            made.append(_Module(options, sandbox.inside, **specification))
        except EcrError as error:  # AnsibleModule reports a wrong option itself
            refused.append(str(error))
            raise _ModuleExit from None
        made[0].check_mode = check_mode
        return made[0]

    with environment(sandbox, variables) as patch, contextlib.suppress(_ModuleExit):
        for kind in {"AnsibleAWSModule", "AnsibleModule"} & vars(module).keys():
            patch.setattr(module, kind, module_of)
        module.main()
    if refused:
        observations.shown += refused
        return {"failed": True}
    result, warnings = made[0].result, made[0].warnings
    shown = displayable(result) if name in ON_HOSTS else result
    # Everything else is displayed as JSON, with -v.
    observations.shown += [str(shown.get("msg", "")), *warnings, json.dumps(shown, default=str)]
    diff = shown.get("diff") or []
    observations.shown += [str(text) for part in (diff if isinstance(diff, list) else [diff]) for text in part.values()]
    return result


@contextlib.contextmanager
def displaying(observations: Observations) -> Iterator[None]:
    """Context manager that records the displayed text."""
    with pytest.MonkeyPatch.context() as patch:
        for method in ("display", "warning", "error", "deprecated"):
            patch.setattr(
                Display, method, lambda _display, text, *_arguments, **_options: observations.shown.append(text)
            )
        yield


def run_action(
    sandbox: Sandbox, observations: Observations, name: str, options: dict[str, Any], variables: dict[str, Any]
) -> Any:
    """The result of an action plugin on the control node. Templates in trusted variables are evaluated."""
    plugin = importlib.import_module(f"{PLUGINS}.action.{name}").ActionModule
    loader = DataLoader()
    task = types.SimpleNamespace(
        args=options, async_val=0, check_mode=False, diff=True, run_once=False, action=name, environment=None
    )
    shell = types.SimpleNamespace(tmpdir=str(sandbox.inside))
    connection = types.SimpleNamespace(_shell=shell, become=None)
    action = plugin(task, connection, types.SimpleNamespace(), loader, Templar(loader, variables), None)
    with environment(sandbox, {}), displaying(observations):
        result = action.run(task_vars={"inventory_hostname": "localhost", **variables})
        observations.shown.append(str(result.get("msg", "")))
        diff = result.get("diff") or []
        observations.shown += [part[key] for part in diff for key in ("before", "after")]
    return result


def evaluate(text: str, variables: dict[str, Any], observations: Observations) -> Any:
    """The value of an expression of the collection with hostile variables. An error is displayed."""
    try:
        return Templar(DataLoader(), variables).template(trust_as_template(text))
    except AnsibleError as error:
        observations.shown.append(printable(str(error)))
        return None


def show_all(observations: Observations, lines: Callable[[], list[str]]) -> None:
    """Displays lines like the module display_lines. Ansible reports an error of a filter in one line."""
    with displaying(observations):
        try:
            shown = lines()
        except (AttributeError, KeyError, TypeError, ValueError, IndexError) as error:
            shown = [repr(error)]
        for line in shown:
            display_line(str(line))


def trusted(value: Any) -> Any:
    """A value that Ansible trusts as a template, like every value of -e in JSON."""
    if isinstance(value, str):
        return trust_as_template(value)
    if isinstance(value, dict):
        return {key: trusted(element) for key, element in value.items()}
    return [trusted(element) for element in value] if isinstance(value, list) else value
