# SPDX-License-Identifier: GPL-3.0-or-later
"""Shared code of the tests at AWS's own host names: a control node in the lab's namespaces, with a dockerd beside
it."""

from __future__ import annotations

import contextlib
import pathlib
import subprocess
from collections.abc import Iterator
from typing import Any

from tests.lab import at_aws_names
from tests.support import aws_cli, quick_python
from tests.support.control import BIN, Control, Run
from tests.support.engines import dockerd
from tests.support.lab import Lab
from tests.support.paths import LAB_PYTHON, ROOT


class ControlAtAwsNames(Control):
    """A control node on which AWS's names lead to the lab.

    :param inside: the words that run a command there
    """

    def __init__(self, folder: pathlib.Path, inside: list[str]) -> None:
        super().__init__(Lab(folder / "lab"), folder)
        self.inside, self.python = inside, None

    @contextlib.contextmanager
    def quick(self) -> Iterator[None]:
        """Within, quick programs run in the namespaces. Their start costs as much as two real playbooks."""
        with (
            quick_python.running(self.folder, BIN / "python", self.inside) as self.python,
            quick_python.running_ansible(
                self.folder, BIN / "python", self.python, inside=self.inside
            ) as self.ansible_playbook,
        ):
            yield

    def environment(self, profile: str | None) -> dict[str, str]:
        given = super().environment(profile)
        return {**given, **at_aws_names.environment(self.lab.folder), "PATH": f"{aws_cli.folder()}:{given['PATH']}"}

    def _run(self, command: list[Any], profile: str | None, typed: str = "", **variables: str) -> Run:
        return super()._run([*self.inside, *command], profile, typed, **variables)

    def shell(self, line: str, profile: str | None = None, **variables: str) -> subprocess.CompletedProcess[str]:
        """The command line for a shell in the namespaces."""
        command = [*self.inside, "bash", "-o", "pipefail", "-c", line]
        environment = {**self.environment(profile), **variables}
        return subprocess.run(
            command, cwd=ROOT, env=environment, capture_output=True, text=True, timeout=300, check=False
        )


@contextlib.contextmanager
def control_host(folder: pathlib.Path) -> Iterator[ControlAtAwsNames]:
    """Start a lab at AWS's host names, and a control node with docker in the same namespaces.

    :param folder: must have a short path, because it contains docker's sockets
    """
    with at_aws_names.answering(folder / "lab", LAB_PYTHON) as inside:
        control = ControlAtAwsNames(folder, inside)
        with dockerd(folder / "docker", inside) as control.engines:
            yield control
