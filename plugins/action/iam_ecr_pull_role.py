# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module in `ansible-playbook` if its host is the control node, and displays the progress."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._pull_role import (
    PULL_ROLE_ARGUMENTS,
    PULL_ROLE_RULES,
    pull_role,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._module_here import run_module
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction


class ActionModule(RoleAction):
    _supports_async = True

    @guarded
    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        return {**result, **run_module(self, task_vars or {}, PULL_ROLE_ARGUMENTS, pull_role, **PULL_ROLE_RULES)}
