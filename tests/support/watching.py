# SPDX-License-Identifier: GPL-3.0-or-later
"""Runs a command on a control node, and searches its processes and files for secrets."""

from __future__ import annotations

import contextlib
import itertools
import json
import os
import pathlib
import re
import signal
import stat
import subprocess
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from tests.lab import state
from tests.support.control import Control
from tests.support.forwarding import HoldingProxy
from tests.support.lab import Lab
from tests.support.paths import ROOT
from tests.support.secret_search import Secrets

ENGINES = ("docker", "podman", "skopeo", "oci_layout")
#: The engines that receive the registry token in a file.
PROGRAMS = ENGINES[:3]
MARK = "CROSSACCOUNT_TEST_RUN"
#: Replaces the functions of Python's module syslog with ones that write to a file, so that a test can read the log of
#: the host.
SYSLOG = """
import syslog

def write(priority, message):
    with open({path!r}, "a", encoding="utf-8") as file:
        file.write(message + "\\n")

syslog.openlog = lambda ident, option, facility: None
syslog.syslog = write
"""


#: Files of other programs that a run may leave in its folders.
LEFT_BY_OTHERS = re.compile(
    r"hosts\.yml|syslog|ansible\.log|python/.*"
    # Ansible's workers, which a signal ends where they stand: a module with its arguments, and the cache of modules.
    r"|remote/ansible-tmp-[^/]+/AnsiballZ_\w+\.py|ansible/tmp/ansible-local-[^/]+/.*"
    # skopeo's part of a layer, whichever signal it gets.
    r"|dest/skopeo/oci-put-blob\d+"
    # podman's own settings, and layers that came whole, for the next try.
    r"|home/\.(?:config|local)/.*|dest/(?:oci|skopeo)/(?:oci-layout|index\.json|blobs/sha256/[0-9a-f]{64})"
)


class FileSnapshot(NamedTuple):
    """The state of a file at one time."""

    path: pathlib.Path
    mode: int
    folder_mode: int
    content: bytes


class Site(Control):
    """A control node that writes to watched folders only. Its inventory has one host for each engine."""

    def __init__(
        self, lab: Lab, folder: pathlib.Path, proxy: HoldingProxy, digest: str, engines: dict[str, str]
    ) -> None:
        super().__init__(lab, folder)
        self.proxy, self.digest, self.engines = proxy, digest, engines
        self._numbers = itertools.count(1)
        configuration = (lab.folder / state.CONFIG).read_text(encoding="utf-8")
        self.keys = re.findall(r"aws_secret_access_key = (\S+)", configuration)
        proxied = lab.folder / "aws-config-proxied"
        proxied.touch(0o600)
        proxied.write_text(configuration.replace(proxy.behind, proxy.here), encoding="utf-8")
        self.through = {"AWS_CONFIG_FILE": str(proxied)}
        self.begin()

    def begin(self) -> None:
        """Prepare a run: create folders, delete the images from the engines, and let the proxy forward everything."""
        self.proxy.pass_on()
        self.mark = f"{os.getpid()}-{next(self._numbers)}"
        self.run_folder = self.folder / f"run-{self.mark}"
        self.syslog, self.log = self.run_folder / "syslog", self.run_folder / "ansible.log"
        for name in ("tmp", "home", "ansible", "remote", "python", "dest"):
            (self.run_folder / name).mkdir(parents=True)
        (self.run_folder / "python/sitecustomize.py").write_text(SYSLOG.format(path=str(self.syslog)), encoding="utf-8")
        for engine in ("docker", "podman"):
            name = f"{self.proxy.here}/release"
            command = [engine, "images", "--quiet", "--filter", f"reference={name}*"]
            environment = {**os.environ, **self.engines}
            listed = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
            if identifiers := sorted(set(listed.stdout.split())):
                subprocess.run(
                    [engine, "rmi", "--force", *identifiers], env=environment, capture_output=True, check=True
                )

    def environment(self, profile: str | None) -> dict[str, str]:
        return {
            **super().environment(profile),
            **self.through,
            MARK: self.mark,
            "HOME": str(self.run_folder / "home"),
            "TMPDIR": str(self.run_folder / "tmp"),
            "ANSIBLE_HOME": str(self.run_folder / "ansible"),
            "ANSIBLE_REMOTE_TMP": str(self.run_folder / "remote"),
            "ANSIBLE_LOG_PATH": str(self.log),
            "ANSIBLE_SHOW_CUSTOM_STATS": "true",
            "PYTHONPATH": str(self.run_folder / "python"),
        }

    def inventory(self, *engines: str) -> str:
        """The path of an inventory with one host for each engine, which has the name of the engine."""
        dests = {
            "skopeo": f"oci:{self.run_folder}/dest/skopeo:{{image_tag}}",
            "oci_layout": f"{self.run_folder}/dest/oci",
        }
        hosts = {
            engine: {
                "ansible_connection": "local",
                "ansible_python_interpreter": "{{ ansible_playbook_python }}",
                "ecr_pull_engine": engine,
                **({"ecr_pull_dest": dests[engine]} if engine in dests else {}),
            }
            for engine in engines
        }
        path = self.run_folder / "hosts.yml"
        path.write_text(json.dumps({"all": {"hosts": hosts}}), encoding="utf-8")
        return str(path)

    def pull_arguments(self, credentials: str, *engines: str, **variables: Any) -> list[Any]:
        """The arguments of `ansible-playbook` that pull into these engines in parallel."""
        options = {
            "ecr_pull_credentials": credentials,
            "ecr_pull_images": ["release:noise"],
            "ecr_pull_wait_timeout": 0,
        }
        arguments = ["-i", self.inventory(*engines), "playbooks/pull.yml"]
        return [*arguments, "-e", f"ecr_pull_handoff={self.handoff}", "-e", json.dumps({**options, **variables})]

    def watch(
        self,
        command: list[Any],
        profile: str | None = "consumer",
        /,
        secrets: Iterable[str] = (),
        act: Callable[[Watch], None] | None = None,
        held: int = len(ENGINES),
        environment: Mapping[str, str] | None = None,
    ) -> Watch:
        """Run a command, and watch it until all its processes have ended.

        :param secrets: secrets to search for, in addition to those that the lab issues
        :param act: is called when the proxy holds back `held` pulls
        """
        recorded = self.lab.folder / state.SECRETS
        recorded.write_text("", encoding="utf-8")
        try:
            watch = Watch(self)
            watch.run(command, {**self.environment(profile), **(environment or {})}, act, held)
            watch.secrets = Secrets([*self.keys, *secrets, *recorded.read_text(encoding="utf-8").split()])
        finally:
            recorded.unlink()
            self.proxy.released.set()
        return watch


