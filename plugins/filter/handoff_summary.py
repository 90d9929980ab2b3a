# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: handoff_summary
short_description: Summarize the shares that the hosts of a play use
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns the owner account, consumer account, role, repositories and images. Hosts that use the same share are listed
    together.
options:
  variable:
    description: The host variable with the result of M(crossaccount.ecr.ecr_handoff_info).
    type: str
    default: ecr_pull_share
extends_documentation_fragment:
  - crossaccount.ecr._hosts
positional: hosts, variable
seealso:
  - module: crossaccount.ecr.ecr_handoff_info
    description: Returns the share.
"""

EXAMPLES = r"""
- name: Read the hand-off
  crossaccount.ecr.ecr_handoff_info:
  vars:
    ecr_pull_handoff: handoff.yml
  register: ecr_pull_share

- name: Show the share
  crossaccount.ecr.display_lines:
    lines: "{{ hostvars | crossaccount.ecr.handoff_summary(ansible_play_hosts) }}"
  run_once: true
"""

RETURN = r"""
_value:
  description: The summary, line by line.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.module_utils._handoff_summary import summary_of_hosts
from ansible_collections.crossaccount.ecr.plugins.module_utils._json import Json
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter


def filter_handoff_summary(
    hostvars: t.Mapping[str, Json], hosts: list[str], variable: str = "ecr_pull_share"
) -> list[str]:
    results = {host: hostvars[host].get(variable) or {} for host in hosts}
    return summary_of_hosts({host: result["summary"] for host, result in results.items() if "summary" in result})


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"handoff_summary": guarded_filter("handoff_summary", filter_handoff_summary)}
