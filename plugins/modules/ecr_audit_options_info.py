#!/usr/bin/python
# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later

# This is a virtual module that is entirely implemented as an action plugin and runs on the control node.

from __future__ import annotations

DOCUMENTATION = r"""
module: ecr_audit_options_info
short_description: Validate the variables of an audit before its first request
version_added: 0.1.0
author: The crossaccount.ecr maintainers (@crossaccount)
description:
  - Validates the names of all variables of the role P(crossaccount.ecr.ecr_audit#role), the declaration of shares, and
    the directory of the reports. It reports all problems in one failure.
  - The module runs on the control node. It sends no request to AWS and changes nothing.
  - The declaration is a file with the variables of the role P(crossaccount.ecr.ecr_share#role). It is loaded and
    evaluated as with C(-e @FILE).
options:
  declaration:
    description:
      - The path of the file with the declaration. A relative path starts at the directory in which C(ansible-playbook)
        was started.
      - If omitted, no declaration is validated.
    type: str
  report_dir:
    description:
      - The directory for the reports. If the play has several hosts, each of them has a subdirectory with its name.
      - If omitted, no report is written.
    type: path
  owner_account:
    description: The account ID of the owner account.
    type: raw
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
  - ref: ansible_collections.crossaccount.ecr.ecr_audit_role
    description: The role C(crossaccount.ecr.ecr_audit) runs this module first.
  - module: crossaccount.ecr.ecr_audit_info
    description: Reads who can pull what.
  - module: crossaccount.ecr.ecr_share_info
    description: Compares RV(shares) with the account.
"""

EXAMPLES = r"""
- name: Validate a declaration
  crossaccount.ecr.ecr_audit_options_info:
    declaration: shares.yml
  register: options

- name: Compare it with the account
  crossaccount.ecr.ecr_share_info:
    region: "{{ options.region }}"
    shares: "{{ options.shares }}"
"""

RETURN = r"""
dest:
  description: The directory for the reports of this host. Empty if no report is written.
  returned: success
  type: str
  sample: reports
region:
  description: The region of the declared shares. Empty if the declaration does not have one.
  returned: with a declaration
  type: str
  sample: ap-northeast-1
shares:
  description: The declared shares without hand-offs, as the option O(crossaccount.ecr.ecr_share_info#module:shares).
  returned: with a declaration
  type: list
  elements: dict
  sample:
    - role_name: allow_ecr_release
trust_policy_quota:
  description: The maximum number of characters in a trust policy.
  returned: with a declaration
  type: int
  sample: 2048
"""
