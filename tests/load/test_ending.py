# SPDX-License-Identifier: GPL-3.0-or-later
"""Access of one consumer ends within a second and never affects the others. `make load` has 20 consumers."""

from __future__ import annotations

from tests.support.control import Control

from .ending import LIMIT, Load

CONSUMERS, PULLS = 5, 50


def test_ends_of_access_under_load(control: Control) -> None:
    result = Load(control, CONSUMERS, PULLS).run()
    assert (result.failures, result.problems) == ([], [])
    assert result.pulls >= PULLS
    assert max(result.late.values()) < LIMIT
