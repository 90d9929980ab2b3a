# SPDX-License-Identifier: GPL-3.0-or-later
"""The result of each owner account, one line each."""

from __future__ import annotations

from ansible_collections.crossaccount.ecr.plugins.filter.share_summary import filter_share_summary


def test_each_host_has_a_line_and_each_failure_its_reason() -> None:
    gained = {"ecr_share_access_gained": [{"repository": "release"}], "ecr_share_access_lost": []}
    lines = filter_share_summary({"one": gained, "two": {"ecr_share_failure": "Access denied."}}, ["one", "two"])
    assert [line for line in lines if "one" in line and "1" in line]
    assert any("Access denied." in line for line in lines)
