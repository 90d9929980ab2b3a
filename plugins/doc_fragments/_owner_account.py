# Copyright: crossaccount.ecr contributors
# GNU General Public License v3.0+ (see LICENSE or https://www.gnu.org/licenses/gpl-3.0.txt)
# SPDX-License-Identifier: GPL-3.0-or-later
# Private to this collection: names and content may change in any release.
from __future__ import annotations


class ModuleDocFragment:
    DOCUMENTATION = r"""
options:
  owner_account:
    description:
      - The account ID of the owner account, 12 digits, quoted. If the credentials belong to another account, the module
        fails before it reads or writes anything.
    type: raw
"""

    # For modules that plan a trust policy.
    TRUST_POLICY_QUOTA = r"""
options:
  trust_policy_quota:
    description:
      - The maximum number of characters in a trust policy. Set V(4096) if AWS raised this quota for the account. See
        the IAM User Guide, "IAM and AWS STS quotas".
    type: int
    choices: [2048, 4096]
    default: 2048
"""
