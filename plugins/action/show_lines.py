# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Shows lines as they are: a table stays a table."""

from __future__ import annotations

import typing as t

from ansible import constants
from ansible.plugins.action import ActionBase
from ansible.utils.display import Display


class ActionModule(ActionBase):
    _requires_connection = False

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        spec = {"lines": {"type": "list", "elements": "str", "required": True}}
        _validated, options = self.validate_argument_spec(spec)
        several = len(variables.get("ansible_play_hosts_all", ())) > 1 and not self._task.run_once
        before = f"{variables['inventory_hostname']}: " if several else ""
        # Where the output is one JSON document, the result is in it, and nothing else may be.
        if "json" not in constants.DEFAULT_STDOUT_CALLBACK:
            for line in options["lines"]:
                Display().display(f"{before}{line}")
        return {**result, "changed": False, "lines": options["lines"]}
