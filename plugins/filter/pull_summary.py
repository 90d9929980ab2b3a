# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: pull_summary
short_description: Summarize the results of the role ecr_pull, one line for each host
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Each line has the verdict of the proof and the images. For a host that failed, it has the reason.
options:
  successful_hosts:
    description: The hosts that did not fail, such as C(ansible_play_hosts).
    type: list
    elements: str
    required: true
extends_documentation_fragment:
  - crossaccount.ecr._hosts
positional: hosts, successful_hosts
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_pull_role
    description: The role C(crossaccount.ecr.ecr_pull) publishes the results that this filter summarizes.
"""

EXAMPLES = r"""
- name: Pull, and summarize all hosts
  block:
    - name: Pull
      ansible.builtin.include_role:
        name: crossaccount.ecr.ecr_pull
      vars:
        ecr_pull_handoff: handoff.yml
        ecr_pull_engine: oci_layout
        ecr_pull_dest: ~/images/release
  always:
    - name: Summarize all hosts
      crossaccount.ecr.display_lines:
        lines: >-
          {{ hostvars | crossaccount.ecr.pull_summary(ansible_play_hosts_all, ansible_play_hosts) }}
      run_once: true
"""

RETURN = r"""
_value:
  description: The summary, line by line.
  type: list
  elements: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import hosts_table


def filter_pull_summary(hostvars: t.Mapping[str, t.Any], hosts: list[str], successful_hosts: list[str]) -> list[str]:
    names = ("ecr_pull_proof", "ecr_pull_result")
    rows = [(host, host in successful_hosts, *(hostvars[host].get(name) or {} for name in names)) for host in hosts]
    return hosts_table(t.cast("list[t.Any]", rows))


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"pull_summary": guarded_filter("pull_summary", filter_pull_summary)}
