# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: share_summary
short_description: Summary of the results of the role ecr_share, one line for each owner account
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns how many principals gained and lost access in each account. For a failed account, returns the reason.
  - If the only account succeeded, returns no lines.
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
- name: Show the results of all accounts
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
    variables_by_host = [(host, hostvars[host]) for host in hosts]
    return accounts_table(
        [
            (
                host,
                variables.get("ecr_share_failure") or "",
                variables.get("ecr_share_access_gained"),
                variables.get("ecr_share_access_lost") or [],
            )
            for host, variables in variables_by_host
        ]
    )


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"share_summary": guarded_filter("share_summary", filter_share_summary)}
