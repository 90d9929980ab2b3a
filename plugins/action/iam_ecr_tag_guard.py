# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the module, and writes the files of the guard on the controller."""

from __future__ import annotations

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._tag_guard_declaration import tag_guard_of
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
        problems.extend(guard_file_problems(declared.dest, declared.name) if declared.is_present else ())
        problems.check()
        done = run_module(self, task_vars or {}, TAG_GUARD_ARGUMENTS, tag_guard)
        if done.get("failed"):
            return {**result, **done}
        return {**result, **capture_result(lambda: _with_files(done, self._task.check_mode))}


def _with_files(done: Json, check_mode: bool) -> Json:
    """The result of the module, after its files are written."""
    diff, outdated = [done["diff"]], []
    for file in done["files"]:
        path = guard_path(file["path"])
        before = guard_text(path)
        if before != file["text"]:
            outdated.append((path, file["text"]))
            heads = {"before_header": path, "after_header": path}
            diff.append({"before": printable(before or ""), "after": file["text"], **heads})
    changes = list(done["steps"])
    for path, text in () if check_mode else outdated:
        with reporting_changes(changes):
            replace_guard_file(path, text)
        changes.append(path)
    return {**done, "changed": done["changed"] or bool(outdated), "diff": diff}
