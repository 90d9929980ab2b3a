# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the hand-off on the controller."""

from __future__ import annotations

import datetime
import os
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._declaration import (
    handoff_option_problems,
    handoff_path_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import for_ansible, handoffs, noted_time
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_page import for_people
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_files import (
    MODE,
    content_of,
    path_problems,
    replace,
)

_ARGUMENTS: dict[str, t.Any] = {
    "path": {"type": "str"},
    "role": {"type": "dict", "required": True},
    "tagged": {"type": "list", "elements": "dict", "required": True},
    "repository_tags": {"type": "dict", "required": True},
    "repositories": {"type": "list", "elements": "str", "default": []},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "denied": {"type": "list", "elements": "str", "default": []},
    "images": {"type": "list", "elements": "str", "default": []},
    "share_changed": {"type": "bool", "required": True},
    "artifact": {"type": "str"},
}
Options = dict[str, t.Any]


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(_ARGUMENTS)
        done = result_of(lambda: _write(options, self._task.check_mode))
        one_host = len((task_vars or {}).get("ansible_play_hosts_all", [])) == 1
        if options["artifact"] and one_host and len(done.get("handoffs", [])) == 1:
            # As text: AWX passes it to the next job as a variable, and would convert values that look like numbers.
            data = {options["artifact"]: done["handoffs"][0]["text"]}
            done["ansible_stats"] = {"data": data, "per_host": False, "aggregate": False}
        return {**result, **done}


def _write(options: Options, check_mode: bool) -> dict[str, t.Any]:
    to_file = options["path"] is not None
    _check(options)
    ending = os.path.splitext(options["path"] or "")[1]
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    files, diff, texts = [], [], []
    changed = False
    for name, handoff in handoffs(options):
        noted = noted_time((content_of(name + ending) if to_file else None) or "")
        handoff["ecr_pull_shared_at"] = now if options["share_changed"] or not noted else noted
        written = {name + ending: for_ansible(handoff), name + ".md": for_people(handoff)}
        account, region = handoff["ecr_pull_consumer_account"], handoff["ecr_pull_region"]
        texts.append({"account": account, "region": region, "text": written[name + ending]})
        for path, text in written.items() if to_file else ():
            before = content_of(path)
            if before != text or os.stat(path).st_mode & 0o777 != MODE:
                changed = True
                if not check_mode:
                    replace(path, text)
            if before != text:
                heads = {"before_header": path, "after_header": path}
                diff.append({"before": printable(before or ""), "after": text, **heads})
            files.append(path)
    return {"changed": changed, "files": files, "handoffs": texts, "diff": diff}


def _check(options: Options) -> None:
    """Report all problems with the hand-off; a relative path becomes absolute."""
    problems = Problems()
    for problem in handoff_option_problems(options["images"], options["denied"], options["repositories"]):
        problems.add(problem)
    path = options["path"]
    wrong = next(handoff_path_problems(path), None) if path is not None else None
    if wrong:
        problems.add(wrong)
    elif path is not None:
        options["path"] = os.path.abspath(os.path.expanduser(path))
        for problem in path_problems(path, [name for name, _handoff in handoffs(options)]):
            problems.add(problem)
    problems.check()
