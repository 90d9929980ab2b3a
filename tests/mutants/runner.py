# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs the unit tests of a file against its mutants, each in a process of its own that is forked from this one.

Nothing on the disk changes: the process imports the mutated source instead of the file. Each test file has a process of
its own, so the long tests run only if the short ones do not notice the mutant.
"""

from __future__ import annotations

import ast
import functools
import importlib.abc
import importlib.machinery
import os
import pathlib
import resource
import select
import signal
import sys
import tempfile
import time
import types
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from .mutations import Mutant

ROOT = pathlib.Path(__file__).parents[2]
PACKAGE = "ansible_collections.crossaccount.ecr.plugins.module_utils"
CORE = ROOT / "plugins/module_utils"
UNIT, TESTS = ROOT / "tests/unit", "tests.unit."
#: A test file gets so many times the CPU time that it needs without a change, and some seconds more.
PATIENCE, MORE = 4, 10
#: The same of the time on the clock, which depends on the load of the machine. It ends only tests that wait.
CLOCK_PATIENCE, CLOCK_MORE = 20, 60
SURVIVED = 0
NO_TESTS = 5  # pytest's exit status if it finds no test


# --- which tests


@functools.cache
def imports(file: pathlib.Path) -> frozenset[str]:
    """The files of the collection's `module_utils` that a Python file imports."""
    found: set[str] = set()
    for module, names in _imported(file):
        if module == PACKAGE:
            found.update(names)
        elif module.startswith(PACKAGE + "."):
            found.add(module.rpartition(".")[2])
    return frozenset(found)


@functools.cache
def imports_with_helpers(file: pathlib.Path) -> frozenset[str]:
    """The same, and those that files such as `tests/unit/roles.py` import for a test file."""
    helpers = [
        ROOT / f"{module.replace('.', '/')}.py" for module, _names in _imported(file) if module.startswith(TESTS)
    ]
    return imports(file).union(*(imports_with_helpers(helper) for helper in helpers if helper.is_file()))


def _imported(file: pathlib.Path) -> Iterator[tuple[str, list[str]]]:
    for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module:
            yield node.module, [alias.name for alias in node.names]


def tests_of(name: str) -> list[pathlib.Path]:
    """The unit tests of a file: `test_NAME.py`, then others that import it.

    Without `test_NAME.py`, these are also the tests that import the file through a helper, and those of its users.
    """
    mirror = UNIT / f"plugins/module_utils/test{name}.py"
    every = sorted(UNIT.rglob("test_*.py"), key=lambda file: (file != mirror, file))
    own = [file for file in every if file == mirror or name in imports(file)]
    if mirror.exists():
        return own
    using = {file.stem for file in CORE.glob("_*.py") if name in imports(file)}
    mirrors = {f"test{user}" for user in using}
    further = [file for file in every if name in imports_with_helpers(file)]
    further += [file for file in every if file.stem in mirrors or using & imports_with_helpers(file)]
    return list(dict.fromkeys([*own, *further]))


# --- one run


class _Mutated(importlib.machinery.SourceFileLoader):
    """Loads a module from a source that is not in its file."""

    def __init__(self, name: str, path: str, source: str) -> None:
        super().__init__(name, path)
        self.mutated = source

    def get_code(self, fullname: str) -> types.CodeType:
        return compile(self.mutated, self.path, "exec", dont_inherit=True)


class _Finder(importlib.abc.MetaPathFinder):
    def __init__(self, mutant: Mutant) -> None:
        self.name, self.source = f"{PACKAGE}.{mutant.file}", mutant.source

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: types.ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self.name:
            return None
        found = importlib.machinery.PathFinder.find_spec(fullname, path)
        assert found
        assert found.origin
        found.loader = _Mutated(fullname, found.origin, self.source)
        return found


def preload() -> None:
    """Import what all tests need, once for all processes that are forked from this one; nothing of the collection."""
    import ansible.module_utils.basic  # noqa: F401
    import boto3  # noqa: F401
    import hypothesis  # noqa: F401
    import pytest  # noqa: F401
    import yaml  # noqa: F401


@dataclass(frozen=True)
class Limit:
    """How long the tests of a mutant may take, in seconds; one that does not end uses CPU time, or it waits.

    :param log: the file for the output of the tests
    """

    cpu: float
    wall: float
    log: str = os.devnull


@dataclass(frozen=True)
class Job:
    """A mutant, a test file that judges it, and the limit of this test file."""

    mutant: Mutant
    test: pathlib.Path
    limit: Limit


