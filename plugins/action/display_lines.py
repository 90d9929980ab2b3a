# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Displays lines unchanged, so that a table is readable."""

from __future__ import annotations

from dataclasses import dataclass

from ansible.plugins.action import ActionBase
from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._display import display_line
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded


@dataclass(frozen=True)
class _Lines:
    """The lines, and the lines to display in their place with -v."""

    shown: list[str]
    all: list[str]

    @classmethod
    def of(cls, options: Json) -> _Lines:
        return cls(options["lines"], options["all_lines"] or options["lines"])


class ActionModule(ActionBase):
    _requires_connection = False

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        spec = {
            "lines": {"type": "list", "elements": "str", "required": True},
            "all_lines": {"type": "list", "elements": "str"},
        }
        _validated, options = self.validate_argument_spec(spec)
        lines = _Lines.of(options)
        if not lines.shown:
            return {**result, "changed": False, "skipped": True, "skip_reason": "There are no lines."}
        several = len(variables.get("ansible_play_hosts_all", ())) > 1 and not self._task.run_once
        before = f"{variables['inventory_hostname']}: " if several else ""
        for line in lines.all if Display().verbosity else lines.shown:
            display_line(f"{before}{line}")
        return {**result, "changed": False, "lines": lines.all}
