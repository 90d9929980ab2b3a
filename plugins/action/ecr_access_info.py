# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Says what is waited for. Where the controller has the credentials, the proof is made there."""

from __future__ import annotations

import functools
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._proof import PROVE_ARGUMENTS, proof_is_final
from ansible_collections.crossaccount.ecr.plugins.module_utils._prove import proof
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller, run_in_steps, say_for


class ActionModule(ActionBase):
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables, arguments = task_vars or {}, self._task.args
        if arguments.get("credentials") != "controller":
            stays_here = functools.partial(proof_is_final, access=arguments.get("access", "read"))
            return {**result, **run_in_steps(self, "ecr_access_info", PROVE_ARGUMENTS, stays_here, variables)}
        say = say_for(variables["inventory_hostname"])
        proven = result_of(lambda: proof(Controller("ecr_access_info", PROVE_ARGUMENTS, arguments), say))
        return {**result, **proven}
