# SPDX-License-Identifier: GPL-3.0-or-later
"""The fixtures of the tests of pages."""

from __future__ import annotations

from tests.support.fixtures import docker

__all__ = ["docker"]