@dataclass(frozen=True)
class MutantResult:
    """A mutant, the exit status of a test file, and its CPU time."""

    mutant: Mutant
    status: int
    cpu: float


@dataclass
class _Run:
    mutant: Mutant
    pid: int
    deadline: float

    def end(self) -> MutantResult:
        """Wait for the process. After its deadline, the process is killed, and its tests count as failed."""
        if time.monotonic() > self.deadline:
            os.killpg(self.pid, signal.SIGKILL)
        _pid, status, usage = os.wait4(self.pid, 0)
        return MutantResult(self.mutant, os.waitstatus_to_exitcode(status), usage.ru_utime + usage.ru_stime)


def _start(job: Job) -> tuple[int, _Run]:
    pid = os.fork()
    if not pid:
        _be_pytest(job)
    return os.pidfd_open(pid), _Run(job.mutant, pid, time.monotonic() + job.limit.wall)


def _be_pytest(job: Job) -> None:
    """In the child: run the tests and end the process, whatever happens."""
    code, limit = 1, job.limit
    try:
        os.setsid()
        resource.setrlimit(resource.RLIMIT_CPU, (int(limit.cpu) + 1, int(limit.cpu) + 1))
        os.dup2(os.open(os.devnull, os.O_RDWR), 0)
        for number in (1, 2):
            os.dup2(os.open(limit.log, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600), number)
        os.chdir(ROOT)
        for name in [
            module for module in sys.modules if module.startswith(("ansible_collections.crossaccount", "tests.unit"))
        ]:
            del sys.modules[name]
        sys.meta_path.insert(0, _Finder(job.mutant))
        import pytest

        code = int(pytest.main(["-x", "-q", "--no-header", "--tb=short", str(job.test)]))
    finally:
        os._exit(code)


def run(take: Callable[[], Job | None], jobs: int) -> Iterator[MutantResult]:
    """Run all jobs, several at the same time.

    :param take: returns the next job
    """
    running: dict[int, _Run] = {}
    while True:
        while len(running) < jobs and (job := take()):
            descriptor, started = _start(job)
            running[descriptor] = started
        if not running:
            return
        left = min(process.deadline for process in running.values()) - time.monotonic()
        ready, _writable, _failed = select.select(list(running), [], [], max(left, 0) + 0.01)
        late = [descriptor for descriptor, process in running.items() if time.monotonic() > process.deadline]
        for descriptor in {*ready, *late}:
            process = running.pop(descriptor)
            os.close(descriptor)
            yield process.end()


def judge(mutants: Iterable[Mutant], jobs: int) -> Iterator[MutantResult]:
    """Judge each mutant by one of its test files after another, the long ones last, until one fails."""
    waiting, again = iter(mutants), deque[Mutant]()
    left: dict[Mutant, list[pathlib.Path]] = {}

    def take() -> Job | None:
        mutant = again.popleft() if again else next(waiting, None)
        if mutant is None:
            return None
        if mutant not in left:
            left[mutant] = sorted(tests_of(mutant.file), key=_is_long)
        if not left[mutant]:
            raise RuntimeError(f"{mutant.file}.py has no unit test")
        test = left[mutant].pop(0)
        return Job(mutant, test, limit_of(test))

    for judged in run(take, jobs):
        if judged.status == SURVIVED and left[judged.mutant]:
            again.append(judged.mutant)
        else:
            yield judged


def _is_long(test: pathlib.Path) -> bool:
    """Whether a test file probably needs much CPU time: it has random examples, or runs whole modules."""
    return test.parent == UNIT or "hypothesis" in test.read_text(encoding="utf-8")


@functools.cache
def limit_of(test: pathlib.Path) -> Limit:
    """How long a test file may take with a mutant. It must pass without a change."""
    began, unchanged = time.monotonic(), Mutant("", 0, "", "", "")
    with tempfile.NamedTemporaryFile("r") as log:
        work = [Job(unchanged, test, Limit(600, 3600, log.name))]
        (judged,) = run(lambda: work.pop() if work else None, 1)
        output = log.read()
    if judged.status:
        raise RuntimeError(f"{test} does not pass without a change (exit status {judged.status}):\n{output[-4000:]}")
    clock = time.monotonic() - began
    return Limit(MORE + PATIENCE * judged.cpu, CLOCK_MORE + CLOCK_PATIENCE * clock)
