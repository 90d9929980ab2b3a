# SPDX-License-Identifier: GPL-3.0-or-later
"""The AWS CLI, unmodified, in a virtual environment of its own, for it pins botocore; made on first use."""

from __future__ import annotations

import fcntl
import pathlib
import subprocess
import sys

from tests.support.paths import ROOT

AWSCLI = "awscli==1.46.3"


def folder() -> pathlib.Path:
    """Where `aws` is."""
    venv = ROOT / ".cache/bench/aws"
    ready = venv / "ready"
    venv.mkdir(parents=True, exist_ok=True)
    with (venv.parent / "aws.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)  # tests run beside each other
        if not ready.exists() or ready.read_text() != AWSCLI:
            print(f"Installing {AWSCLI} into .cache/bench (once).", file=sys.stderr)
            subprocess.run([sys.executable, "-m", "venv", "--clear", "--without-pip", venv], check=True)
            pip = [sys.executable, "-m", "pip", "--python", str(venv / "bin/python"), "install", "--quiet"]
            subprocess.run([*pip, "--disable-pip-version-check", AWSCLI], check=True)
            ready.write_text(AWSCLI)
    return venv / "bin"
