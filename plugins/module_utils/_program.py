# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and behavior may change in any release.
"""Runs a container program on this host. A private file contains the registry token during a run."""

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

#: The default folder of podman and skopeo for layers during a transfer. Source: containers.conf(5).
LARGE_FILES = os.path.join(os.sep, "var", "tmp")
Finished = subprocess.CompletedProcess[str]


class Program:
    """A container program on this host.

    :param temporary: a private folder of this module
    """

    def __init__(self, name: str, temporary: str) -> None:
        self.name, self._temporary = name, temporary
        self._program = shutil.which(name)
        #: The paths to which a transfer writes, and their size in bytes before the transfer.
        self._growing: tuple[str, ...] = ()
        self._size_before = 0

    def status(self) -> str:
        """The size of the files that the program has written during the transfer, in megabytes."""
        written = sum(map(size_of, self._growing)) - self._size_before
        return f"{megabytes(written)} MB" if written > 0 else ""

    @property
    def is_installed(self) -> bool:
        return bool(self._program)

    def connection_problems(self) -> t.Iterator[str]:
        """Reasons why the program cannot be used."""
        if not self._program:
            yield f"{self.name} is not installed (no such program in PATH)"

    def _run(self, *arguments: str, output: t.IO[str] | int = subprocess.PIPE, **variables: str) -> Finished:
        # The program gets no AWS credentials. subprocess.run kills it if this process is interrupted.
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
        """Context manager with a private folder (0700) that has a `config.json` (0600) with the token.

        The folder is removed afterwards, even on SIGTERM.

        :param contexts: the folder of docker's contexts to add to the private folder; None for no contexts
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
        """Context manager with a folder for layers during a transfer. The folder is removed afterwards.

        podman and skopeo do not remove their own folders when they are killed.

        :param others: further paths to which the transfer writes
        """
        with interruptible(), tempfile.TemporaryDirectory(dir=parent, prefix="crossaccount.ecr-") as folder:
            self._size_before, self._growing = sum(map(size_of, others)), (folder, *others)
            try:
                yield folder
            finally:
                self._growing, self._size_before = (), 0

    @contextlib.contextmanager
    def _tls(self, registry: Registry, prefix: str = "") -> t.Iterator[list[str]]:
        """Context manager with the options of podman and skopeo that verify the certificate of the registry."""
        options = [] if registry.validate_certs and not registry.plain_http else [f"--{prefix}tls-verify=false"]
        if not registry.ca_path:
            yield options
            return
        with tempfile.TemporaryDirectory(dir=self._temporary) as folder:
            shutil.copyfile(registry.ca_path, pathlib.Path(folder, "ca.crt"))
            yield [*options, f"--{prefix}cert-dir={folder}"]


def json_of(process: Finished, label: str) -> object:
    """The JSON in the output of a program.

    :param label: the program and its arguments, for messages
    """
    try:
        document: object = json.loads(process.stdout)
    except (ValueError, RecursionError):
        raise EcrError(f"{label} did not return JSON. Run it to see its output.") from None
    return document


def last_line(process: Finished) -> str:
    """The last line of a program's output, which has the error. The queries of presigned URLs are removed."""
    lines = (process.stderr or process.stdout).strip().splitlines()
    if not lines:
        return f"exit status {process.returncode}"
    logged = re.search(r'level=fatal msg="(.*)"$', lines[-1])  # the log format of skopeo
    return without_queries(logged[1].replace('\\"', '"') if logged else lines[-1])
