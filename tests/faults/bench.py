# SPDX-License-Identifier: GPL-3.0-or-later
"""The environment of a cell: a lab with its observer, the fault proxy before it, and ways to run modules and playbooks.

A module runs as Ansible runs it, its `main()` with its arguments, in a process of its own that can be killed; but the
process is forked from this one, where everything is imported already.
"""

from __future__ import annotations

import contextlib
import functools
import gc
import importlib
import io
import json
import os
import pathlib
import signal
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from tests.lab import state
from tests.support import quick_python

ROOT = pathlib.Path(__file__).parents[2]
DEADLINE = 300  # seconds, for one module
Invocation = dict[str, Any]


@dataclass
class Outcome:
    """The result of one module: killed, or its result; and what it printed beside it."""

    killed: bool
    code: int
    result: dict[str, Any] = field(default_factory=dict)
    printed: str = ""


class Bench:
    """A running lab and its proxy.

    :param folder: of both; `work` in it is where images are pulled to
    """

    def __init__(self, folder: pathlib.Path) -> None:
        self.folder = folder
        self.work = folder / "work"
        self.endpoint = (folder / "lab" / state.ENDPOINT).read_text()
        self.authority = (folder / "proxy").read_text()

    # --- the lab and the proxy

    def lab(self, command: str, **arguments: Any) -> Any:
        return _post(f"{self.endpoint}/_lab/{command}", arguments)

    def plan(self, at: int = 0, fault: str = "", victim: int = 0) -> dict[str, Any]:
        """Have the proxy hit the call number `at` from now on; the calls until now."""
        plan = {"at": at, "fault": fault, "victim": victim}
        answer: dict[str, Any] = _post(f"http://{self.authority}/_microburst/plan", plan)
        return answer

    # --- runs

    def environment(self, profile: str) -> dict[str, str]:
        lab = self.folder / "lab"
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.folder),
            "LC_ALL": "C.UTF-8",
            "AWS_PROFILE": profile,
            "AWS_CONFIG_FILE": str(lab / state.CONFIG),
            "AWS_SHARED_CREDENTIALS_FILE": str(lab / state.CREDENTIALS),
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def module(self, invocation: Invocation, profile: str, started: Callable[[int], None]) -> Outcome:
        """Run one module.

        :param started: told the process before it makes its first call
        """
        go_read, go_write = os.pipe()
        out_read, out_write = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(go_write)
            os.close(out_read)
            os.read(go_read, 1)
            _be_the_module(invocation, self.environment(profile), out_write)
        os.close(out_write)
        os.close(go_read)
        started(pid)
        os.close(go_write)
        with os.fdopen(out_read, encoding="utf-8") as pipe:
            printed = pipe.read()
        _pid, status = os.waitpid(pid, 0)
        if os.WIFSIGNALED(status):
            return Outcome(os.WTERMSIG(status) == signal.SIGKILL, -os.WTERMSIG(status), printed=printed)
        result: dict[str, Any] = {}
        with contextlib.suppress(ValueError):
            result = json.loads("{" + printed.rpartition("\n{")[2])
        return Outcome(False, os.WEXITSTATUS(status), result, printed)

    def playbook(
        self,
        name: str,
        profile: str,
        *flags: str,
        variables: dict[str, Any],
        started: Callable[[int], None] = lambda _pid: None,
    ) -> tuple[int, str, list[Invocation]]:
        """Run a playbook; its exit status, what it printed, and the modules that it ran."""
        record = self.folder / "record"
        record.write_text("")
        environment = {
            **self.environment(profile),
            "ANSIBLE_CONFIG": str(ROOT / "ansible.cfg"),
            "ANSIBLE_NOCOLOR": "1",
            "ANSIBLE_CALLBACK_PLUGINS": str(pathlib.Path(__file__).parent / "callback"),
            "ANSIBLE_CALLBACKS_ENABLED": "recorder",
            "FAULTS_RECORD": str(record),
        }
        command = [
            str(ROOT / ".venv/bin/ansible-playbook"),
            f"playbooks/{name}.yml",
            *flags,
            "-e",
            json.dumps(variables),
        ]
        with subprocess.Popen(
            command,
            cwd=ROOT,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        ) as process:
            started(process.pid)
            try:
                printed = process.communicate(timeout=300)[0]
            finally:
                process.kill()
        return process.returncode, printed, [json.loads(line) for line in record.read_text().splitlines()]


