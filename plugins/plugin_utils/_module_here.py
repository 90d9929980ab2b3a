# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action plugins: runs a module, if possible in the process of `ansible-playbook`, and displays the progress.

A module on a host starts Python, unpacks itself, and imports Ansible and boto3. For a local connection without
`become`, the process of `ansible-playbook` has already imported them, and has the same user, files and environment.
"""

from __future__ import annotations

import importlib.util
import json
import sys
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import Module, Progress, capture_result
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import displayable
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._progress import progress

#: The function that does the work of a module.
Run = t.Callable[[Module, Progress], Json]


def run_module(
    action: ActionBase,
    task_vars: Json,
    argument_spec: Json,
    run: Run,
    **rules: object,
) -> Json:
    """The result of the module of the task.

    :param run: does the work of the module
    :param rules: further parameters of AnsibleModule, such as `required_if`
    """
    with progress(f"{task_vars['inventory_hostname']}: {action._task.get_name()}") as set_status:
        if not runs_here(action, task_vars):
            checked = capture_result(lambda: {"module": _module(action, action._task.args, argument_spec, **rules)})
            if checked.get("failed"):
                return displayable(checked)
            wrap_async = bool(action._task.async_val)
            done = action._execute_module(task_vars=task_vars, wrap_async=wrap_async)
            return displayable(done)
        return run_here(action, action._task.args, argument_spec, run, set_status, **rules)


def run_here(
    action: ActionBase,
    arguments: Json,
    argument_spec: Json,
    run: Run,
    set_status: Progress,
    **rules: object,
) -> Json:
    """The result of the module of the task, which runs in this process."""

    def here() -> Json:
        module = _module(action, arguments, argument_spec, **rules)
        module.check_mode = action._task.check_mode
        return run(module, set_status)

    return displayable(capture_result(here))


def _module(action: ActionBase, arguments: Json, argument_spec: Json, **rules: object) -> Controller:
    # The conversion removes the types that Ansible uses to mark values, which boto3 does not support.
    plain = json.loads(json.dumps(arguments, default=str))
    return Controller(action._task.action.rpartition(".")[2], argument_spec, plain, **rules)


def runs_here(action: ActionBase, task_vars: Json) -> bool:
    """Whether the module would run on this host with the user, the Python and the environment of this process."""
    environment: Json = {}
    action._compute_environment_string(environment)
    return (
        action._connection.transport == "local"
        and action._connection.become is None
        and not action._task.async_val
        and not environment
        and _interpreter(action, task_vars) in (None, sys.executable)
        and importlib.util.find_spec("boto3") is not None
    )


def _interpreter(action: ActionBase, task_vars: Json) -> str | None:
    """The Python interpreter that is set for the host; None if Ansible would discover one."""
    variables = task_vars
    if action._task.delegate_to:
        variables = task_vars.get("ansible_delegated_vars", {}).get(action._task.delegate_to, {})
    found = action._templar.template(variables.get("ansible_python_interpreter"))
    return None if found is None or str(found).startswith("auto") else str(found)
