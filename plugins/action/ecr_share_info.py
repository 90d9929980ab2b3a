# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Plans the shares, and validates the names of variables and the hand-off files, which are on the control node."""

from __future__ import annotations

from ansible.utils.display import Display
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_declaration import handoff_path_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_forms import form_endings
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._role_variables import (
    unknown_variables,
    variables_of_another_playbook,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import handoff_files
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_declaration import declared_shares
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_guard import ShareGuard
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS, share_info
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_files import (
    handoff_file_problems,
    missing_folder_warning,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._module_here import run_module
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._tag_guard_files import guard_file_problems

#: A placeholder for the region of the session. It does not affect the hand-off files, whose names have a region only if
#: a share declares several regions.
_ANY_REGION = "us-east-1"


class ActionModule(RoleAction):
    _supports_async = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        variables = task_vars or {}
        found = list(unknown_variables(self._role, variables))
        found += variables_of_another_playbook(variables) if self._role else ()
        options = _valid_options(self._task.args)
        guard = ShareGuard.of(options) if options else ShareGuard()
        found += guard_file_problems(guard.dest, guard.name) if guard.has_files else ()
        for path, names, endings in _declared_handoffs(options):
            found += handoff_file_problems(path, names, self._task.check_mode, endings)
            if self._task.check_mode and (warning := missing_folder_warning(path)):
                Display().warning(printable(warning))
        done = run_module(self, variables, SHARE_INFO_ARGUMENTS, share_info)
        return {**result, **_with_problems(done, found)}


def _valid_options(arguments: Json) -> Json | None:
    try:
        return Controller("ecr_share_info", SHARE_INFO_ARGUMENTS, arguments).params
    except EcrError:
        return None  # the module reports it


def _declared_handoffs(options: Json | None) -> list[tuple[str, list[str], list[str]]]:
    """The path of the hand-off of each share that has a valid one, its files without extensions, and those of forms."""
    if options is None:
        return []
    declared = [share for share in declared_shares(options, _ANY_REGION) if share.is_present]
    return [
        (share.handoff.path, handoff_files(share), form_endings(share.handoff.forms))
        for share in declared
        if share.handoff.path and not any(handoff_path_problems(share.handoff.path))
    ]


def _with_problems(result: Json, found: list[str]) -> Json:
    """The result of the module, or one failure with the problems of the module and of this plugin."""
    if not found:
        return result
    problems = Problems()
    own = result.get("problems") or ([result["msg"]] if result.get("failed") else [])
    problems.extend([*own, *found])

    def check() -> Json:
        problems.check()
        return result

    return capture_result(check)
