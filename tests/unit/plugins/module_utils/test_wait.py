"""Waiting until AWS reads back what was written."""

from __future__ import annotations

from typing import Any

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils._errors import EcrError
from ansible_collections.crossaccount.ecr.plugins.module_utils._wait import wait_until_read_back

OPTIONS: dict[str, Any] = {"wait": True, "wait_timeout": 60, "wait_interval": 0}


@pytest.mark.parametrize(
    ("answers", "reads"),
    [
        ([[], [], []], 3),
        ([["the role"], [], [], []], 4),
        ([[], ["the role"], [], ["the role"], [], [], []], 7),  # agreement must be unbroken
    ],
)
def test_it_takes_several_reads_in_a_row(answers: list[list[str]], reads: int) -> None:
    left = list(answers)
    wait_until_read_back(lambda: left.pop(0), OPTIONS)
    assert len(answers) - len(left) == reads


def test_at_the_deadline_the_error_says_what_is_missing() -> None:
    with pytest.raises(EcrError, match=r"after 0 seconds AWS does not read back the trust, the policy\. Run again"):
        wait_until_read_back(lambda: ["the trust", "the policy"], {**OPTIONS, "wait_timeout": 0})


def test_without_wait_nothing_is_read() -> None:
    wait_until_read_back(lambda: pytest.fail("read"), {**OPTIONS, "wait": False})
