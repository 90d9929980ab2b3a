# SPDX-License-Identifier: GPL-3.0-or-later
"""The shares that the hosts of a play use."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.filter.handoff_summary import FilterModule


def test_hosts_without_a_summary_are_omitted() -> None:
    handoff_summary = FilterModule().filters()["handoff_summary"]
    hostvars = {"one": {"other": {"summary": ["a line"]}, "ecr_pull_share": None}, "two": {}}
    assert handoff_summary(hostvars, ["one", "two"]) == []
    assert handoff_summary(hostvars, ["one", "two"], "other") == ["a line"]
