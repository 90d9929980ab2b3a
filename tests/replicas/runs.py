# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs of replicate.yml that are killed at one of their calls.

A run is forked from this process, which has imported Ansible. The proxy of `tests.faults` kills it, with all processes
that it started.
"""

from __future__ import annotations

import json
import os
import pathlib
import signal
import sys
from dataclasses import dataclass

from tests.faults.bench import Bench
from tests.faults.matrix import KILLED_AFTER, KILLED_BEFORE
from tests.support import quick_python
from tests.support.paths import ROOT

from .registries import PREFIX, PROOF

#: The longest run, in seconds.
DEADLINE = 900
KILLS = (KILLED_BEFORE, KILLED_AFTER)


@dataclass(frozen=True)
class Run:
    """A run: whether it was killed, its exit status, its output, and the call at which it was killed."""

    killed: bool
    code: int
    output: str
    call: str
    calls: list[str]


class Runner:
    """Runs replicate.yml.

    :param folder: of a lab and a proxy
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.bench, self.work = Bench(folder), folder / "work"
        (self.work / "archives").mkdir()
        self.bench.plan()  # the proxy finds the lab

    def run(self, at: int = 0, fault: str = "") -> Run:
        """Run the playbook. It is killed before or after the call number `at`; 0 for never."""
        output = self.work / "output"
        output.write_text("", "utf-8")
        go_read, go_write = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(go_write)
            os.read(go_read, 1)
            self._be_the_playbook(output)
        os.close(go_read)
        self.bench.plan(at, fault, pid)
        os.close(go_write)
        _pid, status = os.waitpid(pid, 0)
        planned = self.bench.plan()
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        code = os.waitstatus_to_exitcode(status)
        return Run(killed, code, output.read_text("utf-8"), planned["hit"], planned["calls"])

    def _be_the_playbook(self, output: pathlib.Path) -> None:
        """In the child: run the playbook and end the process, whatever happens."""
        code = 70
        try:
            from tests.support import quick_ansible

            signal.alarm(DEADLINE)
            environment = {**self.bench.environment("owner"), **quick_python.CONFIGURED}
            os.environ.clear()
            os.environ.update(environment)
            os.chdir(ROOT)
            file = os.open(output, os.O_WRONLY)
            os.dup2(file, 1)
            os.dup2(file, 2)
            python = str(ROOT / ".venv/bin/python")
            code = quick_ansible.be_ansible(python, str(self.work / "archives"), self._arguments(python))
        except SystemExit as end:
            code = int(end.code or 0)
        except BaseException:
            import traceback

            traceback.print_exc()
        finally:
            sys.stdout.flush()
            sys.stderr.flush()
            os._exit(code)

    def _arguments(self, python: str) -> list[str]:
        variables = {
            "ecr_replicate_prefixes": [PREFIX],
            "ecr_replicate_images": [PROOF],
            "ecr_replicate_engine": "oci_layout",
            "ecr_replicate_dest": str(self.work / "image"),
            "ecr_replicate_wait_interval": 0.01,
            "ansible_python_interpreter": python,
        }
        declaration = "@playbooks/vars/replication.yml"
        return ["playbooks/replicate.yml", "-e", declaration, "-e", json.dumps(variables)]
