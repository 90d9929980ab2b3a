# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Where the controller has the credentials, the proof is made there, and the host is not asked at all."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._prove import PROVE_ARGUMENTS, proof
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller


class ActionModule(ActionBase):
    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        if self._task.args.get("credentials") == "controller":
            arguments = self._task.args
            return {**result, **result_of(lambda: proof(Controller("ecr_access_info", PROVE_ARGUMENTS, arguments)))}
        self._supports_async = True
        return {**result, **self._execute_module(task_vars=task_vars, wrap_async=self._task.async_val)}
