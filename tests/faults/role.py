# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the tasks of a role as Ansible does: blocks, includes, `module_defaults`, `loop`, `when`, `register`, templates.

It is independent of the role: which modules run, in which order and with which options, is read from its tasks. Only
modules of this collection that AWS can see are run.
"""

from __future__ import annotations

import pathlib
from collections.abc import Generator, Iterator
from typing import Any

from ansible.parsing.dataloader import DataLoader
from ansible.template import Templar, trust_as_template

from tests.support import compiled_templates

COLLECTION = "crossaccount.ecr."
GROUP = f"group/{COLLECTION}aws"
#: They write files, show lines or publish results on the control node.
OF_THE_CONTROLLER = ("display_lines", "ecr_handoff")
FACTS, INCLUDE = "ansible.builtin.set_fact", "ansible.builtin.include_tasks"
Invocation = dict[str, Any]
Steps = Generator[Invocation, dict[str, Any], None]
_Part = Generator[Invocation, dict[str, Any], bool]


class Role:
    """A role with its variables.

    :param folder: of the role
    :param variables: which come before the role's defaults
    """

    loader = DataLoader()  # it keeps what it parsed

    def __init__(self, folder: pathlib.Path, variables: dict[str, Any]) -> None:
        compiled_templates.keep()
        self.folder = folder
        defaults = self._file("defaults/main.yml")
        self.variables = {**defaults, "ansible_check_mode": False, "inventory_hostname": "localhost", **variables}

    def steps(self) -> Steps:
        """Each module that runs. It receives the result of each; the first task that fails ends the run."""
        yield from self._run(self._file("tasks/main.yml"), {}, {})

    def _file(self, name: str) -> Any:
        """The content of a file. Nothing here changes it, so it is not copied, which takes long."""
        return self.loader.load_from_file(str(self.folder / name), unsafe=True, trusted_as_template=True)

    def _run(self, tasks: list[dict[str, Any]], defaults: dict[str, Any], outer: dict[str, Any]) -> _Part:
        """Run tasks, and return whether none failed."""
        for task, own in _tasks(tasks, defaults):
            items = self._template(task["loop"], outer) if "loop" in task else [None]
            chosen = [{**outer, "item": item} if "loop" in task else outer for item in items]
            chosen = [variables for variables in chosen if self._holds(task.get("when", []), variables)]
            name = next((key for key in task if key.startswith(COLLECTION)), "")
            if FACTS in task:
                self.variables |= self._template(task[FACTS])
            elif INCLUDE in task:
                for variables in chosen:
                    if not (yield from self._run(self._file(f"tasks/{task[INCLUDE]}"), own, variables)):
                        return False
            elif name.removeprefix(COLLECTION) in ("", *OF_THE_CONTROLLER):
                continue
            elif not (yield from self._run_module(task, name, own, chosen)):
                return False
        return True

    def _run_module(
        self, task: dict[str, Any], name: str, defaults: dict[str, Any], chosen: list[dict[str, Any]]
    ) -> _Part:
        """Run a module for each item. After a failed item, Ansible runs the others, and then ends the run."""
        results = []
        for variables in chosen:
            arguments = self._template({**defaults.get(GROUP, {}), **defaults.get(name, {}), **task[name]}, variables)
            module = name.removeprefix(COLLECTION)
            results.append((yield {"module": module, "arguments": arguments, "check": False, "task": task["name"]}))
        if any(result.get("failed") for result in results):
            return False
        if "register" in task:
            looped = {"results": results, "changed": any(one.get("changed") for one in results)}
            self.variables[task["register"]] = looped if "loop" in task else (results or [{"skipped": True}])[0]
        return True

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
