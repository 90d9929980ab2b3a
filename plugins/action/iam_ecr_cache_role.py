# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module in `ansible-playbook` if its host is the control node, and displays the progress."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._cache_role import CACHE_ROLE_ARGUMENTS, cache_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._module_here import run_module
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction


class ActionModule(RoleAction):
    _supports_async = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        return {**result, **run_module(self, task_vars or {}, CACHE_ROLE_ARGUMENTS, cache_role)}
