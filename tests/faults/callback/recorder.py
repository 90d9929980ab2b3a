# SPDX-License-Identifier: GPL-3.0-or-later
"""A callback plugin of ansible-core: one JSON line for each run of one of our modules, with its final arguments."""

from __future__ import annotations

import json
import os
from typing import Any

from ansible.plugins.callback import CallbackBase

DOCUMENTATION = """
name: recorder
type: aggregate
short_description: Records which modules of this collection a playbook ran
description: Appends to the file that the environment variable FAULTS_RECORD names.
"""


class CallbackModule(CallbackBase):
    CALLBACK_VERSION = 2.0
    CALLBACK_TYPE = "aggregate"
    CALLBACK_NAME = "recorder"

    def v2_runner_on_ok(self, result: Any) -> None:
        if not result.task.loop:
            self._record(result)

    def v2_runner_item_on_ok(self, result: Any) -> None:
        self._record(result)

    def _record(self, result: Any) -> None:
        module = str(result.task.resolved_action)
        arguments = result.result.get("invocation", {}).get("module_args")
        if not module.startswith("crossaccount.ecr.") or arguments is None:
            return
        check = bool(result.task.check_mode)
        line = {"module": module.rpartition(".")[2], "arguments": arguments, "check": check, "task": result.task.name}
        with open(os.environ["FAULTS_RECORD"], "a", encoding="utf-8") as file:
            file.write(json.dumps(line) + "\n")
