# SPDX-License-Identifier: GPL-3.0-or-later
"""The demo convinces in a screenful, leaves nothing behind, and fails if a denial that it announces does not happen."""

from __future__ import annotations

import os
import pathlib
import shutil
import subprocess

import pytest

from tests.support.paths import ROOT

TABLE = """
   REPOSITORY  EXPECTED  DESCRIBE  MANIFEST  LAYER    TOKEN    VERDICT
   release     readable  allowed   allowed   allowed  allowed  pass
   develop     denied    denied    denied    denied   allowed  pass

   role refused without the external ID: true
"""


def test_the_demo_shows_the_table_and_leaves_nothing_behind(tmp_path: pathlib.Path) -> None:
    demo = run(ROOT, tmp_path)
    assert (demo.returncode, demo.stderr) == (0, ""), demo.stdout + demo.stderr
    assert TABLE in demo.stdout
    assert len(demo.stdout.splitlines()) <= 28, demo.stdout
    assert list(tmp_path.iterdir()) == []
    assert processes_with(str(tmp_path)) == []


def test_the_demo_fails_if_nothing_is_denied(tmp_path: pathlib.Path) -> None:
    clone = tmp_path / "clone"
    for part in ("tests", "playbooks"):
        shutil.copytree(ROOT / part, clone / part, ignore=shutil.ignore_patterns("__pycache__", "output"))
    for name in ("ansible.cfg", ".venv", ".venv-lab"):
        (clone / name).symlink_to(ROOT / name)
    scenario = clone / "playbooks/vars/scenario.yml"
    scenario.write_text(scenario.read_text().replace("  - release\n", "  - release\n  - develop\n", 1))
    scenario.write_text(scenario.read_text().replace("ecr_share_denied:\n  - develop\n", "ecr_share_denied: []\n"))
    folder = tmp_path / "temporary"
    folder.mkdir()
    demo = run(clone, folder)
    assert demo.returncode == 1, demo.stdout + demo.stderr
    assert "The consumer account was not denied the repository develop" in demo.stderr
    assert list(folder.iterdir()) == []


@pytest.mark.parametrize(
    ("python", "reason"),
    [
        ("echo 3.9; exit 1", "Python 3.11 or later is needed. {} is 3.9."),
        ("exit 127", "Python 3.11 or later is needed. {} is not a Python."),
    ],
)
def test_an_unsuitable_python_is_named(tmp_path: pathlib.Path, python: str, reason: str) -> None:
    program = tmp_path / "python"
    program.write_text(f"#!/bin/sh\n{python}\n")
    program.chmod(0o755)
    venv = tmp_path / "venv"
    process = subprocess.run(
        [ROOT / "tests/make-venv", program, venv, "requirements.txt", "a minute"],
        capture_output=True,
        text=True,
        check=False,
    )
    assert (process.returncode, process.stdout) == (1, "")
    assert process.stderr.startswith(reason.format(program))
    assert not venv.exists()


def run(clone: pathlib.Path, folder: pathlib.Path) -> subprocess.CompletedProcess[str]:
    """The demo with its temporary files in `folder`, no HOME, and settings that it must not use."""
    return subprocess.run(
        [clone / "tests/demo"],
        env={
            "PATH": os.environ["PATH"],
            "TMPDIR": str(folder),
            "AWS_PROFILE": "another",
            "ANSIBLE_STDOUT_CALLBACK": "minimal",
        },
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )


def processes_with(text: str) -> list[str]:
    """The command lines of the running processes that name `text`."""
    found = []
    for path in pathlib.Path("/proc").glob("[0-9]*/cmdline"):
        try:
            command = path.read_bytes().replace(b"\0", b" ").decode(errors="replace")
        except OSError:
            continue
        if text in command:
            found.append(command)
    return found
