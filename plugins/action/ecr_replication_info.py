# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module in `ansible-playbook` if its host is the control node. For a role, reads the hand-off as data."""

from __future__ import annotations

from ansible.errors import AnsibleError
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_handoff import (
    VARIABLE,
    conflicts,
    handoff_values,
    with_handoff,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._replication_info import (
    REPLICATION_INFO_ARGUMENTS,
    replication_info,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import unknown_variables
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _strict_yaml
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_files import folder_problems
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_source import source_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._module_here import run_module
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction


class ActionModule(RoleAction):
    _supports_async = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables, problems = task_vars or {}, Problems()
        problems.extend(unknown_variables(self._role, variables))
        if self._role:
            self._take_handoff(variables, problems)
        problems.check()
        return {**result, **run_module(self, variables, REPLICATION_INFO_ARGUMENTS, replication_info)}

    def _take_handoff(self, variables: Json, problems: Problems) -> None:
        """Add the values of the hand-off to the options of the task, without the evaluation of a template."""
        source = source_of(variables, self._evaluate, VARIABLE)
        values = handoff_values(_strict_yaml.load(*source), source[1]) if source else {}
        arguments = self._task.args
        if arguments.get("handoff_path") and arguments["side"] != "both":
            problems.extend(folder_problems(arguments["handoff_path"], "ecr_replicate_handoff_path"))
        if values and arguments["side"] == "consumer":
            problems.extend(conflicts(arguments, values))
            arguments.update(with_handoff(arguments, values))
        elif values:
            arguments["handoff"] = values

    def _evaluate(self, path: str) -> object:
        try:
            return self._templar.template(path)
        except AnsibleError as error:
            raise EcrError(f"{VARIABLE} cannot be evaluated: {error}. Pass the path itself.") from None
