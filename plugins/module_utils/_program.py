# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Runs a container program of this host. The registry token reaches it in a private file, for the time of one run."""

from __future__ import annotations

import contextlib
import json
import os
import pathlib
import re
import shutil
import subprocess
import tempfile
import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._registry import Registry
from ansible_collections.crossaccount.ecr.plugins.module_utils._response_error import without_queries
from ansible_collections.crossaccount.ecr.plugins.module_utils._signals import interruptible
from ansible_collections.crossaccount.ecr.plugins.module_utils._status import megabytes, size_of

#: Where podman and skopeo keep layers during a transfer by default: containers.conf(5).
LARGE_FILES = os.path.join(os.sep, "var", "tmp")
Finished = subprocess.CompletedProcess[str]


class Program:
    """A program of this host.

    :param temporary: a folder of this module only, for private files
    """

    def __init__(self, name: str, temporary: str) -> None:
        self.name, self._temporary = name, temporary
        self._program = shutil.which(name)
        #: The paths that a transfer writes to, and the bytes that were there before.
        self._growing: tuple[str, ...] = ()
        self._size_before = 0

    def status(self) -> str:
        """The megabytes that the program wrote to this host during a transfer."""
        written = sum(map(size_of, self._growing)) - self._size_before
        return f"{megabytes(written)} MB" if written > 0 else ""

    @property
    def is_installed(self) -> bool:
        return bool(self._program)

    def connection_problems(self) -> t.Iterator[str]:
        """Why the program cannot be used."""
        if not self._program:
            yield f"{self.name} is not installed (no such program in PATH)"

    def _run(self, *arguments: str, output: t.IO[str] | int = subprocess.PIPE, **variables: str) -> Finished:
        # No AWS credentials for others. subprocess.run kills the program when this process is interrupted.
        environment = {name: value for name, value in os.environ.items() if not name.startswith("AWS_")}
        return subprocess.run(
            [str(self._program), *arguments],
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.PIPE,
            text=True,
            errors="replace",
            check=False,
            env={**environment, **variables},
        )

    @contextlib.contextmanager
    def _private_login(self, registry: Registry, contexts: pathlib.Path | None = None) -> t.Iterator[pathlib.Path]:
        """A folder (0700) with a `config.json` (0600) that holds the token. It is removed afterwards, even on SIGTERM.

        :param contexts: docker's folder of contexts, which the private folder then has, too
        """
        with interruptible():
            folder = pathlib.Path(tempfile.mkdtemp(dir=self._temporary))
            try:
                handle = os.open(folder / "config.json", os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
                with os.fdopen(handle, "w") as file:
                    json.dump({"auths": {registry.host: {"auth": registry.authorization}}}, file)
                if contexts:
                    (folder / "contexts").symlink_to(contexts)
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)

    @contextlib.contextmanager
    def _large_files(self, parent: str, *others: str) -> t.Iterator[str]:
        """A folder for layers during a transfer, removed afterwards: podman and skopeo leave theirs when killed.

        :param others: further paths that the transfer writes to
        """
        with interruptible(), tempfile.TemporaryDirectory(dir=parent, prefix="crossaccount.ecr-") as folder:
            self._size_before, self._growing = sum(map(size_of, others)), (folder, *others)
            try:
                yield folder
            finally:
                self._growing, self._size_before = (), 0

    @contextlib.contextmanager
    def _tls(self, registry: Registry, prefix: str = "") -> t.Iterator[list[str]]:
        """The options of podman and skopeo for the verification of the registry's certificate."""
        options = [] if registry.validate_certs and not registry.plain_http else [f"--{prefix}tls-verify=false"]
        if not registry.ca_path:
            yield options
            return
        with tempfile.TemporaryDirectory(dir=self._temporary) as folder:
            shutil.copyfile(registry.ca_path, pathlib.Path(folder, "ca.crt"))
            yield [*options, f"--{prefix}cert-dir={folder}"]


def json_of(process: Finished, what: str) -> object:
    """The JSON that a program wrote.

    :param what: the program and its arguments, for the message
    """
    try:
        document: object = json.loads(process.stdout)
    except (ValueError, RecursionError):
        raise EcrError(f"{what} did not return JSON. Run it to see its output.") from None
    return document


def last_line(process: Finished) -> str:
    """The last line that a program wrote, which has its error, without the queries of presigned URLs."""
    lines = (process.stderr or process.stdout).strip().splitlines()
    if not lines:
        return f"exit status {process.returncode}"
    logged = re.search(r'level=fatal msg="(.*)"$', lines[-1])  # the log format of skopeo
    return without_queries(logged[1].replace('\\"', '"') if logged else lines[-1])
