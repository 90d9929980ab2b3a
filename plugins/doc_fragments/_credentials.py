# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  credentials:
    description:
      - V(host) assumes the role on the host, with the credentials of the host.
      - V(control_node) assumes the role in the process of C(ansible-playbook), with the credentials of the control
        node. The connection options for AWS then apply to the control node. The host needs neither AWS credentials nor
        boto3.
      - With V(control_node), the module reads the environment of C(ansible-playbook), and the C(environment) keyword of
        a play or task has no effect on the credentials.
      - V(control_node) does not support C(async).
    type: str
    choices: [host, control_node]
    default: host
"""
