# SPDX-License-Identifier: GPL-3.0-or-later
"""The error of a run that changed some repositories only."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.module_utils._partial_failure import partial_failure


def test_error_has_the_failed_and_the_changed_repositories() -> None:
    error = partial_failure(["a", "b", "c"], {"c": "denied", "a": "deleted"}, ["Run again.", "Run again.", "Wait."])
    assert str(error) == ("2 of 3 repositories could not be changed:\n- a: deleted\n- c: denied\nRun again.\nWait.")
    assert error.facts == {
        "changed": True,
        "failed_repositories": {"a": "deleted", "c": "denied"},
        "changed_repositories": ["b"],
    }


def test_nothing_is_changed_if_all_repositories_fail() -> None:
    error = partial_failure(["a"], {"a": "denied"}, [])
    assert str(error) == "1 of 1 repositories could not be changed:\n- a: denied"
    assert (error.facts["changed"], error.facts["changed_repositories"]) == (False, [])
