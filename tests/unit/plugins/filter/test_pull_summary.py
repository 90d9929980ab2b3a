# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of each host of a pull, one line each."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.filter.pull_summary import filter_pull_summary


def test_each_host_has_a_line() -> None:
    proven = {"verdict": "pass", "repositories": [], "problems": []}
    hostvars = {"one": {"ecr_pull_proof": proven, "ecr_pull_result": None}, "two": {}}
    lines = filter_pull_summary(hostvars, ["one", "two"], ["one"])
    assert len([line for line in lines if "one" in line or "two" in line]) == 2