@contextlib.contextmanager
def running(folder: pathlib.Path) -> Iterator[pathlib.Path]:
    """Within, a lab and a proxy run in `folder`."""
    folder.mkdir(parents=True)
    (folder / "work").mkdir()
    with (folder / "proxy.log").open("wb") as log:
        command = [sys.executable, "-m", "tests.faults.proxy", str(folder)]
        proxy = subprocess.Popen(command, cwd=ROOT, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + DEADLINE
        while not (folder / "proxy").exists():
            if proxy.poll() is not None or time.monotonic() > deadline:
                raise RuntimeError("The proxy did not start:\n" + (folder / "proxy.log").read_text())
            time.sleep(0.02)
        _lab("up", folder, "--authority", (folder / "proxy").read_text(), "--observe")
        yield folder
    finally:
        _lab("down", folder)
        proxy.kill()
        proxy.wait()


def _lab(command: str, folder: pathlib.Path, *flags: str) -> None:
    python = ROOT / ".venv-lab/bin/python"
    arguments = [str(python), "-m", "tests.lab", command, "--folder", str(folder / "lab"), *flags]
    subprocess.run(arguments, cwd=ROOT, check=True, timeout=300, stdout=subprocess.DEVNULL)


def _post(url: str, arguments: dict[str, Any]) -> Any:
    body = json.dumps(arguments).encode()
    request = urllib.request.Request(url, data=body, headers={"Content-Type": "application/json"})
    with urllib.request.urlopen(request, timeout=DEADLINE) as reply:
        return json.loads(reply.read())


# --- the process of a module


@functools.cache
def preload() -> None:
    """Import all that modules need, once for all that are forked from here."""
    sys.path.insert(0, str(ROOT / ".venv/collections"))
    import ansible.module_utils.testing  # noqa: F401
    import botocore.retries.bucket
    import botocore.retries.standard

    # Time is compressed: the pauses between two tries, and of who was throttled, are not what is tested.
    botocore.retries.standard.ExponentialBackoff.delay_amount = lambda _self, _context: 0.005
    botocore.retries.bucket.TokenBucket.__init__.__defaults__ = (1000,)  # calls a second, at least
    for name in (
        *("iam_ecr_pull_role", "ecr_repository_tag", "ecr_share_info", "ecr_access_info", "ecr_image_pull"),
        *("ecr_replication_info", "ecr_repository_creation_template", "ecr_registry_policy_statement"),
        *("ecr_replication_rule", "ecr_replication_backfill", "ecr_repository_policy_statement"),
        *("ecr_cache_info", "iam_ecr_cache_role", "ecr_pull_through_rule"),
    ):
        importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.modules.{name}")
    quick_python.preload()


def _be_the_module(invocation: Invocation, environment: dict[str, str], out: int) -> None:
    """In the child: run the module and end the process, whatever happens."""
    code = 70
    try:
        gc.disable()  # the process ends soon, and a collection would copy all memory
        signal.alarm(DEADLINE)
        os.environ.clear()
        os.environ.update(environment)
        os.dup2(out, 1)
        os.dup2(out, 2)
        sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8", write_through=True)
        sys.stderr = sys.stdout
        code = _main(invocation)
    except BaseException:
        import traceback

        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


def _main(invocation: Invocation) -> int:
    from ansible.module_utils.testing import patch_module_args

    module = importlib.import_module(f"ansible_collections.crossaccount.ecr.plugins.modules.{invocation['module']}")
    arguments = {name: value for name, value in invocation["arguments"].items() if value is not None}
    with patch_module_args({**arguments, "_ansible_check_mode": invocation["check"]}):
        try:
            module.main()
        except SystemExit as end:
            return int(end.code or 0)
    return 70