def left(site: Site) -> list[str]:
    """The files of the run that are still there, but for those of others."""
    names = [str(path.relative_to(site.run_folder)) for path in site.run_folder.rglob("*") if not path.is_dir()]
    return [name for name in names if not LEFT_BY_OTHERS.fullmatch(name)]


class Watch:
    """The processes and files of one run, as another user of the machine could read them, and the files that remain."""

    def __init__(self, site: Site) -> None:
        self.site, self.started, self.older = site, time.time() - 0.1, {*_pids()}
        self.processes: dict[bytes, str] = {}
        self.files: dict[tuple[Any, ...], FileSnapshot] = {}
        self.output, self.errors, self.code = "", "", -1
        self.programs: set[str] = set()
        self.secrets = Secrets(site.keys)

    def run(
        self, command: list[Any], environment: dict[str, str], act: Callable[[Watch], None] | None, held: int
    ) -> None:
        with tempfile.TemporaryFile("w+") as output, tempfile.TemporaryFile("w+") as errors:
            self.process = subprocess.Popen(
                command, cwd=ROOT, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=errors, text=True
            )
            deadline = time.monotonic() + 600
            try:
                while self.process.poll() is None or self.running():
                    assert time.monotonic() < deadline, f"still running: {self.running()}"
                    self.record(self.site.run_folder)
                    if act and len(self.site.proxy.held) >= held:
                        self.record(*self.writable_paths())
                        self.programs = {pathlib.Path(arguments[0]).name for _pid, arguments in self._marked()}
                        act(self)
                        act = None
                    time.sleep(0.05)
            finally:
                self.process.kill()
                self.process.wait(300)
                for pid, _arguments in self._marked():  # processes remain only if a test fails
                    with contextlib.suppress(ProcessLookupError):
                        os.kill(pid, signal.SIGKILL)
            for file in (output, errors):
                file.seek(0)
            self.output, self.errors = output.read(), errors.read()
        assert act is None, self
        self.code = self.process.returncode
        self.log, self.syslog = (
            path.read_text(encoding="utf-8") if path.exists() else "" for path in (self.site.log, self.site.syslog)
        )
        self.during, self.files = self.files, {}
        self.record(*self.writable_paths())
        self.record_processes(self.older)

    def __repr__(self) -> str:
        return f"exit status {self.code}\n{self.output}{self.errors}"

    def record(self, *folders: pathlib.Path) -> None:
        """Record the arguments and the environment of every new process, and the files in these folders."""
        self.record_processes({*_pids()} - self.older)
        for folder in folders:
            for path, file in changed(folder, self.started, self.site.lab.folder):
                try:
                    folder_mode = stat.S_IMODE(path.parent.stat().st_mode)
                    key = (path, file.st_ino, file.st_mtime_ns, file.st_ctime_ns, file.st_size, folder_mode)
                    if key not in self.files:
                        self.files[key] = FileSnapshot(path, stat.S_IMODE(file.st_mode), folder_mode, path.read_bytes())
                except OSError:
                    continue  # the file was deleted

    def record_processes(self, pids: Iterable[str]) -> None:
        for pid in pids:
            for name in ("cmdline", "environ"):
                self.processes.setdefault(_of_process(pid, name), f"{name} of process {pid}")

    def writable_paths(self) -> list[pathlib.Path]:
        """The paths at which a run could leave a file."""
        system, home, own = pathlib.Path(tempfile.gettempdir()), pathlib.Path.home(), self.site.folder.parent
        return [
            own,  # includes the folders of the engines
            *(path for path in system.iterdir() if path not in own.parents and _is_newer(path, self.started)),
            *map(pathlib.Path, ("/var/tmp", "/run", "/dev/shm", "/var/log", "/var/lib/containers")),  # noqa: S108
            *(home / name for name in (".ansible", ".aws", ".docker", ".config/containers", ".local/share/containers")),
            ROOT / ".venv/ansible-home",
        ]

    def running(self) -> list[str]:
        """The processes of the run that have not ended."""
        return [f"{pid} {' '.join(arguments)}" for pid, arguments in self._marked()]

    def modules(self) -> list[int]:
        """The IDs of the processes of the module ecr_image_pull."""
        return [
            pid
            for pid, (program, *arguments) in self._marked()
            if "python" in program and (not arguments or "AnsiballZ_ecr_image_pull" in arguments[-1])
        ]

    def _marked(self) -> list[tuple[int, list[str]]]:
        mark = f"{MARK}={self.site.mark}\0".encode()
        return [
            (int(pid), _of_process(pid, "cmdline").decode(errors="replace").rstrip("\0").split("\0"))
            for pid in {*_pids()} - self.older
            if mark in _of_process(pid, "environ")
        ]

    def secrets_in_output(self) -> set[str]:
        """The secrets in the output, in the log of Ansible, and in the log of the host."""
        texts = (self.output, self.errors, self.log, self.syslog)
        return set().union(*(self.secrets.within(text.encode()) for text in texts))

    def processes_with_secrets(self) -> list[str]:
        """The processes that had a secret in their arguments or environment."""
        return [
            f"{where}: {content[:80]!r}" for content, where in self.processes.items() if self.secrets.within(content)
        ]

    def files_with_secrets(self) -> set[tuple[str, str, str]]:
        """The files that contained a secret during the run: names, modes, and the modes of their folders."""
        files = [file for file in self.during.values() if self.secrets.within(file.content)]
        return {(file.path.name, f"{file.mode:o}", f"{file.folder_mode:o}") for file in files}

    def remaining_files_with_secrets(self) -> list[str]:
        """The files that contain a secret after the run."""
        return [str(file.path) for file in self.files.values() if self.secrets.within(file.content)]


def _pids() -> Iterator[str]:
    return filter(str.isdigit, os.listdir("/proc"))


def _of_process(pid: str, name: str) -> bytes:
    """A file of a process in `/proc`, without the costs of pathlib; empty if the process ended."""
    try:
        with open(f"/proc/{pid}/{name}", "rb", buffering=0) as file:
            return file.read()
    except OSError:
        return b""


def _is_newer(path: pathlib.Path, since: float) -> bool:
    try:
        return path.lstat().st_ctime >= since
    except OSError:
        return False  # the file was deleted


def changed(
    path: str | pathlib.Path, since: float, excluded: pathlib.Path
) -> Iterator[tuple[pathlib.Path, os.stat_result]]:
    """The files at a path, which may be a folder, that were created or changed since a time.

    :param excluded: a folder that is not searched
    """
    try:
        file = os.lstat(path)
        if stat.S_ISREG(file.st_mode) and max(file.st_mtime, file.st_ctime) >= since:
            yield pathlib.Path(path), file
        elif stat.S_ISDIR(file.st_mode) and os.fspath(path) != os.fspath(excluded):
            for name in os.listdir(path):
                yield from changed(os.path.join(path, name), since, excluded)
    except OSError:
        return  # the file was deleted
