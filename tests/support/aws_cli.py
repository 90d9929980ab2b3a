# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS CLI, unmodified, in its own virtual environment because it pins botocore. Created on first use."""

from __future__ import annotations

import fcntl
import pathlib
import subprocess
import sys

from tests.support.paths import ROOT

AWSCLI = "awscli==1.46.3"


def folder() -> pathlib.Path:
    """The folder of the program `aws`."""
    venv = ROOT / ".cache/bench/aws"
    ready = venv / "ready"
    venv.mkdir(parents=True, exist_ok=True)
    with (venv.parent / "aws.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run in parallel
        if not ready.exists() or ready.read_text() != AWSCLI:
            print(f"Installing {AWSCLI} into .cache/bench (once).", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", venv], check=True)
            pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "install", "--quiet"]
            subprocess.run([*pip, "--disable-pip-version-check", AWSCLI], check=True)
            ready.write_text(AWSCLI)
    return venv / "bin"
