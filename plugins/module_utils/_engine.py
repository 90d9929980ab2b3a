# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
"""docker and podman, by their command lines. The token reaches them in a private file for the time of one pull."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry

ENGINES = ("docker", "podman")


class Engine:
    """A container engine of this host.

    :param name: `docker` or `podman`
    :param temporary: a folder of this module's own, for the private file
    """

    def __init__(self, name: str, temporary: str) -> None:
        self.name, self._temporary = name, temporary
        self._program = shutil.which(name)
        self._options: list[str] = []

    def problem(self) -> str | None:
        """Why the engine can not be used, or None."""
        if not self._program:
            return f"{self.name} is not installed (no such program in PATH)"
        if self.name == "docker":
            # The private configuration would hide the user's context: name its engine.
            host = self._run("context", "inspect", "--format", "{{.Endpoints.docker.Host}}")
            if host.returncode == 0 and host.stdout.strip():
                self._options = ["--host", host.stdout.strip()]
        answer = self._run("info", "--format", "{{json .}}")
        # The docker client exits with 0 in some versions although no engine answered.
        if answer.returncode or '"ServerErrors":["' in answer.stdout:
            return f"{self.name} is installed but its engine does not answer: {_last_line(answer)}"
        return None

    def has(self, reference: str, name: str | None) -> bool:
        """Whether the image `reference` (by digest) is here, and `name` is this image's name."""
        image = self._identifier(reference)
        return image is not None and (name is None or self._identifier(name) == image)

    def pull(self, reference: str, registry: Registry) -> None:
        """Pull an image by its digest, which the engine checks."""
        with self._private_login(registry) as folder:
            if self.name == "docker":
                pulled = self._run("pull", "--quiet", reference, global_options=["--config", folder])
            else:
                tls = ["--tls-verify=false"] if registry.plain_http else []
                pulled = self._run("pull", "--quiet", f"--authfile={folder}/config.json", *tls, reference)
        if pulled.returncode:
            raise EcrError(f"{self.name} could not pull {reference}: {_last_line(pulled)}")
        if self._identifier(reference) is None:
            raise EcrError(f"{self.name} pulled {reference}, but has no image of that digest.")

    def name_image(self, reference: str, name: str) -> None:
        """Give the image a name with an image tag."""
        done = self._run("tag", reference, name)
        if done.returncode:
            raise EcrError(f"{self.name} could not name {reference} {name}: {_last_line(done)}")

    def _identifier(self, reference: str) -> str | None:
        found = self._run("image", "inspect", "--format", "{{.Id}}", reference)
        return found.stdout.strip() if found.returncode == 0 else None

    def _run(self, *arguments: str, global_options: t.Sequence[str] = ()) -> subprocess.CompletedProcess[str]:
        command = [str(self._program), *global_options, *self._options, *arguments]
        # subprocess.run kills the engine's client when this process is interrupted.
        return subprocess.run(command, stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False)

    @contextlib.contextmanager
    def _private_login(self, registry: Registry) -> t.Iterator[str]:
        """A folder (0700) with a `config.json` (0600) that holds the token, gone afterwards, also on SIGTERM."""
        with interruptible():
            folder = tempfile.mkdtemp(dir=self._temporary)
            try:
                path = pathlib.Path(folder, "config.json")
                with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
                    json.dump({"auths": {registry.host: {"auth": registry.authorization}}}, file)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def interruptible() -> t.Iterator[None]:
    """Within, SIGTERM and SIGHUP run the `finally` clauses, as Ctrl-C does."""

    def stop(number: int, _frame: t.Any) -> None:
        for other in before:
            signal.signal(other, signal.SIG_IGN)  # a second signal must not interrupt the `finally` clauses
        raise SystemExit(128 + number)

    wanted = [one for one in (signal.SIGTERM, signal.SIGHUP) if signal.getsignal(one) != signal.SIG_IGN]  # nohup
    before = {number: signal.signal(number, stop) for number in wanted}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def choose_engine(wanted: str, temporary: str) -> Engine | None:
    """The engine to use; None for `oci_layout`. `auto` takes docker, else podman, else `oci_layout`.

    :raises EcrError: when the engine asked for can not be used
    """
    if wanted == "oci_layout":
        return None
    for name in ENGINES if wanted == "auto" else (wanted,):
        engine = Engine(name, temporary)
        problem = engine.problem()
        if problem is None:
            return engine
        if wanted != "auto":
            raise EcrError(f"Engine {name} can not be used: {problem}. Start it, or choose another engine.")
    return None


def _last_line(process: subprocess.CompletedProcess[str]) -> str:
    lines = (process.stderr or process.stdout).strip().splitlines()
    return lines[-1] if lines else f"exit status {process.returncode}"
