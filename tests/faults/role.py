# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks of a role as Ansible does: blocks, `module_defaults`, `loop`, `when`, `register` and templates.

It is independent of the role: which modules run, in which order and with which options, is read from its tasks. Only
modules of this collection that AWS can see are run.
"""

from __future__ import annotations

import pathlib
from collections.abc import Generator, Iterator
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

COLLECTION = "crossaccount.ecr."
GROUP = f"group/{COLLECTION}aws"
#: They write files, show lines or publish results on the controller.
OF_THE_CONTROLLER = ("display_lines", "ecr_handoff")
FACTS = "ansible.builtin.set_fact"
Invocation = dict[str, Any]
Steps = Generator[Invocation, dict[str, Any], None]


class Role:
    """A role with its variables.

    :param folder: of the role
    :param variables: which come before the role's defaults
    """

    loader = DataLoader()  # it keeps what it parsed

    def __init__(self, folder: pathlib.Path, variables: dict[str, Any]) -> None:
        self.tasks, defaults = (
            self.loader.load_from_file(str(folder / name / "main.yml"), trusted_as_template=True)
            for name in ("tasks", "defaults")
        )
        self.variables = {**defaults, "ansible_check_mode": False, "inventory_hostname": "localhost", **variables}

    def steps(self) -> Steps:
        """Each module that runs. It receives the result of each; the first failure ends the run."""
        for task, defaults in _tasks(self.tasks, {}):
            if FACTS in task:
                self.variables |= self._template(task[FACTS])
            name = next((key for key in task if key.startswith(COLLECTION)), None)
            if name is None or name.removeprefix(COLLECTION) in OF_THE_CONTROLLER:
                continue
            results = []
            for item in self._template(task["loop"]) if "loop" in task else [None]:
                variables = {"item": item}
                if not self._holds(task.get("when", []), variables):
                    continue
                arguments = self._template(
                    {**defaults.get(GROUP, {}), **defaults.get(name, {}), **task[name]}, variables
                )
                module = name.removeprefix(COLLECTION)
                result = yield {"module": module, "arguments": arguments, "check": False, "task": task["name"]}
                if result.get("failed"):
                    return
                results.append(result)
            if "register" in task:
                looped = {"results": results, "changed": any(one.get("changed") for one in results)}
                self.variables[task["register"]] = looped if "loop" in task else (results or [{"skipped": True}])[0]

    def _holds(self, conditions: str | list[str], variables: dict[str, Any]) -> bool:
        """Whether all conditions of a task are true."""
        listed = conditions if isinstance(conditions, list) else [conditions]
        return all(self._template(trust_as_template("{{ " + one + " }}"), variables) for one in listed)

    def _template(self, value: Any, variables: dict[str, Any] | None = None) -> Any:
        return Templar(self.loader, {**self.variables, **(variables or {})}).template(value)


def _tasks(tasks: list[dict[str, Any]], defaults: dict[str, Any]) -> Iterator[tuple[dict[str, Any], dict[str, Any]]]:
    """Each task with the module_defaults that it has from its blocks."""
    for task in tasks:
        own = {**defaults, **task.get("module_defaults", {})}
        if "block" in task:
            yield from _tasks(task["block"], own)
        else:
            yield task, own
