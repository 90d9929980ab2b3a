# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations

DOCUMENTATION = r"""
name: failure_reason
short_description: Why a task failed
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Returns the message of a failed task. For a loop, returns the messages of all failed items, one on each line.
options:
  _input:
    description: The result of the task, such as C(ansible_failed_result).
    type: dict
    required: true
"""

EXAMPLES = r"""
- name: Record why the share failed
  ansible.builtin.set_fact:
    ecr_share_failure: "{{ ansible_failed_result | crossaccount.ecr.failure_reason }}"
"""

RETURN = r"""
_value:
  description: The reason.
  type: str
"""

import typing as t

from ansible_collections.crossaccount.ecr.plugins.plugin_utils._guard import guarded_filter
from ansible_collections.crossaccount.ecr.plugins.plugin_utils._report import failure_reason


class FilterModule:
    def filters(self) -> dict[str, t.Callable[..., str]]:
        return {"failure_reason": guarded_filter("failure_reason", failure_reason)}
