# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Plans the shares, and checks what only the controller knows: the names of variables and the hand-off files."""

from __future__ import annotations

import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._declaration import handoff_path_problem
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share import Share, shares_of
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_checks import handoff_files
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_info import SHARE_INFO_ARGUMENTS, share_info
from ansible_collections.crossaccount.ecr.plugins.module_utils._share_variables import unknown_variables
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_files import path_problems
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._module_here import run_module


class ActionModule(ActionBase):
    _supports_async = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        variables = task_vars or {}
        of_the_role = variables.get("ansible_role_name") == "crossaccount.ecr.ecr_share"
        found = list(unknown_variables(variables)) if of_the_role else []
        found += _file_problems(self._task.args)
        done = run_module(self, variables, SHARE_INFO_ARGUMENTS, share_info)
        return {**result, **_with_problems(done, found)}


def _file_problems(arguments: dict[str, t.Any]) -> list[str]:
    """Why hand-off files cannot be written here."""
    try:
        options = Controller("ecr_share_info", SHARE_INFO_ARGUMENTS, arguments).params
    except EcrError:
        return []  # the module reports it
    shares = shares_of(options, str(options["region"]), Problems())
    return [
        problem
        for share in shares
        if share.is_present and _has_file_names(share)
        for problem in path_problems(share.handoff["path"], handoff_files(share))
    ]


def _has_file_names(share: Share) -> bool:
    """Whether a share declares files whose names are valid. Anything else may be wrong with it."""
    path = share.handoff["path"]
    if not path or handoff_path_problem(path):
        return False
    return all(name.isprintable() and "/" not in name for name in share.regions)


def _with_problems(result: dict[str, t.Any], found: list[str]) -> dict[str, t.Any]:
    """The result of the module, or one failure with its problems and those that were found here."""
    if not found:
        return result
    problems = Problems()
    own = result.get("problems") or ([result["msg"]] if result.get("failed") else [])
    for problem in [*own, *found]:
        problems.add(problem)

    def check() -> dict[str, t.Any]:
        problems.check()
        return result

    return result_of(check)
