# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
"""Writes the hand-off on the control node."""

from __future__ import annotations

import dataclasses
import datetime
import os
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._assume import account_of_role
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import Problems, printable
from ansible_collections.crossaccount.ecr.plugins.module_utils._failed_result import reporting_changes
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff import (
    HandoffOptions,
    handoff_yaml,
    handoffs,
    shared_at_in,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_declaration import (
    handoff_option_problems,
    handoff_path_problems,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_forms import (
    FORM_NAMES,
    form_endings,
    form_texts,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_page import handoff_page
from ansible_collections.crossaccount.ecr.plugins.module_utils._image_reference import (
    registry_problems,
    valid_references,
)
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.module_utils._module import capture_result
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._handoff_files import (
    MODE,
    content_of,
    handoff_file_problems,
    replace,
)
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._role_action import RoleAction

_ARGUMENTS: Json = {
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
    "forms": {"type": "list", "elements": "str", "choices": list(FORM_NAMES), "default": []},
}


class ActionModule(RoleAction):
    _requires_connection = False
    _supports_check_mode = True

    @guarded
    def run(self, tmp: object = None, task_vars: Json | None = None) -> Json:
        result: Json = super().run(tmp, task_vars)
        _validated, params = self.validate_argument_spec(_ARGUMENTS)
        options = HandoffOptions.of(params)
        done = capture_result(lambda: _write(options, self._task.check_mode))
        one_host = len((task_vars or {}).get("ansible_play_hosts_all", [])) == 1
        if options.artifact and one_host and len(done.get("handoffs", [])) == 1:
            # The artifact is a text, because AWX passes it to the next job as a variable, and converts values that look
            # like numbers.
            data = {options.artifact: done["handoffs"][0]["text"]}
            done["ansible_stats"] = {"data": data, "per_host": False, "aggregate": False}
        return {**result, **done}


def _write(options: HandoffOptions, check_mode: bool) -> Json:
    """Write the files, and return the result of the module."""
    problems = Problems()
    problems.extend(_problems(options, check_mode))
    problems.check()
    names = [str(image) for image in valid_references(options.images)]
    options = dataclasses.replace(options, images=names)
    now = datetime.datetime.now(datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")
    written, texts, diff = {}, [], []
    ending = os.path.splitext(options.path or "")[1]
    for name, untimed in zip(options.names, handoffs(options)):
        noted = shared_at_in((content_of(name + ending) if options.path else None) or "")
        handoff = dataclasses.replace(untimed, shared_at=now if options.share_changed or not noted else noted)
        text = handoff_yaml(handoff)
        consumer = {"account": handoff.consumer_account, "organization": handoff.consumer_organization}
        texts.append({**consumer, "region": handoff.region, "text": text})
        files = {ending: text, ".md": handoff_page(handoff), **form_texts(handoff, options.forms)}
        if options.path:
            written.update({name + end: content for end, content in files.items()})
    outdated = {path: text for path, text in written.items() if not _is_current(path, text)}
    replaced: list[str] = []
    for path, text in outdated.items():
        before = content_of(path)
        if before != text:
            heads = {"before_header": path, "after_header": path}
            diff.append({"before": printable(before or ""), "after": text, **heads})
        if not check_mode:
            with reporting_changes(replaced):
                replace(path, text)
            replaced.append(path)
    return {"changed": bool(outdated), "files": list(written), "handoffs": texts, "diff": diff}


def _is_current(path: str, text: str) -> bool:
    """Whether a file has this text and the mode of a hand-off."""
    return content_of(path) == text and os.stat(path).st_mode & 0o777 == MODE


def _problems(options: HandoffOptions, check_mode: bool) -> t.Iterator[str]:
    """All problems with the hand-off and its files."""
    yield from handoff_option_problems(options.images, options.denied, options.repositories)
    role, places = options.role, options.tagged
    owner = account_of_role(role["role_arn"]) if role.get("role_arn") else role["account"]
    regions, hosts = [place["region"] for place in places], [place["registry"] for place in places]
    yield from registry_problems(valid_references(options.images), owner, regions, hosts)
    wrong = list(handoff_path_problems(options.path or "", options.forms))
    yield from wrong
    if options.path and not wrong:
        yield from handoff_file_problems(options.path, options.names, check_mode, form_endings(options.forms))
