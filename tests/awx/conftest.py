# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the tests of the AWX pattern."""

from __future__ import annotations

from tests.awx.pattern import awx

__all__ = ["awx"]
