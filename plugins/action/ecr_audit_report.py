# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the files of an audit report on the control node."""

from __future__ import annotations

import os
import typing as t
from dataclasses import dataclass

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError, Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.module_utils._option_names import option
from ansible_collections.crossaccount.ecr.plugins.module_utils._secrets import KNOWN
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_compare import document_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_files import (
    FILES,
    MARKDOWN,
    file_texts,
    is_current,
    previous_document,
    replace_file,
    report_folder_problems,
    text_of_file,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._audit_shape import first_fault
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction

_ARGUMENTS: Json = {"dest": {"type": "str", "required": True}, "report": {"type": "dict"}}


@dataclass(frozen=True)
class _Options:
    """
    :param dest: the absolute path of the directory
    :param report: None if the module only checks
    """

    dest: str
    report: Json | None


class ActionModule(RoleAction):
    _requires_connection = False
    _supports_check_mode = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(_ARGUMENTS)
        return {**result, **capture_result(lambda: _write(_options(params), self._task.check_mode))}


def _options(params: Json) -> _Options:
    dest, report = params["dest"], params["report"]
    return _Options(os.path.abspath(os.path.expanduser(dest)), None if report is None else _masked(report, {}))


def _masked(value: t.Any, known: dict[str, str]) -> t.Any:
    """The value with known secrets masked. Texts are repeated in many rows, so each is searched once."""
    if isinstance(value, str):
        return known[value] if value in known else known.setdefault(value, str(KNOWN.mask(value)))
    if isinstance(value, dict):
        return {_masked(key, known): _masked(item, known) for key, item in value.items()}
    return [_masked(item, known) for item in value] if isinstance(value, list) else value


def _write(options: _Options, check_mode: bool) -> Json:
    """Write the files, and return the result of the module."""
    previous = _checked(options)
    paths = [os.path.join(options.dest, name) for name in FILES]
    result: Json = {"changed": False, "files": paths, "diff": []}
    if options.report is None:
        return result
    document = document_of(options.report, previous)
    texts = file_texts(document)
    outdated = [name for name in FILES if not is_current(os.path.join(options.dest, name), texts[name])]
    if MARKDOWN in outdated:
        path = os.path.join(options.dest, MARKDOWN)
        before = printable(text_of_file(path) or "")
        result["diff"] = [{"before": before, "after": texts[MARKDOWN], "before_header": path, "after_header": path}]
    replaced: list[str] = []
    for name in () if check_mode else outdated:
        with reporting_changes(replaced):
            replace_file(os.path.join(options.dest, name), texts[name])
        replaced.append(name)
    changes = document["changes"] if "changes" in document and document is not previous else None
    return {**result, "changed": bool(outdated), "changes": changes}


def _checked(options: _Options) -> Json | None:
    """The content of the previous report, after all checks.

    :raises EcrError: for all problems with the options and the existing files
    """
    problems, previous, report = Problems(), None, options.report
    fault = "" if report is None else first_fault(report)
    if fault:
        problems.add(
            f"{option('report')} is not the result of crossaccount.ecr.ecr_audit_info: {fault} is missing, unknown or"
            " invalid. Pass the value audit of the result."
        )
    unusable = list(report_folder_problems(options.dest))
    problems.extend(unusable)
    if not unusable:
        try:
            account = None if report is None or fault else report["account"]
            previous = _masked(previous_document(options.dest, account), {})
        except EcrError as error:
            problems.add(str(error))
    problems.check()
    return previous
