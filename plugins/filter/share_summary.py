# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: share_summary
short_description: Summarize the results of the role ecr_share, one line for each owner account
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Each line has the number of principals that gain or lose access to a repository, or the reason of a failure.
  - With a single account, the filter returns no lines, because the failed task displays its reason.
extends_documentation_fragment:
  - crossaccount.ecr._hosts
positional: hosts
seealso:
  - ref: ansible_collections.crossaccount.ecr.ecr_share_role
    description: The role C(crossaccount.ecr.ecr_share) publishes the results that this filter summarizes.
  - plugin: crossaccount.ecr.failure_reason
    plugin_type: filter
    description: Extracts the reason of a failure.
"""

EXAMPLES = r"""
- name: Share, and summarize all accounts
  block:
    - name: Share the repository
      ansible.builtin.include_role:
        name: crossaccount.ecr.ecr_share
      vars:
        ecr_share_role_name: allow_ecr_release
        ecr_share_region: ap-northeast-1
        ecr_share_repository_tags:
          environment: release
        ecr_share_repositories: [release]
        ecr_share_consumers:
          - account: "222222222222"
            external_id: 7c2f4e0b-share
  rescue:
    - name: Record the reason
      ansible.builtin.set_fact:
        ecr_share_failure: "{{ ansible_failed_result | crossaccount.ecr.failure_reason }}"
  always:
    - name: Summarize all accounts
      crossaccount.ecr.display_lines:
        lines: "{{ hostvars | crossaccount.ecr.share_summary(ansible_play_hosts_all) }}"
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
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import accounts_table


def filter_share_summary(hostvars: t.Mapping[str, t.Any], hosts: list[str]) -> list[str]:
    names = ("ecr_share_failure", "ecr_share_access_gained", "ecr_share_access_lost")
    results = [(host, *(hostvars[host].get(name) for name in names)) for host in hosts]
    return accounts_table([(host, failure or "", gained, lost or []) for host, failure, gained, lost in results])


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., list[str]]]:
        return {"share_summary": guarded_filter("share_summary", filter_share_summary)}
