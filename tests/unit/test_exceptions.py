# SPDX-License-Identifier: GPL-3.0-or-later
"""An exception of any class, raised at any call of any module, ends in one message and in no wrong result.

The classes are in three parts. A call meets one of them, and the next call the next one.
"""

from __future__ import annotations

import pytest
from ansible_collections.crossaccount.ecr.plugins.module_utils import _session

from tests.unit.exceptions import each_exception
from tests.unit.fake_aws import FakeAws
from tests.unit.module_cases import CASES, WRITING, Case, Result, is_reported, run_module

pytestmark = pytest.mark.usefixtures("at_once")

PARTS = 3


def run(case: Case, aws: FakeAws) -> tuple[Result, str]:
    """The result of the module, and its warnings; `aws` replaces its clients."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(_session.Session, "client", lambda _session, *asked, **_config: aws.client(*asked))
        return run_module(case)


def aws_of(case: Case, fail_at: int = -1, error: Exception | None = None) -> FakeAws:
    return FakeAws(case.account, case.missing, case.replies, fail_at, error)


@pytest.mark.parametrize("name", CASES)
def test_each_exception_at_each_call_ends_in_one_message(name: str) -> None:
    case = CASES[name]
    usual = aws_of(case)
    expected, _warnings = run(case, usual)
    assert expected.get("verdict", "pass") == "pass", expected
    assert "Unexpected error" not in str(expected.get("msg")), expected
    assert bool(usual.writes) == (name in WRITING), expected
    for number, operation in enumerate(usual.calls):
        for error in each_exception()[number % PARTS :: PARTS]:
            aws = aws_of(case, number, error)
            result, warnings = run(case, aws)
            where = (name, number, operation, type(error), result, warnings)
            is_repeated = operation in aws.writes and result.get("changed") and not result.get("failed")
            assert is_repeated or is_reported(result, warnings), where
            assert result.get("changed", False) == bool(aws.writes), where
            if name.startswith("iam"):
                assert len(result.get("steps", [])) == len(aws.writes), where
