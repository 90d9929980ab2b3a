# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the random ends."""

from __future__ import annotations

from tests.support.fixtures import _quick_python, control

__all__ = ["_quick_python", "control"]
