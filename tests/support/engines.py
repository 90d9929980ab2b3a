# SPDX-License-Identifier: GPL-3.0-or-later
"""A private dockerd for the tests."""

from __future__ import annotations

import contextlib
import os
import pathlib
import subprocess
import time
from collections.abc import Iterator, Sequence


@contextlib.contextmanager
def dockerd(folder: pathlib.Path, inside: Sequence[str] = ()) -> Iterator[dict[str, str]]:
    """Start a private dockerd. Yields the environment variables for its clients. A missing dockerd is an error.

    :param inside: the words before the command, if dockerd runs in namespaces
    """
    folder.mkdir(exist_ok=True)
    socket = folder / "docker.sock"
    options = {
        "--host": f"unix://{socket}",
        "--data-root": folder / "data",
        "--exec-root": folder / "exec",
        "--pidfile": folder / "pid",
        "--storage-driver": "vfs",
        "--iptables": "false",
        "--ip6tables": "false",
        "--bridge": "none",
        "--max-download-attempts": "1",  # otherwise it retries an interrupted layer for more than a minute
    }
    with (folder / "log").open("wb") as log:
        command = [*inside, "dockerd", *(f"{name}={value}" for name, value in options.items())]
        daemon = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=log, stderr=log)
    environment = {"DOCKER_HOST": f"unix://{socket}"}
    try:
        deadline = time.monotonic() + 300
        while subprocess.run(
            ["docker", "info"], env={**os.environ, **environment}, capture_output=True, check=False
        ).returncode:
            if daemon.poll() is not None or time.monotonic() > deadline:
                raise AssertionError("dockerd did not start:\n" + (folder / "log").read_text())
            time.sleep(0.1)
        yield environment
    finally:
        if daemon.poll() is None:
            # The daemon's own process. In namespaces, its file has another pid.
            subprocess.run([*inside, "kill", (folder / "pid").read_text()], check=True)
        daemon.wait(300)
