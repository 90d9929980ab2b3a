# SPDX-License-Identifier: GPL-3.0-or-later
"""Why a task failed."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.filter.failure_reason import FilterModule


@pytest.mark.parametrize(
    ("failure", "reason"),
    [
        ({"msg": "It failed."}, "It failed."),
        ({"msg": "One or more items failed", "results": [{"failed": True, "msg": "a"}, {"msg": "b"}]}, "a"),
        ({"results": [{"failed": True, "msg": "a"}, {"failed": True, "msg": "c"}]}, "a\nc"),
        ({"results": [{"failed": True, "msg": "a"}, {"failed": True, "msg": "a"}]}, "a"),
        ({}, "no reason was given; see above"),
    ],
)
def test_the_reason(failure: dict[str, Any], reason: str) -> None:
    assert FilterModule().filters()["failure_reason"](failure) == reason
