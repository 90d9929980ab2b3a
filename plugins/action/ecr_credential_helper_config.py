# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module on the host. Its messages name the variables of the role."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import unknown_variables
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import displayable
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction


class ActionModule(RoleAction):
    _supports_async = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        problems = Problems()
        problems.extend(unknown_variables(self._role, task_vars or {}))
        problems.check()
        wrap_async = bool(self._task.async_val)
        return {**result, **displayable(self._execute_module(task_vars=task_vars, wrap_async=wrap_async))}
