# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Displays the progress of the proof. With `credentials: control_node`, the proof runs in `ansible-playbook`."""

from __future__ import annotations

import functools

from ansible_collections.crossaccount.ecr.plugins.module_utils._access_probe import access_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import (
    ACCESS_INFO_ARGUMENTS,
    ACCESS_INFO_RULES,
    proof_is_final,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import (
    Controller,
    progress_reporter,
    reject_async,
    run_in_steps,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._progress import progress
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction


class ActionModule(RoleAction):
    _supports_async = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables, arguments = task_vars or {}, self._task.args
        host = variables["inventory_hostname"]
        by_controller = arguments.get("credentials") == "control_node"
        if by_controller:
            reject_async(self)
        with progress(f"{host}: {self._task.get_name()}") as set_status:
            if by_controller:
                module = functools.partial(
                    Controller, "ecr_access_info", ACCESS_INFO_ARGUMENTS, arguments, **ACCESS_INFO_RULES
                )
                done = capture_result(lambda: access_info(module(), progress_reporter(host, set_status), set_status))
            else:
                is_final = functools.partial(proof_is_final, access=arguments.get("access", "read"))
                done = run_in_steps(self, "ecr_access_info", ACCESS_INFO_ARGUMENTS, is_final, variables, set_status)
        return {**result, **done}
