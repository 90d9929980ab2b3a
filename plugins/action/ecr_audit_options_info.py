# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Validates the variables of an audit on the control node, before its first request."""

from __future__ import annotations

import inspect
import json
import os
from dataclasses import dataclass

from ansible.errors import AnsibleError
from ansible_collections.crossaccount.ecr.plugins.module_utils._audit_declaration import (
    SHARE_ROLE,
    CompleteDeclaration,
    declaration_problems,
    declared_options,
    declaring_variables,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._declared_account import OwnerAccount
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import use_names_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import unknown_variables
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction

_ARGUMENTS: Json = {
    "declaration": {"type": "str"},
    "report_dir": {"type": "path"},
    "owner_account": {"type": "raw"},
}
_REGION = "ecr_share_region"
_TRUST = "trusted_as_template"


@dataclass(frozen=True)
class _Options:
    declaration: str
    report_dir: str
    owner: OwnerAccount

    @classmethod
    def of(cls, options: Json) -> _Options:
        return cls(options["declaration"] or "", options["report_dir"] or "", OwnerAccount.of(options))


class ActionModule(RoleAction):
    _requires_connection = False
    _supports_check_mode = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(_ARGUMENTS)
        return {**result, **capture_result(lambda: self._validate(_Options.of(options), task_vars or {}))}

    def _validate(self, options: _Options, variables: Json) -> Json:
        problems = Problems()
        problems.extend(unknown_variables(self._role, variables))
        problems.extend(options.owner.problems())
        shown = self._shares(options, variables, problems) if options.declaration else {}
        problems.check()
        return {"changed": False, "dest": _dest_of(options.report_dir, variables), **shown}

    def _shares(self, options: _Options, variables: Json, problems: Problems) -> Json:
        """The declared shares and their common options."""
        use_names_of(SHARE_ROLE)
        try:
            known = {**variables, **self._loaded(options.declaration)}
            params = Controller("ecr_share_info", SHARE_INFO_ARGUMENTS, self._declared(known)).params
        except AnsibleError as error:
            problems.add(f"Declaration {options.declaration}: {' '.join(str(error).split())}")
            return {}
        except EcrError as error:
            problems.add(f"Declaration {options.declaration}: {error}")
            return {}
        found = declaration_problems(params, known, str(options.owner.declared or ""))
        problems.extend(f"Declaration {options.declaration}: {problem}" for problem in found)
        use_names_of(self._role)
        declared = CompleteDeclaration.of(params)
        return {
            "shares": list(declared.shares),
            "trust_policy_quota": declared.trust_policy_quota,
            "region": str(self._value(known, _REGION) or ""),
        }

    def _loaded(self, declaration: str) -> Json:
        """The variables in the file, as Ansible loads them with `-e @FILE`."""
        path = os.path.abspath(os.path.expanduser(declaration))
        if not os.path.isfile(path):
            raise EcrError("the file does not exist. Correct ecr_audit_declaration.")
        # Since ansible-core 2.19, a text is a template only if its source is marked as trusted.
        trusted = {_TRUST: True} if _TRUST in inspect.signature(self._loader.load_from_file).parameters else {}
        content = self._loader.load_from_file(path, **trusted)
        if not isinstance(content, dict):
            raise EcrError("the file has no variables. Declare the shares with the variables of the role ecr_share.")
        return content

    def _declared(self, variables: Json) -> Json:
        """The options of `ecr_share_info` that the variables of the role `ecr_share` declare."""
        self._templar.available_variables = variables
        found = {option: self._value(variables, name) for option, name in declaring_variables().items()}
        return declared_options({option: value for option, value in found.items() if value is not None})

    def _value(self, variables: Json, name: str) -> object:
        """The evaluated value of a variable, without the types that Ansible uses to mark values."""
        value = self._templar.template(variables[name]) if name in variables else None
        return json.loads(json.dumps(value, default=str))


def _dest_of(report_dir: str, variables: Json) -> str:
    """The directory for the reports of a host."""
    if not report_dir:
        return ""
    several = len(variables.get("ansible_play_hosts_all", ())) > 1
    return os.path.join(os.path.abspath(report_dir), *([variables["inventory_hostname"]] if several else []))
