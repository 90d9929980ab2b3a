# SPDX-License-Identifier: GPL-3.0-or-later
"""Paths of the repository."""

from __future__ import annotations

import pathlib

ROOT = pathlib.Path(__file__).parents[2]
LAB_PYTHON = ROOT / ".venv-lab/bin/python"
