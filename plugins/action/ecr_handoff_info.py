# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Reads the hand-off of another organization on the control node, as data."""

from __future__ import annotations

import datetime
from dataclasses import dataclass

from ansible.errors import AnsibleError
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_schema import share_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_summary import summary
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_values import PREFIX
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import unknown_variables
from ansible_collections.crossaccount.ecr.plugins.plugin_utils import _strict_yaml
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_source import VARIABLE, source_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._unsafe import as_data

_EXPECTATIONS: Json = {
    "owner_account": {"type": "str"},
    "expected_external_id": {"type": "str"},
    "registry_host": {"type": "str"},
}
_OWN: Json = {
    "role_arn": {"type": "str"},
    "external_id": {"type": "str"},
    "shared_at": {"type": "str"},
    "region": {"type": "str"},
    "registry": {"type": "str"},
    "repository_tags": {"type": "dict"},
    "access": {"type": "str", "choices": ["pull", "read"]},
    "repositories": {"type": "list", "elements": "str"},
    "denied": {"type": "list", "elements": "str"},
    "images": {"type": "list", "elements": "str"},
}
#: The keys of a hand-off that a consumer does not set as variables. Each hand-off has one of them.
_ONLY_IN_A_HANDOFF = (f"{PREFIX}consumer_account", f"{PREFIX}consumer_organization")


@dataclass(frozen=True)
class _Expectations:
    """The values that the consumer expects in the hand-off, and its choice of the registry's host name."""

    owner_account: str | None
    external_id: str | None
    registry_host: str | None

    @classmethod
    def of(cls, params: Json) -> _Expectations:
        return cls(params["owner_account"], params["expected_external_id"], params["registry_host"])


class ActionModule(RoleAction):
    _requires_connection = False
    _supports_check_mode = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec({**_EXPECTATIONS, **_OWN})
        return {**result, **as_data(capture_result(lambda: self._read(params, task_vars or {})))}

    def _read(self, params: Json, variables: Json) -> Json:
        if any(name in variables for name in _ONLY_IN_A_HANDOFF):
            raise EcrError(
                "A hand-off was loaded as variables, which lets its author run programs here. Do not load it with -e @"
                f" or vars_files; pass its path: -e {VARIABLE}=FILE."
            )
        problems = Problems()
        problems.extend(unknown_variables(self._role, variables))
        problems.check()
        source = source_of(variables, self._evaluate)
        own = {name: params[name] for name in _OWN if params[name] is not None}
        expected = _Expectations.of(params)
        share = share_of(
            source and _strict_yaml.load(*source),
            own,
            expected.owner_account,
            expected.external_id,
            expected.registry_host,
        )
        now = datetime.datetime.now(datetime.timezone.utc)
        return {"changed": False, **share.values(), "summary": summary(share, expected.owner_account, now)}

    def _evaluate(self, path: str) -> object:
        try:
            return self._templar.template(path)
        except AnsibleError as error:
            raise EcrError(f"{VARIABLE} cannot be evaluated: {error}. Pass the path itself.") from None
