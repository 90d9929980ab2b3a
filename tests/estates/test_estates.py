# SPDX-License-Identifier: GPL-3.0-or-later
"""The verdicts of the audit agree with real calls to the lab, for random estates. `make estates` tries 300 of them."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tests.support.control import Control
from tests.support.lab import Lab

from .compare import compare
from .lab_estate import PROBE, Outside, created
from .random_estate import random_estate


@pytest.fixture(scope="module")
def outside(lab: Lab) -> Outside:
    return Outside(lab)


def report_of(control: Control) -> dict[str, Any]:
    result = control.module("ecr_audit_info", "owner", repository_tags=PROBE)
    assert "audit" in result, result
    return dict(result["audit"])


@pytest.mark.parametrize("seed", range(20))
def test_verdicts_agree_with_real_calls(control: Control, outside: Outside, seed: int) -> None:
    spec = random_estate(seed, outside.world)
    with created(control.lab, spec):
        report = report_of(control)
        result = compare(report, spec, outside, sample=20, seed=seed)
    assert result.wrong == [], json.dumps(result.wrong, indent=1)
    assert result.unknown <= len(outside.principals) * len(spec.repositories) * 5 * 0.01
