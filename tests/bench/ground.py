# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of the rows: a lab with many repositories, microburst before it, and ways to time whole processes.

Its folder is laid out as that of `tests.faults.bench`, whose ways to run a module work on it too.
"""

from __future__ import annotations

import contextlib
import json
import pathlib
import resource
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from tests.faults.bench import Bench
from tests.lab import state
from tests.support.lab import Lab
from tests.support.paths import LAB_PYTHON, ROOT

BIN = ROOT / ".venv/bin"
DEADLINE = 300  # seconds, for a start; the lab makes 100,000 repositories first
RUN_DEADLINE = 540  # seconds, for one run


@dataclass(frozen=True)
class Command:
    """The command, and its profile. `variables` add to its environment; `typed` is its standard input."""

    words: Sequence[str]
    profile: str = "owner"
    variables: tuple[tuple[str, str], ...] = ()
    typed: str = ""


@dataclass(frozen=True)
class Run:
    """The time and the requests of a run.

    :param peak: MiB, at most, of a process that was measured
    :param cpu: seconds of CPU time, of the process and of all that it waited for
    """

    seconds: float
    reads: int
    writes: int
    peak: float = 0
    cpu: float = 0


class Ground:
    """A running lab and its proxy.

    :param folder: of both
    :param total: repositories of the bench
    :param servers: all that runs, to be stopped with it
    """

    def __init__(self, folder: pathlib.Path, total: int, servers: contextlib.ExitStack) -> None:
        self.folder, self.total, self.servers = folder, total, servers
        self._peaks = folder / "peaks"
        self.lab, self.bench = Lab(folder / "lab"), Bench(folder)
        self._log = (folder / "lab" / state.REQUEST_LOG).open(encoding="utf-8")

    def latency(self, milliseconds: int) -> None:
        """From now on, each call takes that much longer."""
        rules = json.dumps([{"latency": milliseconds}] if milliseconds else []).encode()
        request = urllib.request.Request(f"http://{self.bench.authority}/_microburst/rules", data=rules)
        with urllib.request.urlopen(request, timeout=DEADLINE):
            pass

    def calls(self) -> list[str]:
        """The API calls since this was asked before, by the lab's request log."""
        return [json.loads(line)["call"] for line in self._log]

    def measured(self, *words: str) -> list[str]:
        """The words of a command whose memory is measured while it runs."""
        return [sys.executable, "-S", str(ROOT / "tests/bench/peak.py"), str(self._peaks), *words]

    def run(self, command: Command) -> Run:
        """Run and time a whole process, which must succeed."""
        self.calls()
        self._peaks.write_text("0\n", encoding="utf-8")
        environment = {
            **self.bench.environment(command.profile),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            **dict(command.variables),
        }
        began, cpu = time.perf_counter(), _cpu_of_children()
        process = subprocess.run(
            list(command.words),
            cwd=ROOT,
            env=environment,
            input=command.typed,
            capture_output=True,
            text=True,
            timeout=RUN_DEADLINE,
            check=False,
        )
        seconds = time.perf_counter() - began
        if process.returncode:
            output = (process.stdout + process.stderr)[-3000:]
            raise RuntimeError(f"{command.words[0]} ended with exit status {process.returncode}:\n{output}")
        calls = self.calls()
        writes = sum(map(state.is_write, calls))
        peak = max(map(int, self._peaks.read_text(encoding="utf-8").split())) / 1024
        return Run(seconds, len(calls) - writes, writes, peak, _cpu_of_children() - cpu)

    def task(
        self,
        name: str,
        module: str,
        arguments: dict[str, Any],
        profile: str = "owner",
        loop: Sequence[str] = (),
        check: bool = False,
    ) -> Command:
        """A playbook with one task, as whoever uses the module has it.

        :param name: of its file
        """
        task = {"name": name, module: arguments, "check_mode": check, **({"loop": loop} if loop else {})}
        return Command([str(BIN / "ansible-playbook"), self.playbook(name, "localhost", [task])], profile)

    def playbook(self, name: str, hosts: str, tasks: list[dict[str, Any]]) -> str:
        """The path of a playbook with these tasks."""
        play = {"name": name, "hosts": hosts, "gather_facts": False, "tasks": tasks}
        file = self.folder / f"{name}.yml"
        file.write_text(json.dumps([play]), encoding="utf-8")
        return str(file)

    def floor(self, *words: str | int, profile: str = "owner") -> Command:
        """The bare boto3 script that does this work."""
        return Command([str(BIN / "python"), "-m", "tests.bench.floor", *map(str, words)], profile)


def _cpu_of_children() -> float:
    usage = resource.getrusage(resource.RUSAGE_CHILDREN)
    return usage.ru_utime + usage.ru_stime


@contextlib.contextmanager
def running(folder: pathlib.Path, total: int, proxied: bool = True) -> Iterator[Ground]:
    """Within, a lab with `total` repositories runs in `folder`; microburst before it, unless told otherwise."""
    folder.mkdir(parents=True, exist_ok=True)
    with contextlib.ExitStack() as stack:
        authority: list[str] = []
        if proxied:
            command = [sys.executable, "-m", "tests.bench.proxy", str(folder)]
            start(stack, folder / "proxy.log", command, (folder / "proxy").exists)
            authority = [(folder / "proxy").read_text()]
        lab = folder / "lab"
        command = [str(LAB_PYTHON), "-m", "tests.bench.lab", str(lab), str(total), *authority]
        start(stack, folder / "lab.log", command, (lab / state.ENVIRONMENT).exists)
        if not proxied:
            (folder / "proxy").write_text((lab / state.ENDPOINT).read_text().partition("://")[2])
        ground = Ground(folder, total, stack)
        if proxied:
            ground.latency(0)
        yield ground


def start(stack: contextlib.ExitStack, log: pathlib.Path, command: Sequence[str], ready: Callable[[], bool]) -> None:
    """Start a server, which is stopped with the stack, and wait until it is ready."""
    output = stack.enter_context(log.open("w"))
    server = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
    stack.callback(_stop, server)
    deadline = time.monotonic() + DEADLINE
    while not ready():
        if server.poll() is not None or time.monotonic() > deadline:
            raise RuntimeError(f"{' '.join(command)} did not start:\n{log.read_text()}")
        time.sleep(0.02)


def _stop(server: subprocess.Popen[bytes]) -> None:
    server.terminate()
    try:
        server.wait(10)
    except subprocess.TimeoutExpired:
        server.kill()
        server.wait()
