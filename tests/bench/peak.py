# SPDX-License-Identifier: GPL-3.0-or-later
"""`python peak.py FILE COMMAND …`: run a command, and add to FILE how much memory a process of it took at most, in KiB.

A small process starts the command: a new process begins with the memory of its parent.
"""

from __future__ import annotations

import os
import subprocess
import sys

file, *command = sys.argv[1:]
_pid, status, usage = os.wait4(subprocess.Popen(command).pid, 0)
with open(file, "a", encoding="utf-8") as lines:
    lines.write(f"{usage.ru_maxrss}\n")
sys.exit(os.waitstatus_to_exitcode(status))
