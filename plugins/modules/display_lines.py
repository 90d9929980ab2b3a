#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the control node.

from __future__ import annotations

DOCUMENTATION = r"""
module: display_lines
short_description: Show lines without changes
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Shows each line without changes, such as the lines of a table. C(ansible.builtin.debug) shows a list as YAML or
    JSON.
  - In a play with several hosts, each line begins with the name of the host, unless the task runs once.
  - With a stdout callback that writes JSON, the lines are only in the result of the task.
  - The module runs on the control node.
options:
  lines:
    description: The lines to show.
    type: list
    elements: str
    required: true
  all_lines:
    description:
      - The lines to show with C(-v), in place of O(lines). They are also the result.
      - The default is O(lines).
    type: list
    elements: str
extends_documentation_fragment:
  - crossaccount.ecr._attributes
  - crossaccount.ecr._attributes.info
  - crossaccount.ecr._requirements
attributes:
  async:
    support: none
  action_group:
    support: none
    membership: []
seealso:
  - module: ansible.builtin.debug
  - module: crossaccount.ecr.ecr_share_info
    description: Returns lines to show.
"""

EXAMPLES = r"""
- name: Plan a share
  crossaccount.ecr.ecr_share_info:
    region: ap-northeast-1
    shares:
      - role_name: allow_ecr_release
        repository_tags:
          environment: release
        repositories: [release]
        consumers:
          - account: "222222222222"
            external_id: 7c2f4e0b-share
  register: plan

- name: Show who gains and who loses access
  crossaccount.ecr.display_lines:
    lines: "{{ plan.lines }}"
    all_lines: "{{ plan.all_lines }}"
"""

RETURN = r"""
lines:
  description: O(all_lines), or O(lines) without it.
  returned: always
  type: list
  elements: str
  sample: ["+ 222222222222 (external ID) can pull release"]
"""
