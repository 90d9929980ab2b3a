# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""Writes the hand-off on the controller."""

from __future__ import annotations

import datetime
import os
import pathlib
import tempfile
import typing as t

from ansible.plugins.action import ActionBase
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import (
    for_ansible,
    for_people,
    handoffs,
    noted_time,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import result_of

_MODE = 0o600
_ARGUMENTS: dict[str, t.Any] = {
    "path": {"type": "path"},
    "role": {"type": "dict", "required": True},
    "tagged": {"type": "list", "elements": "dict", "required": True},
    "repository_tags": {"type": "dict", "required": True},
    "access": {"type": "str", "choices": ["pull", "read"], "default": "read"},
    "denied": {"type": "list", "elements": "str", "default": []},
    "images": {"type": "list", "elements": "str", "default": []},
    "share_changed": {"type": "bool", "required": True},
}


class ActionModule(ActionBase):
    _requires_connection = False
    _supports_check_mode = True

    def run(self, tmp: t.Any = None, task_vars: dict[str, t.Any] | None = None) -> dict[str, t.Any]:
        result: dict[str, t.Any] = super().run(tmp, task_vars)
        _validated, options = self.validate_argument_spec(_ARGUMENTS)
        return {**result, **result_of(lambda: self._write(options))}

    def _write(self, options: dict[str, t.Any]) -> dict[str, t.Any]:
        now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
        to_file = options["path"] is not None
        ending = os.path.splitext(options["path"] or "")[1]
        files, diff = [], []
        changed = False
        made = handoffs(options)
        for name, handoff in made:
            noted = noted_time((_text(pathlib.Path(name + ending)) if to_file else None) or "")
            handoff["ecr_pull_shared_at"] = now if options["share_changed"] or not noted else noted
            if not to_file:
                continue
            for path, text in ((name + ending, for_ansible(handoff)), (name + ".md", for_people(handoff))):
                file = pathlib.Path(path)
                before = _text(file)
                if before != text or file.stat().st_mode & 0o777 != _MODE:
                    changed = True
                    if not self._task.check_mode:
                        _replace(file, text)
                if before != text:
                    heads = {"before_header": path, "after_header": path}
                    diff.append({"before": before or "", "after": text, **heads})
                files.append(path)
        texts = [
            {"account": handoff["account"], "region": handoff["ecr_pull_region"], "text": for_ansible(handoff)}
            for _name, handoff in made
        ]
        return {"changed": changed, "files": files, "handoffs": texts, "diff": diff}


def _text(file: pathlib.Path) -> str | None:
    """What stands in a file; None where there is none."""
    try:
        return file.read_text(encoding="utf-8", errors="replace")
    except FileNotFoundError:
        return None


def _replace(file: pathlib.Path, text: str) -> None:
    """Put `text` into the place of a file, at once; who is killed leaves what was there."""
    handle, name = tempfile.mkstemp(prefix=f".{file.name}.", dir=file.parent)  # mkstemp's mode is 0600
    try:
        with open(handle, "w", encoding="utf-8") as new:
            new.write(text)
        os.replace(name, file)
    except BaseException:
        pathlib.Path(name).unlink(missing_ok=True)
        raise
