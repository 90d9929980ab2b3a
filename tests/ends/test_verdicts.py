# SPDX-License-Identifier: GPL-3.0-or-later
"""Access ends exactly at its end, for each of the five operations. `make ends` tries 10,000 verdicts."""

from __future__ import annotations

from tests.support.lab import Lab

from .shares import FORMS, Ground
from .verdicts import OPERATIONS, TIMES, verdicts

#: Two ends of each form.
COUNT = 2 * len(FORMS) * TIMES * len(OPERATIONS)


def test_verdicts_are_exact_to_the_second(lab: Lab) -> None:
    found = verdicts(Ground(lab), 0, COUNT)
    assert found.wrong == []
    assert 0.3 < found.allowed / found.total < 0.7
