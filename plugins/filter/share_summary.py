# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: share_summary
short_description: What the role ecr_share did in each owner account, a line each
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - For each account, how many gained and lost access, or why it failed. For a single account, only why it failed.
options:
  _input:
    description: The variables of the hosts, C(hostvars).
    type: dict
    required: true
  hosts:
    description: The hosts to name, such as C(ansible_play_hosts_all).
    type: list
    elements: str
    required: true
positional: hosts
"""

EXAMPLES = r"""
- name: Sum up all accounts
  crossaccount.ecr.display_lines:
    lines: "{{ hostvars | crossaccount.ecr.share_summary(ansible_play_hosts_all) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The lines.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import accounts_table


def filter_share_summary(hostvars: t.Mapping[str, t.Any], hosts: list[str]) -> list[str]:
    told = [(host, hostvars[host]) for host in hosts]
    return accounts_table(
        [
            (
                host,
                it.get("ecr_share_failure") or "",
                it.get("ecr_share_access_gained"),
                it.get("ecr_share_access_lost") or [],
            )
            for host, it in told
        ]
    )


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"share_summary": guarded_filter("share_summary", filter_share_summary)}
