# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the tests of the AWX pattern."""

from __future__ import annotations

from tests.awx.pattern import awx
from tests.support.fixtures import _quick_python

__all__ = ["_quick_python", "awx"]
