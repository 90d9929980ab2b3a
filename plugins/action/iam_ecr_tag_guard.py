# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module, and writes the files of the guard on the control node."""

from __future__ import annotations

import os
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._names import account_problems
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard import PolicyType, file_name
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import (
    TagGuardDeclaration,
    guard_name_problems,
    tag_guard_of,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_policy import TAG_GUARD_ARGUMENTS, tag_guard
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._controller import Controller
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._module_here import run_module
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._tag_guard_files import (
    guard_file_problems,
    guard_path,
    guard_text,
    replace_guard_file,
)


class ActionModule(RoleAction):
    @guarded
    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        declared = tag_guard_of(Controller("iam_ecr_tag_guard", TAG_GUARD_ARGUMENTS, self._task.args).params)
        problems = Problems()
        problems.extend(guard_name_problems(declared))
        problems.extend(guard_file_problems(declared.dest, declared.name) if declared.is_present else ())
        problems.check()
        done = run_module(self, task_vars or {}, TAG_GUARD_ARGUMENTS, tag_guard)
        if done.get("failed") or not declared.is_present:
            return {**result, **done}
        return {**result, **capture_result(lambda: _with_files(done, declared, self._task.check_mode))}


def _with_files(done: Json, declared: TagGuardDeclaration, check_mode: bool) -> Json:
    """The result of the module, after its files are written.

    The module may have run on another host, which does not decide the paths on the control node.
    """
    problems, account = Problems(), done["account"]
    problems.extend(account_problems(account))
    problems.check()
    diff, outdated = [done["diff"]], {}
    for file in done["files"]:
        name = file_name(declared.name, account, PolicyType(file["type"]))
        path, text = os.path.join(guard_path(declared.dest), name), str(file["text"])
        before = guard_text(path)
        if before != text:
            outdated[path] = text
            heads = {"before_header": path, "after_header": path}
            diff.append({"before": printable(before or ""), "after": printable(text), **heads})
    changes = list(done["steps"])
    for path, text in () if check_mode else outdated.items():
        with reporting_changes(changes):
            replace_guard_file(path, text)
        changes.append(path)
    return {**done, "changed": done["changed"] or bool(outdated), "diff": diff}
