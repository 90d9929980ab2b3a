# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""For action plugins: messages name the variables of the role if a role of this collection runs the task."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import VARIABLE, VARIABLES, use_names_of


class RoleAction(ActionBase):
    """The base class of the action plugins of this collection."""

    #: The role of this collection that runs the task; empty if no such role does.
    _role = ""

    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        role = str((task_vars or {}).get("ansible_role_name"))
        self._role = role if role in VARIABLES else ""
        use_names_of(self._role)
        result: Json = super().run(tmp, task_vars)
        return result

    def _compute_environment_string(self, *arguments: t.Any) -> str:
        """Add the name of the role to the environment of a module on a host."""
        environment = str(super()._compute_environment_string(*arguments))
        if not self._role:
            return environment
        return f"{self._connection._shell.env_prefix(**{VARIABLE: self._role})} {environment}".rstrip()
