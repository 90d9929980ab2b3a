# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: failure_reason
short_description: Extract the error message of a failed task
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns the message of a failed task. If the task is a loop, it returns the message of each failed item, one on each
    line.
options:
  _input:
    description: The result of the task, such as C(ansible_failed_result).
    type: dict
    required: true
seealso:
  - plugin: crossaccount.ecr.share_summary
    plugin_type: filter
    description: Lists the reasons of all accounts.
"""

EXAMPLES = r"""
- name: Share, and record why it failed
  block:
    - name: Share the repository
      ansible.builtin.include_role:
        name: crossaccount.ecr.ecr_share
      vars:
        ecr_share_role_name: allow_ecr_release
        ecr_share_region: ap-northeast-1
        ecr_share_repository_tags:
          environment: release
        ecr_share_repositories: [no-such-repository]
        ecr_share_consumers:
          - account: "222222222222"
            external_id: 7c2f4e0b-share
  rescue:
    - name: Record the reason
      ansible.builtin.set_fact:
        ecr_share_failure: "{{ ansible_failed_result | crossaccount.ecr.failure_reason }}"
"""

RETURN = r"""
_value:
  description: The reason of the failure.
  type: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import failure_reason


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., str]]:
        return {"failure_reason": guarded_filter("failure_reason", failure_reason)}
