# SPDX-License-Identifier: GPL-3.0-or-later
"""A long pull shows its progress while it runs."""

from __future__ import annotations

import pathlib
import re
import subprocess

import pytest

from tests.support.control import BIN
from tests.support.paths import ROOT
from tests.support.waiting import until
from tests.support.watching import ENGINES, Site

pytestmark = pytest.mark.engine

#: Host, task, image, status, seconds.
LINE = re.compile(r"(?m)^(\w+): [^:\n]+ : [^:\n]+: (release:noise): (.+), \d+ s$")


@pytest.mark.parametrize("credentials", ["host", "control_node"])
def test_long_pull_shows_its_progress(site: Site, tmp_path: pathlib.Path, credentials: str) -> None:
    """The registry holds each layer halfway until the lines have been shown."""
    if not site.handoff.exists():
        assert site.share().code == 0
    site.begin()
    site.proxy.hold()
    path = tmp_path / "output"
    with path.open("wb") as output:
        process = subprocess.Popen(
            [BIN / "ansible-playbook", *site.pull_arguments(credentials, *ENGINES)],
            cwd=ROOT,
            env={**site.environment("consumer"), "PYTHONUNBUFFERED": "1"},  # as the option docs state for a pipe
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
        )

    def shown() -> dict[str, str]:
        """The last status of each host."""
        return {match[1]: match[3] for match in LINE.finditer(path.read_text("utf-8"))}

    try:
        until(lambda: set(shown()) == set(ENGINES) or process.poll() is not None, "not all hosts show a line", 180)
        statuses = shown()
        assert process.poll() is None, path.read_text("utf-8")
        site.proxy.released.set()
        assert process.wait(300) == 0
    finally:
        site.proxy.released.set()
        site.proxy.pass_on()
        process.kill()
        process.wait(300)
    assert re.fullmatch(r"\d of [12] layers", statuses.pop("docker"))
    assert re.fullmatch(r"0\.\d of 0\.\d MB", statuses.pop("oci_layout"))
    assert set(statuses) == {"podman", "skopeo"}
    assert all(re.fullmatch(r"0\.\d MB", status) for status in statuses.values()), statuses
