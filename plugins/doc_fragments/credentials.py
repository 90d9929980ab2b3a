# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  credentials:
    description:
      - V(host) assumes the role on the host, with that host's credentials.
      - V(controller) assumes it in C(ansible-playbook) itself, with the controller's credentials and environment. The
        connection options for AWS then speak of the controller, and the host needs neither AWS credentials nor boto3.
    type: str
    choices: [host, controller]
    default: host
"""
