#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the controller.

from __future__ import annotations

DOCUMENTATION = r"""
module: display_lines
short_description: Shows lines as they are
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Shows each line as it is, such as those of a table, where C(ansible.builtin.debug) shows a list in YAML or JSON.
  - In a play of several hosts, each line begins with the host's name, unless the task runs once.
  - With a stdout callback that writes JSON, the lines are in the task's result only.
options:
  lines:
    description: The lines.
    type: list
    elements: str
    required: true
  all_lines:
    description: The lines to show instead with C(-v). They are also the result.
    type: list
    elements: str
extends_documentation_fragment:
  - crossaccount.ecr.attributes
attributes:
  check_mode:
    support: full
  diff_mode:
    support: none
    details: Nothing is changed.
"""

EXAMPLES = r"""
- name: Show who gains and who loses access
  crossaccount.ecr.display_lines:
    lines: "{{ plan.lines }}"
    all_lines: "{{ plan.all_lines }}"
"""

RETURN = r"""
lines:
  description: The lines, or O(all_lines).
  returned: always
  type: list
  elements: str
  sample: ["+ 222222222222 (external ID) can pull release"]
"""
