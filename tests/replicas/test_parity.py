# SPDX-License-Identifier: GPL-3.0-or-later
"""A replication that is killed after a write is complete after the next run. `make replicas` has 2,000 images."""

from __future__ import annotations

import subprocess
import sys

from tests.support.paths import ROOT


def test_killed_replication_is_resumed() -> None:
    # The runs are forked from a process that has no other threads.
    command = [sys.executable, "-m", "tests.replicas", "--brief", "--count", "12"]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=600, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "23 images and signatures, 2 kills, 0 problems;" in done.stdout
